#include "account/store/list_record.h"

#include <endian.h>

enum {
	AT_UID = 0,
	AT_SIZE = 4,
	AT_CONTENT = 8,
	AT_MODSEQ = 16,
	AT_FLAGS = 22,
	AT_DATE = 30,
	AT_MINUTES = 35,
	AT_SAVED = 37,
};
_Static_assert(AT_SAVED + 5 == LIST_RECORD, "a record's fields fill it");

static uint32_t u32_at(const unsigned char *p)
{
	uint32_t n;
	memcpy(&n, p, sizeof n);
	return le32toh(n);
}

static uint64_t u64_at(const unsigned char *p)
{
	uint64_t n;
	memcpy(&n, p, sizeof n);
	return le64toh(n);
}

static void put_number(unsigned char *p, unsigned octets, uint64_t n)
{
	for (unsigned i = 0; i < octets; i++, n >>= 8)
		p[i] = (unsigned char)n;
}

/* No calendar reaches what does not fit. */
static void put_date(unsigned char *p, int64_t date)
{
	put_number(p, 5, (uint64_t)(date > LIST_DATE_MAX ? LIST_DATE_MAX : date < LIST_DATE_MIN ? LIST_DATE_MIN : date));
}

static const unsigned char *record(const unsigned char *chunk, size_t i)
{
	return chunk + i * LIST_RECORD;
}

uint32_t list_uid(const unsigned char *chunk, size_t i)
{
	return u32_at(record(chunk, i) + AT_UID);
}

/* A number of five octets is the lower or the upper part of eight in the same record. */
void list_entry(const unsigned char *chunk, size_t i, struct entry *out)
{
	const unsigned char *p = record(chunk, i);
	*out = (struct entry){
		.row =
			{
				.uid = u32_at(p + AT_UID),
				.size = u32_at(p + AT_SIZE),
				.modseq = u64_at(p + AT_MODSEQ) & LIST_MODSEQ_MAX,
				.flags = u64_at(p + AT_FLAGS),
				.content = u64_at(p + AT_CONTENT),
			},
		.dates =
			{
				.date = (int64_t)(u64_at(p + AT_DATE) << 24) >> 24,
				.saved = (int64_t)u64_at(p + AT_SAVED - 3) >> 24,
				.minutes = (int16_t)(u32_at(p + AT_MINUTES) & UINT16_MAX),
			},
	};
}

void list_write(unsigned char *chunk, size_t i, const struct entry *e)
{
	unsigned char *p = chunk + i * LIST_RECORD;
	must(e->row.modseq <= LIST_MODSEQ_MAX);
	put_number(p + AT_UID, 4, e->row.uid);
	put_number(p + AT_SIZE, 4, e->row.size);
	put_number(p + AT_CONTENT, 8, e->row.content);
	put_number(p + AT_MODSEQ, 6, e->row.modseq);
	put_number(p + AT_FLAGS, 8, e->row.flags);
	put_date(p + AT_DATE, e->dates.date);
	put_date(p + AT_SAVED, e->dates.saved);
	put_number(p + AT_MINUTES, 2, (uint16_t)e->dates.minutes);
}

static bool is_zero(const unsigned char *p, size_t n)
{
	return n == 0 || (*p == 0 && memcmp(p, p + 1, n - 1) == 0);
}

bool list_judge(str bytes, uint32_t from, uint64_t below, size_t *n)
{
	const unsigned char *v = (const unsigned char *)bytes.p;
	if (bytes.n != LIST_CHUNK)
		return false;
	uint64_t least = from > 0 ? from : 1;
	size_t i = 0;
	for (; i < LIST_RECORDS; i++) {
		uint32_t uid = list_uid(v, i);
		if (uid == 0)
			break;
		if (uid < least || uid >= below)
			return false;
		least = (uint64_t)uid + 1;
	}
	*n = i;
	return is_zero(record(v, i), LIST_CHUNK - i * LIST_RECORD);
}

size_t list_index(const unsigned char *chunk, size_t n, uint32_t uid)
{
	size_t low = 0, high = n;
	while (low < high) {
		size_t mid = (low + high) / 2;
		if (list_uid(chunk, mid) < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}
