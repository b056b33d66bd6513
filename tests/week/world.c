/* The world outside: what owners send there, a relay that answers as servers do, and who hears what became of it. */
#include "world.h"

#include <stdio.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "queue/queue.h"
#include "run/clock.h"
#include "run/net.h"
#include "talk/queue_auth.h"
#include "talk/queue_relay.h"

enum { PLACES = 6, TO_MOST = 4, NUMBER = 8, LARGE = 300000, UNKNOWN = 9, HOLD_MOST = 8 * HOUR };

/* How a domain's servers are just now. The last domain has none for good. */
enum mood { WELL, BUSY, SLOW, UNREACHED, MOODS };

struct addressee {
	bool accepted; /* by the other server: it said so, and the relay did */
	bool told;     /* a report of its failure has arrived */
	uint64_t when; /* it was accepted */
	uint64_t seen; /* in the queue, by the last audit */
};

struct outgoing {
	trace_id id;
	unsigned account, place, n;
	bool owed; /* the queue has answered for it */
	int64_t hold;
	size_t octets;
	struct addressee to[TO_MOST];
};

/* A report's letter names an addressee. */
struct naming {
	uint32_t letter, message;
	unsigned to;
	bool failed;
};

static struct {
	struct outgoing *v;
	size_t n, cap;
	struct naming *named;
	size_t named_n, named_cap;
	enum mood moods[PLACES];
	struct channel *relay, *relay_far, *auth, *auth_far;
	bool closing;
	uint64_t audits, moves;
	size_t sent, reports, died;
} world;

/* ---- the relay ---- */

static void cut_relay(void *arg)
{
	(void)arg;
	if (world.relay)
		channel_close(&world.relay);
	if (world.relay_far)
		channel_close(&world.relay_far);
}

static struct outgoing *meant(const trace_id *id, str sealed)
{
	uint64_t number;
	expect(sealed.n >= NUMBER && str_to_u64(str_sub(sealed, 0, NUMBER), &number) && number < world.n,
		"the queue sends what it was not given");
	struct outgoing *o = &world.v[number];
	expect(memcmp(&o->id, id, sizeof *id) == 0 && sealed.n == o->octets, "the queue changed message %u",
		(unsigned)number);
	return o;
}

/* r3@d1.test: the addressee with number 3 of its message. */
static struct addressee *addressee_of(struct outgoing *o, str address)
{
	unsigned to = (unsigned)(address.p[1] - '0');
	expect(address.n > 2 && to < o->n, "nobody wrote to %.*s", STR_ARG(address));
	return &o->to[to];
}

static enum queue_relay_verdict verdict_on(struct outgoing *o, str address)
{
	struct addressee *a = addressee_of(o, address);
	enum mood m = world.moods[o->place];
	expect(!a->accepted || week.troubled >= a->when, "%.*s is sent again what it has", STR_ARG(address));
	expect(!a->told || week.troubled, "%.*s is tried again after its report", STR_ARG(address));
	if (m == BUSY || m == UNREACHED)
		return QUEUE_RELAY_VERDICT_LATER;
	if ((o - world.v + (a - o->to)) % UNKNOWN == 0)
		return QUEUE_RELAY_VERDICT_FAILED;
	if (chance(12))
		return QUEUE_RELAY_VERDICT_LATER;
	a->accepted = true;
	a->when = week_now();
	return chance(5) ? QUEUE_RELAY_VERDICT_RELAYED : QUEUE_RELAY_VERDICT_DELIVERED;
}

static result on_send(struct arrival *in, struct queue_relay_send *m, struct queue_relay_sent *answer)
{
	static const uint16_t codes[] = {250, 250, 451, 550};
	static const char *const statuses[] = {"2.0.0", "2.0.0", "4.2.0", "5.7.1"};
	struct outgoing *o = meant(&m->delivery, m->sealed.bytes);
	enum mood mood = world.moods[o->place];
	struct queue_relay_outcome *v = arena_array(in->arena, m->recipients.n, sizeof *v);
	must(v);
	expect(o->hold == 0 || clock_wall_s() >= o->hold, "message %zu is sent too early", (size_t)(o - world.v));
	bool dies = !week.calm && chance(40), before = chance(2);
	world.sent++;
	world.moves++;
	for (size_t i = 0; i < m->recipients.n && !(dies && before); i++) {
		v[i].verdict = verdict_on(o, m->recipients.p[i].address);
		v[i].code = codes[v[i].verdict];
		v[i].status = str_from(statuses[v[i].verdict]);
		v[i].text = STR("as it is");
	}
	say("relay: message %zu to %.*s, %zu recipients, mood %d%s", (size_t)(o - world.v), STR_ARG(m->destination),
		m->recipients.n, (int)mood, dies ? ", dies" : "");
	if (dies) {
		world.died++;
		for (unsigned i = 0; i < o->n; i++)
			o->to[i].when = 0; /* nobody heard of it: it may come again */
		expect_ok(fiber_start(cut_relay, NULL, "end", NULL));
		return fiber_sleep(SECOND);
	}
	*answer = (struct queue_relay_sent){.reached = mood != UNREACHED, .slow_down = mood == SLOW,
		.host = mood == UNREACHED ? STR("") : STR("mx.test"), .outcomes = {.p = v, .n = m->recipients.n}};
	return OK;
}

