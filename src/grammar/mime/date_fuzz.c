/* Properties: what is read prints as a date that reads the same; any moment in
 * any zone from the year 200 on survives printing and reading (the years before
 * are read as what date.c says they mean). */
#include "grammar/mime/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round(struct date_time t)
{
	AUTO_BUF buf b = buf_new(100);
	struct date_time again;
	date_print(&b, t);
	must(!failed(buf_result(&b)) && b.n <= 31);
	must(!failed(date_parse(buf_str(&b), &again)));
	must(again.seconds == t.seconds && again.zone == t.zone && again.zone_unknown == t.zone_unknown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct date_time t;
	int64_t first = date_days((struct date){200, 1, 2}) * 86400,
		last = date_days((struct date){9999, 12, 30}) * 86400;
	if (!failed(date_parse(str_of((const char *)data, size), &t)) && t.seconds >= first && t.seconds <= last)
		check_round(t);
	if (size >= 10) {
		uint64_t seconds;
		uint16_t zone;
		memcpy(&seconds, data, 8);
		memcpy(&zone, data + 8, 2);
		t.seconds = first + (int64_t)(seconds % (uint64_t)(last - first));
		t.zone = zone % (2 * DATE_ZONE_MAX + 1) - DATE_ZONE_MAX;
		t.zone_unknown = false;
		check_round(t);
	}
	return 0;
}
