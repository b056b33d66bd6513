/* What is read is written so that it is read the same; views stay inside. */
#include "base/fail.h"
#include "grammar/smtp/srs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(str whole, str part)
{
	must(part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_of((const char *)data, size);
	struct srs s, again;
	if (failed(srs_parse(in, &s)) || s.kind == SRS_NONE)
		return 0;
	inside(in, s.hash);
	inside(in, s.domain);
	inside(in, s.rest);
	AUTO_BUF buf out = buf_new(size + 100);
	srs_print(&out, &s);
	must(!failed(buf_result(&out)));
	must(!failed(srs_parse(buf_str(&out), &again)));
	must(again.kind == s.kind && again.day == s.day && str_eq(again.hash, s.hash));
	must(str_eq(again.domain, s.domain) && str_eq(again.rest, s.rest));
	return 0;
}
