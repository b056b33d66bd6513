#include "watch/audit_files.h"

#include <sodium.h>
#include <stdlib.h>

#include "base/mem.h"
#include "engine/ballast.h"

enum { PIECE = 64 * 1024 };

/* ---- account numbers ---- */

static size_t place_of(const struct audit_set *s, uint64_t account)
{
	size_t low = 0, high = s->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (s->p[mid] < account)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool audit_set_has(const struct audit_set *s, uint64_t account)
{
	size_t i = place_of(s, account);
	return i < s->n && s->p[i] == account;
}

bool audit_set_add(struct audit_set *s, uint64_t account)
{
	size_t i = place_of(s, account);
	if (i < s->n && s->p[i] == account)
		return true;
	if (!mem_room(&s->p, &s->cap, s->n, sizeof *s->p))
		return false;
	memmove(s->p + i + 1, s->p + i, (s->n - i) * sizeof *s->p);
	s->p[i] = account;
	s->n++;
	return true;
}

void audit_set_free(struct audit_set *s)
{
	mem_free(s->p);
	*s = (struct audit_set){0};
}

/* ---- names ---- */

static result note_name(void *ctx, str name)
{
	struct audit_files *a = ctx;
	uint64_t first;
	if (!audit_name_read(name, &first))
		return OK;
	if (a->names_n == AUDIT_NAMES_MAX)
		return failure(FAIL_LIMIT, "the audit log has too many files; move old ones to an archive");
	if (!mem_room(&a->names, &a->names_cap, a->names_n, sizeof *a->names))
		return failure(FAIL_MEMORY, "out of memory");
	a->names[a->names_n++] = first;
	return OK;
}

static int in_order(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* ---- reading ---- */

result audit_reader_open(struct audit_reader *r, struct files *f, enum audit_kind kind, uint64_t first)
{
	struct audit_name name = audit_name_of(kind, first);
	*r = (struct audit_reader){.kept = buf_new(2 * AUDIT_LINE_MAX + PIECE)};
	TRY(files_open(f, name.p, FILES_READ, &r->file));
	return file_size(r->file, &r->end);
}

static result read_more(struct audit_reader *r)
{
	uint64_t from = r->at + (r->kept.n - r->used);
	size_t n = r->end - from < PIECE ? (size_t)(r->end - from) : PIECE;
	buf_drop(&r->kept, r->used);
	r->used = 0;
	if (!buf_reserve(&r->kept, n))
		return buf_result(&r->kept);
	TRY(file_read(r->file, from, r->kept.p + r->kept.n, &n));
	r->kept.n += n;
	if (n == 0)
		r->end = from; /* it was cut while we read */
	return OK;
}

/* A line longer than any record comes in pieces; no piece is a record. */
result audit_reader_next(struct audit_reader *r, str *line)
{
	for (;;) {
		str have = str_skip(buf_str(&r->kept), r->used);
		size_t lf = have.n ? str_chr(have, '\n') : STR_NONE;
		bool all = r->at + have.n >= r->end;
		if (lf != STR_NONE || have.n > AUDIT_LINE_MAX || all) {
			*line = lf != STR_NONE ? str_sub(have, 0, lf + 1) : have;
			r->used += line->n;
			r->at += line->n;
			return OK;
		}
		TRY(read_more(r));
	}
}

void audit_reader_close(struct audit_reader *r)
{
	file_close(&r->file);
	buf_free(&r->kept);
}

/* ---- what the last run left ---- */

static void note_record(struct audit_files *a, str line)
{
	struct audit_line l;
	struct audit_value v;
	if (!audit_line_read(str_sub(line, 0, line.n - 1), &l))
		return;
	if (l.seq == a->first)
		memcpy(a->day, l.time.p, AUDIT_DAY);
	/* An account that finds no room here is found by reading the file. */
	if (audit_field_find(l.fields, STR("account"), &v) && v.number > 0)
		(void)audit_set_add(&a->accounts, v.number);
}

static result hash_rest(struct audit_reader *r, struct audit_tail *out, str first)
{
	crypto_hash_sha256_state s;
	crypto_hash_sha256_init(&s);
	for (str line = first; line.n > 0;) {
		crypto_hash_sha256_update(&s, (const unsigned char *)line.p, line.n);
		out->rest += line.n;
		TRY(audit_reader_next(r, &line));
	}
	crypto_hash_sha256_final(&s, out->rest_hash.b);
	return OK;
}

static result read_chain(struct audit_files *a, const unsigned char *key, struct audit_tail *out)
{
	struct audit_reader r;
	struct audit_chain c;
	str line = {0};
	audit_chain_begin(&c, key);
	c.from = a->first;
	audit_chain_file(&c, a->first);
	a->chain_n = 0;
	result done = audit_reader_open(&r, a->f, AUDIT_CHAIN_FILE, a->first);
	while (!failed(done)) {
		done = audit_reader_next(&r, &line);
		if (failed(done) || line.n == 0 || !audit_chain_line(&c, line))
			break;
		a->chain_n += line.n;
		note_record(a, line);
	}
	*out = (struct audit_tail){.last = c.last, .head = c.head};
	if (!failed(done) && line.n > 0)
		done = hash_rest(&r, out, line);
	audit_reader_close(&r);
	return done;
}

/* Clear values of records that are not in the chain would fit nothing. */
static result read_clear(struct audit_files *a, uint64_t last)
{
	struct audit_reader r;
	struct audit_clear c;
	str line = {0};
	a->clear_n = 0;
	result done = audit_reader_open(&r, a->f, AUDIT_CLEAR_FILE, a->first);
	while (!failed(done)) {
		done = audit_reader_next(&r, &line);
		bool fits = !failed(done) && str_ends(line, STR("\n")) &&
			    audit_clear_read(str_sub(line, 0, line.n - 1), &c) && c.seq <= last;
		if (!fits)
			break;
		a->clear_n += line.n;
	}
	audit_reader_close(&r);
	return done.kind == FAIL_ABSENT ? OK : done;
}

/* A file without one whole record was just being begun: it is put aside, in case it was more than that. */
static result put_aside(struct audit_files *a)
{
	struct audit_name name = audit_name_of(AUDIT_CHAIN_FILE, a->first);
	struct audit_name to = audit_name_of(AUDIT_DAMAGED_FILE, a->first);
	TRY(files_rename(a->f, name.p, to.p));
	a->names_n--;
	return files_sync_folder(a->f);
}

static result read_newest(struct audit_files *a, const unsigned char *key, struct audit_tail *out)
{
	*out = (struct audit_tail){0};
	a->first = 0;
	while (a->names_n > 0) {
		a->first = a->names[a->names_n - 1];
		TRY(read_chain(a, key, out));
		if (a->chain_n > 0)
			return read_clear(a, out->last);
		*out = (struct audit_tail){0};
		TRY(put_aside(a));
		a->first = 0;
	}
	return OK;
}

static result open_pair(struct audit_files *a)
{
	struct audit_name chain = audit_name_of(AUDIT_CHAIN_FILE, a->first);
	struct audit_name clear = audit_name_of(AUDIT_CLEAR_FILE, a->first);
	TRY(files_open(a->f, chain.p, FILES_CREATE, &a->chain));
	TRY(files_open(a->f, clear.p, FILES_CREATE, &a->clear));
	return files_sync_folder(a->f);
}

result audit_files_open(struct audit_files *a, struct files *f, const unsigned char key[AUDIT_KEY],
			struct audit_tail *out)
{
	*a = (struct audit_files){.f = f};
	result r = files_list(f, note_name, a);
	if (!failed(r) && a->names_n > 0)
		qsort(a->names, a->names_n, sizeof *a->names, in_order);
	if (!failed(r))
		r = read_newest(a, key, out);
	if (!failed(r) && a->first > 0)
		r = open_pair(a);
	a->ragged = true;
	if (failed(r))
		audit_files_close(a);
	return r;
}

void audit_files_close(struct audit_files *a)
{
	file_close(&a->chain);
	file_close(&a->clear);
	audit_set_free(&a->accounts);
	mem_free(a->names);
	a->names = NULL;
	a->names_n = 0;
}

/* ---- writing ---- */

static result smooth(struct audit_files *a)
{
	if (!a->ragged)
		return OK;
	TRY(file_truncate(a->clear, a->clear_n));
	TRY(file_truncate(a->chain, a->chain_n));
	a->ragged = false;
	return OK;
}

/* The clear values first: a record that counts never lacks its own. */
static result append_both(struct audit_files *a, str chain, str clear)
{
	if (clear.n > 0) {
		TRY(file_write(a->clear, a->clear_n, clear));
		TRY(file_sync(a->clear));
	}
	TRY(file_write(a->chain, a->chain_n, chain));
	return file_sync(a->chain);
}

result audit_files_append(struct audit_files *a, str chain, str clear)
{
	TRY(smooth(a));
	a->ragged = true;
	result r = append_both(a, chain, clear);
	if (failed(r)) {
		result cut = smooth(a); /* now, if it can be: half a record is nothing to leave about */
		(void)cut.kind;
		return r;
	}
	a->ragged = false;
	a->chain_n += chain.n;
	a->clear_n += clear.n;
	return OK;
}

/* Without its index a file is read as a whole by who looks for an account. */
static void write_index(struct audit_files *a)
{
	struct file AUTO_FILE *file = NULL;
	AUTO_BUF buf octets = buf_new(SIZE_MAX);
	struct audit_name name = audit_name_of(AUDIT_INDEX_FILE, a->first);
	for (size_t i = 0; i < a->accounts.n; i++)
		for (unsigned shift = 0; shift < 64; shift += 8)
			buf_putc(&octets, (char)(a->accounts.p[i] >> shift & 0xff));
	result r = buf_result(&octets);
	if (!failed(r))
		r = files_open(a->f, name.p, FILES_CREATE, &file);
	if (!failed(r))
		r = file_write(file, 0, buf_str(&octets));
	if (!failed(r))
		r = file_sync(file);
	if (failed(r) && file)
		r = files_unlink(a->f, name.p);
	(void)r.kind;
}

result audit_files_begin(struct audit_files *a, uint64_t first, const char day[AUDIT_DAY])
{
	if (a->names_n == AUDIT_NAMES_MAX || !mem_room(&a->names, &a->names_cap, a->names_n, sizeof *a->names))
		return failure(FAIL_MEMORY, "the audit log has too many files");
	if (a->chain)
		write_index(a);
	file_close(&a->chain);
	file_close(&a->clear);
	audit_set_free(&a->accounts);
	a->first = first;
	a->chain_n = a->clear_n = 0;
	a->ragged = true;
	memcpy(a->day, day, AUDIT_DAY);
	result r = open_pair(a);
	if (failed(r)) {
		file_close(&a->chain);
		file_close(&a->clear);
		return r;
	}
	a->names[a->names_n++] = first;
	return OK;
}

/* ---- forgetting addresses ---- */

/* The day of a file's first record. */
static result day_of(struct audit_files *a, uint64_t first, char day[AUDIT_DAY])
{
	struct audit_reader r;
	struct audit_line l;
	str line = {0};
	result done = audit_reader_open(&r, a->f, AUDIT_CHAIN_FILE, first);
	if (!failed(done))
		done = audit_reader_next(&r, &line);
	if (!failed(done) && (line.n == 0 || !audit_line_read(str_sub(line, 0, line.n - 1), &l)))
		done = failure(FAIL_DAMAGE, "a file of the audit log does not begin with a record");
	if (!failed(done))
		memcpy(day, l.time.p, AUDIT_DAY);
	audit_reader_close(&r);
	return done;
}

result audit_files_forget(struct audit_files *a, const char day[AUDIT_DAY], uint64_t *n)
{
	for (*n = 0; a->forgotten + 1 < a->names_n; a->forgotten++) {
		char next[AUDIT_DAY];
		struct audit_name name = audit_name_of(AUDIT_CLEAR_FILE, a->names[a->forgotten]);
		TRY(day_of(a, a->names[a->forgotten + 1], next));
		if (memcmp(next, day, AUDIT_DAY) >= 0)
			break; /* the file goes on to where the next one begins */
		result r = files_unlink(a->f, name.p);
		if (failed(r) && r.kind != FAIL_ABSENT)
			return r;
		*n += !failed(r);
	}
	return *n > 0 ? files_sync_folder(a->f) : OK;
}