/* A report is a letter like others from then on. */
static uint32_t write_report(const struct queue_relay_report *m, size_t message)
{
	uint32_t letter = letter_new((unsigned)m->account - 1);
	struct letter_row *l = &week.letters[letter];
	l->id = m->report;
	l->report = l->held = true; /* or perhaps it is written once more */
	for (size_t i = 0; i < m->rows.n; i++) {
		struct outgoing *o = &world.v[message];
		world.named = array_more(world.named, world.named_n, &world.named_cap, sizeof *world.named);
		world.named[world.named_n++] = (struct naming){letter, (uint32_t)message,
			(unsigned)(addressee_of(o, m->rows.p[i].address) - o->to),
			m->rows.p[i].action == QUEUE_RELAY_ACTION_FAILED};
	}
	return letter;
}

static result on_report(struct arrival *in, struct queue_relay_report *m, struct queue_relay_reported *answer)
{
	struct outgoing *o = meant(&m->delivery, m->sealed.bytes);
	expect(m->account == o->account + 1, "a report goes to account %u", (unsigned)m->account);
	uint32_t letter = write_report(m, (size_t)(o - world.v));
	str body = letter_make(letter, in->arena).body;
	char *sealed = arena_array(in->arena, NUMBER + body.n + 1, 1);
	must(sealed);
	snprintf(sealed, NUMBER + 1, "%08u", letter);
	memcpy(sealed + NUMBER, body.p, body.n);
	*answer = (struct queue_relay_reported){.size = body.n, .wrapped = STR("wrapped"),
		.sealed = body_of(str_of(sealed, NUMBER + body.n))};
	say("relay: report %u on message %zu, %zu rows", letter, (size_t)(o - world.v), m->rows.n);
	world.reports++;
	world.moves++;
	return OK;
}

static const struct queue_relay_as_relay relay_handlers = {.send = on_send, .report = on_report};

result world_relay(struct channel **out)
{
	int ends[2];
	world.moves++;
	if (world.closing)
		return failure(FAIL_BUSY, "the queue ends");
	if (!world.relay) {
		expect_ok(net_pair(SOCK_SEQPACKET, ends));
		struct channel_options near = {.fd = ends[0], .peer = "relay 0"}, far = {.fd = ends[1], .peer = "queue 0"};
		expect_ok(queue_relay_open_as_queue(&near, NULL, &world.relay));
		expect_ok(queue_relay_open_as_relay(&far, &relay_handlers, &world.relay_far));
	}
	*out = world.relay;
	return OK;
}

/* ---- auth ---- */

static result on_route(struct arrival *in, struct queue_auth_route *m, struct queue_auth_route_is *answer)
{
	(void)in;
	(void)m;
	answer->route = 0;
	return OK;
}

/* u3@example.test is account 3. */
static result on_reader(struct arrival *in, struct queue_auth_reader *m, struct queue_auth_reader_is *answer)
{
	uint64_t *account = arena_alloc(in->arena, sizeof *account);
	must(account && m->address.n > 1);
	*account = (uint64_t)(m->address.p[1] - '0');
	answer->accounts.p = account;
	answer->accounts.n = 1;
	return OK;
}

static const struct queue_auth_as_auth auth_handlers = {.route = on_route, .reader = on_reader};

result world_auth(struct channel **out)
{
	int ends[2];
	if (world.closing)
		return failure(FAIL_BUSY, "the queue ends");
	if (!world.auth) {
		expect_ok(net_pair(SOCK_SEQPACKET, ends));
		struct channel_options near = {.fd = ends[0], .peer = "auth 0"}, far = {.fd = ends[1], .peer = "queue 0"};
		expect_ok(queue_auth_open_as_queue(&near, NULL, &world.auth));
		expect_ok(queue_auth_open_as_auth(&far, &auth_handlers, &world.auth_far));
	}
	*out = world.auth;
	return OK;
}

void world_open(void)
{
	world.closing = false;
}

void world_close(void)
{
	world.closing = true;
	cut_relay(NULL);
	if (world.auth)
		channel_close(&world.auth);
	if (world.auth_far)
		channel_close(&world.auth_far);
}

uint64_t world_moves(void)
{
	return world.moves;
}

/* ---- what owners send ---- */

