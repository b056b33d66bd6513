#include "engine/files_sim.h"
#include "base/mem.h"

#include <stdio.h>

enum { BLOCK = 4096, SECTOR = 512, NAME = 96 };

struct node {
	unsigned char *now, *disk;
	size_t now_size, disk_size, room; /* both buffers have `room` bytes */
	bool *changed;                    /* blocks since the last sync */
	bool locked;
	struct node *next;
};

struct name {
	char text[NAME];
	struct node *node;
};

/* What the folder held at one moment. */
struct view {
	struct name *names;
	size_t n;
};

struct sim {
	struct files base;
	uint64_t rng, steps, at;
	enum sim_fault fault;
	bool dead, full;
	struct node *nodes;
	struct view *views; /* [0] is durable, the last is now */
	size_t view_count;
};

struct sim_file {
	struct file base;
	struct node *node;
	bool locker;
};

uint64_t sim_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static struct sim *sim_of(struct files *f)
{
	return (struct sim *)(void *)f;
}

static struct node *node_of(struct file *file)
{
	return ((struct sim_file *)(void *)file)->node;
}

static struct view *view_now(struct sim *s)
{
	return &s->views[s->view_count - 1];
}

static struct name *find(struct sim *s, const char *text)
{
	struct view *v = view_now(s);
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->names[i].text, text) == 0)
			return &v->names[i];
	return NULL;
}

/* The disk has memory when the tested code is refused some: once asked again, it is given. */
static void *need(void *old, size_t count, size_t size)
{
	void *p = old ? mem_grow(old, count * size) : mem_array(count, size);
	if (!p)
		p = old ? mem_grow(old, count * size) : mem_array(count, size);
	must(p);
	return p;
}

/* A copy of the folder, to be changed: what was before may come back. */
static struct view *next_view(struct sim *s, size_t more)
{
	struct view *old = view_now(s), v = {NULL, old->n};
	v.names = need(NULL, old->n + more + 1, sizeof *v.names);
	if (old->n)
		memcpy(v.names, old->names, old->n * sizeof *v.names);
	s->views = need(s->views, s->view_count + 1, sizeof v);
	s->views[s->view_count++] = v;
	return view_now(s);
}

static void keep_view(struct sim *s, size_t index)
{
	struct view kept = s->views[index];
	for (size_t i = 0; i < s->view_count; i++)
		if (i != index)
			mem_free(s->views[i].names);
	s->views[0] = kept;
	s->view_count = 1;
}

static struct node *new_node(struct sim *s)
{
	struct node *n = need(NULL, 1, sizeof *n);
	n->next = s->nodes;
	s->nodes = n;
	return n;
}

static void widen(struct node *n, size_t size)
{
	if (size <= n->room)
		return;
	size_t room = (size * 2 + BLOCK) / BLOCK * BLOCK;
	n->now = need(n->now, room, 1);
	n->disk = need(n->disk, room, 1);
	n->changed = need(n->changed, room / BLOCK, 1);
	memset(n->now + n->room, 0, room - n->room);
	memset(n->disk + n->room, 0, room - n->room);
	memset(n->changed + n->room / BLOCK, 0, (room - n->room) / BLOCK);
	n->room = room;
}

static void apply(struct node *n, uint64_t at, str bytes)
{
	if (bytes.n == 0)
		return;
	widen(n, at + bytes.n);
	memcpy(n->now + at, bytes.p, bytes.n);
	for (size_t b = at / BLOCK; b <= (at + bytes.n - 1) / BLOCK; b++)
		n->changed[b] = true;
	if (at + bytes.n > n->now_size)
		n->now_size = at + bytes.n;
}

/* Counts an operation; `*half`: it is done in part and then refused. */
static result step(struct sim *s, bool room, bool *half)
{
	*half = false;
	if (s->dead)
		return failure(FAIL_DISK, "the machine has stopped");
	if (s->full && room)
		return failure(FAIL_FULL, "the disk is full");
	if (++s->steps != s->at || s->fault == SIM_NONE)
		return OK;
	if ((s->fault == SIM_FULL || s->fault == SIM_FULL_COPYING || s->fault == SIM_FULL_ONCE) && !room) {
		s->at++; /* the next one that needs room */
		return OK;
	}
	if (s->fault == SIM_FULL_ONCE)
		return failure(FAIL_FULL, "the disk is full");
	*half = true;
	s->dead = s->fault == SIM_CRASH;
	s->full = s->fault == SIM_FULL || s->fault == SIM_FULL_COPYING;
	return s->full ? failure(FAIL_FULL, "the disk is full") : failure(FAIL_DISK, "the operation failed");
}

