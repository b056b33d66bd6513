#include "relay/session.h"

#include <stdio.h>

#include "base/mem.h"
#include "relay/login.h"
#include "relay/relay.h"

str session_host(const struct session *s)
{
	return str_of(s->host, s->host_n);
}

void session_free(struct session **sp)
{
	struct session *s = *sp;
	if (!s)
		return;
	*sp = NULL;
	stream_free(&s->stream);
	mem_free(s->key);
	mem_free(s);
}

void session_quit(struct session **sp)
{
	struct session *s = *sp;
	if (!s)
		return;
	if (!s->broken) {
		AUTO_ANSWER struct answer is = answer_new();
		stream_set_deadline(s->stream, RELAY_QUIT_MS);
		if (!failed(session_ask(s, STR("QUIT\r\n"), RELAY_QUIT_MS, &is)))
			(void)!stream_end(s->stream).kind;
	}
	session_free(sp);
}

result session_answer(struct session *s, uint64_t ms, struct answer *out)
{
	out->reply = (struct smtp_reply){0};
	buf_clear(&out->text);
	stream_set_deadline(s->stream, ms);
	while (!out->reply.done) {
		str line;
		result r = stream_read_line(s->stream, SMTP_REPLY_READ_MAX, LINE_ANY, &line);
		if (!failed(r))
			r = smtp_reply_read(&out->reply, line, &out->text);
		if (failed(r)) {
			s->broken = true;
			return r;
		}
	}
	s->broken = s->broken || out->reply.code == 421;
	return OK;
}

result session_ask(struct session *s, str command, uint64_t ms, struct answer *out)
{
	stream_set_deadline(s->stream, ms);
	result r = stream_write(s->stream, command);
	if (!failed(r))
		r = stream_flush(s->stream);
	if (failed(r)) {
		s->broken = true;
		return r;
	}
	return session_answer(s, ms, out);
}

/* ---- what goes wrong, in words ---- */

struct opening {
	const struct call *call;
	struct tls_end *tls;
	struct session *s;
	struct answer is;
};

static struct trouble lost(const struct opening *o, const char *when, result r)
{
	AUTO_BUF buf address = buf_new(NET_TEXT_MAX);
	net_put_ip(&address, o->call->address);
	return trouble_later(STR("4.4.2"), say(o->call->arena, "The connection to %.*s [%.*s] failed %s: %s",
		STR_ARG(o->call->host->name), STR_ARG(buf_str(&address)), when, r.text));
}

static struct trouble unreached(const struct opening *o, result r)
{
	AUTO_BUF buf address = buf_new(NET_TEXT_MAX);
	net_put_ip(&address, o->call->address);
	struct trouble t = trouble_later(STR("4.4.1"), say(o->call->arena, "There is no connection to %.*s [%.*s]: %s",
		STR_ARG(o->call->host->name), STR_ARG(buf_str(&address)), r.text));
	t.slow_down = r.kind == FAIL_NETWORK;
	return t;
}

static struct trouble refused(const struct opening *o)
{
	return trouble_of_reply(o->call->arena, &o->is.reply, buf_str(&o->is.text));
}

/* The sentence names who asks for TLS, so that nobody looks for the fault here. */
static struct trouble insecure(const struct opening *o, const char *what)
{
	return trouble_later(STR("4.7.10"),
		say(o->call->arena, "Not sent, because %.*s wants verified TLS with %.*s and %s.",
			STR_ARG(o->call->policy->says), STR_ARG(o->call->host->name), what));
}

/* ---- TLS ---- */

static const struct {
	str result;
	const char *what;
} proofs[] = {
	[TLS_PROVEN] = {STR_INIT(""), ""},
	[TLS_EXPIRED] = {STR_INIT("certificate-expired"), "its certificate is not valid today"},
	[TLS_OTHER_NAME] = {STR_INIT("certificate-host-mismatch"), "its certificate is for another name"},
	[TLS_UNTRUSTED] = {STR_INIT("certificate-not-trusted"),
		"no authority that is trusted here made its certificate"},
	[TLS_UNPROVEN] = {STR_INIT("validation-failure"), "its certificate does not prove it"},
};

