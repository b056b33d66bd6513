/* The auth room: who is this, who receives here.
 *
 * It opens directory.db, which nobody else can, and answers edges from memory. */
#include <fcntl.h>
#include <sodium.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "auth/accounts.h"
#include "auth/contain.h"
#include "auth/doors.h"
#include "auth/local_users.h"
#include "auth/notices.h"
#include "auth/second_factor.h"
#include "base/log.h"
#include "engine/files.h"
#include "run/sandbox.h"
#include "talk/own_key.h"
#include "talk/room.h"
#include "talk/settings.h"

static struct files_local files;

/* As the edges name themselves. */
static result name_server(void)
{
	char name[256] = "localhost";
	if (options_text(&auth.options, OPT_HOSTNAME).n > 0 || gethostname(name, sizeof name - 1) < 0)
		return OK;
	return options_set(&auth.options, OPT_HOSTNAME, str_from(name));
}

static result prepare(const struct supervisor_room_begin *b)
{
	files = files_local(AT_FDCWD);
	auth.world = &auth_world_of_rooms;
	tzset(); /* rules name hours; the file of the time zone is read now */
	TRY(second_factor_start());
	TRY(settings_read(b, &auth.options));
	TRY(name_server());
	return local_users_read(&auth.local_users, options_text(&auth.options, OPT_LOCAL_USERS));
}

static void finish_leftovers(void *arg)
{
	(void)arg;
	room_ready(); /* the supervisor removes folders for running rooms only */
	accounts_finish_leftovers(&auth);
}

static void tend_keys(void *arg)
{
	(void)arg;
	signing_tend(&auth);
}

static void contain(void *arg)
{
	(void)arg;
	contain_run(&auth);
}

static void bring_notices(void *arg)
{
	(void)arg;
	notices_run(&auth);
}

static result start(void)
{
	unsigned char key[OWN_KEY];
	bool there;
	TRY(directory_exists(&files.base, &there));
	TRY(own_key(!there, key));
	result r = auth_open(&auth, &files.base, key);
	sodium_memzero(key, sizeof key);
	TRY(r);
	TRY(fiber_start(tend_keys, NULL, "signing", NULL));
	TRY(fiber_start(contain, NULL, "contain", NULL));
	TRY(fiber_start(bring_notices, NULL, "notices", NULL));
	return fiber_start(finish_leftovers, NULL, "leftovers", NULL);
}

/* Counts and uses of the last seconds are written down; mail does not depend on them. */
static void stop(void)
{
	result r = profiles_flush(&auth.profiles);
	if (!failed(r))
		r = app_uses_flush(&auth.app_uses);
	(void)r;
}

static result take_places(int countries, int networks)
{
	return places_take(&auth.places, countries, networks);
}

static void close_all(void)
{
	places_free(&auth.places);
	auth_close(&auth);
	local_users_free(&auth.local_users);
	options_free(&auth.options);
}

static const struct room_door doors[] = {
	{.kind = &edge_auth_as_auth_kind, .handlers = &edge_handlers, .left = edge_left},
	{.kind = &queue_auth_as_auth_kind, .handlers = &queue_handlers},
	{.kind = &relay_auth_as_auth_kind, .handlers = &relay_handlers},
	{.kind = &web_auth_as_auth_kind, .handlers = &web_handlers},
	{.kind = &visitor_auth_as_auth_kind, .handlers = &visitor_handlers},
	{.kind = &watch_auth_as_auth_kind, .handlers = &watch_handlers},
};
/* Beside its folder: a fresh stream for each session, one end of which goes to the account. */
static const struct sandbox_call sessions[] = {
	{"socketpair", SANDBOX_EQUALS, 0, AF_UNIX},
	{0},
};
static const struct sandbox_call *const tables[] = {sandbox_files, sessions, NULL};
static const struct sandbox jail = {.room = "auth", .tables = tables};
static const struct room room = {.prepare = prepare, .sandbox = &jail, .own_folder = true, .start = start,
	.stop = stop, .close = close_all, .places = take_places,
	.doors = doors, .doors_n = sizeof doors / sizeof *doors};

int main(void)
{
	return room_main(&room);
}
