/* Reading the audit log's files. */
#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/audit.h"

/* ---- the folder ---- */

static int in_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static result note(struct audit_folder *f, const char *name)
{
	uint64_t first;
	if (!audit_name_read(str_from(name), &first))
		return OK;
	if (f->n == AUDIT_NAMES_MAX)
		return failure(FAIL_LIMIT, "there are too many files of the audit log");
	if (!mem_room(&f->names, &f->cap, f->n, sizeof *f->names))
		return failure(FAIL_MEMORY, "out of memory");
	f->names[f->n++] = first;
	return OK;
}

static result why_not(void)
{
	if (errno == ENOENT)
		return failure(FAIL_ABSENT, "there is no audit log there");
	if (errno == EACCES)
		return failure(FAIL_DENIED, "this user may not read the audit log's files; ask as root");
	return failure(FAIL_DISK, "the audit log's files cannot be read");
}

result audit_folder_read(const char *path, struct audit_folder *out)
{
	DIR *d = opendir(path);
	result r = OK;
	*out = (struct audit_folder){.path = path};
	if (!d)
		return why_not();
	for (const struct dirent *e; !failed(r) && (e = readdir(d));)
		r = note(out, e->d_name);
	closedir(d);
	if (out->n > 0)
		qsort(out->names, out->n, sizeof *out->names, in_order);
	if (failed(r))
		audit_folder_free(out);
	return r;
}

void audit_folder_free(struct audit_folder *f)
{
	mem_free(f->names);
	f->names = NULL;
	f->n = f->cap = 0;
}

void audit_file_path(const struct audit_folder *f, enum audit_kind kind, uint64_t first, char out[AUDIT_PATH_MAX])
{
	snprintf(out, AUDIT_PATH_MAX, "%s/%s", f->path, audit_name_of(kind, first).p);
}

/* ---- lines ---- */

/* A line longer than any record comes in pieces. */
struct lines {
	FILE *file;
	char *p;
};

static result lines_open(struct lines *l, const char *path)
{
	*l = (struct lines){.p = mem_alloc(AUDIT_LINE_MAX + 2)};
	if (!l->p)
		return failure(FAIL_MEMORY, "out of memory");
	l->file = fopen(path, "re");
	return l->file ? OK : why_not();
}

static str lines_next(struct lines *l)
{
	size_t n = 0;
	for (int c; n <= AUDIT_LINE_MAX && (c = getc_unlocked(l->file)) != EOF;) {
		l->p[n++] = (char)c;
		if (c == '\n')
			break;
	}
	return str_of(l->p, n);
}

static void lines_close(struct lines *l)
{
	if (l->file)
		fclose(l->file);
	mem_free(l->p);
}
#define AUTO_LINES __attribute__((cleanup(lines_close)))

/* ---- values in clear ---- */

/* Both files go by number, so each is read once. */
struct clear {
	struct lines lines;
	bool there;
	str line;
	struct audit_clear next;
	bool has;
};

static void clear_step(struct clear *c)
{
	c->has = false;
	while (c->there && !c->has) {
		str line = lines_next(&c->lines);
		c->there = line.n > 0;
		c->has = c->there && str_ends(line, STR("\n")) && audit_clear_read(str_sub(line, 0, line.n - 1), &c->next);
	}
}

static bool values_fit(const struct audit_clear *c, str fields, uint64_t *n)
{
	struct audit_clear_value k;
	struct audit_value v;
	str rest = c->fields;
	while (audit_clear_next(&rest, &k)) {
		if (!audit_field_find(fields, k.name, &v) || v.type != 'x' || !audit_clear_fits(&k, &v.sealed))
			return false;
		++*n;
	}
	return true;
}

static bool clear_fits(struct clear *c, str line, uint64_t *n)
{
	struct audit_line l;
	if (!audit_line_read(str_sub(line, 0, line.n - 1), &l))
		return true;
	while (c->has && c->next.seq < l.seq)
		clear_step(c);
	return !c->has || c->next.seq != l.seq || values_fit(&c->next, l.fields, n);
}

/* ---- one file ---- */

static void name_file(struct audit_verdict *v, enum audit_kind kind, uint64_t first)
{
	if (!v->file[0])
		snprintf(v->file, sizeof v->file, "%s", audit_name_of(kind, first).p);
}

static void blame_clear(struct audit_verdict *v, uint64_t first)
{
	struct audit_chain *c = &v->chain;
	if (c->fault != AUDIT_WHOLE)
		return;
	c->fault = AUDIT_CLEARED;
	c->at = c->last;
	c->why = "the value in clear is not the one that the record seals";
	c->final = true;
	name_file(v, AUDIT_CLEAR_FILE, first);
}

struct reading {
	struct audit_verdict *verdict;
	uint64_t first;
	bool last; /* the newest file: what has no end yet may be being written */
	uint64_t rest;
	crypto_hash_sha256_state hash;
};

static void take_line(struct reading *r, struct clear *clear, str line)
{
	struct audit_chain *c = &r->verdict->chain;
	if (r->last && r->rest == 0 && !str_ends(line, STR("\n"))) {
		r->verdict->open_end = line.n;
		return;
	}
	if (audit_chain_line(c, line)) {
		r->verdict->file[0] = '\0'; /* an earlier fault was forgiven */
		if (!clear_fits(clear, line, &r->verdict->clear))
			blame_clear(r->verdict, r->first);
		return;
	}
	name_file(r->verdict, AUDIT_CHAIN_FILE, r->first);
	crypto_hash_sha256_update(&r->hash, (const unsigned char *)line.p, line.n);
	r->rest += line.n;
}

static result check_file(const struct audit_folder *f, size_t i, struct audit_verdict *v)
{
	char path[AUDIT_PATH_MAX];
	struct lines chain AUTO_LINES = {0};
	struct clear clear = {0};
	struct reading r = {.verdict = v, .first = f->names[i], .last = i + 1 == f->n};
	struct audit_hash rest;
	crypto_hash_sha256_init(&r.hash);
	audit_file_path(f, AUDIT_CHAIN_FILE, r.first, path);
	TRY(lines_open(&chain, path));
	audit_file_path(f, AUDIT_CLEAR_FILE, r.first, path);
	clear.there = !failed(lines_open(&clear.lines, path));
	clear_step(&clear);
	audit_chain_file(&v->chain, r.first);
	for (str line = lines_next(&chain); line.n > 0; line = lines_next(&chain))
		take_line(&r, &clear, line);
	lines_close(&clear.lines);
	crypto_hash_sha256_final(&r.hash, rest.b);
	if (r.rest > 0)
		audit_chain_rest(&v->chain, r.rest, &rest);
	return OK;
}

result audit_folder_check(const struct audit_folder *f, struct audit_verdict *v)
{
	for (size_t i = 0; i < f->n; i++)
		TRY(check_file(f, i, v));
	if (!audit_chain_end(&v->chain) && f->n > 0)
		name_file(v, AUDIT_CHAIN_FILE, f->names[f->n - 1]);
	return OK;
}
