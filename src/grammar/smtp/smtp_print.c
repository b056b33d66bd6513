#include "grammar/smtp/smtp_print.h"
#include "grammar/smtp/xtext.h"
#include "grammar/text/timestamp.h"

static const char *const bodies[] = {
	[SMTP_BODY_NONE] = "7BIT",
	[SMTP_BODY_7BIT] = "7BIT",
	[SMTP_BODY_8BITMIME] = "8BITMIME",
	[SMTP_BODY_BINARYMIME] = "BINARYMIME",
};

static void print_auth(buf *out, const struct mailbox *auth)
{
	AUTO_BUF buf plain = buf_new(MAILBOX_MAX);
	mailbox_print(&plain, auth);
	buf_put(out, STR(" AUTH="));
	if (auth->kind == MAILBOX_NULL)
		buf_put(out, STR("<>"));
	else
		xtext_encode(out, buf_str(&plain));
	if (plain.broken)
		out->broken = plain.broken;
}

/* HOLDFOR or HOLDUNTIL, BY, REQUIRETLS. */
static void print_handling(buf *out, const struct smtp_mail *m)
{
	if (m->given & SMTP_P_HOLDFOR)
		buf_printf(out, " HOLDFOR=%u", (unsigned)m->hold_for);
	if (m->given & SMTP_P_HOLDUNTIL) {
		buf_put(out, STR(" HOLDUNTIL="));
		timestamp_print(out, m->hold_until);
	}
	if (m->given & SMTP_P_BY)
		buf_printf(out, " BY=%lld;%s%s", (long long)m->by, m->by_return ? "R" : "N", m->by_trace ? "T" : "");
	if (m->given & SMTP_P_REQUIRETLS)
		buf_put(out, STR(" REQUIRETLS"));
}

void smtp_print_mail(buf *out, const struct smtp_mail *m)
{
	buf_put(out, STR("MAIL FROM:"));
	mailbox_print_path(out, &m->from);
	if (m->given & SMTP_P_SIZE) {
		buf_put(out, STR(" SIZE="));
		buf_put_u64(out, m->size);
	}
	if (m->given & SMTP_P_BODY) {
		buf_put(out, STR(" BODY="));
		buf_put(out, str_from(bodies[m->body]));
	}
	if (m->given & SMTP_P_SMTPUTF8)
		buf_put(out, STR(" SMTPUTF8"));
	if (m->given & SMTP_P_RET)
		buf_put(out, m->ret == SMTP_RET_FULL ? STR(" RET=FULL") : STR(" RET=HDRS"));
	if (m->given & SMTP_P_ENVID) {
		buf_put(out, STR(" ENVID="));
		xtext_encode(out, m->envid);
	}
	if (m->given & SMTP_P_AUTH)
		print_auth(out, &m->auth);
	print_handling(out, m);
	buf_put(out, STR("\r\n"));
}

static void print_notify(buf *out, unsigned notify)
{
	static const struct {
		unsigned bit;
		str word;
	} words[] = {
		{SMTP_NOTIFY_NEVER, STR_INIT("NEVER")},
		{SMTP_NOTIFY_SUCCESS, STR_INIT("SUCCESS")},
		{SMTP_NOTIFY_FAILURE, STR_INIT("FAILURE")},
		{SMTP_NOTIFY_DELAY, STR_INIT("DELAY")},
	};
	bool first = true;
	buf_put(out, STR(" NOTIFY="));
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!(notify & words[i].bit))
			continue;
		if (!first)
			buf_putc(out, ',');
		buf_put(out, words[i].word);
		first = false;
	}
}

void smtp_print_rcpt(buf *out, const struct smtp_rcpt *r, bool utf8)
{
	buf_put(out, STR("RCPT TO:"));
	mailbox_print_path(out, &r->to);
	if (r->given & SMTP_P_NOTIFY)
		print_notify(out, r->notify);
	if (r->given & SMTP_P_ORCPT) {
		buf_put(out, STR(" ORCPT="));
		buf_put(out, r->orcpt_type);
		buf_putc(out, ';');
		if (str_ieq(r->orcpt_type, STR("utf-8")))
			utf8_addr_encode(out, r->orcpt, utf8);
		else
			xtext_encode(out, r->orcpt);
	}
	buf_put(out, STR("\r\n"));
}
