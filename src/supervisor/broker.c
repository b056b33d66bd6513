#include "supervisor/broker.h"
#include "base/log.h"
#include "run/net.h"
#include "supervisor/opening.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOMS_LISTED = 1000 };

/* Whether the process that asked has ended since; p may be another by now. */
static bool is_late(const struct arrival *in)
{
	const struct process *p = in->ctx;
	return p->channel != in->channel;
}

/* Everything below is asked by p, whose role the supervisor itself gave. */
static void on_ready(struct arrival *in, struct supervisor_room_ready *m)
{
	struct process *p = in->ctx;
	const char *name = role_row_of(p->role)->name;
	if (is_late(in) || p->state != PROCESS_STARTING)
		return;
	if (m->jail.n > 0 && p->role == ROLE_VAULT) /* once for all: the machine is the same for every room */
		fprintf(stderr, "postern: WARNING: the jail of the rooms is not whole: %.*s\n", STR_ARG(m->jail));
	p->state = PROCESS_RUNNING;
	p->pings = 0;
	gate_wake_all(&p->changed);
	log_event(EV_ROOM_STARTED, NULL, F_STR("role", str_from(name)), F_U64("number", p->number),
		  F_U64("pid", p->pid), F_STR("lacks", m->jail));
	if (role_row_of(p->role)->bans == BANS_WRITE)
		house_publish_bans(p->house);
}

/* One end to `to`, the other to the asker. */
static result introduce(struct process *from, struct process *to, str pair, int *end)
{
	int ends[2];
	char pair_text[40];
	snprintf(pair_text, sizeof pair_text, "%.*s", STR_ARG(pair));
	struct visitor v = {.pair = pair_text, .role = role_row_of(from->role)->name, .number = from->number};
	TRY(net_pair(SOCK_SEQPACKET, ends));
	v.fd = ends[1];
	result r = opening_visitor(to, &v);
	close(ends[1]);
	if (failed(r))
		close(ends[0]);
	else
		*end = ends[0];
	return r;
}

static void on_locked(struct arrival *in, struct supervisor_room_locked *m)
{
	struct process *p = in->ctx;
	if (is_late(in) || p->role != ROLE_VAULT)
		return;
	p->house->locked = m->locked;
	if (m->locked)
		fprintf(stderr, "postern: the vault waits for its passphrase: run `postern unlock`\n");
	log_event(m->locked ? EV_VAULT_LOCKED : EV_VAULT_UNLOCKED, NULL);
}

/* Whose account's process could not even begin has lost nothing by it: a channel that
 * ended would look as if the letter in it had ended the process. */
static result await_running(struct process *to)
{
	while (to->state == PROCESS_STARTING)
		TRY(gate_wait(&to->changed, HOUSE_START_MS));
	return to->state == PROCESS_RUNNING
		? OK : failure(FAIL_BUSY, "the account's process could not begin; the log says why");
}

static result on_connect(
	struct arrival *in, struct supervisor_room_connect *m, struct supervisor_room_connected *answer)
{
	struct process *from = in->ctx, *to;
	enum role role;
	if (!role_find(m->role, &role) || !route_allowed(from->role, role, m->pair)) {
		log_event(EV_ROOM_NONSENSE, NULL, F_STR("role", str_from(role_row_of(from->role)->name)),
			  F_STR("wanted", m->role), F_STR("pair", m->pair));
		return failure(FAIL_DENIED, "these rooms have nothing to say to each other");
	}
	from->held++;
	result r = house_find(from->house, role, m->number, &to);
	if (!failed(r)) {
		r = role == ROLE_ACCOUNT ? await_running(to) : OK;
		if (!failed(r))
			r = introduce(from, to, m->pair, &answer->socket);
		answer->number = to->number;
		house_release(to);
	}
	house_release(from);
	return r;
}

static void on_pong(struct arrival *in, struct supervisor_room_pong *m)
{
	struct process *p = in->ctx;
	(void)m;
	if (!is_late(in))
		p->pings = 0;
}

static void on_idle(struct arrival *in, struct supervisor_room_idle *m)
{
	struct process *p = in->ctx;
	(void)m;
	if (!is_late(in) && (p->role == ROLE_ACCOUNT || p->role == ROLE_INSPECT))
		house_retire(p);
}

/* A room's word against its neighbour's. It costs the neighbour a restart, so
 * only rooms that may have a channel with it are heard; accounts and inspect,
 * which read what strangers wrote, not at all. */
static void on_nonsense(struct arrival *in, struct supervisor_room_nonsense *m)
{
	struct process *from = in->ctx;
	enum role role;
	if (from->role == ROLE_ACCOUNT || from->role == ROLE_INSPECT)
		return;
	if (!role_find(m->role, &role) || role == ROLE_VAULT || !roles_meet(from->role, role))
		return;
	log_event(EV_ROOM_NONSENSE, NULL, F_STR("from", str_from(role_row_of(from->role)->name)),
		  F_STR("role", m->role), F_U64("number", m->number));
	struct process *about = house_running(from->house, role, m->number);
	if (about)
		house_kill(about, "it spoke nonsense to a neighbour");
}

static result on_account_make(struct arrival *in, struct supervisor_room_account_make *m,
			      struct supervisor_room_account_done *answer)
{
	struct process *p = in->ctx;
	(void)answer;
	if (p->role != ROLE_AUTH)
		return failure(FAIL_DENIED, "only auth makes accounts");
	return folders_make_account(&p->house->folders, m->account);
}

static result on_account_unmake(struct arrival *in, struct supervisor_room_account_unmake *m,
				struct supervisor_room_account_done *answer)
{
	struct process *p = in->ctx;
	(void)answer;
	if (p->role != ROLE_AUTH)
		return failure(FAIL_DENIED, "only auth removes accounts");
	house_remove_account(p->house, m->account);
	return folders_remove_account(&p->house->folders, m->account);
}

static void list_process(
	const struct process *p, struct supervisor_room_room_row *rows, struct supervisor_room_rooms_are *out)
{
	if (out->rooms.n >= ROOMS_LISTED) {
		out->more++;
		return;
	}
	rows[out->rooms.n++] = (struct supervisor_room_room_row){
		.role = str_from(role_row_of(p->role)->name), .number = p->number, .pid = (uint32_t)p->pid,
		.started = p->started, .restarts = p->restarts};
}

static result on_rooms(struct arrival *in, struct supervisor_room_rooms *m, struct supervisor_room_rooms_are *answer)
{
	const struct process *p = in->ctx;
	const struct house *h = p->house;
	size_t at = 0;
	str key;
	void *value;
	(void)m;
	if (p->role != ROLE_WEB)
		return failure(FAIL_DENIED, "only web lists the rooms");
	struct supervisor_room_room_row *rows = arena_array(in->arena, ROOMS_LISTED, sizeof *rows);
	if (!rows)
		return arena_result(in->arena);
	answer->rooms.p = rows;
	for (size_t i = 0; i < h->rooms_n; i++)
		list_process(&h->rooms[i], rows, answer);
	while (hash_each(&h->accounts, &at, &key, &value))
		list_process(value, rows, answer);
	return OK;
}

const struct supervisor_room_as_supervisor broker_handlers = {
	.ready = on_ready,
	.connect = on_connect,
	.idle = on_idle,
	.pong = on_pong,
	.nonsense = on_nonsense,
	.locked = on_locked,
	.account_make = on_account_make,
	.account_unmake = on_account_unmake,
	.rooms = on_rooms,
};
