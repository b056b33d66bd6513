/* The account room: one person's mailboxes, messages and sessions.
 *
 * It asks the vault for its own key, opens the one database that is sealed with
 * it, and then serves couriers with letters and auth with the owner's sessions. */
#include <fcntl.h>
#include <malloc.h>

#include "account/account.h"
#include "account/opening.h"
#include "engine/files.h"
#include "engine/seal.h"
#include "talk/auth_account.h"
#include "talk/courier_account.h"
#include "talk/room.h"
#include "talk/settings.h"

/* One process is one account. */
struct account account;
static struct files_local files;

struct actor account_as(enum actor_kind kind)
{
	return (struct actor){account.store, kind};
}

static result prepare(const struct supervisor_room_begin *b)
{
	files = files_local(AT_FDCWD);
	account.files = &files.base;
	account.lock.vault = &lock_vault_of_rooms;
	TRY(settings_read(b, &account.options));
	return seal_start();
}

static void open_imap(void)
{
	uint64_t largest = options_number(&account.options, OPT_MESSAGE_SIZE);
	imap_home_init(&account.imap);
	account.imap.message_max = largest;
	account.imap.idle_ms = options_number(&account.options, OPT_IDLE_TIME);
	account.imap.command_cpu_ms = options_number(&account.options, OPT_COMMAND_CPU);
	account.imap.append = budget_new(4 * largest);
	account.imap.examine = account_examine;
	account.imap.fold = account_fold;
	account.imap.look = account_look;
	account.imap.stirred = idle_stir;
}

static void open_pop3(void)
{
	pop3_home_init(&account.pop3);
	account.pop3.idle_ms = options_number(&account.options, OPT_IDLE_TIME);
	account.pop3.command_cpu_ms = options_number(&account.options, OPT_COMMAND_CPU);
	account.pop3.stirred = idle_stir;
}

static result start(void)
{
	open_imap();
	open_pop3();
	TRY(opening_start());
	return idle_watch_start();
}

/* Sessions are told; a letter under way is still kept and answered. */
static void stop(void)
{
	imap_sessions_stop(&account.imap);
	pop3_sessions_stop(&account.pop3);
	gate_wake_all(&account.opened);
	idle_wait_for_deliveries();
	opening_stop();
}

static void finish(void)
{
	options_free(&account.options);
}

static const struct room_door doors[] = {
	{.kind = &courier_account_as_account_kind, .handlers = &courier_handlers, .gathers = true},
	{.kind = &auth_account_as_account_kind, .handlers = &auth_handlers},
};
static const struct sandbox_call *const tables[] = {sandbox_files, NULL};
static const struct sandbox jail = {.room = "account", .tables = tables};
static const struct room room = {
	.prepare = prepare,
	.sandbox = &jail,
	.own_folder = true,
	.start = start,
	.stop = stop,
	.close = finish,
	.doors = doors,
	.doors_n = sizeof doors / sizeof *doors,
};

enum { HEAP_PIECE_MAX = 1 << 20, HEAP_SPARE_MAX = 4 << 20 };

int main(void)
{
	/* There is one such process for each account at work: its memory counts. At work the heap
	 * keeps what letters up to HEAP_PIECE_MAX need, since mapping it afresh for each costs
	 * more than the work; after a lull it goes back. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, HEAP_PIECE_MAX);
	mallopt(M_TRIM_THRESHOLD, HEAP_SPARE_MAX);
	return room_main(&room);
}
