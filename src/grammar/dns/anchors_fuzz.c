/* Each record is one line, has no comment or parenthesis, and reads as itself. */
#include "grammar/dns/anchors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF buf r = buf_new(ANCHOR_RECORD_MAX), again = buf_new(ANCHOR_RECORD_MAX);
	struct anchors a = anchors_on(str_of((const char *)data, size));
	while (!failed(anchors_next(&a, &r)) && r.n > 0) {
		struct anchors b = anchors_on(buf_str(&r));
		for (size_t i = 0; i < r.n; i++)
			must((unsigned char)r.p[i] >= ' ' && !strchr(";()", r.p[i]));
		must(!failed(anchors_next(&b, &again)) && str_eq(buf_str(&r), buf_str(&again)));
	}
	must(a.records <= ANCHOR_RECORDS_MAX);
	return 0;
}
