#include "supervisor/house.h"
#include "base/log.h"
#include "base/mem.h"
#include "run/clock.h"
#include "run/net.h"
#include "run/sandbox.h"
#include "supervisor/broker.h"
#include "supervisor/opening.h"
#include "talk/ban_page.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void set_state(struct process *p, enum process_state state)
{
	p->state = state;
	gate_wake_all(&p->changed);
}

static struct process *process_init(struct process *p, struct house *h, enum role role, uint64_t number)
{
	*p = (struct process){.house = h, .role = role, .number = number, .state = PROCESS_DOWN};
	gate_init(&p->changed);
	return p;
}

static void add_rows(struct house *h, bool doors, size_t *at)
{
	for (size_t r = 0; r < ROLES; r++)
		for (uint64_t w = 0; role_is_door((enum role)r) == doors && w < workers_of(h->options, (enum role)r); w++)
			process_init(&h->rooms[(*at)++], h, (enum role)r, w);
}

/* One row per worker of every room that is always there, in the order of enum
 * role, keys and the log first; but doors to the world come last. */
static result make_rows(struct house *h)
{
	size_t at = 0;
	for (size_t r = 0; r < ROLES; r++)
		h->rooms_n += workers_of(h->options, (enum role)r);
	h->rooms = mem_array(h->rooms_n, sizeof *h->rooms);
	if (!h->rooms)
		return failure(FAIL_MEMORY, "out of memory");
	add_rows(h, false, &at);
	add_rows(h, true, &at);
	return OK;
}

result house_open(struct house *h)
{
	h->accounts = hash_new(HOUSE_ACCOUNTS);
	h->pids = hash_new(HOUSE_ACCOUNTS + 4096);
	gate_init(&h->ended);
	h->bans = h->next_bans = -1;
	return make_rows(h);
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void house_close(struct house *h)
{
	mem_free(h->rooms);
	h->rooms = NULL;
	close_if_open(&h->bans);
	close_if_open(&h->next_bans);
	hash_free(&h->accounts);
	hash_free(&h->pids);
}

void house_kill(struct process *p, const char *why)
{
	if (p->pid == 0)
		return;
	if (!p->killed)
		p->killed = why;
	kill(p->pid, SIGKILL);
	if (p->state != PROCESS_STOPPING)
		set_state(p, PROCESS_STOPPING);
}

/* The peer closed its end, or spoke nonsense: its process is of no use any more. */
static void channel_ended(void *ctx, struct channel *c, result why)
{
	struct process *p = ctx;
	if (c != p->channel) /* of a process that has ended; p may have another by now */
		return;
	if (why.kind == FAIL_PEER)
		house_kill(p, "it spoke nonsense to the supervisor");
	else if (p->state != PROCESS_STOPPING)
		house_kill(p, "it closed its channel to the supervisor");
}

static result spawn_with(struct process *p, int channel)
{
	struct house *h = p->house;
	struct spawn s = {.role = p->role, .number = p->number, .program = h->programs.fd[p->role], .folder = -1,
			  .channel = channel, .change_user = h->folders.as_root,
			  .uid = folders_uid(&h->folders, p->role, p->number)};
	if (p->role == ROLE_ACCOUNT)
		TRY(folders_of_account(&h->folders, p->number, &s.folder));
	else
		TRY(folders_of_role(&h->folders, p->role, &s.folder));
	result r = spawn_room(&s, &p->pid);
	if (s.folder >= 0)
		close(s.folder);
	return r;
}

/* A process whose end could not be told from a stranger's is ended here. */
static result remember(struct process *p)
{
	p->started = clock_wall_s();
	p->started_mono = clock_mono_ms();
	result r = hash_put_u64(&p->house->pids, (uint64_t)p->pid, p);
	if (failed(r)) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
		p->pid = 0;
	}
	return r;
}

/* Suspends. Afterwards the process is starting, or the result says why not. */
static result start(struct process *p)
{
	int ends[2];
	TRY(net_pair(SOCK_SEQPACKET, ends));
	result r = spawn_with(p, ends[1]);
	close(ends[1]);
	if (failed(r)) {
		close(ends[0]);
		return r;
	}
	r = remember(p);
	if (failed(r)) {
		close(ends[0]);
		return r;
	}
	set_state(p, PROCESS_STARTING);
	r = opening_channel(p, ends[0], channel_ended);
	if (!failed(r))
		r = opening_begin(p);
	if (failed(r))
		house_kill(p, r.text);
	return r;
}

