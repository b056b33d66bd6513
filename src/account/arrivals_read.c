#include <stdio.h>

#include "account/arrivals_core.h"
#include "base/mem.h"

struct arrivals_reader arrivals_begin(struct arrivals *a, const struct owner_key *owner,
	const struct arrivals_mark *done)
{
	return (struct arrivals_reader){.from = a, .owner = owner, .mark = *done};
}

void arrivals_end(struct arrivals_reader *r)
{
	file_close(&r->file);
}

/* ---- from file to file ---- */

/* What could not be read stays under another name. */
static result leave(struct arrivals_reader *r)
{
	struct arrivals_file f = arrivals_path(r->number);
	char aside[sizeof f.path + sizeof ARRIVALS_ASIDE];
	file_close(&r->file);
	snprintf(aside, sizeof aside, "%s" ARRIVALS_ASIDE, f.path);
	TRY(r->damaged ? files_rename(r->from->files, f.path, aside) : files_unlink(r->from->files, f.path));
	return files_sync_folder(r->from->files);
}

/* Its name is durable before its first record is written: what has none and is longer was damaged. */
static result leave_nameless(struct arrivals_reader *r)
{
	uint64_t size;
	TRY(files_open(r->from->files, arrivals_path(r->number).path, FILES_READ, &r->file));
	TRY(file_size(r->file, &size));
	r->damaged = size > FILE_HEAD;
	r->lost += r->damaged;
	return leave(r);
}

/* The next one that is there; false: none is. */
static result open_next(struct arrivals_reader *r, bool *opened)
{
	struct arrivals *a = r->from;
	unsigned char name[ARRIVALS_FILE];
	*opened = false;
	for (uint64_t n = r->number + 1; n <= a->safe_number; n++) {
		r->number = n;
		result found = arrivals_open_file(a, n, &r->file, name);
		if (found.kind == FAIL_ABSENT)
			continue;
		if (found.kind == FAIL_DAMAGE) {
			TRY(leave_nameless(r));
			continue;
		}
		TRY(found);
		r->at = memcmp(name, r->mark.file, sizeof name) == 0 ? r->mark.upto : FILE_HEAD;
		memcpy(r->mark.file, name, sizeof name);
		r->mark.upto = r->at;
		r->damaged = false;
		*opened = true;
		return OK;
	}
	return OK;
}

static bool is_last(const struct arrivals_reader *r)
{
	return r->number == r->from->safe_number;
}

static result limit_of(const struct arrivals_reader *r, uint64_t *out)
{
	TRY(file_size(r->file, out));
	if (is_last(r) && r->from->safe_end < *out)
		*out = r->from->safe_end;
	return OK;
}

/* ---- a record ---- */

static struct record_place place_at(const struct arrivals_reader *r, uint64_t at)
{
	return (struct record_place){r->from->key, r->mark.file, at};
}

/* It was closed in order, and is what is appended to. */
static bool all_durable(const struct arrivals_reader *r)
{
	return is_last(r) && r->from->safe_end != UINT64_MAX;
}

/* To where the next header opens; *found false: nowhere before the limit. */
static result seek_record(struct arrivals_reader *r, uint64_t limit, struct record *out, bool *found)
{
	for (*found = false; r->at < limit; r->at += ARRIVALS_ALIGN) {
		const struct record_place p = place_at(r, r->at);
		result got = arrivals_header(r->file, &p, out);
		if (got.kind == FAIL_ABSENT)
			continue;
		TRY(got);
		*found = true;
		break;
	}
	return OK;
}

/* What was durable, and does not open, was damaged since; of what was not nobody knows. */
static void count_unread(struct arrivals_reader *r, bool durable)
{
	r->lost += durable;
	r->torn += !durable;
	r->damaged = r->damaged || durable;
}

/* The next one; what was durable when it was written is known to have been. */
static result find_record(struct arrivals_reader *r, uint64_t limit, struct record *out, bool *found)
{
	uint64_t from = r->at;
	TRY(seek_record(r, limit, out, found));
	if (r->at > from)
		count_unread(r, *found ? out->durable > from : all_durable(r));
	return OK;
}

