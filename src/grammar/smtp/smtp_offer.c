#include "grammar/smtp/smtp_offer.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The next word of the line; false at its end. */
static bool next_word(str *rest, str *word)
{
	size_t from = 0, n = 0;
	while (from < rest->n && is_blank(rest->p[from]))
		from++;
	while (from + n < rest->n && !is_blank(rest->p[from + n]))
		n++;
	*word = str_sub(*rest, from, n);
	*rest = str_skip(*rest, from + n);
	return n > 0;
}

/* "SIZE" alone offers the extension and names no limit. */
static void read_size(str rest, struct smtp_offer *out)
{
	str word;
	uint64_t n = 0;
	if (next_word(&rest, &word) && !str_to_u64(word, &n))
		return;
	out->has |= SMTP_CAN_SIZE;
	out->size = n;
}

static void read_deliver_by(str rest, struct smtp_offer *out)
{
	str word;
	uint64_t n = 0;
	if (next_word(&rest, &word) && !str_to_u64(str_sub(word, 0, str_chr(word, ',')), &n))
		return;
	out->has |= SMTP_CAN_DELIVERBY;
	out->by_min = n;
}

static void read_auth(str rest, struct smtp_offer *out)
{
	str word;
	while (next_word(&rest, &word)) {
		if (str_ieq(word, STR("PLAIN")))
			out->has |= SMTP_CAN_AUTH_PLAIN;
		else if (str_ieq(word, STR("LOGIN")))
			out->has |= SMTP_CAN_AUTH_LOGIN;
	}
}

/* A limit of zero would forbid all mail: it counts as not said. */
static void read_limits(str rest, struct smtp_offer *out)
{
	const struct {
		str name;
		uint32_t *to;
	} known[] = {
		{STR("MAILMAX="), &out->mail_max},
		{STR("RCPTMAX="), &out->rcpt_max},
		{STR("RCPTDOMAINMAX="), &out->domain_max},
	};
	str word;
	while (next_word(&rest, &word)) {
		for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
			uint32_t n;
			if (str_istarts(word, known[i].name) && str_to_u32(str_skip(word, known[i].name.n), &n))
				*known[i].to = n;
		}
	}
}

static const struct {
	str name;
	unsigned bit; /* of a keyword without arguments */
	void (*read)(str rest, struct smtp_offer *out);
} keywords[] = {
	{STR_INIT("PIPELINING"), SMTP_CAN_PIPELINING, NULL},
	{STR_INIT("8BITMIME"), SMTP_CAN_8BITMIME, NULL},
	{STR_INIT("SIZE"), 0, read_size},
	{STR_INIT("STARTTLS"), SMTP_CAN_STARTTLS, NULL},
	{STR_INIT("CHUNKING"), SMTP_CAN_CHUNKING, NULL},
	{STR_INIT("BINARYMIME"), SMTP_CAN_BINARYMIME, NULL},
	{STR_INIT("SMTPUTF8"), SMTP_CAN_SMTPUTF8, NULL},
	{STR_INIT("DSN"), SMTP_CAN_DSN, NULL},
	{STR_INIT("ENHANCEDSTATUSCODES"), SMTP_CAN_ENHANCED, NULL},
	{STR_INIT("REQUIRETLS"), SMTP_CAN_REQUIRETLS, NULL},
	{STR_INIT("DELIVERBY"), 0, read_deliver_by},
	{STR_INIT("AUTH"), 0, read_auth},
	{STR_INIT("LIMITS"), 0, read_limits},
};

static void read_line(str line, struct smtp_offer *out)
{
	str word;
	if (str_istarts(line, STR("AUTH="))) {
		read_auth(str_skip(line, sizeof "AUTH=" - 1), out);
		return;
	}
	if (!next_word(&line, &word))
		return;
	for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
		if (!str_ieq(word, keywords[i].name))
			continue;
		out->has |= keywords[i].bit;
		if (keywords[i].read)
			keywords[i].read(line, out);
	}
}

void smtp_offer_read(str text, struct smtp_offer *out)
{
	*out = (struct smtp_offer){0};
	for (size_t lf = str_chr(text, '\n'); lf != STR_NONE;) {
		text = str_skip(text, lf + 1);
		lf = str_chr(text, '\n');
		read_line(str_sub(text, 0, lf), out);
	}
}