/* A room that fails early is not started in a tight circle. */
static void grow_wait(struct process *p)
{
	uint64_t lived = clock_mono_ms() - p->started_mono;
	if (lived >= HOUSE_CALM_MS)
		p->wait = 0;
	else
		p->wait = p->wait ? p->wait * 2 : HOUSE_WAIT_FIRST;
	if (p->wait > HOUSE_WAIT_MOST)
		p->wait = HOUSE_WAIT_MOST;
}

/* Suspends. A room that hangs while it starts is replaced. */
static void await_ready(struct process *p)
{
	result r = OK;
	while (!failed(r) && p->state == PROCESS_STARTING)
		r = gate_wait(&p->changed, HOUSE_START_MS);
	if (r.kind == FAIL_TIMEOUT && p->state == PROCESS_STARTING && !p->house->locked)
		house_kill(p, "it did not get ready in time");
}

static void watch_start(void *arg)
{
	await_ready(arg);
	house_release(arg);
}

/* Fiber: brings a room up and sees that it gets ready in time. */
static void bring_up(void *arg)
{
	struct process *p = arg;
	result r = OK;
	while (!p->house->ending && p->state == PROCESS_DOWN && !failed(r)) {
		if (p->wait)
			r = fiber_sleep(p->wait);
		if (failed(r) || p->house->ending)
			break;
		if (failed(start(p)) && p->state == PROCESS_DOWN)
			grow_wait(p);
	}
	if (!failed(r))
		await_ready(p);
	house_release(p);
}

static void begin_bringing_up(struct process *p)
{
	p->held++;
	if (failed(fiber_start(bring_up, p, "bring-up", NULL)))
		house_release(p);
}

static void forget_account(struct process *p)
{
	struct house *h = p->house;
	if (p->role != ROLE_ACCOUNT || p->state != PROCESS_DOWN || p->held > 0)
		return;
	hash_remove_u64(&h->accounts, p->number);
	mem_free(p);
	gate_wake_all(&h->ended);
}

void house_release(struct process *p)
{
	must(p->held > 0);
	p->held--;
	forget_account(p);
}

/* Fiber: p was what the handlers of its channel work on; they may have begun
 * before its end and run only now. Cancelled, the house ends and p with it. */
static void outlive_handlers(void *arg)
{
	struct channel *c = arg;
	struct process *p = channel_ctx(c);
	result r = channel_drain(c, FIBER_FOREVER);
	channel_close(&c);
	if (!failed(r))
		house_release(p);
}

static void part_from_channel(struct process *p)
{
	struct channel *c = p->channel;
	p->channel = NULL;
	if (!c)
		return;
	p->held++; /* for good when there is no memory for the fiber: better a struct too many than one too few */
	if (failed(fiber_start(outlive_handlers, c, "outlive-handlers", NULL)))
		channel_close(&c);
}

