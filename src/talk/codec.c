#include "talk/codec.h"

#include <unistd.h>

#include "base/mem.h"
#include "run/memfd.h"

static const void *member(const void *m, const struct talk_field *f)
{
	return (const char *)m + f->offset;
}

static uint64_t load(const void *p, size_t size)
{
	uint8_t one;
	uint16_t two;
	uint32_t four;
	uint64_t eight;
	switch (size) {
	case 1: return memcpy(&one, p, 1), one;
	case 2: return memcpy(&two, p, 2), two;
	case 4: return memcpy(&four, p, 4), four;
	default: return memcpy(&eight, p, 8), eight;
	}
}

static void store(void *p, uint64_t v, size_t size)
{
	uint8_t one = (uint8_t)v;
	uint16_t two = (uint16_t)v;
	uint32_t four = (uint32_t)v;
	switch (size) {
	case 1: memcpy(p, &one, 1); return;
	case 2: memcpy(p, &two, 2); return;
	case 4: memcpy(p, &four, 4); return;
	default: memcpy(p, &v, 8);
	}
}

/* ---- encoding */

struct talk_out talk_out_new(void)
{
	return (struct talk_out){.bytes = buf_new(TALK_PACKET_MAX)};
}

void talk_out_clear(struct talk_out *out)
{
	while (out->made_n > 0)
		close(out->made[--out->made_n]);
	mem_wipe(out->bytes.p, out->bytes.n);
	buf_clear(&out->bytes);
	out->pieces_n = out->total = out->fds_n = 0;
	out->error = OK;
}

void talk_out_free(struct talk_out *out)
{
	talk_out_clear(out);
	buf_free(&out->bytes);
}

static void refuse(struct talk_out *out, result why)
{
	if (!failed(out->error))
		out->error = why;
}

static void put_number(struct talk_out *out, uint64_t v, size_t size)
{
	char le[8];
	for (size_t i = 0; i < size; i++)
		le[i] = (char)(v >> (8 * i) & 0xff);
	buf_put(&out->bytes, str_of(le, size));
	out->total += size;
}

static void put_bytes(struct talk_out *out, str s)
{
	out->total += s.n;
	if (s.n < TALK_PIECE_MIN || out->pieces_n == TALK_PIECES)
		buf_put(&out->bytes, s);
	else
		out->pieces[out->pieces_n++] = (struct talk_piece){out->bytes.n, s};
}

static void put_str(struct talk_out *out, str s, size_t max)
{
	if (s.n > max) {
		refuse(out, failure(FAIL_LIMIT, "a field is longer than its declaration allows"));
		return;
	}
	put_number(out, s.n, 4);
	put_bytes(out, s);
}

static void put_descriptor(struct talk_out *out, int fd)
{
	must(out->fds_n < TALK_FDS_MAX);
	out->fds[out->fds_n++] = fd;
}

static void put_fd(struct talk_out *out, const struct talk_field *f, int fd)
{
	bool present = fd > 0;
	must(present || f->optional);
	if (f->optional)
		put_number(out, present, 1);
	if (present)
		put_descriptor(out, fd);
}

static void put_body(struct talk_out *out, const struct talk_field *f, const struct body *b)
{
	bool apart = b->bytes.n > TALK_INLINE_MAX;
	put_number(out, apart, 1);
	if (!apart || b->bytes.n > f->max) {
		put_str(out, b->bytes, f->max);
		return;
	}
	put_number(out, b->bytes.n, 8);
	if (b->memfd > 0) {
		put_descriptor(out, b->memfd);
		return;
	}
	int made;
	result r = memfd_of(b->bytes, &made);
	if (failed(r)) {
		refuse(out, r);
		return;
	}
	out->made[out->made_n++] = made;
	put_descriptor(out, made);
}

static void put_field(struct talk_out *out, const struct talk_field *f, const void *p);

static void put_fields(struct talk_out *out, const struct talk_shape *s, const void *m)
{
	for (size_t i = 0; i < s->n && !failed(out->error); i++)
		put_field(out, &s->fields[i], member(m, &s->fields[i]));
}