static result op_open(struct files *f, const char *path, enum files_how how, struct file **out)
{
	struct sim *s = sim_of(f);
	struct name *name = find(s, path);
	bool half;
	if (s->dead)
		return failure(FAIL_DISK, "the machine has stopped");
	how &= (enum files_how)~(FILES_BLOCKS | FILES_FLUSHED);
	if (name && how == FILES_NEW)
		return failure(FAIL_EXISTS, "the file is already there");
	if (!name && (how & FILES_CREATE) != FILES_CREATE)
		return failure(FAIL_ABSENT, "there is no such file");
	if (!name) {
		TRY(step(s, true, &half));
		struct view *v = next_view(s, 1);
		name = &v->names[v->n++];
		snprintf(name->text, NAME, "%s", path);
		name->node = new_node(s);
	}
	struct sim_file *file = need(NULL, 1, sizeof *file);
	file->node = name->node;
	*out = &file->base;
	return OK;
}

static void op_close(struct file *file)
{
	struct sim_file *f = (struct sim_file *)(void *)file;
	if (f->locker)
		f->node->locked = false;
	mem_free(f);
}

static result op_read(struct file *file, uint64_t at, void *p, size_t *n)
{
	struct node *node = node_of(file);
	size_t left = at < node->now_size ? node->now_size - (size_t)at : 0;
	if (sim_of(file->owner)->dead)
		return failure(FAIL_DISK, "the machine has stopped");
	if (*n > left)
		*n = left;
	if (*n)
		memcpy(p, node->now + at, *n);
	return OK;
}

static result op_write(struct file *file, uint64_t at, str bytes)
{
	struct node *node = node_of(file);
	struct sim *s = sim_of(file->owner);
	bool half;
	bool always = s->fault == SIM_FULL_COPYING || s->fault == SIM_FULL_ONCE;
	result r = step(s, always || at + bytes.n > node->now_size, &half);
	if (failed(r))
		bytes.n = half ? bytes.n / 2 : 0;
	apply(node, at, bytes);
	return r;
}

/* A sync that fails leaves what it should have written in memory alone, and no
 * later sync writes it, unless it is changed again: so does Linux. */
static result sync_blocks(struct file *file, size_t first, size_t end)
{
	struct node *n = node_of(file);
	bool half;
	result r = step(sim_of(file->owner), false, &half);
	if (half && sim_of(file->owner)->fault == SIM_FULL_SYNC)
		r = failure(FAIL_FULL, "the disk is full");
	bool forgets = half && !sim_of(file->owner)->dead;
	for (size_t b = first; b < end && (forgets || !failed(r)); b++) {
		if (n->changed[b] && !forgets)
			memcpy(n->disk + b * BLOCK, n->now + b * BLOCK, BLOCK);
		n->changed[b] = false;
	}
	return r;
}

static result op_sync(struct file *file)
{
	struct node *n = node_of(file);
	TRY(sync_blocks(file, 0, n->room / BLOCK));
	n->disk_size = n->now_size;
	return OK;
}

static result op_write_blocks(struct file *file, uint64_t at, str bytes, bool flush)
{
	struct node *n = node_of(file);
	TRY(op_write(file, at, bytes));
	if (!flush)
		return OK;
	TRY(file_flushed(sync_blocks(file, at / BLOCK, (at + bytes.n) / BLOCK)));
	if (n->disk_size < at + bytes.n)
		n->disk_size = at + bytes.n;
	return OK;
}

static result op_truncate(struct file *file, uint64_t size)
{
	struct node *n = node_of(file);
	bool half;
	TRY(step(sim_of(file->owner), false, &half));
	widen(n, size);
	if (size < n->now_size) {
		memset(n->now + size, 0, n->now_size - size);
		for (size_t b = size / BLOCK; b <= (n->now_size - 1) / BLOCK; b++)
			n->changed[b] = true;
	}
	n->now_size = size;
	return OK;
}

static result op_size(struct file *file, uint64_t *out)
{
	*out = node_of(file)->now_size;
	return OK;
}

static result op_lock(struct file *file)
{
	struct sim_file *f = (struct sim_file *)(void *)file;
	if (f->node->locked && !f->locker)
		return failure(FAIL_BUSY, "another process has the file open");
	f->locker = f->node->locked = true;
	return OK;
}

static result op_unlink(struct files *f, const char *path)
{
	struct sim *s = sim_of(f);
	bool half;
	if (!find(s, path))
		return failure(FAIL_ABSENT, "there is no such file");
	TRY(step(s, false, &half));
	struct view *v = next_view(s, 0);
	*find(s, path) = v->names[v->n - 1];
	v->n--;
	return OK;
}

static result op_rename(struct files *f, const char *from, const char *to)
{
	struct sim *s = sim_of(f);
	bool half;
	if (!find(s, from))
		return failure(FAIL_ABSENT, "there is no such file");
	TRY(step(s, false, &half));
	struct view *v = next_view(s, 0);
	struct name *old = find(s, to);
	if (old) {
		*old = v->names[v->n - 1];
		v->n--;
	}
	snprintf(find(s, from)->text, NAME, "%s", to);
	return OK;
}