/* A room that dies closes its channel before its status can be had, so the reason is told here, with the status. */
static void log_end(const struct process *p, int status)
{
	const char *why = sandbox_ended(status) ? "it made a system call that its jail forbids" : p->killed;
	log_event(EV_ROOM_ENDED, NULL, F_STR("role", str_from(role_row_of(p->role)->name)), F_U64("number", p->number),
		  F_I64("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
		  F_I64("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0), F_STR("why", str_from(why ? why : "")));
}

/* Fiber: an account that ended by itself is remembered for a while, so that one
 * which ends at each start is not started for every letter. */
static void keep_in_mind(void *arg)
{
	struct process *p = arg;
	result r = fiber_sleep(HOUSE_CALM_MS);
	(void)r; /* cancelled: the house ends, and nothing needs remembering */
	house_release(p);
}

static void remember_pause(struct process *p)
{
	p->held++;
	if (failed(fiber_start(keep_in_mind, p, "pause", NULL)))
		house_release(p);
}

static void process_ended(struct process *p, int status)
{
	struct house *h = p->house;
	bool asked = p->state == PROCESS_STOPPING && !p->killed;
	hash_remove_u64(&h->pids, (uint64_t)p->pid);
	p->pid = 0;
	part_from_channel(p);
	if (asked) {
		p->wait = 0;
	} else {
		log_end(p, status);
		grow_wait(p);
	}
	p->killed = NULL;
	p->restarts++;
	p->not_before = clock_mono_ms() + p->wait;
	p->held++;
	set_state(p, PROCESS_DOWN);
	gate_wake_all(&h->ended);
	if (p->role != ROLE_ACCOUNT && !h->ending)
		begin_bringing_up(p);
	else if (p->wait && !h->ending)
		remember_pause(p);
	house_release(p);
}

void house_reap(struct house *h)
{
	int status;
	for (;;) {
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid <= 0)
			return;
		struct process *p = hash_get_u64(&h->pids, (uint64_t)pid);
		if (p)
			process_ended(p, status);
	}
}

/* It has been told how to begin. */
static bool is_up(const struct process *p)
{
	return p->state == PROCESS_STARTING || p->state == PROCESS_RUNNING;
}

void house_publish_places(struct house *h)
{
	for (size_t i = 0; i < h->rooms_n; i++) {
		result r = is_up(&h->rooms[i]) ? opening_places(&h->rooms[i]) : OK;
		(void)r; /* a room that has ended gets them when it starts again */
	}
}

void house_publish_bans(struct house *h)
{
	if (h->next_bans < 0 || !ban_page_is_shut(h->next_bans))
		return; /* others could write it: the one in force stays */
	close_if_open(&h->bans);
	h->bans = h->next_bans;
	h->next_bans = -1;
	for (size_t i = 0; i < h->rooms_n; i++) {
		struct process *p = &h->rooms[i];
		bool reads = role_row_of(p->role)->bans == BANS_READ;
		if (reads && is_up(p) && failed(opening_bans(p)))
			house_kill(p, "it could not be told of the bans");
	}
}

result house_start(struct house *h)
{
	for (size_t i = 0; i < h->rooms_n; i++)
		begin_bringing_up(&h->rooms[i]);
	uint64_t until = clock_mono_ms() + HOUSE_START_MS;
	for (size_t i = 0; i < h->rooms_n;) {
		if (h->rooms[i].state == PROCESS_RUNNING) {
			i++;
			continue;
		}
		uint64_t now = clock_mono_ms();
		if (h->locked)
			until = now + HOUSE_START_MS;
		if (now >= until)
			return failure(FAIL_TIMEOUT, "not every room came up; the lines above say which and why");
		if (h->ending) /* told to stop while starting */
			return failure(FAIL_CANCELLED, "it was told to stop while it was starting");
		uint64_t look = until - now < HOUSE_LOOK_MS ? until - now : HOUSE_LOOK_MS;
		result r = gate_wait(&h->rooms[i].changed, look);
		if (r.kind == FAIL_CANCELLED)
			return r;
	}
	return OK;
}

static result account_process(struct house *h, uint64_t number, struct process **out)
{
	int folder;
	struct process *p = hash_get_u64(&h->accounts, number);
	if (!p) {
		TRY(folders_of_account(&h->folders, number, &folder));
		close(folder);
		p = mem_alloc(sizeof *p);
		if (!p)
			return failure(FAIL_MEMORY, "out of memory");
		process_init(p, h, ROLE_ACCOUNT, number);
		result r = hash_put_u64(&h->accounts, number, p);
		if (failed(r)) {
			mem_free(p);
			return r;
		}
	}
	*out = p;
	return OK;
}

/* A worker by turns; one that is down only when all are. */
static struct process *pick_room(struct house *h, enum role role, uint64_t number)
{
	struct process *any = NULL;
	for (size_t k = 0; k < h->rooms_n; k++) {
		struct process *p = &h->rooms[(h->turn + 1 + k) % h->rooms_n];
		if (p->role != role || (number != HOUSE_ANY && p->number != number))
			continue;
		if (p->state == PROCESS_RUNNING) {
			h->turn = (uint64_t)(p - h->rooms);
			return p;
		}
		any = p;
	}
	return any;
}

/* Nobody keeps an account's process up, but somebody sees that it gets ready. */
static result start_account(struct process *p)
{
	TRY(start(p));
	p->held++;
	if (failed(fiber_start(watch_start, p, "start", NULL)))
		house_release(p);
	return OK;
}

/* Suspends until p can be sent messages. An account that is down is started. */
static result await_up(struct process *p)
{
	uint64_t until = clock_mono_ms() + HOUSE_START_MS;
	while (p->state == PROCESS_DOWN || p->state == PROCESS_STOPPING) {
		uint64_t now = clock_mono_ms();
		if (p->house->ending)
			return failure(FAIL_BUSY, "the server is stopping");
		if (now >= until)
			return failure(FAIL_TIMEOUT, "the room does not come up");
		if (p->role == ROLE_ACCOUNT && p->state == PROCESS_DOWN && now >= p->not_before) {
			TRY(start_account(p));
			continue;
		}
		uint64_t wake = p->state == PROCESS_DOWN && p->not_before > now ? p->not_before : until;
		result r = gate_wait(&p->changed, wake - now);
		if (failed(r) && r.kind != FAIL_TIMEOUT)
			return r;
	}
	return OK;
}

result house_find(struct house *h, enum role role, uint64_t number, struct process **out)
{
	struct process *p = NULL;
	/* Watch stops last: a room that had nothing to tell until now may still tell its end. */
	if (h->ending && (role != ROLE_WATCH || !house_running(h, role, 0)))
		return failure(FAIL_BUSY, "the server is stopping");
	if (role == ROLE_ACCOUNT)
		TRY(account_process(h, number, &p));
	else
		p = pick_room(h, role, number);
	if (!p)
		return failure(FAIL_ABSENT, "there is no such room");
	p->held++;
	result r = await_up(p);
	if (failed(r))
		house_release(p);
	else
		*out = p;
	return r;
}

struct process *house_running(struct house *h, enum role role, uint64_t number)
{
	struct process *p = role == ROLE_ACCOUNT ? hash_get_u64(&h->accounts, number) : pick_room(h, role, number);
	return p && p->state == PROCESS_RUNNING && p->number == number ? p : NULL;
}

/* Suspends: until p has no process, killing it after HOUSE_STOP_MS. */
static void await_end(struct process *p)
{
	uint64_t until = clock_mono_ms() + HOUSE_STOP_MS;
	while (p->pid != 0) {
		uint64_t now = clock_mono_ms();
		if (now >= until)
			house_kill(p, "it did not stop in time");
		if (gate_wait(&p->changed, now < until ? until - now : 1000).kind == FAIL_CANCELLED)
			return;
	}
}

static void ask_to_stop(struct process *p)
{
	if (p->state != PROCESS_STARTING && p->state != PROCESS_RUNNING)
		return;
	set_state(p, PROCESS_STOPPING);
	if (failed(opening_stop(p)))
		house_kill(p, "it could not be told to stop");
}

void house_retire(struct process *p)
{
	p->held++;
	ask_to_stop(p);
	await_end(p);
	house_release(p);
}

void house_remove_account(struct house *h, uint64_t number)
{
	struct process *p = hash_get_u64(&h->accounts, number);
	if (p)
		house_retire(p);
}

static bool any_account_runs(const struct house *h)
{
	size_t at = 0;
	str key;
	void *value;
	while (hash_each(&h->accounts, &at, &key, &value))
		if (((struct process *)value)->pid != 0)
			return true;
	return false;
}

static void ask_accounts_to_stop(struct house *h)
{
	size_t at = 0;
	str key;
	void *value;
	while (hash_each(&h->accounts, &at, &key, &value))
		ask_to_stop(value);
}

static void await_accounts(struct house *h)
{
	size_t at = 0;
	str key;
	void *value;
	uint64_t until = clock_mono_ms() + HOUSE_STOP_MS;
	while (any_account_runs(h) && clock_mono_ms() < until)
		if (gate_wait(&h->ended, until - clock_mono_ms()).kind == FAIL_CANCELLED)
			return;
	while (hash_each(&h->accounts, &at, &key, &value))
		house_kill(value, "it did not stop in time");
}

static void ask_roles_to_stop(struct house *h, enum role first, enum role last)
{
	for (size_t i = 0; i < h->rooms_n; i++)
		if (h->rooms[i].role >= first && h->rooms[i].role <= last)
			ask_to_stop(&h->rooms[i]);
}

static void await_roles(struct house *h, enum role first, enum role last)
{
	for (size_t i = 0; i < h->rooms_n; i++)
		if (h->rooms[i].role >= first && h->rooms[i].role <= last)
			await_end(&h->rooms[i]);
}

void house_stop(struct house *h)
{
	h->ending = true;
	/* Together: the account says goodbye to its sessions, the edge carries it. What
	 * an edge then still takes in is kept by the queue. */
	ask_roles_to_stop(h, ROLE_EDGE_MX, ROLE_WEB);
	ask_accounts_to_stop(h);
	await_roles(h, ROLE_EDGE_MX, ROLE_WEB);
	await_accounts(h);
	ask_roles_to_stop(h, ROLE_AUTH, ROLE_QUEUE);
	await_roles(h, ROLE_AUTH, ROLE_QUEUE);
	ask_roles_to_stop(h, ROLE_RESOLVE, ROLE_ACCOUNT);
	await_roles(h, ROLE_RESOLVE, ROLE_ACCOUNT);
	/* The vault signs the end of watch's audit log. */
	ask_roles_to_stop(h, ROLE_WATCH, ROLE_WATCH);
	await_roles(h, ROLE_WATCH, ROLE_WATCH);
	ask_roles_to_stop(h, ROLE_VAULT, ROLE_VAULT);
	await_roles(h, ROLE_VAULT, ROLE_VAULT);
}
