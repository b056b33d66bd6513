#include "relay/trouble.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "relay/limits.h"

str say(arena *a, const char *format, ...)
{
	char text[RELAY_TEXT_MAX + 1];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	must(n >= 0);
	return printable(a, str_of(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
}

struct trouble trouble_later(str status, str text)
{
	return (struct trouble){.status = status, .text = text};
}

struct trouble trouble_lasting(str status, str text)
{
	return (struct trouble){.lasting = true, .status = status, .text = text};
}

static void put_character(buf *out, str text, size_t *at)
{
	uint32_t c;
	size_t n = str_utf8_at(text, *at, &c);
	if (n == 0)
		buf_putc(out, '?');
	else if (c < 32 || c == 127)
		buf_putc(out, ' ');
	else
		buf_put(out, str_sub(text, *at, n));
	*at += n ? n : 1;
}

str printable(arena *a, str text)
{
	AUTO_BUF buf out = buf_new(RELAY_TEXT_MAX);
	for (size_t at = 0; at < text.n && !out.broken;)
		put_character(&out, text, &at);
	str kept = arena_dup(a, buf_str(&out));
	return kept.p || out.n == 0 ? kept : STR("(no memory for the text)");
}

static str status_of(arena *a, const struct smtp_reply *r)
{
	unsigned class = r->code / 100;
	if (r->status[0])
		return say(a, "%u.%u.%u", r->status[0], r->status[1], r->status[2]);
	return class == 2 ? STR("2.0.0") : class == 5 ? STR("5.0.0") : STR("4.0.0");
}

struct trouble trouble_of_reply(arena *a, const struct smtp_reply *r, str text)
{
	return (struct trouble){
		.lasting = r->code / 100 == 5,
		.code = (uint16_t)r->code,
		.status = r->code / 100 == 4 || r->code / 100 == 5 ? status_of(a, r) : STR("4.5.0"),
		.text = printable(a, text),
		.slow_down = r->code == 421,
	};
}

struct queue_relay_outcome outcome_of_trouble(const struct trouble *t)
{
	return (struct queue_relay_outcome){
		.verdict = t->lasting ? QUEUE_RELAY_VERDICT_FAILED : QUEUE_RELAY_VERDICT_LATER,
		.code = t->code,
		.status = t->status,
		.text = t->text,
	};
}

struct queue_relay_outcome outcome_of_reply(arena *a, const struct smtp_reply *r, str text)
{
	if (r->code / 100 != 2) {
		struct trouble t = trouble_of_reply(a, r, text);
		return outcome_of_trouble(&t);
	}
	return (struct queue_relay_outcome){.verdict = QUEUE_RELAY_VERDICT_DELIVERED, .code = (uint16_t)r->code,
		.status = status_of(a, r), .text = printable(a, text)};
}