static void put_list(struct talk_out *out, const struct talk_field *f, const void *p)
{
	struct talk_list l;
	memcpy(&l, p, sizeof l);
	if (l.n > f->max) {
		refuse(out, failure(FAIL_LIMIT, "a list is longer than its declaration allows"));
		return;
	}
	put_number(out, l.n, 4);
	for (size_t i = 0; i < l.n && !failed(out->error); i++)
		put_field(out, f->element, (const char *)l.p + i * f->element->size);
}

static void put_enum(struct talk_out *out, const struct talk_field *f, const void *p)
{
	uint64_t v = load(p, f->size);
	must(v < f->max);
	put_number(out, v, 1);
}

static void put_field(struct talk_out *out, const struct talk_field *f, const void *p)
{
	str s;
	int fd;
	struct body b;
	switch (f->type) {
	case TALK_U8:
	case TALK_U16:
	case TALK_U32:
	case TALK_U64:
	case TALK_I64:
	case TALK_BOOL: put_number(out, load(p, f->size), f->size); return;
	case TALK_ID:
	case TALK_BYTES: put_bytes(out, str_of(p, f->size)); return;
	case TALK_STR: memcpy(&s, p, sizeof s); put_str(out, s, f->max); return;
	case TALK_ENUM: put_enum(out, f, p); return;
	case TALK_BODY: memcpy(&b, p, sizeof b); put_body(out, f, &b); return;
	case TALK_FD: memcpy(&fd, p, sizeof fd); put_fd(out, f, fd); return;
	case TALK_RECORD: put_fields(out, f->record, p); return;
	case TALK_LIST: put_list(out, f, p); return;
	}
}

result talk_encode(const struct talk_shape *s, const void *m, struct talk_out *out)
{
	put_fields(out, s, m);
	if (failed(out->error))
		return out->error;
	TRY(buf_result(&out->bytes));
	if (out->total > TALK_PACKET_MAX)
		return failure(FAIL_LIMIT, "a message between rooms is larger than one packet may be");
	return OK;
}

void talk_out_flatten(const struct talk_out *out, buf *to)
{
	size_t at = 0;
	for (size_t i = 0; i < out->pieces_n; i++) {
		const struct talk_piece *piece = &out->pieces[i];
		buf_put(to, str_of(out->bytes.p + at, piece->at - at));
		buf_put(to, piece->s);
		at = piece->at;
	}
	buf_put(to, str_skip(buf_str(&out->bytes), at));
}

/* ---- decoding */

static void reject(struct talk_in *in, const struct talk_field *f, result why)
{
	if (failed(in->error))
		return;
	in->error = why;
	in->wrong = f;
	in->at.bad = true;
}

static void nonsense(struct talk_in *in, const struct talk_field *f, const char *why)
{
	reject(in, f, failure(FAIL_PEER, why));
}

static str get_str(struct talk_in *in, const struct talk_field *f, size_t max)
{
	uint32_t n = cursor_u32(&in->at);
	if (n > max)
		nonsense(in, f, "a field is longer than its declaration allows");
	return cursor_take(&in->at, n);
}

static int get_descriptor(struct talk_in *in, const struct talk_field *f)
{
	if (in->at.bad)
		return -1;
	if (in->fds_taken == in->fds_n && in->fds_lost) {
		reject(in, f, failure(FAIL_LIMIT, "this room has no descriptor left for what comes along"));
		return -1;
	}
	if (in->fds_taken == in->fds_n) {
		nonsense(in, f, "a descriptor is missing");
		return -1;
	}
	return talk_take_fd(&in->fds[in->fds_taken++]);
}

static bool get_flag(struct talk_in *in, const struct talk_field *f)
{
	uint8_t v = cursor_u8(&in->at);
	if (v > 1)
		nonsense(in, f, "a truth value is neither 0 nor 1");
	return v == 1;
}

static int get_fd(struct talk_in *in, const struct talk_field *f)
{
	return !f->optional || get_flag(in, f) ? get_descriptor(in, f) : -1;
}

static struct body get_body(struct talk_in *in, const struct talk_field *f)
{
	struct body b = body_of(str_of(NULL, 0));
	if (!get_flag(in, f)) {
		b.bytes = get_str(in, f, f->max < TALK_INLINE_MAX ? f->max : TALK_INLINE_MAX);
		return b;
	}
	uint64_t size = cursor_u64(&in->at);
	if (size <= TALK_INLINE_MAX || size > f->max)
		nonsense(in, f, "a long body's size is outside its limits");
	int fd = get_descriptor(in, f);
	if (fd < 0)
		return b;
	result r = body_map(fd, size, &b);
	if (failed(r))
		reject(in, f, r);
	return b;
}

