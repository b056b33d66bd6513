#include "edge/smtp.h"
#include "base/mem.h"
#include "edge/login.h"
#include "grammar/smtp/smtp_reply.h"
#include "run/effort.h"

enum { ANY = SMTP_CONNECTED | SMTP_GREETED | SMTP_SENDER | SMTP_READY | SMTP_CHUNKS };

result smtp_reply(struct smtp_session *s, unsigned code, const char *status, const char *text)
{
	AUTO_BUF buf out = buf_new(32768);
	smtp_reply_print(&out, code, status, str_from(text));
	TRY(buf_result(&out));
	return stream_write(s->client->stream, buf_str(&out));
}

static void log_refusal(struct smtp_session *s, const struct smtp_fault *f)
{
	log_event(EV_SMTP_REFUSED, &s->trace, F_STR("client", str_from(s->client->text)), F_STR("helo", s->helo),
		  F_STR("from", s->sender), F_U64("code", f->code), F_STR("why", str_from(f->text)), F_STR("word", f->word),
		  F_STR("status", str_from(f->status)), F_STR("recipient", s->asked),
		  F_STR("user", str_of(s->user, s->user_n)));
}

result session_refuse(struct smtp_session *s, const struct smtp_fault *f)
{
	AUTO_BUF buf out = buf_new(32768);
	struct smtp_fault told = *f;
	char id[TRACE_TEXT];
	log_refusal(s, f);
	s->errors++;
	if (!s->client->trusted && s->errors > options_number(&s->client->edge->options, OPT_ERRORS)) {
		s->ending = true;
		return smtp_reply(
			s, 421, "4.7.0", "Too many refused commands; this connection ends. Correct them and connect again");
	}
	trace_text(&s->trace, id);
	told.trace = str_of(id, sizeof id);
	smtp_fault_print(&out, &told);
	TRY(buf_result(&out));
	return stream_write(s->client->stream, buf_str(&out));
}

bool smtp_is_submission(const struct smtp_session *s)
{
	return s->client->protocol == CLIENT_SUBMISSION || s->client->protocol == CLIENT_LOCAL;
}

bool smtp_offers_hold(const struct smtp_session *s)
{
	return smtp_is_submission(s) && options_number(&s->client->edge->options, OPT_HOLD_LONGEST) > 0;
}

bool smtp_is_private(const struct smtp_session *s)
{
	return s->client->encrypted || s->client->protocol == CLIENT_LOCAL;
}

void smtp_reset(struct smtp_session *s)
{
	budget_give(&s->client->edge->transit, s->counted);
	s->counted = 0;
	intake_free(&s->data);
	arena_clear(&s->transaction);
	hash_free(&s->accounts);
	outward_clear(&s->outward);
	outward_clear(&s->told);
	mem_free(s->targets);
	s->targets = NULL;
	s->targets_n = s->targets_cap = s->recipients = 0;
	s->sender = (str){NULL, 0};
	s->mail = (struct smtp_mail){0};
	s->hold_until = s->deliver_by = 0;
	s->too_large = s->no_room = s->spoilt = false;
	if (s->state != SMTP_CONNECTED)
		s->state = SMTP_GREETED;
}

result smtp_refuse_message(struct smtp_session *s, const struct smtp_fault *f)
{
	result r = session_refuse(s, f);
	smtp_reset(s);
	return r;
}

static void log_out(struct smtp_session *s)
{
	if (s->logged_in)
		login_end(s->client, &s->token);
	s->logged_in = false;
	s->token = (trace_id){{0}};
	buf_clear(&s->may_send_as);
	s->account = 0;
	s->user_n = 0;
}

void smtp_begin(struct smtp_session *s)
{
	smtp_reset(s);
	log_out(s);
	s->helo = (str){NULL, 0};
	s->esmtp = false;
	s->state = SMTP_CONNECTED;
}

static result do_noop(struct smtp_session *s, const struct smtp_command *c)
{
	(void)c;
	return smtp_reply(s, 250, "2.0.0", "Here");
}

static result do_quit(struct smtp_session *s, const struct smtp_command *c)
{
	(void)c;
	s->ending = true;
	return smtp_reply(s, 221, "2.0.0", "Until next time");
}

/* RFC 5321 3.5.3: to say neither yes nor no keeps address harvesters hungry. */
static result do_vrfy(struct smtp_session *s, const struct smtp_command *c)
{
	(void)c;
	return smtp_reply(s, 252, "2.5.2", "Cannot verify here; send the message and see");
}

