#include "auth/address.h"

#include "grammar/smtp/mailbox.h"

static result join(str local, str domain, arena *a, struct address *out)
{
	size_t n = local.n + 1 + domain.n;
	char *p = arena_alloc(a, n);
	if (!p)
		return arena_result(a);
	for (size_t i = 0; i < local.n; i++)
		p[i] = (char)ascii_lower(str_at(local, i));
	p[local.n] = '@';
	memcpy(p + local.n + 1, domain.p, domain.n);
	*out = (struct address){str_of(p, n), str_of(p, local.n), str_of(p + local.n + 1, domain.n)};
	return OK;
}

result address_parse(str text, arena *a, struct address *out)
{
	struct mailbox m;
	str domain;
	TRY(mailbox_parse(text, a, &m));
	if (m.kind != MAILBOX_NAME)
		return failure(FAIL_INPUT, "an address here is name@domain with the domain's name, such as anna@example.org");
	TRY(mailbox_domain(m.domain, a, &domain));
	return join(m.local, domain, a, out);
}

result address_parse_elsewhere(str text, arena *a, struct address *out)
{
	struct mailbox m;
	str domain;
	TRY(mailbox_parse(text, a, &m));
	if (m.kind == MAILBOX_BARE)
		return failure(FAIL_INPUT, "an address elsewhere has a domain");
	TRY(mailbox_domain(m.domain, a, &domain));
	return join(m.local, domain, a, out);
}

result address_or_domain(str text, arena *a, str *key)
{
	struct address parsed;
	if (text.n == 0 || text.p[0] != '@') {
		TRY(address_parse(text, a, &parsed));
		*key = parsed.key;
		return OK;
	}
	str domain;
	TRY(mailbox_domain(str_skip(text, 1), a, &domain));
	TRY(join((str){"", 0}, domain, a, &parsed));
	*key = parsed.key;
	return OK;
}
