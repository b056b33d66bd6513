/* A session must survive whatever a client sends: it ends when the connection
 * does, the store stays sound, and what it says is well-formed: nothing stored
 * or sent can break a line of the answers (response injection). */
#include "account/stage.h"
#include "grammar/imap/imap_literal.h"
#include "grammar/text/charset.h"

enum { FUZZ_INPUT_MAX = 64 * 1024 };

static str input;

/* Lines in CRLF, literals between them. */
static void check_answers(str said)
{
	while (said.n) {
		size_t end = str_find(said, STR("\r\n"));
		struct imap_literal l;
		if (end == STR_NONE)
			return; /* cut off by the end of the connection */
		str line = str_sub(said, 0, end);
		for (size_t i = 0; i < line.n; i++)
			must(str_at(line, i) >= ' ' && str_at(line, i) != 0x7f);
		said = str_skip(said, end + 2);
		if (imap_literal_at_end(line, &l) == IMAP_LINE_LITERAL && l.sync)
			said = str_skip(said, l.size);
	}
}

static void play(struct stage *t)
{
	AUTO_BUF buf says = buf_new(2 * FUZZ_INPUT_MAX), said = buf_new(64 * 1024 * 1024);
	buf_put(&says, input);
	buf_put(&says, STR("\r\nzz LOGOUT\r\n"));
	stage_deliver(t, STR("Subject: one\r\n\r\nhello\r\n"));
	stage_deliver(t, STR("Subject: =?utf-8?q?tw=C3=B6?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
		"--b\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
		"Subject: in\r\n\r\nit\r\n--b--\r\n"));
	stage_exchange(t, buf_str(&says), &said);
	check_answers(buf_str(&said));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	if (!ready)
		must(!failed(charset_preload()));
	ready = true;
	input = str_of((const char *)data, size < FUZZ_INPUT_MAX ? size : FUZZ_INPUT_MAX);
	stage_with(play);
	return 0;
}
