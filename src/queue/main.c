/* The queue room: holds what an account could not take, and brings it later. */
#include <fcntl.h>
#include <sodium.h>

#include "queue/doors.h"
#include "queue/queue.h"
#include "run/sandbox.h"
#include "talk/courier_account.h"
#include "talk/own_key.h"
#include "talk/queue_auth.h"
#include "talk/queue_relay.h"
#include "talk/room.h"
#include "talk/settings.h"

static struct files_local files;

static result account(uint64_t number, struct channel **out)
{
	return room_connect(&courier_account_as_courier_kind, "account", number, out);
}

static uint64_t relays, next_relay;

/* Each in turn; where one cannot be reached, whichever the supervisor gives. */
static result relay(struct channel **out)
{
	result r = room_connect(&queue_relay_as_queue_kind, "relay", next_relay++ % relays, out);
	if (!failed(r) || r.kind == FAIL_CANCELLED || relays == 1)
		return r;
	return room_connect(&queue_relay_as_queue_kind, "relay", ROOM_ANY, out);
}

static result auth(struct channel **out)
{
	return room_connect(&queue_auth_as_queue_kind, "auth", ROOM_ANY, out);
}

const struct queue_world queue_world_of_rooms = {
	.account = account, .relay = relay, .auth = auth, .give_up = room_give_up};

static void read_outward(const struct options *o)
{
	queue.out = (struct outward){
		.retry = {options_number(o, OPT_RETRY_WORLD), options_number(o, OPT_RETRY_WORLD_MOST)},
		.expire_ms = options_number(o, OPT_EXPIRE_TIME), .warn_ms = options_number(o, OPT_DELAY_WARNING),
		.suppress_ms = options_number(o, OPT_SUPPRESS_TIME),
		.tls = {.off = !options_yes(o, OPT_TLS_REPORTS)},
		.sessions = (unsigned)options_number(o, OPT_WORLD_SESSIONS),
		.sessions_each = (unsigned)options_number(o, OPT_WORLD_SESSIONS_EACH)};
}

static result prepare(const struct supervisor_room_begin *b)
{
	struct options o;
	TRY(settings_read(b, &o));
	files = files_local(AT_FDCWD);
	queue.retry = (struct backoff){options_number(&o, OPT_RETRY_TIME), SCHEDULE_WAIT_MOST};
	read_outward(&o);
	relays = options_number(&o, OPT_RELAY);
	queue.world = &queue_world_of_rooms;
	options_free(&o);
	return OK;
}

static void run(void *arg)
{
	(void)arg;
	queue_run(&queue);
}

static void run_outward(void *arg)
{
	(void)arg;
	queue_run_outward(&queue);
}

static void run_alarms(void *arg)
{
	(void)arg;
	queue_run_alarms(&queue);
}

static void run_tls_days(void *arg)
{
	(void)arg;
	tls_days_run(&queue);
}

static void run_tls_tell(void *arg)
{
	(void)arg;
	tls_days_tell(&queue);
}

static void run_reports(void *arg)
{
	(void)arg;
	queue_run_reports(&queue);
}

static result start(void)
{
	unsigned char key[OWN_KEY];
	bool there;
	TRY(files_exists(&files.base, "queue.db", &there));
	TRY(own_key(!there, key));
	result r = queue_open(&queue, &files.base, key);
	sodium_memzero(key, sizeof key);
	TRY(r);
	TRY(fiber_start(run, NULL, "schedule", NULL));
	TRY(fiber_start(run_outward, NULL, "traffic", NULL));
	TRY(fiber_start(run_alarms, NULL, "alarms", NULL));
	TRY(fiber_start(run_tls_days, NULL, "tls days", NULL));
	TRY(fiber_start(run_tls_tell, NULL, "tls reports", NULL));
	return fiber_start(run_reports, NULL, "reports", NULL);
}

static void close_all(void)
{
	queue_close(&queue);
}

static const struct sandbox_call *const tables[] = {sandbox_files, NULL};
static const struct sandbox jail = {.room = "queue", .tables = tables};
static const struct room_door doors[] = {
	{.kind = &edge_queue_as_queue_kind, .handlers = &edge_handlers},
	{.kind = &web_queue_as_queue_kind, .handlers = &web_handlers},
	{.kind = &auth_queue_as_queue_kind, .handlers = &contain_handlers},
};
static const struct room room = {.prepare = prepare, .sandbox = &jail, .own_folder = true, .start = start,
	.close = close_all,
				 .doors = doors, .doors_n = sizeof doors / sizeof *doors};

int main(void)
{
	return room_main(&room);
}
