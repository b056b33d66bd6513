#include "edge/sasl.h"

#include "edge/offers.h"
#include "grammar/text/base64.h"
#include "grammar/text/sasl.h"
#include "grammar/text/scram.h"

static bool always(const struct client *c)
{
	(void)c;
	return true;
}

static bool is_encrypted(const struct client *c)
{
	return stream_tls(c->stream) != NULL;
}

static bool has_scram(const struct offers *o)
{
	return o->scram;
}

/* What is possible only for those whom it is made for. */
static bool if_possible(const struct offers *o)
{
	(void)o;
	return true;
}

static result run_scram(const struct sasl_carrier *c, buf *user, struct login_answer *out)
{
	return scram_run(c, false, user, out);
}

static result run_scram_plus(const struct sasl_carrier *c, buf *user, struct login_answer *out)
{
	return scram_run(c, true, user, out);
}

static const struct {
	const char *name;
	bool (*possible)(const struct client *c); /* in this session; else it is refused */
	bool (*useful)(const struct offers *o);   /* else it is not offered */
	result (*run)(const struct sasl_carrier *c, buf *user, struct login_answer *out);
} mechanisms[SASL_MECHANISMS] = {
	[SASL_SCRAM] = {"SCRAM-SHA-256", always, has_scram, run_scram},
	[SASL_SCRAM_PLUS] = {"SCRAM-SHA-256-PLUS", is_encrypted, has_scram, run_scram_plus},
	[SASL_EXTERNAL] = {"EXTERNAL", external_is_possible, if_possible, external_run},
};

enum sasl_mechanism sasl_find(const struct client *c, str name)
{
	for (int m = 0; m < SASL_MECHANISMS; m++)
		if (str_ieq(name, str_from(mechanisms[m].name)) && mechanisms[m].possible(c))
			return (enum sasl_mechanism)m;
	return SASL_OTHER;
}

void sasl_put_mechanisms(const struct client *c, str before, buf *out)
{
	const struct offers *o = offers_for(c);
	for (int m = 0; m < SASL_MECHANISMS; m++) {
		if (!mechanisms[m].possible(c) || !mechanisms[m].useful(o))
			continue;
		buf_putc(out, ' ');
		buf_put(out, before);
		buf_put(out, str_from(mechanisms[m].name));
	}
}

result sasl_run(const struct sasl_carrier *c, enum sasl_mechanism m, buf *user, struct login_answer *out)
{
	if (login_is_banned(c->client, out))
		return OK;
	must(m < SASL_MECHANISMS);
	return mechanisms[m].run(c, user, out);
}

/* ---- the client's side of the wire ---- */

result sasl_say(const struct sasl_carrier *c, str message)
{
	AUTO_BUF buf line = buf_new(2 * SCRAM_MESSAGE_MAX);
	buf_put(&line, c->before);
	base64_encode(&line, message, 0);
	buf_put(&line, STR("\r\n"));
	TRY(buf_result(&line));
	return stream_write(c->client->stream, buf_str(&line));
}

result sasl_hear(const struct sasl_carrier *c, buf *out)
{
	str line;
	result r = stream_read_line(c->client->stream, SASL_LINE_MAX, c->end, &line);
	if (r.kind == FAIL_LIMIT)
		return failure(FAIL_INPUT, "the login message is too long");
	TRY(r);
	TRY(sasl_decode(line, out));
	return out->n <= SCRAM_MESSAGE_MAX ? OK : failure(FAIL_INPUT, "the login message is too long");
}

result sasl_hear_first(const struct sasl_carrier *c, buf *out)
{
	if (!c->has_initial) {
		TRY(sasl_say(c, (str){NULL, 0}));
		return sasl_hear(c, out);
	}
	if (str_eq(c->initial, STR("="))) /* empty (RFC 4954 section 4, RFC 4959 section 3) */
		return OK;
	TRY(sasl_decode(c->initial, out));
	return out->n <= SCRAM_MESSAGE_MAX ? OK : failure(FAIL_INPUT, "the login message is too long");
}

result sasl_later(struct login_answer *out, result r)
{
	*out = login_unanswered;
	return r.kind == FAIL_CANCELLED ? r : OK;
}
