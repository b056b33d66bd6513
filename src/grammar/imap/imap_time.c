#include "grammar/imap/imap_time.h"

enum { DAY = 86400 };

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

static uint8_t month(struct imap_lex *x)
{
	uint8_t m = 1;
	if (!date_month_of(cursor_take(&x->in, 3), &m))
		imap_want(x, "a month is written Jan, Feb, Mar, Apr, May, Jun, Jul, Aug, Sep, Oct, Nov or Dec");
	return m;
}

/* -Mon-YYYY behind the day. */
static struct date month_and_year(struct imap_lex *x, unsigned day)
{
	const char *form = "a date is written day-month-year, as in 1-Feb-1994";
	struct date d = {.day = (uint8_t)day};
	imap_char(x, '-', form);
	d.month = month(x);
	imap_char(x, '-', form);
	d.year = (uint16_t)digits(x, 4);
	if (!x->in.bad && !date_valid(d))
		imap_want(x, "there is no such day in this month");
	return x->in.bad ? (struct date){0} : d;
}

struct date imap_date(struct imap_lex *x)
{
	bool quote = imap_eat(x, '"');
	bool two = cursor_left(&x->in) > 1 && ascii_digit((unsigned char)x->in.p[1]);
	struct date d = month_and_year(x, digits(x, two ? 2 : 1));
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
	struct date d = month_and_year(x, day);
	imap_space(x);
	int64_t seconds = clock_time(x);
	imap_space(x);
	int16_t minutes = zone(x);
	imap_char(x, '"', "the closing quote of the date is expected here");
	if (x->in.bad)
		return (struct imap_time){0};
	return (struct imap_time){date_days(d) * DAY + seconds - minutes * 60, minutes};
}

void imap_put_time(buf *out, struct imap_time t)
{
	const int64_t least = -62167219200, most = 253402300799; /* 0000-01-01 and 9999-12-31, local */
	int64_t zone_shift = t.minutes * 60, local;
	if (__builtin_add_overflow(t.seconds, zone_shift, &local))
		local = t.seconds;
	local = local < least ? least : local > most ? most : local;
	int64_t days = local / DAY - (local % DAY < 0), second = local - days * DAY;
	struct date d = date_of_days(days);
	unsigned east = (unsigned)(t.minutes < 0 ? -t.minutes : t.minutes);
	buf_printf(out, "\"%2u-%.*s-%04u ", d.day, STR_ARG(date_month_name(d.month - 1u)), d.year);
	buf_printf(out, "%02d:%02d:%02d %c%02u%02u\"", (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60),
		t.minutes < 0 ? '-' : '+', east / 60, east % 60);
}
