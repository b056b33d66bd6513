/* A session must survive whatever a client sends: it ends when the connection
 * does, the store stays sound, and each line it says is well-formed. */
#include "account/pop3/stage.h"

enum { FUZZ_INPUT_MAX = 64 * 1024 };

static str input;

static void speak(void *arg)
{
	struct stage *t = arg;
	result r = stream_write(t->clients[0], input);
	if (!failed(r))
		r = stream_write(t->clients[0], STR("\r\nQUIT\r\n"));
	if (!failed(r))
		r = stream_end(t->clients[0]);
	(void)r; /* the session may have gone */
}

static void hear_all(struct stage *t, buf *out)
{
	str piece;
	while (!failed(stream_read_some(t->clients[0], &piece))) {
		buf_put(out, piece);
		stream_consume(t->clients[0], piece.n);
	}
}

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

static void play(struct kit *k)
{
	struct stage t;
	AUTO_BUF buf said = buf_new(64 * 1024 * 1024);
	stage_open(&t, k);
	stage_deliver(&t, STR("Subject: one\r\n\r\nhello\r\n.\r\n"));
	stage_deliver(&t, STR("Subject: two\r\n\r\n.no end"));
	stage_join(&t, 0);
	assert_ok(fiber_start(speak, &t, "client", NULL));
	hear_all(&t, &said);
	check_answers(buf_str(&said));
	stage_close(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = str_of((const char *)data, size < FUZZ_INPUT_MAX ? size : FUZZ_INPUT_MAX);
	kit_run(play);
	return 0;
}
