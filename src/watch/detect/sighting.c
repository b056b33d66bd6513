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

static bool is_plain(const struct fields *f, struct sighting *s)
{
	(void)f;
	(void)s;
	return true;
}

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
	s->repeat = f->repeat > 0 || str_starts(f->mechanism, STR("SCRAM"));
	s->names = f->names;
	return str_eq(f->verdict, STR("refused"));
}

static bool is_mail(const struct fields *f, struct sighting *s)
{
	(void)s;
	return f->user.n == 0;
}

static bool is_of_account(const struct fields *f, struct sighting *s)
{
	(void)s;
	return f->account > 0;
}

static bool is_sending(const struct fields *f, struct sighting *s)
{
	s->n = f->recipients;
	return f->account > 0;
}

static bool is_first(const struct fields *f, struct sighting *s)
{
	s->n = f->first;
	return f->account > 0;
}

static bool is_erasure(const struct fields *f, struct sighting *s)
{
	return str_eq(f->act, STR("account erased")) && is_of_account(f, s);
}

/* What an event may be; without `is` it is nothing here. `is` may name a kind of its own. */
static const struct reading {
	enum sighting_kind kind;
	bool (*is)(const struct fields *f, struct sighting *s);
} readings[LOG_EVENTS] = {
	[EV_CONNECT] = {SEEN_CONNECT, is_plain},
	[EV_DISCONNECT] = {SEEN_END, is_plain},
	[EV_TLS_FAILED] = {SEEN_TLS_FAILED, is_plain},
	[EV_MISSPOKE] = {SEEN_GARBAGE, is_plain},
	[EV_ABUSE] = {SEEN_ABUSE, is_plain},
	[EV_SMTP_REFUSED] = {0, is_refusal},
	[EV_SMTP_ACCEPTED] = {SEEN_MAIL, is_mail},
	[EV_LOGIN] = {SEEN_LOGIN, is_of_account},
	[EV_LOGIN_FAILED] = {SEEN_WRONG, is_failed_login},
	[EV_POSTED] = {SEEN_SENT, is_sending},
	[EV_FIRST] = {SEEN_FIRST, is_first},
	[EV_SENT] = {SEEN_ARRIVED, is_of_account},
	[EV_SEND_FAILED] = {SEEN_BOUNCED, is_of_account},
	[EV_ADMIN] = {SEEN_ERASED, is_erasure},
	[EV_FREED] = {SEEN_FREED, is_of_account},
};

static bool read_client(str text, net_addr *out)
{
	return text.n > 0 && !failed(net_parse_ip(text, out));
}

bool sighting_of(const struct entry *e, const struct log_record *r, struct sighting *out)
{
	const struct reading *reading = &readings[r->event];
	struct sighting s = {.at = e->at, .kind = reading->kind};
	if (!reading->is)
		return false;
	struct fields f = read_fields(*r);
	s.name = f.user;
	s.account = f.account;
	s.protocol = f.protocol;
	s.word = f.what.n ? f.what : f.app.n ? f.app : f.mechanism;
	s.n = f.in;
	s.stalled = str_eq(f.end, STR("timeout"));
	if (!reading->is(&f, &s))
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
