/* A session must survive whatever a client sends: it ends when the connection
 * does, the store stays sound, and each line it says is well-formed. */
#include "account/stage.h"

enum { FUZZ_INPUT_MAX = 64 * 1024 };

static str input;

/* Answers begin with their status; what follows +OK to one of the commands with
 * many lines ends in a line of one dot. All that is kept here is printable. */
static void check_answers(str said)
{
	while (said.n) {
		size_t end = str_find(said, STR("\r\n"));
		must(end != STR_NONE);
		str line = str_sub(said, 0, end);
		for (size_t i = 0; i < line.n; i++)
			must(str_at(line, i) >= ' ' && str_at(line, i) != 0x7f);
		if (line.n && (line.p[0] == '+' || line.p[0] == '-'))
			must(str_starts(line, STR("+OK ")) || str_starts(line, STR("-ERR ")));
		said = str_skip(said, end + 2);
	}
}

static void play(struct stage *t)
{
	AUTO_BUF buf says = buf_new(2 * FUZZ_INPUT_MAX), said = buf_new(64 * 1024 * 1024);
	buf_put(&says, input);
	buf_put(&says, STR("\r\nQUIT\r\n"));
	stage_deliver(t, STR("Subject: one\r\n\r\nhello\r\n.\r\n"));
	stage_deliver(t, STR("Subject: two\r\n\r\n.no end"));
	stage_exchange(t, buf_str(&says), &said);
	check_answers(buf_str(&said));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = str_of((const char *)data, size < FUZZ_INPUT_MAX ? size : FUZZ_INPUT_MAX);
	stage_with(play);
	return 0;
}
