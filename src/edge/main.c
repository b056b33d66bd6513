/* The edge room's process: settings, certificate, jail, doors. */
#include <openssl/ssl.h>
#include <unistd.h>

#include "base/mem.h"
#include "edge/door.h"
#include "edge/far_key.h"
#include "run/tls_far.h"
#include "talk/edge_auth.h"
#include "talk/room.h"
#include "talk/settings.h"

static struct edge edge;

static result read_hostname(struct edge *e)
{
	char name[256] = "localhost";
	if (options_text(&e->options, OPT_HOSTNAME).n > 0)
		return OK;
	if (gethostname(name, sizeof name - 1) < 0)
		return failure(FAIL_INPUT, "the system has no name; set `hostname` in the configuration");
	return options_set(&e->options, OPT_HOSTNAME, str_from(name));
}

enum { MEMORY_SHARE = 4, EDGES_ASSUMED = 2 };

/* No other protocol's port speaks HTTP, and none of them is spoken there. */
static result read_certificate(struct edge *e, const struct supervisor_room_begin *b)
{
	if (b->certificate.n == 0)
		return OK;
	TRY(far_key_open());
	TRY(far_key_context(b->certificate, FAR_KEY_MAIL, &e->tls));
	return str_eq(b->role, STR("edge-client")) ? far_key_context(b->certificate, FAR_KEY_WEB, &e->tls_web) : OK;
}

static result prepare(const struct supervisor_room_begin *b)
{
	struct edge *e = &edge;
	edge_init(e);
	TRY(settings_read(b, &e->options));
	TRY(read_hostname(e));
	TRY(settings_networks(&e->options, OPT_PROXY_FROM, &e->proxies));
	TRY(settings_never_ban(&e->options, &e->bans.never));
	TRY(read_certificate(e, b));
	uint64_t transit = options_number(&e->options, OPT_TRANSIT);
	e->transit = budget_new(transit ? transit : budget_of_memory(1, MEMORY_SHARE * EDGES_ASSUMED));
	e->demo = options_yes(&e->options, OPT_DEMO);
	limits_init(&e->limits, &(struct limits_most){
		.all = options_number(&e->options, OPT_CONNECTIONS),
		.address = options_number(&e->options, OPT_CONNECTIONS_EACH),
		.network = options_number(&e->options, OPT_CONNECTIONS_NETWORK),
		.address_minute = options_number(&e->options, OPT_MINUTE_EACH),
		.network_minute = options_number(&e->options, OPT_MINUTE_NETWORK)});
	return OK;
}

static void on_listener(str protocol, str address, int fd)
{
	(void)address;
	door_open(&edge, protocol, fd);
}

static void on_bans(int fd)
{
	result r = bans_read(&edge.bans, fd);
	if (failed(r)) /* a supervisor that hands over no page: the one in force stays */
		log_event(EV_LIMITED, NULL, F_STR("why", str_from(r.text)));
}

static void on_stop(void)
{
	door_close_all(&edge);
}

static void forget_directory(void)
{
	recipients_drop(&edge.recipients);
	signers_drop(&edge.signers);
	offers_forget(&edge);
}

static void on_directory_changed(struct arrival *in, struct edge_auth_directory_changed *m)
{
	(void)in;
	(void)m;
	forget_directory();
}

static const struct edge_auth_as_edge from_auth = {.directory_changed = on_directory_changed};
static const struct room_ear ears[] = {
	{.kind = &edge_auth_as_edge_kind, .handlers = &from_auth, .ended = forget_directory},
};
static const struct sandbox_call *const tables[] = {sandbox_accept, NULL};
static const struct sandbox sandbox = {.room = "edge", .tables = tables};
static const struct room room = {.prepare = prepare, .sandbox = &sandbox, .listener = on_listener, .bans = on_bans,
				 .stop = on_stop, .ears = ears, .ears_n = sizeof ears / sizeof *ears};

int main(void)
{
	mem_forget();
	tls_forget();
	int status = room_main(&room);
	limits_free(&edge.limits);
	quotas_free(&edge.quotas);
	recipients_free(&edge.recipients);
	signers_drop(&edge.signers);
	item_keys_close(&edge.relay_keys);
	tls_context_free(&edge.tls);
	tls_context_free(&edge.tls_web);
	tls_far_close();
	mem_free(edge.proxies.p);
	bans_free(&edge.bans);
	options_free(&edge.options);
	return status;
}
