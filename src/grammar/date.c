#include "grammar/date.h"
#include "base/cursor.h"

enum { DAY = 86400, DAYS_OF_400_YEARS = 146097, DAYS_TO_1970 = 719468 /* since 0000-03-01 */ };

static const struct date first_day = {0, 1, 1}, last_day = {DATE_YEAR_MAX, 12, 31};

static bool is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool date_valid(struct date d)
{
	static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (d.year > DATE_YEAR_MAX || d.month < 1 || d.month > 12)
		return false;
	return d.day >= 1 && d.day <= days[d.month - 1] + (d.month == 2 && is_leap(d.year));
}

/* Years begin in March here, so that the leap day is a year's last day. */
int64_t date_days(struct date d)
{
	must(date_valid(d));
	int64_t year = d.year + 400 - (d.month <= 2); /* 400 years later: never negative */
	int64_t month = (d.month + 9) % 12;
	int64_t day_of_year = (153 * month + 2) / 5 + d.day - 1;
	return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - DAYS_OF_400_YEARS - DAYS_TO_1970;
}

struct date date_of_days(int64_t days)
{
	if (days < date_days(first_day))
		return first_day;
	if (days > date_days(last_day))
		return last_day;
	int64_t since = days + DAYS_TO_1970 + DAYS_OF_400_YEARS;
	int64_t era = since / DAYS_OF_400_YEARS, day = since % DAYS_OF_400_YEARS;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= year * 365 + year / 4 - year / 100;
	int64_t month = (5 * day + 2) / 153;
	struct date d = {.day = (uint8_t)(day - (153 * month + 2) / 5 + 1)};
	d.month = (uint8_t)(month < 10 ? month + 3 : month - 9);
	d.year = (uint16_t)(year + (era - 1) * 400 + (d.month <= 2));
	return d;
}

/* Seconds on the wall clock of the time's zone, kept within the calendar. */
static int64_t local_seconds(struct date_time t)
{
	int64_t first = date_days(first_day) * DAY, last = date_days(last_day) * DAY + DAY - 1, local;
	if (__builtin_add_overflow(t.seconds, (int64_t)t.zone * 60, &local))
		local = t.seconds;
	return local < first ? first : local > last ? last : local;
}

static int64_t floor_days(int64_t seconds)
{
	return (seconds >= 0 ? seconds : seconds - (DAY - 1)) / DAY;
}

struct date date_local(struct date_time t)
{
	return date_of_days(floor_days(local_seconds(t)));
}

