/* Properties: what is printed parses to the same address and prints the same;
 * limits hold; the normal form of a domain is ASCII, normal itself, and is
 * reached from its Unicode form too. */
#include "grammar/smtp/mailbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(str in)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	AUTO_BUF buf first = buf_new(4096), second = buf_new(4096);
	cursor c = cursor_on(in);
	struct mailbox m, n;
	if (failed(mailbox_take_path(&c, &a, &m)))
		return;
	must(c.p > in.p && c.p <= in.p + in.n && c.p[-1] == '>');
	mailbox_print_path(&first, &m);
	must(!failed(buf_result(&first)) && first.n <= MAILBOX_MAX + 2);
	c = cursor_on(buf_str(&first));
	must(!failed(mailbox_take_path(&c, &a, &n)) && cursor_done(&c));
	must(n.kind == m.kind && n.utf8 == m.utf8 && str_eq(n.local, m.local) && str_eq(n.domain, m.domain));
	mailbox_print_path(&second, &n);
	must(str_eq(buf_str(&first), buf_str(&second)));
	must(str_find(buf_str(&first), STR("\r")) == STR_NONE && str_find(buf_str(&first), STR("\n")) == STR_NONE);
}

static void check_domain(str in)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	str normal, again, shown, back;
	if (failed(mailbox_domain(in, &a, &normal)))
		return;
	must(str_is_ascii(normal) && normal.n > 0 && normal.n <= MAILBOX_DOMAIN_MAX);
	must(str_find(normal, STR("@")) == STR_NONE || normal.p[0] == '[');
	must(!failed(mailbox_domain(normal, &a, &again)) && str_eq(normal, again));
	must(!failed(mailbox_domain_unicode(in, &a, &shown)));
	must(!failed(mailbox_domain(shown, &a, &back)) && str_eq(back, normal));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_of((const char *)data, size);
	check_path(in);
	check_domain(in);
	return 0;
}
