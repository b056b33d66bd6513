#include "account/arrivals.h"

#include <stdio.h>

#include "account/arrivals_core.h"
#include "base/mem.h"
#include "engine/seal_box.h"

static const char magic[8] = "PtnArrv1";

/* ---- the form ---- */

struct arrivals_file arrivals_path(uint64_t number)
{
	struct arrivals_file f;
	snprintf(f.path, sizeof f.path, "arrivals-%llu", (unsigned long long)number);
	return f;
}

struct bound {
	unsigned char b[16 + ARRIVALS_FILE + 8];
};

static struct bound bound_to(const struct record_place *p)
{
	struct bound b = {"postern arrival"};
	memcpy(b.b + 16, p->file, ARRIVALS_FILE);
	box_put_u64(b.b + 16 + ARRIVALS_FILE, p->at);
	return b;
}

static void record_seal(const struct record_place *p, const struct record *r, unsigned char out[HEAD_SIZE])
{
	struct bound to = bound_to(p);
	unsigned char *at = out + HEAD_NONCE;
	randombytes_buf(out, HEAD_NONCE);
	box_put_u64(at, r->length);
	box_put_u64(at + 8, r->durable);
	box_put_u64(at + 16, r->size);
	at += 24;
	memcpy(at, r->delivery.b, sizeof r->delivery.b);
	at += sizeof r->delivery.b;
	memcpy(at, r->key, sizeof r->key);
	at += sizeof r->key;
	memcpy(at, r->stream, sizeof r->stream);
	memcpy(at + sizeof r->stream, r->hash, sizeof r->hash);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		out + HEAD_NONCE, NULL, out + HEAD_NONCE, HEAD_PLAIN, to.b, sizeof to.b, NULL, out, p->key);
}

bool record_open(const struct record_place *p, const unsigned char sealed[HEAD_SIZE], struct record *out)
{
	unsigned char plain[HEAD_PLAIN], *at = plain + 24;
	struct bound to = bound_to(p);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed + HEAD_NONCE, HEAD_PLAIN + HEAD_TAG, to.b,
		    sizeof to.b, sealed, p->key) != 0)
		return false;
	*out = (struct record){
		.length = box_get_u64(plain), .durable = box_get_u64(plain + 8), .size = box_get_u64(plain + 16)};
	memcpy(out->delivery.b, at, sizeof out->delivery.b);
	at += sizeof out->delivery.b;
	memcpy(out->key, at, sizeof out->key);
	at += sizeof out->key;
	memcpy(out->stream, at, sizeof out->stream);
	memcpy(out->hash, at + sizeof out->stream, sizeof out->hash);
	return true;
}

/* ---- looking ---- */

result arrivals_open_file(struct arrivals *a, uint64_t number, struct file **out, unsigned char name[ARRIVALS_FILE])
{
	struct arrivals_file f = arrivals_path(number);
	unsigned char head[sizeof magic + ARRIVALS_FILE];
	size_t n = sizeof head;
	TRY(files_open(a->files, f.path, FILES_WRITE, out));
	result r = file_read(*out, 0, head, &n);
	if (!failed(r) && (n != sizeof head || memcmp(head, magic, sizeof magic) != 0))
		r = failure(FAIL_DAMAGE, "a file of arrivals has no name");
	if (failed(r))
		file_close(out);
	else
		memcpy(name, head + sizeof magic, ARRIVALS_FILE);
	return r;
}

result arrivals_header(struct file *f, const struct record_place *p, struct record *out)
{
	unsigned char sealed[HEAD_SIZE];
	size_t n = sizeof sealed;
	uint64_t size;
	TRY(file_size(f, &size));
	TRY(file_read(f, p->at, sealed, &n));
	bool good = n == sizeof sealed && record_open(p, sealed, out);
	if (good && out->length <= size && record_end(p->at, out) - ARRIVALS_ALIGN < size)
		return OK;
	return failure(FAIL_ABSENT, "there is no record");
}

/* Is what follows the header as it was written? */
static result is_whole(struct file *f, uint64_t at, const struct record *r, bool *whole)
{
	unsigned char found[RECORD_HASH];
	AUTO_MEM unsigned char *chunk = mem_alloc(ARRIVALS_CHUNK);
	crypto_generichash_state h;
	if (!chunk)
		return failure(FAIL_MEMORY, "out of memory");
	crypto_generichash_init(&h, NULL, 0, sizeof found);
	for (uint64_t done = 0; done < r->length;) {
		size_t n = r->length - done < ARRIVALS_CHUNK ? (size_t)(r->length - done) : ARRIVALS_CHUNK;
		TRY(file_read(f, at + HEAD_SIZE + done, chunk, &n));
		if (n == 0)
			break;
		crypto_generichash_update(&h, chunk, n);
		done += n;
	}
	crypto_generichash_final(&h, found, sizeof found);
	*whole = sodium_memcmp(found, r->hash, sizeof found) == 0;
	return OK;
}