static void post(void *arg)
{
	size_t number = (size_t)(uintptr_t)arg;
	struct outgoing *o = &world.v[number];
	AUTO_ARENA arena m = arena_new(2 << 20);
	char addresses[TO_MOST][32], sender[32], *sealed = arena_array(&m, o->octets + 1, 1);
	struct edge_queue_recipient to[TO_MOST];
	struct edge_queue_kept is;
	must(sealed);
	memset(sealed, 's', o->octets);
	snprintf(sender, sizeof sender, "u%u@example.test", o->account + 1);
	for (unsigned i = 0; i < o->n; i++) {
		snprintf(addresses[i], sizeof addresses[i], "r%u@d%u.test", i, o->place);
		to[i] = (struct edge_queue_recipient){.address = str_from(addresses[i])};
	}
	snprintf(sealed, NUMBER + 1, "%08zu", number);
	sealed[NUMBER] = 's';
	struct edge_queue_post what = {.delivery = o->id, .account = o->account + 1, .sender = str_from(sender),
		.recipients = {.p = to, .n = o->n}, .size = o->octets, .received = clock_wall_s(), .hold_until = o->hold,
		.wrapped = STR("wrapped"), .sealed = body_of(str_of(sealed, o->octets))};
	result r = edge_queue_post_call(holding_edge(), NULL, &what, &m, &is);
	say("queue: post message %zu to %u at place %u: %s", number, o->n, o->place, fail_name(r.kind));
	world.v[number].owed = !failed(r);
}

static void send_out(void *arg)
{
	size_t number = world.n;
	world.v = array_more(world.v, world.n, &world.cap, sizeof *world.v);
	struct outgoing *o = &world.v[world.n++];
	*o = (struct outgoing){.account = (unsigned)below(ACCOUNTS)};
	o->place = (unsigned)below(PLACES);
	o->n = 1 + (unsigned)below(TO_MOST);
	o->octets = chance(30) ? LARGE : 100 + below(2000);
	if (chance(10))
		o->hold = clock_wall_s() + (int64_t)below(HOLD_MOST / SECOND);
	for (size_t i = 0; i < sizeof o->id.b; i++)
		o->id.b[i] = (unsigned char)below(256);
	task_start(post, (void *)(uintptr_t)number);
	agenda_in(below(100 * MINUTE / week.pace), send_out, arg);
}

void world_clock_steps(void)
{
	for (size_t i = 0; i < world.n; i++)
		if (clock_wall_s() >= world.v[i].hold)
			world.v[i].hold = 0; /* its time has come, and stays so */
}

static void change_mood(void *arg)
{
	unsigned place = (unsigned)below(PLACES - 1);
	world.moods[place] = chance(2) ? WELL : (enum mood)below(MOODS);
	agenda_in(below(6 * HOUR), change_mood, arg);
}

void world_begin(void)
{
	world.moods[PLACES - 1] = UNREACHED;
	agenda_in(HOUR, send_out, NULL);
	agenda_in(2 * HOUR, change_mood, NULL);
}

void world_calm(void)
{
	for (size_t i = 0; i < PLACES; i++)
		world.moods[i] = WELL;
}

void world_end(void)
{
	mem_free(world.v);
	mem_free(world.named);
}

/* ---- what became of it ---- */

void world_told(uint32_t letter)
{
	for (size_t i = 0; i < world.named_n; i++) {
		const struct naming *n = &world.named[i];
		struct addressee *a = &world.v[n->message].to[n->to];
		if (n->letter != letter || !n->failed)
			continue;
		expect(!a->told, "message %u: the failure at recipient %u is reported twice", n->message, n->to);
		a->told = true;
	}
}

void world_audit(void)
{
	world.audits++;
}

void world_see(const struct web_queue_item_row *row)
{
	for (size_t i = 0; i < world.n; i++) {
		struct outgoing *o = &world.v[i];
		if (memcmp(&o->id, &row->delivery, sizeof o->id) != 0)
			continue;
		struct addressee *a = addressee_of(o, row->recipient);
		expect(a->seen != world.audits, "recipient %.*s of message %zu is queued twice", STR_ARG(row->recipient), i);
		a->seen = world.audits;
		return;
	}
	wrong("the queue holds message item %llu, which nobody gave it", (unsigned long long)row->item);
}

/* A report on it waits in the queue, or somebody took it from there. */
static bool is_being_told(uint32_t message, unsigned to)
{
	for (size_t i = 0; i < world.named_n; i++) {
		const struct naming *n = &world.named[i];
		if (n->message != message || n->to != to || !n->failed)
			continue;
		if (holding_has(n->letter) || week.letters[n->letter].dropped)
			return true;
	}
	return false;
}

void world_judge(void)
{
	for (uint32_t i = 0; i < world.n; i++) {
		const struct outgoing *o = &world.v[i];
		for (unsigned k = 0; k < o->n && o->owed; k++) {
			const struct addressee *a = &o->to[k];
			expect(a->accepted || a->told || a->seen == world.audits || is_being_told(i, k),
				"message %u for recipient %u: not sent, not reported, not queued", i, k);
		}
	}
	say("outside: %zu messages, %zu transactions, %zu reports written, the relay ended %zu times", world.n, world.sent,
		world.reports, world.died);
}
