#include "grammar/imap_time.h"

enum { DAY = 86400, DAYS_400_YEARS = 146097, DAYS_TO_1970 = 719468 /* from 0000-03-01 */ };

static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static bool leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_in(unsigned year, unsigned month)
{
	static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return month == 2 && leap(year) ? 29 : days[month - 1];
}

/* Years are counted from March, so that the leap day ends them. */
int64_t imap_date_days(struct imap_date d)
{
	int64_t y = d.month <= 2 ? (int64_t)d.year - 1 : d.year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year = y - era * 400;
	int64_t month = (d.month + 9) % 12;
	int64_t day = (153 * month + 2) / 5 + d.day - 1;
	return era * DAYS_400_YEARS + year * 365 + year / 4 - year / 100 + day - DAYS_TO_1970;
}

struct imap_date imap_date_of_days(int64_t days)
{
	int64_t z = days + DAYS_TO_1970;
	int64_t era = (z >= 0 ? z : z - (DAYS_400_YEARS - 1)) / DAYS_400_YEARS;
	int64_t of_era = z - era * DAYS_400_YEARS;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t day = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * day + 2) / 153;
	struct imap_date d = {.day = (uint8_t)(day - (153 * month + 2) / 5 + 1)};
	d.month = (uint8_t)(month < 10 ? month + 3 : month - 9);
	d.year = (uint16_t)(year + era * 400 + (d.month <= 2));
	return d;
}

static unsigned digits(struct imap_lex *x, size_t n)
{
	unsigned v = 0;
	str s = cursor_take(&x->in, n);
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_digit(str_at(s, i)))
			imap_want(x, "a digit is missing in this date");
		v = v * 10 + (unsigned)(s.p[i] - '0');
	}
	if (s.n < n)
		imap_want(x, "this date ends too early");
	return x->in.bad ? 0 : v;
}

static unsigned month(struct imap_lex *x)
{
	str name = cursor_take(&x->in, 3);
	for (unsigned i = 0; i < 12; i++)
		if (str_ieq(name, str_from(month_names[i])))
			return i + 1;
	imap_want(x, "a month is written Jan, Feb, Mar, Apr, May, Jun, Jul, Aug, Sep, Oct, Nov or Dec");
	return 1;
}

/* -Mon-YYYY behind the day. */
static struct imap_date month_and_year(struct imap_lex *x, unsigned day)
{
	const char *form = "a date is written day-month-year, as in 1-Feb-1994";
	imap_char(x, '-', form);
	unsigned m = month(x);
	imap_char(x, '-', form);
	unsigned year = digits(x, 4);
	if (!x->in.bad && (day < 1 || day > days_in(year, m)))
		imap_want(x, "there is no such day in this month");
	return x->in.bad ? (struct imap_date){0} : (struct imap_date){(uint16_t)year, (uint8_t)m, (uint8_t)day};
}

struct imap_date imap_date(struct imap_lex *x)
{
	bool quote = imap_eat(x, '"');
	bool two = cursor_left(&x->in) > 1 && ascii_digit((unsigned char)x->in.p[1]);
	struct imap_date d = month_and_year(x, digits(x, two ? 2 : 1));
	if (quote)
		imap_char(x, '"', "the closing quote of the date is expected here");
	return d;
}

static int64_t clock_time(struct imap_lex *x)
{
	const char *form = "a time is written hh:mm:ss, as in 02:44:25";
	unsigned hour = digits(x, 2);
	imap_char(x, ':', form);
	unsigned minute = digits(x, 2);
	imap_char(x, ':', form);
	unsigned second = digits(x, 2);
	if (hour > 23 || minute > 59 || second > 60)
		imap_want(x, "there is no such time of day");
	return (int64_t)hour * 3600 + minute * 60 + second;
}

static int16_t zone(struct imap_lex *x)
{
	bool west = imap_eat(x, '-');
	if (!west)
		imap_char(x, '+', "a zone is written +hhmm or -hhmm");
	unsigned hour = digits(x, 2), minute = digits(x, 2);
	if (hour > 23 || minute > 59)
		imap_want(x, "there is no such zone");
	int minutes = (int)(hour * 60 + minute);
	return (int16_t)(west ? -minutes : minutes);
}

struct imap_time imap_date_time(struct imap_lex *x)
{
	imap_char(x, '"', "a date and time in quotes is expected here, as in \"17-Jul-1996 02:44:25 -0700\"");
	unsigned day = digits(x, imap_eat(x, ' ') ? 1 : 2);
	struct imap_date d = month_and_year(x, day);
	imap_space(x);
	int64_t seconds = clock_time(x);
	imap_space(x);
	int16_t minutes = zone(x);
	imap_char(x, '"', "the closing quote of the date is expected here");
	if (x->in.bad)
		return (struct imap_time){0};
	return (struct imap_time){imap_date_days(d) * DAY + seconds - minutes * 60, minutes};
}

void imap_put_time(buf *out, struct imap_time t)
{
	const int64_t least = -62167219200, most = 253402300799; /* 0000-01-01 and 9999-12-31, local */
	int64_t zone_shift = t.minutes * 60, local;
	if (__builtin_add_overflow(t.seconds, zone_shift, &local))
		local = t.seconds;
	local = local < least ? least : local > most ? most : local;
	int64_t days = local / DAY - (local % DAY < 0), second = local - days * DAY;
	struct imap_date d = imap_date_of_days(days);
	unsigned east = (unsigned)(t.minutes < 0 ? -t.minutes : t.minutes);
	buf_printf(out, "\"%2u-%s-%04u %02d:%02d:%02d %c%02u%02u\"", d.day, month_names[d.month - 1], d.year,
		(int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60), t.minutes < 0 ? '-' : '+',
		east / 60, east % 60);
}