static result do_expn(struct smtp_session *s, const struct smtp_command *c)
{
	(void)c;
	return SMTP_REFUSE(s, 502, "5.5.1", "Lists are not expanded here");
}

static result do_help(struct smtp_session *s, const struct smtp_command *c)
{
	(void)c;
	return smtp_reply(s, 214, "2.0.0",
			  "Commands: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT STARTTLS AUTH\n"
			  "For help write to the postmaster of this server");
}

/* Which verb is allowed when, and what does it. `order` is the sentence for
 * everybody who comes too early or too late. */
struct verb_row {
	smtp_handler *handler;
	unsigned states;
	const char *order;
};

static const struct verb_row verbs[SMTP_VERBS] = {
	[SMTP_EHLO] = {smtp_do_ehlo, ANY, NULL},
	[SMTP_HELO] = {smtp_do_helo, ANY, NULL},
	[SMTP_LHLO] = {smtp_do_lhlo, ANY, NULL},
	[SMTP_MAIL] = {smtp_do_mail, SMTP_GREETED, "MAIL comes after EHLO or HELO, and once in a transaction"},
	[SMTP_RCPT] = {smtp_do_rcpt, SMTP_SENDER | SMTP_READY, "RCPT comes after MAIL and before the data"},
	[SMTP_DATA] = {smtp_do_data, SMTP_READY,
		"DATA comes after at least one accepted RCPT, and not between BDAT chunks"},
	[SMTP_BDAT] = {smtp_do_bdat, ANY, NULL},
	[SMTP_RSET] = {smtp_do_rset, ANY, NULL},
	[SMTP_NOOP] = {do_noop, ANY, NULL},
	[SMTP_QUIT] = {do_quit, ANY, NULL},
	[SMTP_VRFY] = {do_vrfy, ANY, NULL},
	[SMTP_EXPN] = {do_expn, ANY, NULL},
	[SMTP_HELP] = {do_help, ANY, NULL},
	[SMTP_STARTTLS] = {smtp_do_starttls, SMTP_GREETED,
		"STARTTLS comes after EHLO and outside of a transaction"},
	[SMTP_AUTH] = {smtp_do_auth, SMTP_GREETED, "AUTH comes after EHLO and outside of a transaction"},
	[SMTP_XCLIENT] = {smtp_do_xclient, SMTP_CONNECTED | SMTP_GREETED,
		"XCLIENT comes outside of a transaction"},
};

/* What EHLO announces decides which parameters are known here. */
static unsigned offered(const struct smtp_session *s)
{
	enum {
		/* REQUIRETLS is announced under TLS and understood without, for a clear refusal; DSN is announced to
		 * logins alone: other servers tell their senders themselves that it ends here (RFC 3461 6.2). */
		ALL = SMTP_P_SIZE | SMTP_P_BODY | SMTP_P_SMTPUTF8 | SMTP_P_BINARYMIME | SMTP_P_AUTH | SMTP_P_DSN |
		      SMTP_P_REQUIRETLS,
	};
	if (!s->esmtp)
		return 0;
	unsigned more = smtp_is_submission(s) ? SMTP_P_BY : 0;
	if (smtp_offers_hold(s))
		more |= SMTP_P_FUTURE;
	return ALL | more;
}

static result dispatch(struct smtp_session *s, str line)
{
	AUTO_ARENA arena a = arena_new(SMTP_COMMAND_MAX);
	struct smtp_parser p = {.arena = &a, .offered = offered(s), .smtputf8 = s->mail.given & SMTP_P_SMTPUTF8};
	struct smtp_command c;
	if (client_speaks_http(s->client, line)) {
		s->ending = true;
		return smtp_reply(s, 521, "5.5.1", "This is a port for mail, and HTTP is not spoken here");
	}
	if (s->state & (SMTP_CONNECTED | SMTP_GREETED)) /* between transactions it is the connection's story */
		s->trace = s->client->session;
	if (failed(smtp_parse(&p, line, &c))) {
		/* Without its size the chunk behind BDAT would be taken for commands. */
		s->ending = str_istarts(line, STR("BDAT"));
		return session_refuse(s, &p.fault);
	}
	const struct verb_row *row = &verbs[c.verb];
	if (!(row->states & (unsigned)s->state))
		return SMTP_REFUSE(s, 503, "5.5.1", row->order);
	return row->handler(s, &c);
}

static result end_at_limit(struct smtp_session *s, const char *limit, const char *sentence)
{
	s->ending = true;
	log_event(EV_LIMITED, &s->client->session, F_STR("client", str_from(s->client->text)),
		  F_STR("limit", str_from(limit)));
	return smtp_reply(s, 421, "4.7.0", sentence);
}

