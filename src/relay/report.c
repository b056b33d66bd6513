/* Reports: what became of a message, written for its sender and sealed for who
 * reads it.
 *
 * The relay may open the message that is reported on, and knows nobody else's
 * secrets: inspect writes, vault signs what inspect prepared, and the result is
 * sealed like any message in the queue. */
#include "relay/limits.h"
#include "relay/relay.h"
#include "relay/reporter.h"
#include "relay/sealed.h"
#include "run/clock.h"
#include "talk/mail_flags.h"

struct report {
	const struct queue_relay_report *m;
	arena *arena;
	struct reporter from;
	struct asker_inspect_bounced made;
	buf fields; /* printed above the report */
};

static void close_report(struct report *r)
{
	asker_inspect_bounced_release(&r->made);
	buf_free(&r->fields);
}

/* ---- what inspect writes ---- */

_Static_assert((int)QUEUE_RELAY_ACTION_EXPANDED == (int)ASKER_INSPECT_BOUNCE_ACTION_EXPANDED &&
	       (int)QUEUE_RELAY_ACTION_FAILED == (int)ASKER_INSPECT_BOUNCE_ACTION_FAILED,
	       "actions stand in the same order in both declarations");

static result copy_rows(struct report *r, struct asker_inspect_bounce *q)
{
	struct asker_inspect_bounce_row *v = arena_array(r->arena, r->m->rows.n + 1, sizeof *v);
	bool any_failed = false;
	if (!v)
		return arena_result(r->arena);
	for (size_t i = 0; i < r->m->rows.n; i++) {
		const struct queue_relay_report_row *w = &r->m->rows.p[i];
		any_failed |= w->action == QUEUE_RELAY_ACTION_FAILED;
		v[i] = (struct asker_inspect_bounce_row){.address = w->address, .orcpt = w->orcpt,
			.action = (enum asker_inspect_bounce_action)w->action, .status = w->status, .host = w->host,
			.diagnostic = w->diagnostic, .code = w->code, .advice = w->advice, .last = w->last, .until = w->until};
	}
	q->rows.p = v;
	q->rows.n = r->m->rows.n;
	q->whole = r->m->ret == 1 && any_failed; /* RFC 3461 section 6.2 */
	return OK;
}

static result have_written(struct report *r, str original)
{
	const struct queue_relay_report *m = r->m;
	struct channel *inspect;
	struct asker_inspect_bounce q = {.to = m->sender, .from_domain = r->from.domain, .reporting_mta = relay_name(),
		.message_id = reporter_message_id(&m->report, r->arena), .now = clock_wall_s(), .arrived = m->arrived,
			.envid = m->envid,
		.utf8 = (m->flags & MAIL_UTF8) != 0, .message = body_of(original)};
	const struct asking how = {&m->delivery, r->arena, RELAY_INSPECT_MS};
	TRY(copy_rows(r, &q));
	q.signers.p = r->from.signers;
	q.signers.n = m->holder == QUEUE_RELAY_HOLDER_RELAY ? r->from.n : 0; /* an account needs no proof of us */
	TRY(body_share(&q.message));
	result done = relay.world->room(NEIGHBOUR_INSPECT, &inspect);
	if (!failed(done))
		done = asker_inspect_bounce_call_within(inspect, &how, &q, &r->made);
	body_free(&q.message);
	return done;
}

/* Nothing sealed: the queue has lost it. */
static result open_and_write(struct report *r)
{
	struct item original;
	AUTO_BUF buf plain = buf_new(RELAY_MESSAGE_MAX);
	if (r->m->sealed.bytes.n == 0)
		return have_written(r, STR(""));
	TRY(sealed_open(&(struct sealed_item){&r->m->delivery, r->m->wrapped, r->m->sealed.bytes}, &plain, &original));
	return have_written(r, original.message);
}

/* ---- above it ---- */

static result print_fields(struct report *r)
{
	if (r->m->holder == QUEUE_RELAY_HOLDER_ACCOUNT)
		buf_put(&r->fields, STR("Return-Path: <>\r\n"));
	TRY(reporter_sign(&r->from, (struct to_sign){r->made.signatures.p, r->made.signatures.n}, &r->fields));
	return buf_result(&r->fields);
}

/* ---- sealed ---- */

static result keep(struct report *r, buf *sealed, struct queue_relay_reported *answer)
{
	struct body b = body_of(buf_str(sealed));
	if (b.bytes.n > TALK_INLINE_MAX)
		TRY(body_share(&b));
	else
		b.bytes = arena_dup(r->arena, b.bytes);
	answer->sealed = b;
	return arena_result(r->arena);
}

static uint32_t flags_of(const struct asker_inspect_bounced *made)
{
	return MAIL_REPORT | (made->utf8 ? MAIL_UTF8 : 0) | (made->eight_bit ? MAIL_8BIT : 0);
}

static result seal(struct report *r, struct queue_relay_reported *answer)
{
	const struct queue_relay_report *m = r->m;
	const struct sealed_for to = {.account = m->holder == QUEUE_RELAY_HOLDER_ACCOUNT ? m->account : 0,
		.delivery = &m->report, .arena = r->arena};
	const struct item i = {.received = clock_wall_s(), .sender = STR(""), .recipient = m->sender,
		.trace = buf_str(&r->fields), .facts = r->made.facts.bytes, .message = r->made.message.bytes};
	AUTO_BUF buf sealed = buf_new(RELAY_MESSAGE_MAX);
	TRY(sealed_make(&to, &i, &answer->wrapped, &sealed));
	answer->size = i.trace.n + i.message.n;
	answer->flags = flags_of(&r->made);
	return keep(r, &sealed, answer);
}

static result make(struct report *r, struct queue_relay_reported *answer)
{
	r->from = (struct reporter){.trace = &r->m->delivery, .arena = r->arena};
	TRY(reporter_find(&r->from, r->m->sender));
	TRY(open_and_write(r));
	TRY(print_fields(r));
	return seal(r, answer);
}

result on_report(struct arrival *in, struct queue_relay_report *m, struct queue_relay_reported *answer)
{
	struct report r = {.m = m, .arena = in->arena, .fields = buf_new(RELAY_FIELDS_MAX)};
	result done = m->rows.n > 0 ? make(&r, answer) : failure(FAIL_INPUT, "a report about nobody");
	close_report(&r);
	return done;
}
