/* Octets that are taken for a chunk are one: in order, and packed as they were. */
#include "account/store/list_pack.h"

#include <stddef.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const struct entry *v, size_t n, const unsigned char *chunk, uint32_t from)
{
	unsigned char again[LIST_CHUNK];
	size_t octets = LIST_PACKED_HEAD;
	for (size_t i = 0; i < n; i++) {
		must(v[i].row.uid >= from && v[i].row.uid > (i ? v[i - 1].row.uid : 0));
		octets += list_packed(i ? &v[i - 1] : NULL, &v[i]);
	}
	must(octets <= LIST_CHUNK);
	must(list_pack(v, n, again));
	must(memcmp(again, chunk, LIST_CHUNK) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct entry v[LIST_RECORDS];
	unsigned char chunk[LIST_CHUNK] = {0};
	size_t n;
	uint32_t from = size ? data[0] : 0;
	if (size > 0)
		memcpy(chunk, data + 1, size - 1 < LIST_CHUNK ? size - 1 : LIST_CHUNK);
	must(!list_unpack(str_of((const char *)data, size), from, UINT64_MAX, v, &n) || size == LIST_CHUNK);
	if (list_unpack(str_of((const char *)chunk, LIST_CHUNK), from, UINT64_MAX, v, &n))
		look(v, n, chunk, from);
	return 0;
}