static result dispatch_within_limit(struct smtp_session *s, str line)
{
	struct effort effort;
	effort_begin(&effort, s->client->trusted ? 0 : options_number(&s->client->edge->options, OPT_COMMAND_CPU));
	result r = dispatch(s, line);
	effort_end();
	if (r.kind != FAIL_LIMIT || !effort_spent(&effort))
		return r;
	return end_at_limit(s, "command-cpu-time",
		"This command took more processor time than one may. Send in larger pieces, or shorter messages");
}

uint64_t smtp_command_time(const struct smtp_session *s)
{
	const struct client *c = s->client;
	return s->logged_in ? options_number(&c->edge->options, OPT_COMMAND_TIME) : client_time(c, OPT_COMMAND_TIME);
}

/* One line, which CRLF alone ends (RFC 5321 2.3.8), and its reply. Replies to
 * pipelined commands are gathered; the stream sends them before it waits for
 * more (RFC 2920 3.2): a client that sent half a command may want the earlier
 * ones before it sends the rest. */
static result one_command(struct smtp_session *s)
{
	struct client *c = s->client;
	str line;
	/* For the whole line, not each octet: nobody keeps a place for years with one command. */
	stream_set_deadline(c->stream, smtp_command_time(s));
	result r = stream_read_line(c->stream, SMTP_LINE_MAX, LINE_CRLF, &line);
	stream_set_deadline(c->stream, FIBER_FOREVER);
	s->ending = r.kind == FAIL_INPUT;
	if (s->ending)
		return SMTP_REFUSE(s, 500, "5.5.2", "The line has no end: commands have at most 12,288 octets");
	if (r.kind == FAIL_LIMIT)
		return SMTP_REFUSE(s, 500, "5.5.2", "The line is too long: commands have at most 12,288 octets");
	TRY(r);
	s->commands++;
	if (!c->trusted && s->commands > options_number(&c->edge->options, OPT_COMMANDS))
		return end_at_limit(s, "commands-per-connection", "Too many commands in one connection; connect again");
	return dispatch_within_limit(s, line);
}

result smtp_greet(struct smtp_session *s)
{
	AUTO_BUF buf text = buf_new(1024);
	buf_put(&text, options_text(&s->client->edge->options, OPT_HOSTNAME));
	buf_put(&text, STR(" ESMTP Postern"));
	buf_putc(&text, '\0');
	TRY(buf_result(&text));
	return smtp_reply(s, 220, NULL, text.p);
}

static void say_goodbye(struct smtp_session *s, result why)
{
	result r = OK;
	s->client->stalled = why.kind == FAIL_TIMEOUT;
	if (why.kind == FAIL_TIMEOUT)
		r = smtp_reply(s, 421, "4.4.2", "Nothing came for too long; this connection ends. Connect again");
	else if (why.kind == FAIL_CANCELLED)
		r = smtp_reply(s, 421, "4.3.2", "The server is stopping; try again in a moment");
	else if (why.kind == FAIL_MEMORY || why.kind == FAIL_LIMIT)
		r = smtp_reply(s, 421, "4.3.1", "The server is short of memory; this connection ends. Connect again later");
	if (!failed(r))
		client_end(s->client);
}

void smtp_session(struct client *c)
{
	struct smtp_session *s = mem_alloc(sizeof *s);
	if (!s)
		return;
	s->client = c;
	s->state = SMTP_CONNECTED;
	s->transaction = arena_new(SMTP_TRANSACTION_MAX);
	s->data = intake_new(options_number(&c->edge->options, OPT_MESSAGE_SIZE));
	s->accounts = hash_new(SMTP_TARGETS_MAX);
	s->may_send_as = buf_new(SMTP_COMMAND_MAX);
	outward_init(&s->outward);
	outward_init(&s->told);
	s->trace = c->session;
	stream_set_idle(c->stream, options_number(&c->edge->options, OPT_COMMAND_TIME));
	if (c->protocol != CLIENT_LOCAL && stream_is_ahead(c->stream))
		client_abuses(c, "talk before the greeting");
	result r = c->protocol == CLIENT_LOCAL ? smtp_meet_local(s) : OK;
	if (!failed(r))
		r = smtp_greet(s);
	while (!failed(r) && !s->ending && !c->edge->stopping)
		r = one_command(s);
	say_goodbye(s, c->edge->stopping && !failed(r) && !s->ending ? failure(FAIL_CANCELLED, "stopping") : r);
	smtp_reset(s);
	log_out(s);
	buf_free(&s->may_send_as);
	arena_free(&s->transaction);
	mem_free(s);
}