static result op_exists(struct files *f, const char *path, bool *out)
{
	*out = find(sim_of(f), path) != NULL;
	return OK;
}

static result op_sync_folder(struct files *f)
{
	struct sim *s = sim_of(f);
	bool half;
	TRY(step(s, false, &half));
	keep_view(s, s->view_count - 1);
	return OK;
}

static result op_list(struct files *f, result (*each)(void *ctx, str name), void *ctx)
{
	struct view *v = view_now(sim_of(f));
	for (size_t i = 0; i < v->n; i++)
		TRY(each(ctx, str_from(v->names[i].text)));
	return OK;
}

static const struct files_ops sim_ops = {op_open, op_close, op_read, op_write, op_write_blocks, op_sync, op_truncate,
	op_size, op_lock, op_rename, op_unlink, op_exists, op_sync_folder, op_list};

struct sim *sim_new(uint64_t seed)
{
	struct sim *s = need(NULL, 1, sizeof *s);
	s->base.ops = &sim_ops;
	s->rng = seed;
	s->views = need(NULL, 1, sizeof *s->views);
	s->view_count = 1;
	return s;
}

void sim_free(struct sim **at)
{
	struct sim *s = *at;
	*at = NULL;
	if (!s)
		return;
	for (struct node *n = s->nodes, *next; n; n = next) {
		next = n->next;
		mem_free(n->now);
		mem_free(n->disk);
		mem_free(n->changed);
		mem_free(n);
	}
	keep_view(s, s->view_count - 1);
	mem_free(s->views[0].names);
	mem_free(s->views);
	mem_free(s);
}

struct files *sim_files(struct sim *s)
{
	return &s->base;
}

void sim_fault_at(struct sim *s, enum sim_fault fault, uint64_t n)
{
	s->fault = fault;
	s->at = n;
	s->steps = 0;
	s->full = false;
}

bool sim_dead(const struct sim *s)
{
	return s->dead;
}

uint64_t sim_steps(const struct sim *s)
{
	return s->steps;
}

static void crash_block(struct sim *s, struct node *n, size_t block)
{
	unsigned char *now = n->now + block * BLOCK, *disk = n->disk + block * BLOCK;
	size_t cut = (1 + sim_random(&s->rng) % (BLOCK / SECTOR - 1)) * SECTOR;
	switch (sim_random(&s->rng) % 4) {
	case 0: /* lost */
		break;
	case 1: /* torn: the new front */
		memcpy(disk, now, cut);
		break;
	case 2: /* torn: the new back */
		memcpy(disk + cut, now + cut, BLOCK - cut);
		break;
	default: /* kept */
		memcpy(disk, now, BLOCK);
	}
}

static void crash_node(struct sim *s, struct node *n)
{
	for (size_t b = 0; b < n->room / BLOCK; b++)
		if (n->changed[b])
			crash_block(s, n, b);
	uint64_t dice = sim_random(&s->rng) % 4;
	if (dice < 2)
		n->disk_size = n->now_size;
	else if (dice == 2 && n->now_size > n->disk_size) /* a part of what it grew */
		n->disk_size += sim_random(&s->rng) % (n->now_size - n->disk_size);
	if (n->room) {
		memset(n->disk + n->disk_size, 0, n->room - n->disk_size);
		memcpy(n->now, n->disk, n->room);
		memset(n->changed, 0, n->room / BLOCK);
	}
	n->now_size = n->disk_size;
	n->locked = false;
}

void sim_crash(struct sim *s)
{
	for (struct node *n = s->nodes; n; n = n->next)
		crash_node(s, n);
	keep_view(s, sim_random(&s->rng) % s->view_count);
	s->dead = false;
	sim_fault_at(s, SIM_NONE, 0);
}

void sim_restart(struct sim *s)
{
	for (const struct node *n = s->nodes; n; n = n->next)
		must(!n->locked);
	s->dead = false;
	sim_fault_at(s, SIM_NONE, 0);
}

str sim_bytes(struct sim *s, const char *name)
{
	struct name *found = find(s, name);
	return found ? str_of((const char *)found->node->now, found->node->now_size) : str_of(NULL, 0);
}

void sim_put(struct sim *s, const char *name, str bytes)
{
	struct file *file;
	must(!failed(files_open(&s->base, name, FILES_CREATE, &file)));
	struct node *n = node_of(file);
	must(!failed(file_truncate(file, 0)));
	apply(n, 0, bytes);
	must(!failed(file_sync(file)));
	file_close(&file);
	must(!failed(files_sync_folder(&s->base)));
}