static void note_facts(struct opening *o, enum tls_proof proof)
{
	struct tls_facts f;
	struct session *s = o->s;
	const struct policy *p = o->call->policy;
	tls_facts(stream_tls(s->stream), &f);
	snprintf(s->tls_version, sizeof s->tls_version, "%s", f.version);
	snprintf(s->tls_cipher, sizeof s->tls_cipher, "%s", f.cipher);
	s->verified = p->need >= NEED_PKIX ? p->proves
		    : proof == TLS_PROVEN  ? QUEUE_RELAY_VERIFIED_PKIX
					   : QUEUE_RELAY_VERIFIED_OPPORTUNISTIC;
}

static result handshake(struct opening *o, enum tls_check check, enum tls_proof *proof)
{
	const struct policy *p = o->call->policy;
	const struct tls_peer peer = {
		.check = check,
		.name = o->call->host->literal ? STR("") : p->name.n > 0 ? p->name : o->call->host->name,
		.other = p->other,
		.tlsa = p->tlsa,
		.tlsa_n = p->tlsa_n,
	};
	return stream_start_tls_peer(o->s->stream, relay.tls, &peer, proof);
}

static struct trouble handshake_failed(struct opening *o, enum tls_proof proof, result r)
{
	const struct policy *p = o->call->policy;
	bool unproven = p->need >= NEED_PKIX && proof != TLS_PROVEN && r.kind == FAIL_NETWORK;
	o->s->broken = true;
	o->tls->result = unproven ? proofs[proof].result : STR("validation-failure");
	o->tls->detail = say(o->call->arena, "%s", r.kind == FAIL_NETWORK ? tls_error() : r.text);
	if (p->need == NEED_NOTHING)
		return lost(o, "in the TLS handshake", r);
	return insecure(o, unproven ? proofs[proof].what : "the TLS handshake failed");
}

static struct trouble begin_tls(struct opening *o)
{
	const struct policy *p = o->call->policy;
	static const enum tls_check checks[] = {[NEED_PKIX] = TLS_CHECK_PKIX, [NEED_DANE] = TLS_CHECK_DANE};
	enum tls_check check = checks[p->need];
	enum tls_proof proof;
	o->tls->tried = true;
	result r = handshake(o, check, &proof);
	if (r.kind == FAIL_ABSENT) { /* no record can be used: encrypted all the same (RFC 7672 2.2) */
		check = TLS_CHECK_NOTHING;
		r = handshake(o, check, &proof);
	}
	if (failed(r))
		return handshake_failed(o, proof, r);
	note_facts(o, proof);
	if (p->need == NEED_DANE && check != TLS_CHECK_DANE)
		o->s->verified = QUEUE_RELAY_VERIFIED_OPPORTUNISTIC;
	if (p->watched && proof != TLS_PROVEN) {
		o->tls->result = proofs[proof].result;
		o->tls->detail = str_from(proofs[proof].what);
	}
	return (struct trouble){0};
}

/* ---- the dialogue ---- */

static struct trouble hello_with(struct opening *o, const char *verb)
{
	str line = say(o->call->arena, "%s %.*s", verb, STR_ARG(relay_name()));
	AUTO_BUF buf command = buf_new(RELAY_TEXT_MAX);
	buf_put(&command, line);
	buf_put(&command, STR("\r\n"));
	result r = session_ask(o->s, buf_str(&command), RELAY_COMMAND_MS, &o->is);
	if (failed(r))
		return lost(o, "after the greeting", r);
	if (!answer_is(&o->is, 2))
		return refused(o);
	smtp_offer_read(buf_str(&o->is.text), &o->s->offer);
	return (struct trouble){0};
}

static struct trouble hello(struct opening *o)
{
	if (o->call->way->lmtp)
		return hello_with(o, "LHLO");
	struct trouble t = hello_with(o, "EHLO");
	if (!is_trouble(&t) || o->s->broken || t.code / 100 != 5)
		return t;
	t = hello_with(o, "HELO");
	o->s->offer = (struct smtp_offer){0};
	return t;
}

static str first_word(str text)
{
	return str_sub(text, 0, str_chr(str_sub(text, 0, str_chr(text, '\n')), ' '));
}