static void get_field(struct talk_in *in, const struct talk_field *f, void *p);

static void get_fields(struct talk_in *in, const struct talk_shape *s, void *m)
{
	for (size_t i = 0; i < s->n; i++)
		get_field(in, &s->fields[i], (char *)m + s->fields[i].offset);
}

static void get_list(struct talk_in *in, const struct talk_field *f, void *p)
{
	uint32_t n = cursor_u32(&in->at);
	if (n > f->max)
		nonsense(in, f, "a list is longer than its declaration allows");
	/* Also bounds the arena's share by what the packet really brought. */
	if (n > cursor_left(&in->at) / f->element->wire_min)
		nonsense(in, f, "a list ends before its last element");
	if (in->at.bad || n == 0)
		return;
	char *elements = arena_array(in->arena, n, f->element->size);
	if (!elements) {
		reject(in, f, arena_result(in->arena));
		return;
	}
	for (size_t i = 0; i < n && !in->at.bad; i++)
		get_field(in, f->element, elements + i * f->element->size);
	struct talk_list l = {elements, n};
	memcpy(p, &l, sizeof l);
}

static void get_enum(struct talk_in *in, const struct talk_field *f, void *p)
{
	uint8_t v = cursor_u8(&in->at);
	if (v >= f->max)
		nonsense(in, f, "an enum has no such value");
	else
		store(p, v, f->size);
}

static void get_fixed(struct talk_in *in, const struct talk_field *f, void *p)
{
	str s = cursor_take(&in->at, f->size);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
}

static void get_number(struct talk_in *in, const struct talk_field *f, void *p)
{
	str s = cursor_take(&in->at, f->size);
	uint64_t v = 0;
	for (size_t i = s.n; i > 0; i--)
		v = v << 8 | str_at(s, i - 1);
	store(p, v, f->size);
}

static void get_field(struct talk_in *in, const struct talk_field *f, void *p)
{
	str s;
	struct body b;
	bool flag;
	int fd;
	switch (f->type) {
	case TALK_U8:
	case TALK_U16:
	case TALK_U32:
	case TALK_U64:
	case TALK_I64: get_number(in, f, p); break;
	case TALK_BOOL: flag = get_flag(in, f); memcpy(p, &flag, sizeof flag); break;
	case TALK_ID:
	case TALK_BYTES: get_fixed(in, f, p); break;
	case TALK_STR: s = get_str(in, f, f->max); memcpy(p, &s, sizeof s); break;
	case TALK_ENUM: get_enum(in, f, p); break;
	case TALK_BODY: b = get_body(in, f); memcpy(p, &b, sizeof b); break;
	case TALK_FD: fd = get_fd(in, f); memcpy(p, &fd, sizeof fd); break;
	case TALK_RECORD: get_fields(in, f->record, p); break;
	case TALK_LIST: get_list(in, f, p); break;
	}
	if (in->at.bad)
		nonsense(in, f, "the message ends before its last field");
}

result talk_decode(const struct talk_shape *s, struct talk_in *in, void *m)
{
	memset(m, 0, s->size);
	in->error = OK;
	get_fields(in, s, m);
	if (!failed(in->error) && !cursor_done(&in->at))
		nonsense(in, NULL, "octets follow the message's last field");
	if (!failed(in->error) && in->fds_taken != in->fds_n)
		nonsense(in, NULL, "a descriptor came that the message does not carry");
	if (failed(in->error))
		talk_release(s, m);
	return in->error;
}

void talk_in_close(struct talk_in *in)
{
	for (size_t i = in->fds_taken; i < in->fds_n; i++)
		close(in->fds[i]);
	in->fds_taken = in->fds_n;
}

/* Bodies and descriptors stand in a message's own fields, never in a record's. */
void talk_release(const struct talk_shape *s, void *m)
{
	for (size_t i = 0; s->fds > 0 && i < s->n; i++) {
		const struct talk_field *f = &s->fields[i];
		void *p = (char *)m + f->offset;
		if (f->type == TALK_BODY) {
			body_free(p);
		} else if (f->type == TALK_FD) {
			int fd = talk_take_fd(p);
			if (fd > 0)
				close(fd);
		}
	}
}
