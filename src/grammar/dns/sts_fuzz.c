/* A policy that is taken has what 3.2 demands, written again it reads as itself,
 * and its plain patterns match themselves; records give ids of their form. */
#include "base/buf.h"
#include "grammar/dns/sts.h"
#include "grammar/dns/tlsrpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const modes[] = {"none", "testing", "enforce"};

static void write_policy(const struct sts_policy *p, buf *out)
{
	buf_printf(out, "version: STSv1\nmode: %s\nmax_age: %u\n", modes[p->mode], p->max_age);
	for (size_t i = 0; i < p->mx.n; i++)
		buf_printf(out, "mx: %.*s\n", STR_ARG(p->mx.p[i]));
}

static void policy_twice(str text, arena *a)
{
	AUTO_BUF buf written = buf_new(1 << 20);
	struct sts_policy p, again;
	if (failed(sts_policy(text, a, &p)))
		return;
	must(p.mx.n <= STS_MX_MAX && p.max_age <= STS_AGE_MAX && (p.mode == STS_NONE || p.mx.n > 0));
	write_policy(&p, &written);
	result r = sts_policy(buf_str(&written), a, &again);
	must(written.n > STS_POLICY_MAX || (!failed(r) && again.mode == p.mode && again.max_age == p.max_age));
	for (size_t i = 0; i < p.mx.n; i++)
		must(str_starts(p.mx.p[i], STR("*.")) || sts_mx_matches(&p, p.mx.p[i]));
}

static void tlsrpt_places(str text, arena *a)
{
	struct tlsrpt t;
	if (failed(tlsrpt_record(text, a, &t)))
		return;
	must(tlsrpt_is_record(text) && t.n > 0 && t.n <= TLSRPT_PLACES_MAX);
	for (size_t i = 0; i < t.n; i++)
		must(t.place[i].address.n > 0 ? str_chr(t.place[i].address, '@') != STR_NONE
			: t.place[i].host.n > 0 && str_at(t.place[i].path, 0) == '/');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA arena a = arena_new(4 << 20);
	str text = str_of((const char *)data, size), id;
	policy_twice(text, &a);
	if (!failed(sts_record(text, &id)))
		must(sts_is_record(text) && id.n >= 1 && id.n <= STS_ID_MAX);
	if (!failed(sts_record(text, &id)))
		must(id.p >= text.p && id.p + id.n <= text.p + text.n);
	tlsrpt_places(text, &a);
	return 0;
}