/* --- names --- */

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char weekdays[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

str date_month_name(unsigned index)
{
	must(index < 12);
	return str_of(months[index], 3);
}

str date_weekday_name(unsigned index)
{
	must(index < 7);
	return str_of(weekdays[index], 3);
}

bool date_month_of(str name, uint8_t *month)
{
	for (unsigned i = 0; i < 12; i++)
		if (str_istarts(name, date_month_name(i))) {
			*month = (uint8_t)(i + 1);
			return true;
		}
	return false;
}

static bool is_weekday(str name)
{
	for (unsigned i = 0; i < 7; i++)
		if (str_istarts(name, date_weekday_name(i)))
			return true;
	return false;
}

/* --- reading --- */

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A comment from its parenthesis on, nested ones included; one that stays open runs to the end. */
static void skip_comment(cursor *c)
{
	size_t depth = 0;
	do {
		int ch = cursor_next(c);
		if (ch == '\\' && !cursor_done(c))
			cursor_next(c);
		else if (ch == '(')
			depth++;
		else if (ch == ')')
			depth--;
	} while (depth > 0 && !cursor_done(c));
}

static void skip_cfws(cursor *c)
{
	for (;;) {
		cursor_while(c, is_blank);
		if (cursor_peek(c) != '(')
			return;
		skip_comment(c);
	}
}

static void skip_separator(cursor *c)
{
	skip_cfws(c);
	if (cursor_eat(c, '-'))
		skip_cfws(c);
}

/* A number of at most `most` digits; returns how many there were, 0 when none or too many. */
static size_t take_number(cursor *c, size_t most, uint32_t *out)
{
	str s = cursor_while(c, ascii_digit);
	return s.n <= most && str_to_u32(s, out) ? s.n : 0;
}

static bool take_date(cursor *c, struct date *d)
{
	uint32_t day, year;
	if (take_number(c, 2, &day) == 0)
		return false;
	skip_separator(c);
	if (!date_month_of(cursor_while(c, ascii_alpha), &d->month))
		return false;
	skip_separator(c);
	size_t digits = take_number(c, 4, &year);
	if (digits < 2)
		return false;
	if (digits == 2)
		year += year < 50 ? 2000 : 1900;
	else if (digits == 3)
		year += 1900;
	d->day = (uint8_t)day;
	d->year = (uint16_t)year;
	return date_valid(*d);
}

/* ":" and two digits, with the blanks and comments the obsolete form permits. */
static bool take_sixtieth(cursor *c, uint32_t most, uint32_t *out)
{
	skip_cfws(c);
	if (!cursor_eat(c, ':'))
		return false;
	skip_cfws(c);
	return take_number(c, 2, out) > 0 && *out <= most;
}

static bool take_time(cursor *c, int64_t *seconds)
{
	uint32_t hour, minute, second = 0;
	if (take_number(c, 2, &hour) == 0 || hour > 23 || !take_sixtieth(c, 59, &minute))
		return false;
	skip_cfws(c);
	if (cursor_peek(c) == ':' && !take_sixtieth(c, 60, &second))
		return false;
	if (cursor_eat(c, '.'))
		cursor_while(c, ascii_digit);
	*seconds = (int64_t)hour * 3600 + minute * 60 + second;
	return true;
}

/* +hhmm, and the +hh:mm, +hmm and +h that occur. */
static bool take_offset(cursor *c, int32_t *zone)
{
	bool west = cursor_peek(c) == '-';
	uint32_t hours, minutes = 0;
	if (!cursor_eat(c, '+') && !cursor_eat(c, '-'))
		return false;
	size_t digits = take_number(c, 4, &hours);
	if (digits == 0)
		return false;
	if (digits > 2) {
		minutes = hours % 100;
		hours /= 100;
	} else if (cursor_eat(c, ':') && take_number(c, 2, &minutes) == 0) {
		return false;
	}
	uint32_t all = hours * 60 + minutes;
	if (minutes > 59 || all > DATE_ZONE_MAX || (west && all == 0))
		return false;
	*zone = west ? -(int32_t)all : (int32_t)all;
	return true;
}

/* RFC 5322 section 4.3: every name but these is as good as -0000, military letters included. */
static bool named_zone(str name, int32_t *zone)
{
	static const struct {
		char name[4];
		int32_t hours;
	} zones[] = {
		{"UT", 0},   {"GMT", 0},  {"UTC", 0},  {"Z", 0},    {"EST", -5}, {"EDT", -4},
		{"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7},
	};
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
		if (str_ieq(name, str_from(zones[i].name))) {
			*zone = zones[i].hours * 60;
			return true;
		}
	return false;
}

/* "+0200", "EST", or "GMT+0200", where the number counts. */
static bool take_zone(cursor *c, int32_t *zone)
{
	str name = cursor_while(c, ascii_alpha);
	int next = cursor_peek(c);
	if (next == '+' || next == '-')
		return take_offset(c, zone);
	return named_zone(name, zone);
}

result date_parse(str s, struct date_time *out)
{
	cursor c = cursor_on(s);
	struct date d;
	int64_t seconds = 0;
	struct date_time t = {0};
	skip_cfws(&c);
	str word = cursor_while(&c, ascii_alpha);
	if (word.n > 0 && !is_weekday(word))
		return failure(FAIL_INPUT, "the date begins with a word that is no weekday");
	cursor_eat(&c, '.');
	skip_cfws(&c);
	cursor_eat(&c, ',');
	skip_cfws(&c);
	if (!take_date(&c, &d))
		return failure(FAIL_INPUT, "the date has no valid day, month and year");
	skip_cfws(&c);
	if (!cursor_done(&c) && !take_time(&c, &seconds))
		return failure(FAIL_INPUT, "the date has no valid time of day");
	skip_cfws(&c);
	t.zone_unknown = !take_zone(&c, &t.zone);
	t.seconds = date_days(d) * DAY + seconds - (int64_t)t.zone * 60;
	*out = t;
	return OK;
}

/* --- printing --- */

static void put_two(buf *out, unsigned n)
{
	buf_putc(out, (char)('0' + n / 10 % 10));
	buf_putc(out, (char)('0' + n % 10));
}

static void put_zone(buf *out, struct date_time t)
{
	bool west = t.zone < 0 || t.zone_unknown;
	unsigned minutes = t.zone_unknown ? 0 : (unsigned)(t.zone < 0 ? -t.zone : t.zone);
	buf_putc(out, west ? '-' : '+');
	put_two(out, minutes / 60);
	put_two(out, minutes % 60);
}

void date_print(buf *out, struct date_time t)
{
	must(t.zone >= -DATE_ZONE_MAX && t.zone <= DATE_ZONE_MAX);
	int64_t local = local_seconds(t), days = floor_days(local);
	unsigned second = (unsigned)(local - days * DAY);
	struct date d = date_of_days(days);
	/* 1970-01-01 was a Thursday; the sum is positive for every day of the calendar. */
	buf_put(out, date_weekday_name((unsigned)((days + 4 + 7 * DAYS_TO_1970) % 7)));
	buf_put(out, STR(", "));
	buf_put_u64(out, d.day);
	buf_putc(out, ' ');
	buf_put(out, date_month_name(d.month - 1u));
	buf_putc(out, ' ');
	put_two(out, d.year / 100u);
	put_two(out, d.year % 100u);
	buf_putc(out, ' ');
	put_two(out, second / 3600);
	buf_putc(out, ':');
	put_two(out, second / 60 % 60);
	buf_putc(out, ':');
	put_two(out, second % 60);
	buf_putc(out, ' ');
	put_zone(out, t);
}
