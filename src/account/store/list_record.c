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

/* A number of five octets is the lower or the upper part of eight in the same record. */
void record_get(const unsigned char *p, struct entry *out)
{
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

void record_put(unsigned char *p, const struct entry *e)
{
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
