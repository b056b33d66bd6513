/* The fetch room: HTTPS to the outside, for MTA-STS policies and TLS reports. */
#include "base/log.h"
#include "fetch/addresses.h"
#include "fetch/transfer.h"
#include "run/clock.h"
#include "run/tls_roots.h"
#include "talk/room.h"
#include "talk/settings.h"

static struct {
	uint16_t port;
	bool also_private;
} self;

static result ask(const struct request *r, arena *a, struct asker_fetch_got *got)
{
	struct addresses where;
	TRY(request_check(r));
	TRY(addresses_find(r->host, self.also_private, &where));
	if (where.n == 0) {
		transfer_refuse(where.why, got);
		return OK;
	}
	char *list = request_addresses(r, where.list, where.n, a);
	return list ? transfer_run(r, list, a, got) : arena_result(a);
}

static result serve(struct arrival *in, struct request *r, struct asker_fetch_got *got)
{
	uint64_t begun = clock_mono_ms();
	if (r->port == 0)
		r->port = self.port;
	TRY(ask(r, in->arena, got));
	log_event(got->finding == ASKER_FETCH_FINDING_DONE ? EV_FETCHED : EV_FETCH_REFUSED, &in->trace,
		  F_STR("host", r->host), F_STR("path", r->path), F_U64("status", got->status), F_STR("why", got->why),
		  F_U64("ms", clock_mono_ms() - begun));
	return OK;
}

static result on_get(struct arrival *in, struct asker_fetch_get *m, struct asker_fetch_got *got)
{
	struct request r = {.host = m->host, .port = m->port, .path = m->path, .octets = m->octets};
	return serve(in, &r, got);
}

static result on_post(struct arrival *in, struct asker_fetch_post *m, struct asker_fetch_got *got)
{
	struct request r = {.host = m->host, .port = m->port, .path = m->path, .post = true, .type = m->type,
			    .body = m->message.bytes};
	return serve(in, &r, got);
}

static result open_transfers(const struct supervisor_room_begin *b)
{
	X509_STORE *trusted = X509_STORE_new();
	if (!trusted)
		return failure(FAIL_MEMORY, "There is no memory for the trusted certificates.");
	result r = tls_roots_load(trusted, settings_file(b, OPT_FETCH_CA));
	if (!failed(r))
		return transfer_open(trusted, (struct transfer_limits){0});
	X509_STORE_free(trusted);
	return r;
}

static result prepare(const struct supervisor_room_begin *b)
{
	struct options options;
	TRY(settings_read(b, &options));
	self.port = (uint16_t)options_number(&options, OPT_HTTPS_PORT);
	self.also_private = options_yes(&options, OPT_RELAY_PRIVATE);
	options_free(&options);
	return open_transfers(b);
}

static const struct asker_fetch_as_fetch handlers = {.get = on_get, .post = on_post};
static const struct room_door doors[] = {{.kind = &asker_fetch_as_fetch_kind, .handlers = &handlers}};
static const struct sandbox_call *const tables[] = {sandbox_connect, NULL};
static const struct sandbox sandbox = {.room = "fetch", .tables = tables, .every_port = true};
static const struct room room = {.prepare = prepare, .sandbox = &sandbox, .start = transfer_start,
				 .close = transfer_close, .doors = doors, .doors_n = 1};

int main(void)
{
	return room_main(&room);
}
