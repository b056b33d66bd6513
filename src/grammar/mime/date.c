#include "grammar/mime/date.h"
#include "grammar/mime/cfws.h"

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

/* --- names --- */

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char weekdays[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

str date_month_name(unsigned index)
{
	must(index < 12);
	return str_of(months[index], 3);
}

static str weekday_name(unsigned index)
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
		if (str_istarts(name, weekday_name(i)))
			return true;
	return false;
}

/* --- reading --- */

static void skip_separator(cursor *c)
{
	cfws_skip(c);
	if (cursor_eat(c, '-'))
		cfws_skip(c);
}

/* A number of at most `most` digits; returns how many there were, 0 when none or too many. */
static size_t take_number(cursor *c, size_t most, uint32_t *out)
{
	str s = cursor_while(c, ascii_digit);
	return s.n <= most && str_to_u32(s, out) ? s.n : 0;
}

/* RFC 5322 4.3: years of two or three digits. 0102 is what programs print that
 * count from 1900 and expect two digits: three digits with a zero in front. */
static bool take_year(cursor *c, struct date *d)
{
	uint32_t year;
	size_t digits = take_number(c, 4, &year);
	if (digits < 2)
		return false;
	if (digits == 2)
		year += year < 50 ? 2000 : 1900;
	else if (digits == 3 || (year >= 100 && year < 200))
		year += 1900;
	d->year = (uint16_t)year;
	return date_valid(*d);
}

static bool take_day(cursor *c, struct date *d)
{
	uint32_t day;
	bool is = take_number(c, 2, &day) > 0;
	d->day = is ? (uint8_t)day : 0;
	return is;
}

/* "21 Nov 1997" */
static bool take_date(cursor *c, struct date *d)
{
	if (!take_day(c, d))
		return false;
	skip_separator(c);
	if (!date_month_of(cursor_while(c, ascii_alpha), &d->month))
		return false;
	skip_separator(c);
	return take_year(c, d);
}

/* "1997-11-21", "1997/11/21": only one order is in use with the year in front. */
static bool take_numeric_date(cursor *c, struct date *d)
{
	uint32_t year, month;
	if (take_number(c, 4, &year) != 4)
		return false;
	char separator = cursor_peek(c) == '/' ? '/' : '-';
	if (!cursor_eat(c, separator) || take_number(c, 2, &month) == 0 || month > 12 || !cursor_eat(c, separator))
		return false;
	d->year = (uint16_t)year;
	d->month = (uint8_t)month;
	return take_day(c, d) && date_valid(*d);
}

/* ":" and two digits, with the blanks and comments the obsolete form permits. */
static bool take_sixtieth(cursor *c, uint32_t most, uint32_t *out)
{
	cfws_skip(c);
	if (!cursor_eat(c, ':'))
		return false;
	cfws_skip(c);
	return take_number(c, 2, out) > 0 && *out <= most;
}

/* "AM" or "PM" behind a time of the twelve-hour clock; behind others it says nothing. */
static void take_half(cursor *c, uint32_t *hour)
{
	cursor look = *c;
	cfws_skip(&look);
	str word = cursor_while(&look, ascii_alpha);
	bool pm = str_ieq(word, STR("PM"));
	if (!pm && !str_ieq(word, STR("AM")))
		return;
	*c = look;
	if (*hour >= 1 && *hour <= 12)
		*hour = *hour % 12 + (pm ? 12 : 0);
}

static bool take_time(cursor *c, int64_t *seconds)
{
	uint32_t hour, minute, second = 0;
	if (take_number(c, 2, &hour) == 0 || hour > 23 || !take_sixtieth(c, 59, &minute))
		return false;
	cfws_skip(c);
	if (cursor_peek(c) == ':' && !take_sixtieth(c, 60, &second))
		return false;
	if (cursor_eat(c, '.'))
		cursor_while(c, ascii_digit);
	take_half(c, &hour);
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

static const result no_date = {FAIL_INPUT, "the date has no valid day, month and year"};
static const result no_time = {FAIL_INPUT, "the date has no valid time of day"};

/* What is read of a date, before it becomes a moment. */
struct reading {
	struct date day;
	int64_t seconds;
	int32_t zone;
	bool zoned;
};

/* The time of day and the zone, both of which may be missing. */
static result take_clock(cursor *c, struct reading *r)
{
	cfws_skip(c);
	if (!cursor_done(c) && !take_time(c, &r->seconds))
		return no_time;
	cfws_skip(c);
	r->zoned = take_zone(c, &r->zone);
	return OK;
}

/* "21 08:18:08 2002" of asctime, the same with a zone before or behind the
 * year, and "21, 2002 08:18:08": what stands behind a month. */
static result take_behind_month(cursor *c, struct reading *r)
{
	skip_separator(c);
	if (!take_day(c, &r->day))
		return no_date;
	skip_separator(c);
	cursor_eat(c, ',');
	cfws_skip(c);
	cursor look = *c;
	if (!take_time(&look, &r->seconds))
		return take_year(c, &r->day) ? take_clock(c, r) : no_date;
	cfws_skip(&look);
	r->zoned = take_zone(&look, &r->zone);
	cfws_skip(&look);
	if (!take_year(&look, &r->day))
		return no_date;
	cfws_skip(&look);
	r->zoned = r->zoned || take_zone(&look, &r->zone);
	return OK;
}

/* "1997-11-21T09:55:06Z", "1997/11/21 Fri 09:55:06 GMT" */
static result take_numeric(cursor *c, struct reading *r)
{
	if (!take_numeric_date(c, &r->day))
		return no_date;
	cfws_skip(c);
	cursor look = *c;
	str word = cursor_while(&look, ascii_alpha);
	if (str_ieq(word, STR("T")) || (word.n > 0 && is_weekday(word)))
		*c = look;
	return take_clock(c, r);
}

static result take_all(cursor *c, struct reading *r)
{
	cfws_skip(c);
	str word = cursor_while(c, ascii_alpha);
	if (word.n > 0 && date_month_of(word, &r->day.month))
		return take_behind_month(c, r);
	if (word.n > 0 && !is_weekday(word))
		return failure(FAIL_INPUT, "the date begins with a word that is neither weekday nor month");
	cursor_eat(c, '.');
	cfws_skip(c);
	cursor_eat(c, ',');
	cfws_skip(c);
	cursor look = *c;
	if (date_month_of(cursor_while(&look, ascii_alpha), &r->day.month)) {
		*c = look;
		return take_behind_month(c, r);
	}
	if (cursor_while(&look, ascii_digit).n == 4)
		return take_numeric(c, r);
	return take_date(c, &r->day) ? take_clock(c, r) : no_date;
}

result date_parse(str s, struct date_time *out)
{
	cursor c = cursor_on(s);
	struct reading r = {0};
	TRY(take_all(&c, &r));
	*out = (struct date_time){.zone = r.zoned ? r.zone : 0, .zone_unknown = !r.zoned};
	out->seconds = date_days(r.day) * DAY + r.seconds - (int64_t)out->zone * 60;
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
	buf_put(out, weekday_name((unsigned)((days + 4 + 7 * DAYS_TO_1970) % 7)));
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
