/* Octets that are judged to be a chunk are one: in order, found again, and written as they were. */
#include "account/store/list_record.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const unsigned char *chunk, size_t n, uint32_t from)
{
	unsigned char again[LIST_CHUNK] = {0};
	for (size_t i = 0; i < n; i++) {
		struct entry e;
		list_entry(chunk, i, &e);
		must(e.row.uid >= from && e.row.uid > 0);
		must(i == 0 || list_uid(chunk, i - 1) < e.row.uid);
		must(list_index(chunk, n, e.row.uid) == i);
		list_write(again, i, &e);
	}
	must(memcmp(again, chunk, LIST_CHUNK) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char chunk[LIST_CHUNK] = {0};
	size_t n;
	uint32_t from = size ? data[0] : 0;
	if (size > 0)
		memcpy(chunk, data + 1, size - 1 < LIST_CHUNK ? size - 1 : LIST_CHUNK);
	must(!list_judge(str_of((const char *)data, size), from, UINT64_MAX, &n) || size == LIST_CHUNK);
	if (list_judge(str_of((const char *)chunk, LIST_CHUNK), from, UINT64_MAX, &n))
		look(chunk, n, from);
	return 0;
}
