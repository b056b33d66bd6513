#include "edge/neighbours.h"
#include "talk/asker_inspect.h"
#include "talk/courier_account.h"
#include "talk/edge_auth.h"
#include "talk/edge_queue.h"
#include "talk/edge_relay.h"
#include "talk/edge_web.h"
#include "talk/principal_vault.h"
#include "talk/room.h"

result neighbour(enum neighbour which, struct channel **out)
{
	switch (which) {
	case NEIGHBOUR_AUTH:
		return room_connect(&edge_auth_as_edge_kind, "auth", 0, out);
	case NEIGHBOUR_INSPECT:
		return room_connect(&asker_inspect_as_asker_kind, "inspect", ROOM_ANY, out);
	case NEIGHBOUR_QUEUE:
		return room_connect(&edge_queue_as_edge_kind, "queue", 0, out);
	case NEIGHBOUR_VAULT:
		return room_connect(&principal_vault_as_principal_kind, "vault", 0, out);
	case NEIGHBOUR_RELAY:
		return room_connect(&edge_relay_as_edge_kind, "relay", ROOM_ANY, out);
	case NEIGHBOUR_WEB:
		return room_connect(&edge_web_as_edge_kind, "web", 0, out);
	}
	return failure(FAIL_ABSENT, "there is no such neighbour");
}

result neighbour_account(uint64_t account, struct channel **out)
{
	return room_connect(&courier_account_as_courier_kind, "account", account, out);
}
