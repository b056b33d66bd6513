#include "base/log.h"

static const struct log_meaning meanings[] = {
#define EVENT(ID, LEVEL, NAME, MEANING) [ID] = {LEVEL, NAME, MEANING, .audit = false},
#define AUDIT(ID, LEVEL, NAME, MEANING) [ID] = {LEVEL, NAME, MEANING, .audit = true},
#define PROMPT(ID, LEVEL, NAME, MEANING) [ID] = {LEVEL, NAME, MEANING, .prompt = true},
#include "base/log_events.h"
#undef EVENT
};

static void (*sink)(void *, str);
static void *sink_ctx;

void log_set_sink(void (*to)(void *ctx, str record), void *ctx)
{
	sink = to;
	sink_ctx = ctx;
}

const struct log_meaning *log_meaning_of(unsigned event)
{
	return event < LOG_EVENTS ? &meanings[event] : NULL;
}

static size_t space(const struct log_octets *r)
{
	return sizeof r->p - r->n;
}

static void put(struct log_octets *r, const void *p, size_t n)
{
	if (n > space(r))
		n = space(r);
	if (n)
		memcpy(r->p + r->n, p, n);
	r->n += n;
}

static void put_number(struct log_octets *r, uint64_t v, size_t bytes)
{
	char le[8];
	for (size_t i = 0; i < 8; i++)
		le[i] = (char)(v >> (8 * i) & 0xff);
	put(r, le, bytes);
}

static void put_field(struct log_octets *r, const struct log_field *f)
{
	size_t name = strlen(f->name);
	size_t room = space(r);
	if (name > 255 || room < 2 + name + 8)
		return; /* a whole field or none: a cut one could not be decoded */
	put_number(r, name, 1);
	put(r, f->name, name);
	put(r, &f->type, 1);
	if (f->type != 's') {
		put_number(r, f->number, 8);
		return;
	}
	size_t text = f->text.n < space(r) - 2 ? f->text.n : space(r) - 2;
	if (text > UINT16_MAX)
		text = UINT16_MAX;
	put_number(r, text, 2);
	put(r, f->text.p, text);
}

bool trace_is_none(const trace_id *id)
{
	static const trace_id none;
	return memcmp(id, &none, sizeof none) == 0;
}

void log_encode(enum log_name event, const trace_id *trace, const struct log_field *fields, struct log_octets *out)
{
	static const trace_id none;
	out->n = 0;
	put_number(out, (uint64_t)event, 2);
	put(out, trace ? trace->b : none.b, sizeof none.b);
	for (const struct log_field *f = fields; f->name; f++)
		put_field(out, f);
}

void log_fields(enum log_name event, const trace_id *trace, const struct log_field *fields)
{
	struct log_octets r;
	if (!sink)
		return;
	log_encode(event, trace, fields, &r);
	sink(sink_ctx, str_of(r.p, r.n));
}
