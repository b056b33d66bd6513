#include "grammar/text/timestamp.h"
#include "grammar/mime/date.h"

enum { DAY = 86400 };

/* Digits that must be there, as a number; -1 otherwise. */
static int number(str s, size_t at, size_t n)
{
	int v = 0;
	for (size_t i = at; i < at + n; i++) {
		if (i >= s.n || !ascii_digit(str_at(s, i)))
			return -1;
		v = v * 10 + (s.p[i] - '0');
	}
	return v;
}

static bool is_at(str s, size_t at, const char *any)
{
	return at < s.n && s.p[at] != '\0' && strchr(any, s.p[at]);
}

static bool read_date(str s, int64_t *days)
{
	int year = number(s, 0, 4), month = number(s, 5, 2), day = number(s, 8, 2);
	if (year < 0 || month < 1 || day < 1 || !is_at(s, 4, "-") || !is_at(s, 7, "-"))
		return false;
	struct date d = {.year = (uint16_t)year, .month = (uint8_t)month, .day = (uint8_t)day};
	*days = date_valid(d) ? date_days(d) : 0;
	return date_valid(d);
}

static bool read_time(str s, int64_t *seconds)
{
	int hour = number(s, 11, 2), minute = number(s, 14, 2), second = number(s, 17, 2);
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
		return false;
	*seconds = (hour * 60 + minute) * 60 + (second == 60 ? 59 : second);
	return is_at(s, 10, "Tt ") && is_at(s, 13, ":") && is_at(s, 16, ":");
}

/* "Z" or "+01:00", to the end. */
static bool read_zone(str s, int64_t *east)
{
	int hours = number(s, 1, 2), minutes = number(s, 4, 2);
	*east = 0;
	if (s.n == 1)
		return is_at(s, 0, "Zz");
	if (s.n != 6 || !is_at(s, 0, "+-") || !is_at(s, 3, ":") || hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*east = (hours * 60 + minutes) * 60 * (s.p[0] == '-' ? -1 : 1);
	return true;
}

bool timestamp_parse(str s, int64_t *seconds)
{
	int64_t days, time, east;
	size_t i = 19;
	if (!read_date(s, &days) || !read_time(s, &time))
		return false;
	if (is_at(s, i, ".")) {
		while (++i < s.n && ascii_digit(str_at(s, i)))
			;
		if (i == 20)
			return false;
	}
	if (!read_zone(str_skip(s, i), &east))
		return false;
	*seconds = days * DAY + time - east;
	return true;
}

void timestamp_print(buf *out, int64_t seconds)
{
	int64_t days = seconds / DAY - (seconds % DAY < 0);
	unsigned time = (unsigned)(seconds - days * DAY);
	struct date d = date_of_days(days);
	buf_printf(out, "%04u-%02u-%02uT%02u:%02u:%02uZ", d.year, d.month, d.day, time / 3600, time / 60 % 60, time % 60);
}
