/* Every line of the input is parsed as a command. Properties: a refusal is a
 * well-formed reply with one of the documented codes; what is accepted has its
 * limits kept and no control characters in what will stand in header fields;
 * MAIL and RCPT printed again mean the same. */
#include <limits.h>

#include "grammar/smtp/smtp.h"
#include "grammar/smtp/smtp_print.h"
#include "grammar/smtp/smtp_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(str s)
{
	for (size_t i = 0; i < s.n; i++)
		must(str_at(s, i) >= 32 && s.p[i] != 127);
}

static void check_fault(const struct smtp_fault *f)
{
	AUTO_BUF buf reply = buf_new(1 << 16), text = buf_new(1 << 16);
	struct smtp_reply r = {0};
	must(f->code == 452 || f->code == 500 || f->code == 501 || f->code == 504 || f->code == 553 || f->code == 555);
	smtp_fault_print(&reply, f);
	for (str rest = buf_str(&reply); rest.n > 0;) {
		size_t end = str_find(rest, STR("\r\n"));
		must(end != STR_NONE && end + 2 <= SMTP_REPLY_LINE_MAX);
		must(!failed(smtp_reply_read(&r, str_sub(rest, 0, end), &text)));
		rest = str_skip(rest, end + 2);
	}
	must(r.done && r.code == f->code && r.status[0] == f->code / 100);
}

static void same_mailbox(const struct mailbox *a, const struct mailbox *b)
{
	must(a->kind == b->kind && str_eq(a->local, b->local) && str_eq(a->domain, b->domain));
	check_clean(a->local);
}

static void check_mail(struct smtp_parser *p, const struct smtp_mail *m)
{
	AUTO_BUF buf line = buf_new(1 << 16);
	struct smtp_command c;
	smtp_print_mail(&line, m);
	must(!failed(smtp_parse(p, str_sub(buf_str(&line), 0, line.n - 2), &c)) && !c.lenient && c.verb == SMTP_MAIL);
	same_mailbox(&m->from, &c.mail.from);
	same_mailbox(&m->auth, &c.mail.auth);
	must(c.mail.given == m->given && c.mail.size == m->size && c.mail.body == m->body && c.mail.ret == m->ret);
	must(str_eq(c.mail.envid, m->envid));
	must(c.mail.hold_for == m->hold_for && c.mail.hold_until == m->hold_until);
	must(c.mail.by == m->by && c.mail.by_return == m->by_return && c.mail.by_trace == m->by_trace);
	must((m->given & SMTP_P_FUTURE) != SMTP_P_FUTURE && (!m->by_return || m->by > 0));
	check_clean(m->envid);
}

static void check_rcpt(struct smtp_parser *p, const struct smtp_rcpt *r)
{
	AUTO_BUF buf line = buf_new(1 << 16);
	struct smtp_command c;
	smtp_print_rcpt(&line, r, p->smtputf8);
	check_clean(r->orcpt);
	/* Encoding may lengthen a value that came in a shorter form beyond its limit. */
	if (failed(smtp_parse(p, str_sub(buf_str(&line), 0, line.n - 2), &c))) {
		must(r->orcpt.n > SMTP_ORCPT_MAX / 4);
		return;
	}
	same_mailbox(&r->to, &c.rcpt.to);
	must(c.verb == SMTP_RCPT && c.rcpt.given == r->given && c.rcpt.notify == r->notify);
	must(str_eq(c.rcpt.orcpt, r->orcpt) && str_eq(c.rcpt.orcpt_type, r->orcpt_type));
}

static void check_line(struct smtp_parser *p, str line)
{
	struct smtp_command c;
	if (failed(smtp_parse(p, line, &c))) {
		check_fault(&p->fault);
		return;
	}
	must(c.verb < SMTP_VERBS && line.n >= smtp_verb_name(c.verb).n);
	if (c.verb == SMTP_MAIL)
		check_mail(p, &c.mail);
	else if (c.verb == SMTP_RCPT)
		check_rcpt(p, &c.rcpt);
	else if (c.verb == SMTP_XCLIENT)
		for (size_t i = 0; i < SMTP_X_COUNT; i++)
			check_clean(c.xclient.value[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str rest = str_of((const char *)data, size);
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct smtp_parser p = {.arena = &a, .offered = UINT_MAX, .smtputf8 = size % 2};
	while (rest.n > 0) {
		size_t lf = str_chr(rest, '\n');
		str line = str_sub(rest, 0, lf);
		if (str_ends(line, STR("\r")))
			line.n--;
		check_line(&p, line);
		rest = lf == STR_NONE ? STR("") : str_skip(rest, lf + 1);
	}
	return 0;
}
