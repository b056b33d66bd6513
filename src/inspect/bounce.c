#include "inspect/bounce.h"

#include "grammar/mime/facts.h"
#include "grammar/mime/words.h"
#include "grammar/smtp/dsn.h"
#include "inspect/signing.h"

enum {
	REPORT_MAX = ASKER_INSPECT_BOUNCED_MESSAGE_MAX,
	SUBJECT_READ_MAX = 1000, /* octets of the field that are looked at */
};

_Static_assert((int)DSN_EXPANDED == (int)ASKER_INSPECT_BOUNCE_ACTION_EXPANDED &&
	       (int)DSN_DELIVERED == (int)ASKER_INSPECT_BOUNCE_ACTION_DELIVERED,
	       "actions stand in the same order in both declarations");

static result copy_rows(const struct asker_inspect_bounce *m, arena *a, struct dsn *d)
{
	struct dsn_row *rows = arena_array(a, m->rows.n + 1, sizeof *rows);
	if (!rows)
		return arena_result(a);
	for (size_t i = 0; i < m->rows.n; i++) {
		const struct asker_inspect_bounce_row *r = &m->rows.p[i];
		rows[i] = (struct dsn_row){.address = r->address, .orcpt = r->orcpt, .action = (enum dsn_action)r->action,
			.status = r->status, .host = r->host, .diagnostic = r->diagnostic, .code = r->code, .advice = r->advice,
			.last = r->last, .until = r->until};
	}
	d->rows = rows;
	d->n = m->rows.n;
	return OK;
}

static void decode_subject(struct charsets *c, str original, buf *out)
{
	struct header_walk w = {.text = original};
	struct header_field f;
	while (header_next(&w, &f)) {
		if (f.id != HEADER_SUBJECT)
			continue;
		words_decode(c, STR(""), str_sub(f.value, 0, SUBJECT_READ_MAX), out);
		return;
	}
}

static result print(struct bounce *b, arena *a, buf *out)
{
	const struct asker_inspect_bounce *m = b->asked;
	AUTO_BUF buf subject = buf_new(8 * SUBJECT_READ_MAX);
	struct dsn_made how;
	struct dsn d = {.to = m->to, .from_domain = m->from_domain, .reporting_mta = m->reporting_mta,
		.message_id = m->message_id, .now = m->now, .arrived = m->arrived, .envid = m->envid, .whole = m->whole,
		.utf8 = m->utf8, .original = m->message.bytes};
	decode_subject(b->charsets, d.original, &subject);
	if (subject.broken == FAIL_MEMORY)
		return buf_result(&subject);
	d.subject = buf_str(&subject);
	TRY(copy_rows(m, a, &d));
	dsn_print(out, &d, &how);
	b->answer->utf8 = how.utf8;
	b->answer->eight_bit = how.eight_bit;
	return buf_result(out);
}

static result examine(struct bounce *b, str report, arena *a)
{
	const struct facts_wants wants = {.charsets = b->charsets, .search_text = true};
	AUTO_BUF buf encoded = buf_new(ASKER_INSPECT_BOUNCED_FACTS_MAX);
	struct facts facts;
	TRY(facts_of(report, &wants, a, &facts));
	facts_encode(&facts, &encoded);
	TRY(buf_result(&encoded));
	b->answer->facts = body_of(arena_dup(b->out, buf_str(&encoded)));
	return arena_result(b->out);
}

static result prepare_signatures(struct bounce *b, str report)
{
	const struct signing_wish wish = {.message = report, .domain = b->asked->from_domain, .now = b->asked->now,
		.signers = b->asked->signers.p, .n = b->asked->signers.n};
	struct asker_inspect_signature *p = NULL;
	TRY(signing_digests(&wish, b->out, &p, &b->answer->signatures.n));
	b->answer->signatures.p = p;
	return OK;
}

/* Short ones travel in the answer's memory, long ones in a memfd. */
static result keep(struct bounce *b, str report)
{
	struct body body = body_of(report);
	if (report.n > TALK_INLINE_MAX)
		TRY(body_share(&body));
	else
		body.bytes = arena_dup(b->out, report);
	b->answer->message = body;
	return arena_result(b->out);
}

static result write_report(struct bounce *b)
{
	AUTO_ARENA arena a = arena_new(FACTS_ARENA_MAX);
	AUTO_BUF buf report = buf_new(REPORT_MAX);
	TRY(print(b, &a, &report));
	TRY(examine(b, buf_str(&report), &a));
	TRY(prepare_signatures(b, buf_str(&report)));
	return keep(b, buf_str(&report));
}

void bounce_write(void *arg)
{
	struct bounce *b = arg;
	b->result = write_report(b);
}
