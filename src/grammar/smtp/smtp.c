#include "grammar/smtp/smtp.h"
#include "grammar/smtp/smtp_part.h"
#include "grammar/smtp/smtp_reply.h"

result smtp_refuse(struct smtp_parser *p, struct smtp_fault fault, str word)
{
	p->fault = fault;
	p->fault.word = word;
	return failure(FAIL_INPUT, fault.text);
}

result smtp_refuse_because(struct smtp_parser *p, result r, struct smtp_fault fault, str word)
{
	if (r.kind != FAIL_INPUT) {
		p->fault = FAULT(452, "4.3.1", "the command needs more memory than is left for this session");
		return r;
	}
	fault.text = r.text;
	return smtp_refuse(p, fault, word);
}

bool smtp_is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

bool smtp_not_blank(unsigned char c)
{
	return !smtp_is_blank(c);
}

/* --- arguments of each kind --- */

static result parse_helo(struct smtp_parser *p, cursor *c, struct smtp_command *out)
{
	struct smtp_helo *h = &out->helo;
	h->name = cursor_while(c, smtp_not_blank);
	if (h->name.n == 0)
		return smtp_refuse(
			p, FAULT(501, "5.5.4", "say your name: a domain or an address literal has to follow"), h->name);
	if (h->name.n > SMTP_HELO_MAX)
		return smtp_refuse(p, FAULT(501, "5.5.4", "the name is longer than 255 octets"), STR(""));
	cursor name = cursor_on(h->name);
	h->valid = !failed(mailbox_take_domain(&name, &h->domain)) && cursor_done(&name);
	if (!h->valid)
		h->domain = (struct mailbox){0};
	return OK;
}

/* "FROM:" or "TO:" and the blanks some clients put behind it. */
static bool take_keyword(cursor *c, str keyword, struct smtp_command *out)
{
	if (!cursor_ieat(c, keyword))
		return false;
	if (cursor_while(c, smtp_is_blank).n > 0)
		out->lenient = true;
	return true;
}

static result take_path(struct smtp_parser *p, cursor *c, struct mailbox *m, struct smtp_command *out)
{
	if (cursor_peek(c) == '<')
		return mailbox_take_path(c, p->arena, m);
	out->lenient = true;
	return mailbox_take(c, p->arena, m);
}

/* The path and what follows it, which the two commands have in common. */
static result parse_envelope(struct smtp_parser *p, cursor *c, struct smtp_command *out)
{
	bool is_mail = out->verb == SMTP_MAIL;
	struct mailbox *m = is_mail ? &out->mail.from : &out->rcpt.to;
	if (!take_keyword(c, is_mail ? STR("FROM:") : STR("TO:"), out))
		return smtp_refuse(p,
				   is_mail ? FAULT(501, "5.5.2", "the form is MAIL FROM:<address>")
					   : FAULT(501, "5.5.2", "the form is RCPT TO:<address>"),
				   STR(""));
	result r = take_path(p, c, m, out);
	if (failed(r))
		return smtp_refuse_because(p, r, FAULT(501, is_mail ? "5.1.7" : "5.1.3", NULL), STR(""));
	if (!cursor_done(c) && !smtp_is_blank((unsigned char)cursor_peek(c)))
		return smtp_refuse(p, FAULT(501, is_mail ? "5.1.7" : "5.1.3", "a blank has to follow the address"),
				   STR(""));
	return smtp_take_params(p, c, out);
}

static result parse_mail(struct smtp_parser *p, cursor *c, struct smtp_command *out)
{
	TRY(parse_envelope(p, c, out));
	if (out->mail.from.kind == MAILBOX_BARE)
		return smtp_refuse(p, FAULT(501, "5.1.7", "a sender has a domain: only a recipient may be <postmaster> alone"),
			STR(""));
	if (out->mail.from.utf8 && !(out->mail.given & SMTP_P_SMTPUTF8))
		return smtp_refuse(p,
				   FAULT(553, "5.6.7",
					 "an address with other than ASCII characters needs the parameter "
					 "SMTPUTF8"),
				   STR(""));
	return OK;
}

static result parse_rcpt(struct smtp_parser *p, cursor *c, struct smtp_command *out)
{
	TRY(parse_envelope(p, c, out));
	if (out->rcpt.to.kind == MAILBOX_NULL)
		return smtp_refuse(p, FAULT(501, "5.1.3", "the empty address is no recipient"), STR(""));
	if (out->rcpt.to.utf8 && !p->smtputf8)
		return smtp_refuse(p,
				   FAULT(553, "5.6.7",
					 "an address with other than ASCII characters needs SMTPUTF8 in the "
					 "MAIL command"),
				   STR(""));
	return OK;
}

static result parse_bdat(struct smtp_parser *p, cursor *c, struct smtp_command *out)
{
	if (!str_to_u64(cursor_while(c, smtp_not_blank), &out->bdat.size))
		return smtp_refuse(p, FAULT(501, "5.5.4", "the form is BDAT octets, or BDAT octets LAST"), STR(""));
	cursor_while(c, smtp_is_blank);
	out->bdat.last = cursor_ieat(c, STR("LAST"));
	return OK;
}

static result parse_auth(struct smtp_parser *p, cursor *c, struct smtp_command *out)
{
	struct smtp_auth *a = &out->auth;
	a->mechanism = cursor_while(c, smtp_not_blank);
	if (a->mechanism.n == 0)
		return smtp_refuse(p, FAULT(501, "5.5.4", "name a mechanism behind AUTH"), STR(""));
	cursor_while(c, smtp_is_blank);
	a->initial = cursor_while(c, smtp_not_blank);
	a->has_initial = a->initial.n > 0;
	if (str_eq(a->initial, STR("=")))
		a->initial.n = 0;
	return OK;
}