/* A 5xx greeting is mostly about our address or a server being rebuilt: worth another try. 521 is for good. */
static struct trouble greeting(struct opening *o)
{
	result r = session_answer(o->s, RELAY_GREETING_MS, &o->is);
	if (failed(r))
		return lost(o, "before a greeting came", r);
	if (answer_is(&o->is, 2)) {
		if (!o->call->way->route && is_ourselves(first_word(buf_str(&o->is.text))))
			return trouble_lasting(STR("5.4.6"), say(o->call->arena,
				"Mail for %.*s leads back to this server.",
				STR_ARG(o->call->way->destination)));
		return (struct trouble){0};
	}
	struct trouble t = refused(o);
	t.lasting = o->is.reply.code == 521;
	if (!t.lasting && str_starts(t.status, STR("5")))
		t.status = STR("4.3.2");
	return t;
}

static struct trouble without_tls(struct opening *o, str kind, const char *what)
{
	if (o->call->policy->need == NEED_NOTHING && !o->call->policy->watched)
		return (struct trouble){0};
	o->tls->tried = true;
	o->tls->result = kind;
	o->tls->detail = str_from(what);
	return o->call->policy->need == NEED_NOTHING ? (struct trouble){0} : insecure(o, what);
}

static struct trouble start_tls(struct opening *o)
{
	if (o->call->policy->plain)
		return (struct trouble){0};
	if (!smtp_offers(&o->s->offer, SMTP_CAN_STARTTLS))
		return without_tls(o, STR("starttls-not-supported"), "it does not offer STARTTLS");
	result r = session_ask(o->s, STR("STARTTLS\r\n"), RELAY_COMMAND_MS, &o->is);
	if (failed(r))
		return lost(o, "at STARTTLS", r);
	if (!answer_is(&o->is, 2))
		return without_tls(o, STR("starttls-not-supported"), "it refuses STARTTLS");
	struct trouble t = begin_tls(o);
	return is_trouble(&t) ? t : hello(o);
}

static struct trouble converse(struct opening *o)
{
	struct trouble t = {0};
	bool implicit = o->call->policy->implicit;
	if (implicit)
		t = begin_tls(o);
	if (!is_trouble(&t))
		t = greeting(o);
	if (!is_trouble(&t))
		t = hello(o);
	if (!is_trouble(&t) && !implicit)
		t = start_tls(o);
	if (!is_trouble(&t) && o->call->way->user.n > 0)
		t = login(o->s, o->call, &o->is);
	return t;
}

static const net_addr *calls_from(const net_addr *to)
{
	static const net_addr none;
	const net_addr *from = net_is_v4(to) ? &relay.from4 : &relay.from6;
	return memcmp(from->ip, none.ip, sizeof none.ip) == 0 ? NULL : from;
}

static struct trouble begin_on(struct opening *o, int fd)
{
	result r = stream_open(fd, &o->s->stream);
	return failed(r) ? unreached(o, r) : (struct trouble){0};
}

static struct trouble connect_to(struct opening *o)
{
	int fd;
	const struct call *c = o->call;
	result r = net_connect_from(c->address, calls_from(c->address), RELAY_CONNECT_MS, &fd);
	if (failed(r))
		return unreached(o, r);
	o->tls->connected = !failed(net_local(fd, &o->tls->local));
	return begin_on(o, fd);
}

static void set_host(struct session *s, const struct call *c)
{
	str name = str_sub(c->host->name, 0, sizeof s->host);
	if (name.n > 0)
		memcpy(s->host, name.p, name.n);
	s->host_n = name.n;
	s->address = *c->address;
	s->lmtp = c->way->lmtp;
	s->authentic = c->policy->authentic;
}

struct trouble session_on(const struct call *c, int fd, struct tls_end *tls, struct session **out)
{
	*tls = (struct tls_end){0};
	struct opening o = {.call = c, .tls = tls, .s = mem_alloc(sizeof *o.s), .is = answer_new()};
	if (!o.s)
		return trouble_later(STR("4.3.0"), STR("This server has no memory for another connection."));
	list_init(&o.s->node);
	list_init(&o.s->same);
	set_host(o.s, c);
	struct trouble t = fd < 0 ? connect_to(&o) : begin_on(&o, fd);
	if (!is_trouble(&t))
		t = converse(&o);
	answer_free(&o.is);
	if (!is_trouble(&t))
		*out = o.s;
	else if (o.s->stream)
		session_quit(&o.s);
	else
		session_free(&o.s);
	return t;
}

struct trouble session_open(const struct call *c, struct tls_end *tls, struct session **out)
{
	return session_on(c, -1, tls, out);
}
