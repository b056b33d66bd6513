#include "grammar/mime/mime_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA arena a = arena_new(MIME_ARENA_MAX);
	str text = str_of((const char *)data, size);
	struct mime_table t;
	must(!failed(mime_parse(text, &a, &t)));
	mime_check(text, &t);
	uint32_t numbers[4];
	for (size_t i = 0; i < 4; i++)
		numbers[i] = size > i ? data[i] % 4 : 1;
	for (size_t n = 0; n <= 4; n++) {
		uint32_t part = mime_section(&t, numbers, n);
		must(part == MIME_NONE || part < t.n);
		must(part == MIME_NONE || mime_inner(&t, part) == MIME_NONE || mime_inner(&t, part) < t.n);
	}
	return 0;
}
