/* The resolve room: answers questions of DNS from one validating cache. */
#include "base/log.h"
#include "resolve/resolver.h"
#include "run/clock.h"
#include "run/files.h"
#include "run/net.h"
#include "talk/room.h"
#include "talk/settings.h"

enum { ROOT_KEY_MAX = 65536 };

/* Of Debian's package dns-root-data, which follows the root's keys. */
static const char root_key[] = "/usr/share/dns/root.key";

static result on_look_up(struct arrival *in, struct asker_resolve_look_up *m, struct asker_resolve_looked_up *answer)
{
	static const enum log_name events[] = {
		[ASKER_RESOLVE_FINDING_FOUND] = EV_DNS_FOUND, [ASKER_RESOLVE_FINDING_NO_DATA] = EV_DNS_NONE,
		[ASKER_RESOLVE_FINDING_NO_NAME] = EV_DNS_NONE, [ASKER_RESOLVE_FINDING_BOGUS] = EV_DNS_BOGUS,
		[ASKER_RESOLVE_FINDING_FAILED] = EV_DNS_FAILED,
	};
	uint64_t begun = clock_mono_ms();
	TRY(resolver_ask(m->name, m->type, in->arena, answer));
	enum log_name event = events[answer->finding];
	bool went_wrong = event == EV_DNS_BOGUS || event == EV_DNS_FAILED;
	/* Only what went wrong is a part of a letter's story. */
	log_event(event, went_wrong ? &in->trace : NULL, F_STR("name", m->name), F_U64("type", m->type),
		  F_U64("ms", clock_mono_ms() - begun), F_U64("secure", answer->secure), F_STR("why", answer->why));
	return OK;
}

/* With a forwarder only what the administrator names is trusted. */
static result read_anchors(const struct supervisor_room_begin *b, str forwards, buf *out)
{
	str given = settings_file(b, OPT_DNS_ANCHOR);
	buf_put(out, given);
	if (given.n > 0 || forwards.n > 0)
		return buf_result(out);
	result r = file_load(root_key, out);
	return r.kind == FAIL_ABSENT ? OK : r;
}

/* TCP, for what is too long for UDP: to these servers only. */
static struct sandbox_port ports[RESOLVER_FORWARDS_MAX];

static size_t find_ports(str forwards)
{
	net_addr a;
	str member;
	size_t n = 0;
	if (forwards.n == 0)
		ports[n++].port = RESOLVER_PORT;
	while (n < RESOLVER_FORWARDS_MAX && options_next(&forwards, &member))
		if (!failed(net_parse(member, &a)))
			ports[n++].port = a.port;
	return n;
}

static struct sandbox sandbox;

static result prepare(const struct supervisor_room_begin *b)
{
	struct options options;
	AUTO_BUF buf anchors = buf_new(ROOT_KEY_MAX);
	TRY(settings_read(b, &options));
	str forwards = options_text(&options, OPT_DNS_FORWARD);
	sandbox.port_count = find_ports(forwards);
	result r = read_anchors(b, forwards, &anchors);
	if (!failed(r)) {
		const struct resolver_plan plan = {.forwards = forwards, .anchors = buf_str(&anchors)};
		r = resolver_open(&plan);
	}
	options_free(&options);
	return r;
}

static const struct asker_resolve_as_resolve handlers = {.look_up = on_look_up};
static const struct room_door doors[] = {{.kind = &asker_resolve_as_resolve_kind, .handlers = &handlers}};
static const struct sandbox_call thread[] = {{"epoll_create1"}, {"pipe2"}, {0}};
static const struct sandbox_call *const tables[] = {sandbox_connect, thread, NULL};
static struct sandbox sandbox = {.room = "resolve", .tables = tables, .ports = ports};
static const struct room room = {.prepare = prepare, .sandbox = &sandbox, .start = resolver_start,
				 .close = resolver_close, .doors = doors, .doors_n = 1};

int main(void)
{
	return room_main(&room);
}