static result parse_text(struct smtp_parser *p, cursor *c, struct smtp_command *out)
{
	out->text = cursor_rest(c);
	if (out->text.n == 0 && (out->verb == SMTP_VRFY || out->verb == SMTP_EXPN))
		return smtp_refuse(p, FAULT(501, "5.5.4", "an address or a name has to follow"), STR(""));
	return OK;
}

static result parse_nothing(struct smtp_parser *p, cursor *c, struct smtp_command *out)
{
	(void)p;
	(void)c;
	(void)out;
	return OK;
}

/* --- the one table of verbs --- */

struct verb {
	str name;
	size_t line_max;
	result (*parse)(struct smtp_parser *p, cursor *c, struct smtp_command *out);
};

static const struct verb verbs[SMTP_VERBS] = {
	[SMTP_EHLO] = {STR_INIT("EHLO"), SMTP_SHORT_LINE_MAX, parse_helo},
	[SMTP_HELO] = {STR_INIT("HELO"), SMTP_SHORT_LINE_MAX, parse_helo},
	[SMTP_LHLO] = {STR_INIT("LHLO"), SMTP_SHORT_LINE_MAX, parse_helo},
	[SMTP_MAIL] = {STR_INIT("MAIL"), SMTP_LONG_LINE_MAX, parse_mail},
	[SMTP_RCPT] = {STR_INIT("RCPT"), SMTP_LONG_LINE_MAX, parse_rcpt},
	[SMTP_DATA] = {STR_INIT("DATA"), SMTP_SHORT_LINE_MAX, parse_nothing},
	[SMTP_BDAT] = {STR_INIT("BDAT"), SMTP_SHORT_LINE_MAX, parse_bdat},
	[SMTP_RSET] = {STR_INIT("RSET"), SMTP_SHORT_LINE_MAX, parse_nothing},
	[SMTP_NOOP] = {STR_INIT("NOOP"), SMTP_SHORT_LINE_MAX, parse_text},
	[SMTP_QUIT] = {STR_INIT("QUIT"), SMTP_SHORT_LINE_MAX, parse_nothing},
	[SMTP_VRFY] = {STR_INIT("VRFY"), SMTP_SHORT_LINE_MAX, parse_text},
	[SMTP_EXPN] = {STR_INIT("EXPN"), SMTP_SHORT_LINE_MAX, parse_text},
	[SMTP_HELP] = {STR_INIT("HELP"), SMTP_SHORT_LINE_MAX, parse_text},
	[SMTP_STARTTLS] = {STR_INIT("STARTTLS"), SMTP_SHORT_LINE_MAX, parse_nothing},
	[SMTP_AUTH] = {STR_INIT("AUTH"), SMTP_LINE_MAX, parse_auth},
	[SMTP_XCLIENT] = {STR_INIT("XCLIENT"), SMTP_LONG_LINE_MAX, smtp_take_xclient},
};

str smtp_verb_name(enum smtp_verb verb)
{
	must(verb < SMTP_VERBS);
	return verbs[verb].name;
}

static const struct verb *find_verb(str word)
{
	for (size_t i = 0; i < SMTP_VERBS; i++)
		if (str_ieq(word, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static bool has_control(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((str_at(s, i) < 32 && s.p[i] != '\t') || s.p[i] == 127)
			return true;
	return false;
}

static result check_line(struct smtp_parser *p, str line, str word, const struct verb *v)
{
	if (line.n > SMTP_LINE_MAX || (v && line.n > v->line_max))
		return smtp_refuse(p, FAULT(500, "5.5.2", "the line is too long"), STR(""));
	if (!v)
		return smtp_refuse(p, FAULT(500, "5.5.2", "this is no command known here"), str_sub(word, 0, 20));
	if (has_control(line))
		return smtp_refuse(p, FAULT(501, "5.5.2", "the line contains a control character"), STR(""));
	if (!str_is_utf8(line))
		return smtp_refuse(p, FAULT(501, "5.5.2", "the line is neither ASCII nor valid UTF-8"), STR(""));
	return OK;
}

result smtp_parse(struct smtp_parser *p, str line, struct smtp_command *out)
{
	while (line.n > 0 && smtp_is_blank(str_at(line, line.n - 1)))
		line.n--;
	cursor c = cursor_on(line);
	str word = cursor_while(&c, smtp_not_blank);
	const struct verb *v = find_verb(word);
	TRY(check_line(p, line, word, v));
	struct smtp_command command;
	memset(&command, 0, sizeof command);
	command.verb = (enum smtp_verb)(v - verbs);
	command.lenient = cursor_while(&c, smtp_is_blank).n > 1;
	TRY(v->parse(p, &c, &command));
	cursor_while(&c, smtp_is_blank);
	if (!cursor_done(&c) && v->parse != parse_helo)
		return smtp_refuse(p, FAULT(501, "5.5.4", "there is more on the line than the command takes"), STR(""));
	*out = command;
	return OK;
}

void smtp_fault_print(buf *out, const struct smtp_fault *f)
{
	AUTO_BUF buf text = buf_new(SMTP_LINE_MAX);
	buf_put(&text, str_from(f->text));
	if (f->word.n > 0) {
		buf_put(&text, STR(": "));
		buf_put(&text, f->word);
	}
	if (f->trace.n > 0)
		buf_printf(&text, " (trace %.*s)", STR_ARG(f->trace));
	smtp_reply_print(out, f->code, f->status, buf_str(&text));
}
