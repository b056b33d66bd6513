/* Properties: an accepted message prints as the same bytes; its pieces lie one
 * behind the other in it; names hold no NUL. */
#include "grammar/text/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_first(str in)
{
	AUTO_ARENA arena a = arena_new(1 << 16);
	AUTO_BUF buf out = buf_new(1 << 16);
	struct scram_first m;
	if (failed(scram_first_parse(in, &a, &m)))
		return;
	scram_first_print(&out, &m);
	must(str_eq(buf_str(&out), in));
	must(m.header.p == in.p && m.bare.p == in.p + m.header.n && m.header.n + m.bare.n == in.n);
	must(m.user.n > 0 && str_is_utf8(m.user) && str_chr(m.user, '\0') == STR_NONE);
	must(m.nonce.n > 0 && m.nonce.n <= SCRAM_NONCE_MAX && (m.flag == SCRAM_BOUND) == (m.binding.n > 0));
}

static void check_final(str in)
{
	AUTO_ARENA arena a = arena_new(1 << 16);
	AUTO_BUF buf out = buf_new(1 << 16);
	struct scram_final m;
	if (failed(scram_final_parse(in, &a, &m)))
		return;
	scram_final_print(&out, &m);
	must(str_eq(buf_str(&out), in));
	must(m.without_proof.p == in.p && m.without_proof.n < in.n && m.proof.n > 0 && m.binding.n > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_of((const char *)data, size);
	check_first(in);
	check_final(in);
	return 0;
}
