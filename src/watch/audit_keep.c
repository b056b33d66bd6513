#include <sodium.h>

#include "engine/ballast.h"
#include "run/clock.h"
#include "run/random.h"
#include "watch/audit_core.h"

/* ---- printing ---- */

/* Records that are written together. */
struct sheet {
	struct audit_files *files;
	buf chain, clear;
	uint64_t seq;
	struct audit_hash head;
};

static struct sheet sheet_of(struct audit *a)
{
	return (struct sheet){.files = &a->files, .chain = buf_new(SIZE_MAX), .clear = buf_new(SIZE_MAX), .seq = a->seq,
			      .head = a->head};
}

static void sheet_free(struct sheet *s)
{
	buf_free(&s->chain);
	buf_free(&s->clear);
}
#define AUTO_SHEET __attribute__((cleanup(sheet_free)))

/* False: no memory. What is damaged is no record, and was counted when it came. */
static bool print(struct sheet *s, const struct entry *e)
{
	struct log_record r;
	struct audit_hash hash;
	char stamp[STAMP_SIZE];
	if (!log_read(e->record, &r))
		return true;
	stamp_of(e->at, stamp);
	struct audit_draft d = {.seq = s->seq + 1, .prev = s->head, .time = str_of(stamp, AUDIT_TIME),
				.event = str_from(log_meaning_of(r.event)->name), .room = e->from.role,
				.number = e->from.number, .trace = &r.trace};
	random_fill(d.seed, sizeof d.seed);
	bool put = audit_line_put(&d, r, &s->chain, &s->clear, &hash);
	sodium_memzero(d.seed, sizeof d.seed);
	if (put) {
		s->seq++;
		s->head = hash;
	}
	return put || (!s->chain.broken && !s->clear.broken);
}

struct own {
	enum log_name event;
	int64_t at;
};

/* The log's records about itself come from no channel. */
static void print_own(struct sheet *s, struct own own, const struct log_field *fields)
{
	struct log_octets o;
	log_encode(own.event, NULL, fields, &o);
	struct entry e = {.at = own.at, .from = {.role = STR("watch")}, .record = str_of(o.p, o.n)};
	print(s, &e); /* what finds no memory is not written either: write_sheet looks */
}
#define OWN_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {0}})

/* An account that finds no room in the set is found by reading the file. */
static void note_account(struct audit_files *f, struct log_record r)
{
	struct log_value v;
	while (log_next(&r, &v))
		if (v.type == 'u' && v.number > 0 && str_eq(v.name, STR("account")))
			(void)audit_set_add(&f->accounts, v.number);
}

static bool print_pile(struct sheet *s, const struct audit_pile *p)
{
	for (size_t i = 0; i < p->n; i++) {
		struct entry e;
		struct log_record r;
		must(entry_read(buf_str(&p->entries), p->cuts[i], &e));
		if (!log_read(e.record, &r))
			continue;
		note_account(s->files, r);
		if (!print(s, &e))
			return false;
	}
	return true;
}

/* ---- writing ---- */

static result run_append(void *arg)
{
	const struct sheet *s = arg;
	return audit_files_append(s->files, buf_str(&s->chain), buf_str(&s->clear));
}

static result write_sheet(struct audit *a, struct sheet *s)
{
	TRY(buf_result(&s->chain));
	TRY(buf_result(&s->clear));
	if (s->seq == a->seq)
		return OK;
	TRY(audit_work(a, run_append, s));
	a->seq = s->seq;
	a->head = s->head;
	if (a->sign_due == UINT64_MAX)
		a->sign_due = clock_mono_ms() + AUDIT_SIGN_MS;
	return OK;
}

static result trouble(struct audit *a, result r)
{
	if (!a->in_trouble)
		log_event(EV_AUDIT_TROUBLE, NULL, F_STR("why", str_from(r.text)));
	a->in_trouble = true;
	return r;
}

/* ---- signing ---- */

static result sign_head(struct audit *a)
{
	struct audit_checkpoint c = {.seq = a->seq, .hash = a->head};
	char stamp[STAMP_SIZE], key[2 * AUDIT_KEY + 1], signature[2 * AUDIT_SIGNATURE + 1];
	int64_t now = clock_wall_ms();
	stamp_of(now, stamp);
	memcpy(c.time, stamp, sizeof c.time);
	memcpy(c.key, a->options.key, sizeof c.key);
	TRY(a->options.signer.sign(a->options.signer.ctx, &c, c.signature));
	sodium_bin2hex(key, sizeof key, c.key, sizeof c.key);
	sodium_bin2hex(signature, sizeof signature, c.signature, sizeof c.signature);
	struct sheet s AUTO_SHEET = sheet_of(a);
	print_own(&s, (struct own){EV_AUDIT_CHECKPOINT, now},
		  OWN_FIELDS(F_STR("key", str_from(key)), F_STR("signature", str_from(signature))));
	TRY(write_sheet(a, &s));
	a->newest = c;
	a->newest_at = a->seq;
	a->sign_due = UINT64_MAX;
	return OK;
}

