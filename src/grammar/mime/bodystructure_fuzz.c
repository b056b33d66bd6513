#include "grammar/mime/bodystructure.h"
#include "grammar/imap/imap_list_check.h"
#include "grammar/mime/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA arena mem = arena_new(MIME_ARENA_MAX);
	AUTO_BUF buf out = buf_new(64 << 20);
	struct mime_table t;
	must(!failed(mime_parse(str_of((const char *)data, size), &mem, &t)));
	for (int extended = 0; extended < 2; extended++) {
		buf_clear(&out);
		bodystructure_print(&t, extended, &mem, &out);
		must(!failed(buf_result(&out)));
		check_body_text(buf_str(&out), extended, &t);
	}
	buf_clear(&out);
	envelope_print(t.parts[0].header, &mem, &out);
	must(!failed(buf_result(&out)));
	check_envelope_text(buf_str(&out));
	return 0;
}
