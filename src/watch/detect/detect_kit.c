#include "watch/detect/detect_kit.h"

#include <stdio.h>

#include "base/mem.h"

static void text_of(char *out, size_t size, str s)
{
	snprintf(out, size, "%.*s", STR_ARG(s));
}

static void record(void *ctx, const struct measure *m)
{
	struct scene *s = ctx;
	AUTO_BUF buf network = buf_new(64);
	assert_true(mem_room(&s->taken, &s->cap, s->n, sizeof *s->taken));
	struct scene_measure *t = &s->taken[s->n++];
	*t = (struct scene_measure){.is = *m};
	net_put_cidr(&network, &m->network);
	text_of(t->network, sizeof t->network, m->kind < MEASURE_NOTICE ? buf_str(&network) : STR(""));
	text_of(t->detector, sizeof t->detector, m->detector);
	text_of(t->evidence, sizeof t->evidence, m->evidence);
}

/* Making databases takes a second: one world a test program, which ends with it. */
static struct places *world_of(const char *lines)
{
	static struct places *world;
	static const char *of;
	if (of && of != lines)
		fail_msg("one world a test program");
	if (!of)
		world = places_kit_of(lines);
	of = lines;
	return world;
}

static void begin(struct scene *s, struct ledger *ledger)
{
	static net_cidr never[] = {
		{.ip = {[10] = 0xff, [11] = 0xff, [12] = 127}, .bits = 104}, {.ip = {[15] = 1}, .bits = 128}};
	const struct detect_options o = {.never = {never, 2}, .measures = {.take = record, .ctx = s}, .ledger = ledger,
					 .places = (struct places *const *)&s->places};
	assert_ok(detect_open(&o, &s->detect));
}

bool scene_open_at(struct scene *s, const char *lines)
{
	*s = (struct scene){.now = 1700000000000};
	if (lines)
		s->places = world_of(lines);
	if (lines && !s->places)
		return false;
	begin(s, NULL);
	return true;
}

void scene_open_with(struct scene *s, struct ledger *ledger)
{
	*s = (struct scene){.now = 1700000000000};
	begin(s, ledger);
}

void scene_open(struct scene *s)
{
	assert_true(scene_open_at(s, NULL));
}

void scene_close(struct scene *s)
{
	detect_close(&s->detect);
	mem_free(s->taken);
}

void scene_wait(struct scene *s, int64_t ms)
{
	s->now += ms;
}

void scene_event(struct scene *s, enum log_name event, const struct log_field *fields)
{
	struct log_octets o;
	struct log_record r;
	log_encode(event, NULL, fields, &o);
	const struct entry e = {.at = s->now, .from = {.role = STR("edge-client")}, .record = str_of(o.p, o.n)};
	assert_true(log_read(e.record, &r));
	detect_take(s->detect, &e, &r);
}

void scene_wrong(struct scene *s, const struct guess *g)
{
	SCENE(s, EV_LOGIN_FAILED, F_STR("user", str_from(g->user)), F_STR("client", str_from(g->client)),
	      F_STR("protocol", STR("imap")), F_U64("account", g->account), F_STR("verdict", STR("refused")),
	      F_STR("mechanism", STR("PLAIN")), F_U64("repeat", g->repeat), F_U64("names", g->names));
}

void scene_login_by(struct scene *s, uint64_t account, const char *client, const char *mechanism)
{
	SCENE(s, EV_LOGIN, F_STR("user", STR("anna@example.org")), F_STR("client", str_from(client)),
	      F_STR("protocol", STR("imap")), F_U64("account", account), F_STR("verdict", STR("accepted")),
	      F_STR("mechanism", str_from(mechanism)));
}

void scene_login(struct scene *s, uint64_t account, const char *client)
{
	scene_login_by(s, account, client, "PLAIN");
}

void scene_refused(struct scene *s, const char *client, const char *status, const char *recipient)
{
	SCENE(s, EV_SMTP_REFUSED, F_STR("client", str_from(client)), F_STR("status", str_from(status)),
	      F_STR("recipient", str_from(recipient)));
}

void scene_habit(struct scene *s, uint64_t account, const char *client)
{
	scene_login(s, account, client);
	scene_wait(s, 2 * DAY);
	scene_login(s, account, client);
}

size_t scene_count(const struct scene *s, enum measure_kind kind, const char *network)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		n += s->taken[i].is.kind == kind && (!network || strcmp(s->taken[i].network, network) == 0);
	return n;
}

size_t scene_count_person(const struct scene *s, enum measure_kind kind, uint64_t account)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n; i++)
		n += s->taken[i].is.kind == kind && s->taken[i].is.account == account;
	return n;
}

const struct scene_measure *scene_last(const struct scene *s, enum measure_kind kind)
{
	for (size_t i = s->n; i > 0; i--)
		if (s->taken[i - 1].is.kind == kind)
			return &s->taken[i - 1];
	fail_msg("no such measure was asked for");
	return NULL;
}

unsigned scene_points(struct scene *s, const char *client)
{
	net_addr a;
	assert_ok(net_parse_ip(str_from(client), &a));
	net_cidr id = suspect_network(&a, GRAIN_ADDRESS);
	const struct suspect *found = suspects_find(&s->detect->suspects, GRAIN_ADDRESS, &id);
	return found ? (unsigned)scores_sum(found->scores, s->now, NETWORK_HALF_LIFE) : 0;
}