/* What was written last may be torn, though its header is there. */
static result is_settled(struct file *f, uint64_t from, uint64_t to, struct record_place p, bool *settled)
{
	struct record r;
	*settled = true;
	for (p.at = from; p.at < to && *settled; p.at = record_end(p.at, &r)) {
		TRY(arrivals_header(f, &p, &r));
		TRY(is_whole(f, p.at, &r, settled));
	}
	return OK;
}

/* Counts a file's records; *clean: it ends as it should, so more may follow. */
static result look_at(struct arrivals *a, struct file *f, const unsigned char *name, bool *clean)
{
	struct record_place p = {a->key, name, FILE_HEAD};
	struct record r = {.durable = FILE_HEAD};
	uint64_t size;
	result found;
	TRY(file_size(f, &size));
	while (!failed(found = arrivals_header(f, &p, &r))) {
		a->count++;
		a->octets += r.size;
		p.at = record_end(p.at, &r);
	}
	if (found.kind != FAIL_ABSENT)
		return found;
	a->end = p.at;
	*clean = size <= p.at && p.at < ARRIVALS_FULL;
	return *clean ? is_settled(f, r.durable, p.at, p, clean) : OK;
}

static result look_at_file(struct arrivals *a, uint64_t number)
{
	struct file *f;
	unsigned char name[ARRIVALS_FILE];
	bool clean = false;
	result r = arrivals_open_file(a, number, &f, name);
	if (failed(r))
		return r.kind == FAIL_DAMAGE ? OK : r; /* reading tells */
	r = look_at(a, f, name, &clean);
	if (!failed(r) && clean && number == a->last) {
		a->file = f;
		a->safe_end = a->end;
		memcpy(a->name, name, sizeof a->name);
		return OK;
	}
	file_close(&f);
	return r;
}

/* The number of a file set aside is not used again: another one would take its place. */
static result note_number(void *ctx, str name)
{
	struct arrivals *a = ctx;
	uint64_t number;
	str prefix = STR("arrivals-"), aside = STR(ARRIVALS_ASIDE);
	bool damaged = str_ends(name, aside);
	str digits = str_skip(str_sub(name, 0, damaged ? name.n - aside.n : name.n), prefix.n);
	if (!str_starts(name, prefix) || !str_to_u64(digits, &number) || number == 0)
		return OK;
	if (!damaged)
		a->first = a->first && a->first < number ? a->first : number;
	a->last = a->last > number ? a->last : number;
	return OK;
}

result arrivals_open(const struct arrivals_plan *plan, struct arrivals **out)
{
	struct arrivals *a = mem_alloc(sizeof *a);
	if (!a)
		return failure(FAIL_MEMORY, "out of memory");
	a->files = plan->files;
	a->owner = plan->owner;
	memcpy(a->key, plan->key, sizeof a->key);
	result r = files_list(a->files, note_number, a);
	a->safe_number = a->last;
	a->safe_end = UINT64_MAX;
	for (uint64_t n = a->first; !failed(r) && n && n <= a->last; n++) {
		r = look_at_file(a, n);
		if (r.kind == FAIL_ABSENT)
			r = OK;
	}
	if (failed(r))
		arrivals_close(&a);
	else
		*out = a;
	return r;
}

void arrivals_close(struct arrivals **at)
{
	struct arrivals *a = *at;
	*at = NULL;
	if (!a)
		return;
	worker_close(&a->worker);
	file_close(&a->file);
	sodium_memzero(a, sizeof *a);
	mem_free(a);
}

uint64_t arrivals_count(const struct arrivals *a)
{
	return a->count;
}

bool arrivals_adding(const struct arrivals *a)
{
	return a->adding > 0;
}

uint64_t arrivals_octets(const struct arrivals *a)
{
	return a->octets;
}

/* ---- writing, on the thread ---- */

struct adding {
	struct job job;
	const trace_id *delivery;
	const struct item *item;
	result r;
	uint64_t number, end; /* the file it is in, and up to where that is durable */
};

static result name_file(struct arrivals *a)
{
	unsigned char head[FILE_HEAD] = {0};
	randombytes_buf(a->name, sizeof a->name);
	memcpy(head, magic, sizeof magic);
	memcpy(head + sizeof magic, a->name, sizeof a->name);
	TRY(file_write(a->file, 0, str_of((const char *)head, sizeof head)));
	TRY(file_sync(a->file));
	return files_sync_folder(a->files);
}

static result begin_file(struct arrivals *a)
{
	struct arrivals_file f = arrivals_path(a->last + 1);
	TRY(files_open(a->files, f.path, FILES_NEW, &a->file));
	result r = name_file(a);
	if (failed(r))
		file_close(&a->file);
	if (failed(r) && !failed(files_unlink(a->files, f.path)))
		return r;
	a->last++;
	a->end = FILE_HEAD;
	return r;
}

struct sealing {
	struct arrivals *a;
	crypto_secretstream_xchacha20poly1305_state stream;
	crypto_generichash_state hash;
	uint64_t at;     /* where the next chunk goes */
	uint64_t length;
	unsigned char chunk[ARRIVALS_CHUNK];
	size_t n;
	unsigned char sealed[ARRIVALS_CHUNK + STREAM_MORE];
};

