/* Properties: an accepted message prints as the same bytes; its parts keep
 * their limits and hold no NUL; the same through base64. */
#include "grammar/text/sasl.h"
#include "grammar/text/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_of((const char *)data, size);
	AUTO_BUF buf a = buf_new(1 << 20), b = buf_new(1 << 20), c = buf_new(1 << 20);
	struct sasl_plain p;
	if (failed(sasl_decode(in, &c)))
		must(c.n == 0);
	if (failed(sasl_plain_parse(in, &p)))
		return 0;
	sasl_plain_print(&a, &p);
	must(str_eq(buf_str(&a), in) && in.n <= SASL_MESSAGE_MAX);
	must(p.authcid.n > 0 && p.passwd.n > 0 && str_chr(p.passwd, '\0') == STR_NONE);
	must(str_is_utf8(p.authzid) && str_is_utf8(p.authcid) && str_is_utf8(p.passwd));
	base64_encode(&b, in, 0);
	must(b.n <= SASL_LINE_MAX);
	buf_clear(&a);
	must(!failed(sasl_decode(buf_str(&b), &a)) && str_eq(buf_str(&a), in));
	return 0;
}
