/* The relay room's process: settings, trusted authorities, jail, doors. */
#include <unistd.h>

#include "base/mem.h"
#include "relay/relay.h"
#include "run/tls_peer.h"
#include "talk/asker_fetch.h"
#include "talk/asker_inspect.h"
#include "talk/asker_resolve.h"
#include "talk/principal_vault.h"
#include "talk/relay_auth.h"
#include "talk/room.h"
#include "talk/settings.h"

static result to_room(enum neighbour which, struct channel **out)
{
	switch (which) {
	case NEIGHBOUR_RESOLVE:
		return room_connect(&asker_resolve_as_asker_kind, "resolve", 0, out);
	case NEIGHBOUR_FETCH:
		return room_connect(&asker_fetch_as_asker_kind, "fetch", 0, out);
	case NEIGHBOUR_AUTH:
		return room_connect(&relay_auth_as_relay_kind, "auth", 0, out);
	case NEIGHBOUR_VAULT:
		return room_connect(&principal_vault_as_principal_kind, "vault", 0, out);
	case NEIGHBOUR_INSPECT:
		return room_connect(&asker_inspect_as_asker_kind, "inspect", ROOM_ANY, out);
	}
	return failure(FAIL_ABSENT, "there is no such neighbour");
}

/* Without any, only DANE proves anything. */
static result load_authorities(const struct supervisor_room_begin *b)
{
	TRY(tls_peer_context(STR(""), &relay.tls));
	return tls_context_trust_system(relay.tls, settings_file(b, OPT_FETCH_CA));
}

static result read_hostname(void)
{
	char name[256] = "localhost";
	if (options_text(&relay.options, OPT_HOSTNAME).n > 0)
		return OK;
	if (gethostname(name, sizeof name - 1) < 0)
		return failure(FAIL_INPUT, "the system has no name; set `hostname` in the configuration");
	return options_set(&relay.options, OPT_HOSTNAME, str_from(name));
}

static result read_addresses(void)
{
	str rest = options_text(&relay.options, OPT_RELAY_ADDRESS), text;
	while (options_next(&rest, &text)) {
		net_addr a;
		TRY(net_parse_ip(text, &a));
		*(net_is_v4(&a) ? &relay.from4 : &relay.from6) = a;
	}
	return OK;
}

static const struct relay_world world = {.room = to_room};

static result prepare(const struct supervisor_room_begin *b)
{
	TRY(settings_read(b, &relay.options));
	TRY(read_hostname());
	TRY(read_addresses());
	return load_authorities(b);
}

static result start(void)
{
	relay.world = &world;
	kept_open(&relay.kept);
	sts_open(&relay.sts);
	ways_open(&relay.ways);
	return OK;
}

static void stop(void)
{
	kept_close(&relay.kept);
	item_keys_close(&relay.keys);
}

static const struct room_door doors[] = {
	{.kind = &queue_relay_as_relay_kind, .handlers = &relay_queue_handlers},
	{.kind = &edge_relay_as_relay_kind, .handlers = &relay_edge_handlers},
};
static const struct sandbox_call *const tables[] = {sandbox_connect, NULL};
/* `relay-address` is bound without a port; no port is that anybody could call. */
static const struct sandbox_port ports[] = {{.port = 0, .bind = true}};
static const struct sandbox sandbox = {.room = "relay", .tables = tables, .every_port = true, .ports = ports,
	.port_count = sizeof ports / sizeof *ports};
static const struct room room = {.prepare = prepare, .sandbox = &sandbox, .start = start, .stop = stop,
	.doors = doors,
	.doors_n = sizeof doors / sizeof *doors};

int main(void)
{
	mem_forget();
	tls_forget();
	int status = room_main(&room);
	sts_close(&relay.sts);
	ways_close(&relay.ways);
	tls_context_free(&relay.tls);
	options_free(&relay.options);
	return status;
}
