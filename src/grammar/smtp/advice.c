#include "grammar/smtp/advice.h"

enum meaning {
	NONE,
#define MEANING(NUMBER, ID, NAME, FAULT, WHAT, REMEDY) ID = (NUMBER),
#include "grammar/smtp/advice_meanings.h"
#undef MEANING
};

static const struct advice meanings[ADVICE_MAX] = {
#define MEANING(NUMBER, ID, NAME, FAULT, WHAT, REMEDY) [NUMBER] = {NAME, WHAT, REMEDY, ADVICE_##FAULT},
#include "grammar/smtp/advice_meanings.h"
#undef MEANING
};

struct pattern {
	enum meaning means;
	uint16_t code;
	const char *status, *host, *words;
};

static const struct pattern patterns[] = {
#define PATTERN(...) {__VA_ARGS__},
#include "grammar/smtp/advice_patterns.h"
#undef PATTERN
};

static bool code_fits(uint16_t want, uint16_t code)
{
	return want == 0 || want == code || (want < 10 && want == code / 100);
}

/* "x.7.2" fits 5.7.2 and 4.7.2, not 5.7.26; "x.7" fits all of 5.7. */
static bool status_fits(const char *want, str status)
{
	str w = str_from(want);
	if (!want)
		return true;
	bool begins = str_ends(w, STR("*"));
	w.n -= begins;
	if (status.n < w.n || (w.p[0] != 'x' && w.p[0] != status.p[0]))
		return false;
	bool ends = status.n == w.n || status.p[w.n] == '.' || begins;
	return ends && str_eq(str_skip(str_sub(status, 0, w.n), 1), str_skip(w, 1));
}

static bool host_fits(const char *want, str host)
{
	if (!want)
		return true;
	if (str_ends(host, STR(".")))
		host.n--;
	return str_iends(host, str_from(want)) || str_ieq(host, str_from(want + 1));
}

/* Our own words name servers and domains, so they are looked at only where a status says what they are about. */
static bool words_fit(const struct pattern *p, const struct advice_reply *r)
{
	str rest = str_from(p->words);
	if (r->code == 0 && p->words && !p->status)
		return false;
	while (rest.n > 0) {
		size_t end = str_chr(rest, '|');
		if (str_ifind(r->text, str_sub(rest, 0, end)) != STR_NONE)
			return true;
		rest = end == STR_NONE ? str_sub(rest, 0, 0) : str_skip(rest, end + 1);
	}
	return !p->words;
}

uint16_t advice_find(const struct advice_reply *r)
{
	bool negative = r->code >= 400 || (r->code == 0 && r->status.n > 0 && r->status.p[0] >= '4');
	for (size_t i = 0; negative && i < sizeof patterns / sizeof *patterns; i++) {
		const struct pattern *p = &patterns[i];
		if (code_fits(p->code, r->code) && status_fits(p->status, r->status) && host_fits(p->host, r->host) &&
		    words_fit(p, r))
			return (uint16_t)p->means;
	}
	return NONE;
}

const struct advice *advice_at(uint16_t number)
{
	return number < ADVICE_MAX && meanings[number].name ? &meanings[number] : NULL;
}

const char *advice_fault_sentence(enum advice_fault f)
{
	switch (f) {
	case ADVICE_NOBODY:
		break;
	case ADVICE_SENDER:
		return "The cause is in the address or the message.";
	case ADVICE_RECIPIENT:
		return "The cause is at the recipient's mailbox.";
	case ADVICE_THERE:
		return "The cause is at the recipient's server.";
	case ADVICE_HERE:
		return "The cause is at this server, not at the recipient and not in your message.";
	}
	return "It is nobody's fault.";
}
