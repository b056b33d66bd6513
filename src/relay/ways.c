#include "relay/ways.h"

#include "grammar/smtp/mailbox.h"
#include "relay/relay.h"
#include "run/secret.h"

enum { PORT_LMTP = 24, PORT_SMTPS = 465 };

static uint16_t relay_port(void)
{
	return (uint16_t)options_number(&relay.options, OPT_RELAY_PORT);
}

static uint16_t usual_port(const struct relay_auth_way_is *is)
{
	if (is->protocol == RELAY_AUTH_PROTOCOL_LMTP)
		return PORT_LMTP;
	return is->tls == RELAY_AUTH_TLS_IMPLICIT ? PORT_SMTPS : relay_port();
}

static result ask(uint64_t route, arena *a, struct relay_auth_way_is *out)
{
	struct channel *auth;
	if (ways_known(&relay.ways, route, a, out))
		return OK;
	const struct relay_auth_way q = {.route = route};
	const struct asking how = {.arena = a, .timeout_ms = RELAY_NEIGHBOUR_MS};
	TRY(relay.world->room(NEIGHBOUR_AUTH, &auth));
	TRY(relay_auth_way_call_within(auth, &how, &q, out));
	ways_keep(&relay.ways, route, out);
	return OK;
}

static struct trouble by_route(uint64_t route, arena *a, struct way *w)
{
	struct relay_auth_way_is is;
	result r = ask(route, a, &is);
	if (failed(r))
		return trouble_later(STR("4.3.0"), say(a, "The table of routes gives no answer: %s.", r.text));
	if (!is.known)
		return trouble_later(STR("4.3.5"),
			say(a, "There is no route %llu any more; set the domain's route anew.",
				(unsigned long long)route));
	if (is.host.n > 0)
		w->name = is.host;
	w->route = is.host.n > 0;
	w->mx = is.mx || is.host.n == 0;
	w->lmtp = is.protocol == RELAY_AUTH_PROTOCOL_LMTP;
	w->tls = is.tls;
	w->port = is.port ? is.port : usual_port(&is);
	w->user = is.user;
	w->password = is.password;
	return (struct trouble){0};
}

struct trouble way_find(uint64_t route, str destination, arena *a, struct way *out)
{
	*out = (struct way){.destination = destination, .name = destination, .mx = true, .port = relay_port()};
	if (failed(mailbox_domain(destination, a, &out->name)))
		return trouble_lasting(STR("5.1.2"), say(a, "%.*s is no domain.", STR_ARG(destination)));
	return route ? by_route(route, a, out) : (struct trouble){0};
}

/* It lies in the arena of the errand, which was read into for us alone. */
void way_forget(struct way *w)
{
	if (w->password.n > 0)
		secret_wipe((void *)(uintptr_t)w->password.p, w->password.n);
	w->password = (str){0};
}
