#include "watch/detect/sighting.h"

#include "base/hash.h"

enum { NAME_MAX_OCTETS = 320 };

/* The fields that matter; others are skipped. */
struct fields {
	str client, status, user, protocol, verdict, mechanism, app, what, act, recipient, end;
	uint64_t account, in, recipients, first, repeat, names;
};

#define FIELD(NAME) {STR_INIT(#NAME), offsetof(struct fields, NAME)}
static const struct field {
	str name;
	size_t at;
} texts[] = {
	FIELD(client), FIELD(status),    FIELD(user), FIELD(protocol), FIELD(verdict), FIELD(mechanism),
	FIELD(app),    FIELD(recipient), FIELD(what), FIELD(act),      FIELD(end),
}, numbers[] = {
	FIELD(account), FIELD(in), FIELD(recipients), FIELD(first), FIELD(repeat), FIELD(names),
};

static void note_text(struct fields *f, const struct log_value *v)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (str_eq(v->name, texts[i].name))
			memcpy((char *)f + texts[i].at, &v->text, sizeof v->text);
}

static void note_number(struct fields *f, const struct log_value *v)
{
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (str_eq(v->name, numbers[i].name))
			memcpy((char *)f + numbers[i].at, &v->number, sizeof v->number);
}

static struct fields read_fields(struct log_record r)
{
	struct fields f = {0};
	struct log_value v;
	while (log_next(&r, &v)) {
		if (v.type == 's')
			note_text(&f, &v);
		else
			note_number(&f, &v);
	}
	return f;
}

static uint64_t mark_of(str name)
{
	char low[NAME_MAX_OCTETS];
	name = str_sub(name, 0, sizeof low);
	for (size_t i = 0; i < name.n; i++)
		low[i] = (char)ascii_lower(str_at(name, i));
	return hash_bytes(str_of(low, name.n));
}

/* ---- what it was ---- */

/* By its enhanced status code (RFC 3463): X.1.1 no such mailbox, X.7.1 not relayed, X.5.Y syntax, order, arguments.
 * Whoever has logged in is somebody's mail program. */
static bool is_refusal(const struct fields *f, struct sighting *s)
{
	s->name = f->recipient;
	if (f->user.n > 0)
		return false;
	if (str_eq(f->status, STR("5.1.1")))
		s->kind = SEEN_UNKNOWN;
	else if (str_eq(f->status, STR("5.7.1")) && f->recipient.n > 0)
		s->kind = SEEN_RELAY;
	else if (str_starts(f->status, STR("5.5.")))
		s->kind = SEEN_GARBAGE;
	return s->kind != 0;
}

/* A proof of SCRAM does not show what was tried; it is of an app password, at which nobody guesses in earnest. */
static bool is_failed_login(const struct fields *f, struct sighting *s)
{
	bool wrong = str_eq(f->verdict, STR("refused"));
	s->kind = wrong ? SEEN_WRONG : 0;
	s->repeat = f->repeat > 0 || str_starts(f->mechanism, STR("SCRAM"));
	s->names = f->names;
	return wrong;
}

static bool is_mail(const struct fields *f, struct sighting *s)
{
	s->kind = f->user.n == 0 ? SEEN_MAIL : 0;
	return s->kind != 0;
}

static bool of_account(const struct fields *f, struct sighting *s, enum sighting_kind kind, uint64_t n)
{
	s->kind = kind;
	s->n = n;
	return f->account > 0;
}

static bool is_erasure(const struct fields *f, struct sighting *s)
{
	return str_eq(f->act, STR("account erased")) && of_account(f, s, SEEN_ERASED, 0);
}

static bool is_plain(struct sighting *s, enum sighting_kind kind)
{
	s->kind = kind;
	return true;
}

static bool classify(unsigned event, const struct fields *f, struct sighting *s)
{
	switch (event) {
	case EV_CONNECT: return is_plain(s, SEEN_CONNECT);
	case EV_DISCONNECT: return is_plain(s, SEEN_END);
	case EV_TLS_FAILED: return is_plain(s, SEEN_TLS_FAILED);
	case EV_MISSPOKE: return is_plain(s, SEEN_GARBAGE);
	case EV_ABUSE: return is_plain(s, SEEN_ABUSE);
	case EV_SMTP_REFUSED: return is_refusal(f, s);
	case EV_SMTP_ACCEPTED: return is_mail(f, s);
	case EV_LOGIN: return of_account(f, s, SEEN_LOGIN, 0);
	case EV_LOGIN_FAILED: return is_failed_login(f, s);
	case EV_POSTED: return of_account(f, s, SEEN_SENT, f->recipients);
	case EV_FIRST: return of_account(f, s, SEEN_FIRST, f->first);
	case EV_SENT: return of_account(f, s, SEEN_ARRIVED, 1);
	case EV_SEND_FAILED: return of_account(f, s, SEEN_BOUNCED, 1);
	case EV_ADMIN: return is_erasure(f, s);
	case EV_FREED: return of_account(f, s, SEEN_FREED, 0);
	default: return false;
	}
}

static bool is_wanted(unsigned event)
{
	static const bool wanted[LOG_EVENTS] = {
		[EV_CONNECT] = true, [EV_DISCONNECT] = true, [EV_TLS_FAILED] = true, [EV_ABUSE] = true,
		[EV_MISSPOKE] = true,
		[EV_SMTP_REFUSED] = true, [EV_SMTP_ACCEPTED] = true, [EV_LOGIN] = true, [EV_LOGIN_FAILED] = true,
		[EV_POSTED] = true, [EV_FIRST] = true, [EV_SENT] = true, [EV_SEND_FAILED] = true, [EV_ADMIN] = true,
		[EV_FREED] = true};
	return wanted[event];
}

static bool read_client(str text, net_addr *out)
{
	return text.n > 0 && !failed(net_parse_ip(text, out));
}

bool sighting_of(const struct entry *e, const struct log_record *r, struct sighting *out)
{
	struct sighting s = {.at = e->at};
	if (!is_wanted(r->event))
		return false;
	struct fields f = read_fields(*r);
	s.name = f.user;
	s.account = f.account;
	s.protocol = f.protocol;
	s.word = f.what.n ? f.what : f.app.n ? f.app : f.mechanism;
	s.n = f.in;
	s.stalled = str_eq(f.end, STR("timeout"));
	if (!classify(r->event, &f, &s))
		return false;
	s.placed = read_client(f.client, &s.client);
	s.mark = s.name.n ? mark_of(s.name) : 0;
	*out = s;
	return true;
}

const struct place *sighting_place(struct sighting *s, const struct places *p)
{
	if (!s->looked_up && s->placed)
		(void)places_find(p, &s->client, &s->place);
	s->looked_up = true;
	return &s->place;
}