static bool has_unsigned(const struct audit *a)
{
	return a->seq > a->newest_at || a->newest.seq == 0;
}

static void sign(struct audit *a)
{
	result r = has_unsigned(a) && a->files.chain && a->seq > 0 ? sign_head(a) : OK;
	a->sign_asked = false;
	if (failed(r)) {
		a->sign_not_before = clock_mono_ms() + AUDIT_SIGN_RETRY_MS;
		trouble(a, r);
	}
}

/* ---- files ---- */

struct beginning {
	struct audit_files *files;
	uint64_t first;
	char day[STAMP_SIZE];
};

static result run_begin(void *arg)
{
	const struct beginning *b = arg;
	return audit_files_begin(b->files, b->first, b->day);
}

static void print_begin(struct audit *a, struct sheet *s, int64_t now)
{
	char key[2 * AUDIT_KEY + 1], rest[2 * AUDIT_HASH + 1];
	const struct own own = {EV_AUDIT_BEGIN, now};
	sodium_bin2hex(key, sizeof key, a->options.key, sizeof a->options.key);
	sodium_bin2hex(rest, sizeof rest, a->tail.rest_hash.b, sizeof a->tail.rest_hash.b);
	if (a->tail.rest == 0)
		print_own(s, own, OWN_FIELDS(F_U64("format", 1), F_STR("key", str_from(key))));
	else
		print_own(s, own, OWN_FIELDS(F_U64("format", 1), F_STR("key", str_from(key)),
					     F_U64("unfinished", a->tail.rest), F_STR("remains", str_from(rest))));
}

static result begin_file(struct audit *a)
{
	struct beginning b = {.files = &a->files, .first = a->seq + 1};
	int64_t now = clock_wall_ms();
	stamp_of(now, b.day);
	TRY(audit_work(a, run_begin, &b));
	struct sheet s AUTO_SHEET = sheet_of(a);
	print_begin(a, &s, now);
	TRY(write_sheet(a, &s));
	a->tail.rest = 0;
	a->jumps = false;
	return OK;
}

/* Due: at the start of all, behind what a crash left, when the last one is large or of another day. A file in
 * which not even the first record was written is begun once more. */
static bool wants_file(const struct audit *a)
{
	char now[STAMP_SIZE];
	stamp_of(clock_wall_ms(), now);
	return !a->files.chain || a->jumps || a->files.chain_n == 0 || a->tail.rest > 0 ||
	       a->files.chain_n >= AUDIT_FILE_MAX || memcmp(now, a->files.day, AUDIT_DAY) != 0;
}

static result turn_file(struct audit *a)
{
	if (!wants_file(a))
		return OK;
	bool ends = a->files.chain && a->files.chain_n > 0 && a->tail.rest == 0 && !a->jumps;
	if (ends && has_unsigned(a))
		sign(a); /* if it cannot be now, the next file's first signature covers it */
	return begin_file(a);
}

/* ---- acts and others ---- */

static void answer(struct audit *a, struct list *waiting, result r)
{
	while (!list_empty(waiting)) {
		struct audit_wait *w = LIST_OWNER(waiting->next, struct audit_wait, node);
		list_remove(&w->node);
		w->r = r;
		w->done = true;
	}
	gate_wake_all(&a->keeper.changed);
}

static result run_ballast(void *files)
{
	uint64_t size;
	return ballast_make(files, 0, &size);
}

static result run_lighten(void *files)
{
	return ballast_drop(files);
}

static result write_pile(struct audit *a, const struct audit_pile *p)
{
	TRY(turn_file(a));
	struct sheet s AUTO_SHEET = sheet_of(a);
	if (!print_pile(&s, p))
		return failure(FAIL_MEMORY, "out of memory");
	return write_sheet(a, &s);
}

/* Acts have the ballast behind them, and are refused when that is gone too. */
static void write_acts(struct audit *a)
{
	struct list waiting;
	list_init(&waiting);
	list_join(&waiting, &a->acts.waiting);
	struct audit_pile batch = a->acts;
	audit_pile_init(&a->acts);
	result r = write_pile(a, &batch);
	if (r.kind == FAIL_FULL && !failed(audit_work(a, run_lighten, a->options.files)))
		r = write_pile(a, &batch);
	answer(a, &waiting, failed(r) ? failure(r.kind, "the audit log cannot be written, so nothing was changed") : OK);
	if (failed(r))
		trouble(a, r);
	audit_pile_free(&batch);
}

