#include "relay/relay.h"

struct relay relay;

str relay_name(void)
{
	str name = options_text(&relay.options, OPT_HOSTNAME);
	return name.n > 0 ? name : STR("localhost");
}

const struct queue_relay_as_relay relay_queue_handlers = {.send = on_send, .report = on_report,
	.tls_report = on_tls_report};
const struct edge_relay_as_relay relay_edge_handlers = {.verify = on_verify};