static result put_chunk(struct sealing *s, bool final)
{
	unsigned long long n;
	unsigned char tag = final ? crypto_secretstream_xchacha20poly1305_TAG_FINAL : 0;
	crypto_secretstream_xchacha20poly1305_push(&s->stream, s->sealed, &n, s->chunk, s->n, NULL, 0, tag);
	crypto_generichash_update(&s->hash, s->sealed, n);
	TRY(file_write(s->a->file, s->at + s->length, str_of((const char *)s->sealed, n)));
	s->length += n;
	s->n = 0;
	return OK;
}

static result put_bytes(struct sealing *s, str bytes)
{
	while (bytes.n > 0) {
		size_t n = sizeof s->chunk - s->n < bytes.n ? sizeof s->chunk - s->n : bytes.n;
		memcpy(s->chunk + s->n, bytes.p, n);
		s->n += n;
		bytes = str_skip(bytes, n);
		if (s->n == sizeof s->chunk)
			TRY(put_chunk(s, false));
	}
	return OK;
}

static result put_item(struct sealing *s, const struct item *i)
{
	AUTO_BUF buf head = buf_new(ARRIVALS_PLAIN_MAX);
	item_put_head(i, &head);
	result r = buf_result(&head);
	if (!failed(r))
		r = put_bytes(s, buf_str(&head));
	if (!failed(r))
		r = put_bytes(s, i->message);
	if (head.p)
		sodium_memzero(head.p, head.n);
	return failed(r) ? r : put_chunk(s, true);
}

/* The header last: it holds the hash. */
static result put_record(struct sealing *s, const struct adding *j, uint64_t at, uint64_t durable)
{
	unsigned char key[RECORD_KEY], head[HEAD_SIZE];
	struct record r = {.durable = durable, .delivery = *j->delivery, .size = j->item->trace.n + j->item->message.n};
	const struct record_place place = {s->a->key, s->a->name, at};
	crypto_secretstream_xchacha20poly1305_keygen(key);
	owner_box_seal(&s->a->owner, key, sizeof key, r.key);
	crypto_secretstream_xchacha20poly1305_init_push(&s->stream, r.stream, key);
	sodium_memzero(key, sizeof key);
	crypto_generichash_init(&s->hash, NULL, 0, sizeof r.hash);
	s->at = at + HEAD_SIZE;
	TRY(put_item(s, j->item));
	crypto_generichash_final(&s->hash, r.hash, sizeof r.hash);
	r.length = s->length;
	record_seal(&place, &r, head);
	TRY(file_write(s->a->file, at, str_of((const char *)head, sizeof head)));
	s->a->end = record_end(at, &r);
	return OK;
}

static result add_one(struct arrivals *a, const struct adding *j, uint64_t durable)
{
	struct sealing *s = mem_alloc(sizeof *s);
	if (!s)
		return failure(FAIL_MEMORY, "out of memory");
	s->a = a;
	result r = put_record(s, j, a->end, durable);
	sodium_memzero(s, sizeof *s);
	mem_free(s);
	return r;
}

static result add_all(struct arrivals *a, struct job **jobs, size_t n)
{
	uint64_t durable = a->end;
	result r = OK;
	for (size_t i = 0; i < n && !failed(r); i++)
		r = add_one(a, (struct adding *)(void *)jobs[i], durable);
	if (!failed(r)) {
		r = file_sync(a->file);
		if (failed(r)) /* nobody knows what is there: another file is begun */
			file_close(&a->file);
		return r;
	}
	if (failed(file_truncate(a->file, durable)))
		file_close(&a->file);
	a->end = durable;
	return r;
}

static void run(void *ctx, struct job **jobs, size_t n)
{
	struct arrivals *a = ctx;
	result r = OK;
	if (a->file && a->end >= ARRIVALS_FULL)
		file_close(&a->file);
	if (!a->file)
		r = begin_file(a);
	if (!failed(r))
		r = add_all(a, jobs, n);
	for (size_t i = 0; i < n; i++) {
		struct adding *j = (struct adding *)(void *)jobs[i];
		j->r = r;
		j->number = a->last;
		j->end = a->end;
	}
}

/* ---- on the loop ---- */

static result begin_thread(struct arrivals *a)
{
	const struct worker_plan plan = {.run = run, .ctx = a, .name = "arrivals", .threads = 1,
		.queue_max = ARRIVALS_WAITING, .batch_max = ARRIVALS_TOGETHER};
	return a->worker ? OK : worker_open(&plan, &a->worker);
}

static void advance(struct arrivals *a, const struct adding *j)
{
	if (j->number < a->safe_number)
		return;
	a->safe_end = j->number == a->safe_number && a->safe_end > j->end ? a->safe_end : j->end;
	a->safe_number = j->number;
}

result arrivals_add(struct arrivals *a, const trace_id *delivery, const struct item *i)
{
	struct adding j = {.delivery = delivery, .item = i, .r = OK};
	TRY(begin_thread(a));
	a->adding++;
	result r = worker_run(a->worker, &j.job);
	a->adding--;
	if (!failed(r))
		r = j.r;
	TRY(r);
	advance(a, &j);
	a->count++;
	a->octets += i->trace.n + i->message.n;
	return OK;
}
