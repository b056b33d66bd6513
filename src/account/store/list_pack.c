#include "account/store/list_pack.h"

enum {
	FIELD_UID,
	FIELD_SIZE,
	FIELD_CONTENT,
	FIELD_MODSEQ,
	FIELD_FLAGS,
	FIELD_SAVED,
	FIELD_DATE,
	FIELD_MINUTES,
	FIELDS,
};
enum { NUMBER_MAX = 10, CONTENT_SECOND_SHIFT = 10, MICROSECONDS = 1000000 };

_Static_assert(LIST_PACKED_MAX == 1 + 5 + 5 + 5 * NUMBER_MAX + 3,
	"a uid and a size of 32 bits, minutes of 16");
_Static_assert(LIST_PACKED_HEAD + LIST_PACKED_MAX <= LIST_CHUNK, "one record always fits");

static const struct entry nothing;

static uint64_t fold(uint64_t difference)
{
	return difference << 1 ^ (0 - (difference >> 63));
}

static uint64_t unfold(uint64_t folded)
{
	return folded >> 1 ^ (0 - (folded & 1));
}

/* A content number begins with the microsecond of its arrival. */
static uint64_t second_in(uint64_t content)
{
	return (content >> CONTENT_SECOND_SHIFT) / MICROSECONDS;
}

/* ---- into octets ---- */

static void differences(const struct entry *before, const struct entry *e, uint64_t out[FIELDS])
{
	const struct row *was = &before->row, *is = &e->row;
	out[FIELD_UID] = is->uid - was->uid - 1;
	out[FIELD_SIZE] = is->size;
	out[FIELD_CONTENT] = fold(is->content - was->content);
	out[FIELD_MODSEQ] = fold(is->modseq - was->modseq - 1);
	out[FIELD_FLAGS] = is->flags ^ was->flags;
	out[FIELD_SAVED] = fold((uint64_t)e->dates.saved - second_in(is->content));
	out[FIELD_DATE] = fold((uint64_t)e->dates.date - (uint64_t)e->dates.saved);
	out[FIELD_MINUTES] = fold((uint64_t)(e->dates.minutes - before->dates.minutes));
}

/* `p` has room for the longest. */
static size_t put_record(unsigned char *p, const struct entry *before, const struct entry *e)
{
	uint64_t d[FIELDS];
	size_t n = 1;
	differences(before, e, d);
	p[0] = 0;
	for (size_t i = 0; i < FIELDS; i++) {
		if (d[i] == 0)
			continue;
		p[0] |= (unsigned char)(1u << i);
		for (; d[i] > 0x7f; d[i] >>= 7)
			p[n++] = (unsigned char)(d[i] | 0x80);
		p[n++] = (unsigned char)d[i];
	}
	return n;
}

size_t list_packed(const struct entry *before, const struct entry *e)
{
	unsigned char record[LIST_PACKED_MAX];
	return put_record(record, before ? before : &nothing, e);
}

bool list_pack(const struct entry *v, size_t n, unsigned char *chunk)
{
	unsigned char record[LIST_PACKED_MAX];
	size_t at = LIST_PACKED_HEAD;
	must(n <= LIST_RECORDS);
	for (size_t i = 0; i < n; i++) {
		must(v[i].row.uid > (i ? v[i - 1].row.uid : 0));
		size_t octets = put_record(record, i ? &v[i - 1] : &nothing, &v[i]);
		if (octets > LIST_CHUNK - at)
			return false;
		memcpy(chunk + at, record, octets);
		at += octets;
	}
	chunk[0] = (unsigned char)(n & 0xff);
	chunk[1] = (unsigned char)(n >> 8);
	memset(chunk + at, 0, LIST_CHUNK - at);
	return true;
}

/* ---- out of octets ---- */

struct octets {
	const unsigned char *p, *end;
	bool bad;
};

static uint64_t bad(struct octets *o)
{
	o->bad = true;
	o->p = o->end;
	return 0;
}

static uint64_t get_number(struct octets *o)
{
	uint64_t n = 0;
	for (unsigned shift = 0; o->p < o->end; shift += 7) {
		unsigned char c = *o->p++;
		if (c == 0 || (shift == 7 * (NUMBER_MAX - 1) && c > 1))
			return bad(o);
		n |= (uint64_t)(c & 0x7f) << shift;
		if (c <= 0x7f)
			return n;
	}
	return bad(o);
}

static uint64_t get_field(struct octets *o, unsigned bits, unsigned field)
{
	return bits & 1u << field ? get_number(o) : 0;
}

static bool get_record(struct octets *o, const struct entry *before, struct entry *out)
{
	if (o->p == o->end)
		return false;
	const struct row *was = &before->row;
	unsigned bits = *o->p++;
	uint64_t uid = get_field(o, bits, FIELD_UID);
	uint64_t size = get_field(o, bits, FIELD_SIZE);
	uint64_t content = was->content + unfold(get_field(o, bits, FIELD_CONTENT));
	uint64_t modseq = was->modseq + 1 + unfold(get_field(o, bits, FIELD_MODSEQ));
	uint64_t flags = was->flags ^ get_field(o, bits, FIELD_FLAGS);
	uint64_t saved = second_in(content) + unfold(get_field(o, bits, FIELD_SAVED));
	uint64_t date = saved + unfold(get_field(o, bits, FIELD_DATE));
	int64_t minutes = (int64_t)((uint64_t)before->dates.minutes + unfold(get_field(o, bits, FIELD_MINUTES)));
	if (o->bad || uid >= UINT32_MAX - was->uid || size > UINT32_MAX || minutes != (int16_t)minutes)
		return false;
	*out = (struct entry){
		.row = {(uint32_t)(was->uid + 1 + uid), (uint32_t)size, modseq, flags, content},
		.dates = {(int64_t)date, (int64_t)saved, (int16_t)minutes},
	};
	return true;
}

static bool is_zero(const unsigned char *p, size_t n)
{
	return n == 0 || (*p == 0 && memcmp(p, p + 1, n - 1) == 0);
}

bool list_unpack(str bytes, uint32_t from, uint64_t below, struct entry *v, size_t *n)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	if (bytes.n != LIST_CHUNK)
		return false;
	*n = (size_t)(p[0] | p[1] << 8);
	if (*n > LIST_RECORDS)
		return false;
	struct octets o = {p + LIST_PACKED_HEAD, p + LIST_CHUNK, false};
	for (size_t i = 0; i < *n; i++)
		if (!get_record(&o, i ? &v[i - 1] : &nothing, &v[i]))
			return false;
	bool inside = *n == 0 || (v[0].row.uid >= from && v[*n - 1].row.uid < below);
	return inside && is_zero(o.p, (size_t)(o.end - o.p));
}