static result tell_lost(struct audit *a)
{
	if (a->lost == a->lost_told)
		return OK;
	uint64_t lost = a->lost;
	struct sheet s AUTO_SHEET = sheet_of(a);
	print_own(&s, (struct own){EV_AUDIT_GAP, clock_wall_ms()}, OWN_FIELDS(F_U64("records", lost - a->lost_told)));
	TRY(write_sheet(a, &s));
	log_event(EV_AUDIT_GAP, NULL, F_U64("records", lost - a->lost_told));
	a->lost_told = lost;
	return OK;
}

static void write_others(struct audit *a)
{
	if (a->leaving.n == 0) {
		struct audit_pile empty = a->leaving;
		a->leaving = a->others;
		a->others = empty;
		list_init(&a->leaving.waiting);
		list_init(&a->others.waiting);
	}
	result r = write_pile(a, &a->leaving);
	if (!failed(r)) {
		audit_pile_free(&a->leaving);
		r = tell_lost(a);
	}
	if (failed(r)) {
		trouble(a, r);
		a->retry_due = clock_mono_ms() + AUDIT_RETRY_MS;
		return;
	}
	if (a->in_trouble)
		a->forget_due = 0; /* the ballast may have gone */
	a->in_trouble = false;
	a->retry_due = 0;
}

/* ---- old addresses ---- */

struct forgetting {
	struct audit_files *files;
	char day[STAMP_SIZE];
	uint64_t n;
};

static result run_forget(void *arg)
{
	struct forgetting *f = arg;
	return audit_files_forget(f->files, f->day, &f->n);
}

static void forget(struct audit *a)
{
	struct forgetting f = {.files = &a->files};
	a->forget_due = clock_mono_ms() + AUDIT_FORGET_MS;
	result r = audit_work(a, run_ballast, a->options.files);
	if (failed(r))
		trouble(a, r);
	if (a->options.forget_ms == 0)
		return;
	stamp_of(clock_wall_ms() - a->options.forget_ms, f.day);
	r = audit_work(a, run_forget, &f);
	if (failed(r))
		trouble(a, r);
	if (f.n > 0)
		log_event(EV_AUDIT_FORGOTTEN, NULL, F_U64("files", f.n));
}

/* ---- the fiber ---- */

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool others_due(const struct audit *a)
{
	return a->leaving.n + a->others.n > 0 && (a->keeper.closing || clock_mono_ms() >= a->retry_due);
}

static bool sign_is_due(const struct audit *a)
{
	uint64_t now = clock_mono_ms();
	bool many = a->seq >= a->newest_at + AUDIT_SIGN_RECORDS && a->sign_due != UINT64_MAX;
	return now >= a->sign_not_before && (a->sign_asked || many || now >= a->sign_due);
}

static void work_once(struct audit *a)
{
	if (clock_mono_ms() >= a->forget_due)
		forget(a);
	if (a->acts.n > 0)
		write_acts(a);
	if (others_due(a))
		write_others(a);
	if (sign_is_due(a)) {
		sign(a);
		gate_wake_all(&a->keeper.changed);
	}
}

static bool is_idle(const struct audit *a)
{
	return a->acts.n == 0 && !others_due(a) && !sign_is_due(a) && clock_mono_ms() < a->forget_due;
}

static result wait_for_work(struct audit *a)
{
	uint64_t sign = a->sign_asked ? 0 : a->sign_due;
	uint64_t due = sooner(sign > a->sign_not_before ? sign : a->sign_not_before, a->forget_due);
	if (sign == UINT64_MAX)
		due = a->forget_due;
	if (a->leaving.n + a->others.n > 0)
		due = sooner(due, a->retry_due);
	return gate_wait(&a->keeper.changed, clock_left(due));
}

/* What can be written is; a disk that does not let us has been told of. */
static void finish(struct audit *a)
{
	if (a->acts.n > 0)
		write_acts(a);
	if (a->leaving.n > 0)
		write_others(a);
	if (a->others.n > 0 && !a->in_trouble)
		write_others(a);
	if (has_unsigned(a))
		sign(a);
}

void audit_keep(void *arg)
{
	struct audit *a = arg;
	if (a->jumps)
		log_event(EV_AUDIT_BROKEN, NULL, F_U64("signed", a->seq), F_U64("last", a->tail.last));
	result r = turn_file(a);
	if (failed(r))
		trouble(a, r);
	a->sign_asked = a->newest.seq == 0;
	while (!a->keeper.closing) {
		r = is_idle(a) ? wait_for_work(a) : OK;
		if (r.kind == FAIL_CANCELLED)
			break;
		work_once(a);
	}
	finish(a);
	keeper_ends(&a->keeper);
}