struct opening {
	crypto_secretstream_xchacha20poly1305_state stream;
	unsigned char sealed[ARRIVALS_CHUNK + STREAM_MORE];
};

/* Appends the plain bytes; *good false: the record is not as it was written. */
static result open_chunks(struct opening *o, struct file *f, uint64_t at, uint64_t length, buf *plain, bool *good)
{
	unsigned char tag = 0;
	for (uint64_t done = 0; done < length && *good;) {
		size_t n = length - done < sizeof o->sealed ? (size_t)(length - done) : sizeof o->sealed;
		TRY(file_read(f, at + done, o->sealed, &n));
		unsigned long long got = 0;
		if (n < STREAM_MORE || !buf_reserve(plain, n)) {
			*good = false;
			return n < STREAM_MORE ? OK : buf_result(plain);
		}
		*good = crypto_secretstream_xchacha20poly1305_pull(&o->stream, (unsigned char *)plain->p + plain->n, &got,
				&tag, o->sealed, n, NULL, 0) == 0;
		plain->n += *good ? (size_t)got : 0;
		done += n;
	}
	*good = *good && tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
	return OK;
}

static result open_record(struct arrivals_reader *r, const struct record *rec, buf *plain, bool *good)
{
	unsigned char key[RECORD_KEY];
	*good = owner_box_open(r->owner, rec->key, sizeof rec->key, key);
	if (!*good)
		return OK;
	struct opening *o = mem_alloc(sizeof *o);
	if (!o)
		return failure(FAIL_MEMORY, "out of memory");
	*good = crypto_secretstream_xchacha20poly1305_init_pull(&o->stream, rec->stream, key) == 0;
	sodium_memzero(key, sizeof key);
	result done = open_chunks(o, r->file, r->at + HEAD_SIZE, rec->length, plain, good);
	sodium_memzero(o, sizeof *o);
	mem_free(o);
	return done;
}

/* A record that does not open is damage where something later says that it was durable. */
static result was_durable(struct arrivals_reader *r, uint64_t end, uint64_t limit, bool *durable)
{
	uint64_t at = r->at;
	struct record later;
	bool found;
	*durable = all_durable(r);
	while (!*durable && end < limit) {
		r->at = end;
		TRY(seek_record(r, limit, &later, &found));
		*durable = found && later.durable > at;
		end = found ? record_end(r->at, &later) : limit;
	}
	r->at = at;
	return OK;
}

static result one_record(struct arrivals_reader *r, uint64_t limit, const struct record *rec, buf *plain,
	struct arrivals_letter *out, bool *good)
{
	bool durable;
	uint64_t end = record_end(r->at, rec);
	buf_clear(plain);
	TRY(open_record(r, rec, plain, good));
	*good = *good && !failed(item_read(buf_str(plain), &out->item));
	if (!*good) {
		TRY(was_durable(r, end, limit, &durable));
		count_unread(r, durable);
	}
	r->at = end;
	r->mark.upto = end;
	out->delivery = rec->delivery;
	out->mark = r->mark;
	return OK;
}

/* Leaves a file that is through, unless it may still grow. *more false: nothing is left just now. */
static result go_on(struct arrivals_reader *r, bool *more)
{
	*more = !all_durable(r) && !r->held;
	return *more ? leave(r) : OK;
}

result arrivals_next(struct arrivals_reader *r, buf *plain, struct arrivals_letter *out, bool *more)
{
	struct record rec;
	uint64_t limit;
	bool found, good = false;
	for (;;) {
		if (!r->file) {
			TRY(open_next(r, more));
			if (!*more)
				return OK;
		}
		TRY(limit_of(r, &limit));
		TRY(find_record(r, limit, &rec, &found));
		if (found) {
			TRY(one_record(r, limit, &rec, plain, out, &good));
			*more = good;
			if (good)
				return OK;
			continue;
		}
		TRY(go_on(r, more));
		if (!*more)
			return OK;
	}
}

result arrivals_clear(struct arrivals_reader *r)
{
	struct arrivals *a = r->from;
	must(a->adding == 0);
	a->count = 0;
	a->octets = 0;
	if (!r->file)
		return OK;
	file_close(&a->file);
	return leave(r);
}
