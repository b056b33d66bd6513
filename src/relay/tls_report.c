/* Reports about TLS (RFC 8460): where the domain wants them, written, packed,
 * and sent by HTTPS at once; by mail they go to the queue like any message. */
#include <zlib.h>

#include "base/log.h"
#include "grammar/dns/rdata.h"
#include "grammar/dns/tlsrpt.h"
#include "grammar/smtp/tls_report.h"
#include "relay/hosts.h"
#include "relay/limits.h"
#include "relay/relay.h"
#include "relay/reporter.h"
#include "relay/sealed.h"
#include "run/clock.h"
#include "talk/asker_fetch.h"
#include "talk/mail_flags.h"

enum { JSON_MAX = 8 << 20, GZIP_BITS = 15 + 16, MEDIA_MEMORY = 8 };
#define MEDIA "application/tlsrpt+gzip"

struct tls_work {
	const struct queue_relay_tls_report *m;
	struct queue_relay_tls_reported *answer;
	arena *arena;
	struct tlsrpt places;
	struct reporter from;
	struct tls_report report;
	buf packed, mail, fields;
	struct asker_inspect_examined found;
};

/* ---- is it wanted? ---- */

/* OK also when it is not; BUSY: DNS does not say it now. */
static result find_places(struct tls_work *w)
{
	AUTO_BUF buf name = buf_new(ASKER_RESOLVE_LOOK_UP_NAME_MAX);
	struct asker_resolve_looked_up l = {0};
	str record = {0};
	size_t n = 0;
	buf_put(&name, STR(TLSRPT_RECORD));
	buf_put(&name, w->m->domain);
	TRY(buf_result(&name));
	TRY(dns_ask(buf_str(&name), DNS_TXT, w->arena, &l));
	if (l.finding == ASKER_RESOLVE_FINDING_BOGUS || l.finding == ASKER_RESOLVE_FINDING_FAILED)
		return failure(FAIL_BUSY, "DNS does not say whether the domain wants a report about TLS");
	for (size_t i = 0; i < l.records.n; i++) {
		str text;
		if (failed(rdata_txt(l.records.p[i], w->arena, &text)) || !tlsrpt_is_record(text))
			continue;
		record = text;
		n++;
	}
	w->answer->wanted = n == 1 && !failed(tlsrpt_record(record, w->arena, &w->places)) && w->places.n > 0;
	return OK;
}

/* ---- written and packed ---- */

static result fill(struct tls_work *w)
{
	const struct queue_relay_tls_report *m = w->m;
	struct tls_report_row *rows = arena_array(w->arena, m->rows.n + 1, sizeof *rows);
	AUTO_BUF buf text = buf_new(2000);
	if (!rows)
		return arena_result(w->arena);
	for (size_t i = 0; i < m->rows.n; i++) {
		const struct queue_relay_tls_outcome *o = &m->rows.p[i].outcome;
		rows[i] = (struct tls_report_row){o->policy_type, o->policy, o->host, o->address, o->local, o->result,
			o->detail,
			m->rows.p[i].sessions};
	}
	buf_printf(&text, "postmaster@%.*s", STR_ARG(w->from.domain));
	str contact = arena_dup(w->arena, buf_str(&text));
	buf_clear(&text);
	buf_printf(&text, "%lld.%.*s", (long long)m->day, STR_ARG(m->domain)); /* the same again for a second try */
	if (m->until > 0)
		buf_printf(&text, ".%lld", (long long)m->until);
	w->report = (struct tls_report){.until = m->until, .organization = w->from.domain, .contact = contact,
		.id = arena_dup(w->arena, buf_str(&text)), .domain = m->domain, .day = m->day, .rows = rows, .n = m->rows.n};
	w->answer->name = w->report.id;
	return arena_result(w->arena);
}

static result pack(str json, buf *out)
{
	z_stream z = {.next_in = (unsigned char *)(uintptr_t)json.p, .avail_in = (unsigned)json.n};
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_BITS, MEDIA_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return failure(FAIL_MEMORY, "out of memory");
	size_t most = deflateBound(&z, json.n);
	int r = Z_MEM_ERROR;
	if (buf_reserve(out, most)) {
		z.next_out = (unsigned char *)out->p;
		z.avail_out = (unsigned)most;
		r = deflate(&z, Z_FINISH);
		out->n = most - z.avail_out;
	}
	deflateEnd(&z);
	return r == Z_STREAM_END ? OK : failure(FAIL_MEMORY, "out of memory");
}

static result write_report(struct tls_work *w)
{
	AUTO_BUF buf json = buf_new(JSON_MAX);
	w->from = (struct reporter){.trace = &w->m->report, .arena = w->arena};
	TRY(reporter_find(&w->from, STR("")));
	TRY(fill(w));
	tls_report_json(&json, &w->report);
	TRY(buf_result(&json));
	return pack(buf_str(&json), &w->packed);
}

/* ---- by HTTPS ---- */

static bool post_to(struct tls_work *w, const struct tlsrpt_place *p)
{
	struct channel *fetch;
	struct asker_fetch_got got = {0};
	const struct asker_fetch_post q = {.host = p->host, .port = p->port, .path = p->path, .type = STR(MEDIA),
		.message = body_of(buf_str(&w->packed))};
	const struct asking how = {&w->m->report, w->arena, RELAY_LOOKUP_MS};
	result r = relay.world->room(NEIGHBOUR_FETCH, &fetch);
	if (!failed(r))
		r = asker_fetch_post_call_within(fetch, &how, &q, &got);
	bool taken = !failed(r) && got.finding == ASKER_FETCH_FINDING_DONE && got.status / 100 == 2;
	str why = failed(r) ? str_from(r.text) : got.why;
	log_event(taken ? EV_TLS_REPORTED : EV_TLS_UNREPORTED, &w->m->report, F_STR("domain", w->m->domain),
		  F_STR("to", p->host), F_U64("status", got.status), F_STR("why", why),
		  F_STR("report", w->report.id));
	asker_fetch_got_release(&got);
	return taken;
}

/* ---- by mail ---- */

static result sign(struct tls_work *w)
{
	struct channel *inspect;
	const struct asker_inspect_examine q = {.purpose = ASKER_INSPECT_EXAMINE_PURPOSE_ARRIVAL,
		.message = body_of(buf_str(&w->mail)), .now = clock_wall_s(), .signers = {w->from.signers, w->from.n}};
	const struct asking how = {&w->m->report, w->arena, RELAY_INSPECT_MS};
	TRY(relay.world->room(NEIGHBOUR_INSPECT, &inspect));
	TRY(asker_inspect_examine_call_within(inspect, &how, &q, &w->found));
	return reporter_sign(&w->from, (struct to_sign){w->found.signatures.p, w->found.signatures.n}, &w->fields);
}

static result seal(struct tls_work *w)
{
	const struct sealed_for to = {.account = 0, .delivery = &w->m->report, .arena = w->arena};
	const struct item i = {.received = clock_wall_s(), .sender = STR(""), .recipient = w->answer->mail.p[0],
		.trace = buf_str(&w->fields), .facts = w->found.facts.bytes, .message = buf_str(&w->mail)};
	AUTO_BUF buf sealed = buf_new(QUEUE_RELAY_TLS_REPORTED_SEALED_MAX);
	TRY(sealed_make(&to, &i, &w->answer->wrapped, &sealed));
	struct body b = body_of(buf_str(&sealed));
	if (b.bytes.n > TALK_INLINE_MAX)
		TRY(body_share(&b));
	else
		b.bytes = arena_dup(w->arena, b.bytes);
	w->answer->sealed = b;
	w->answer->size = i.trace.n + i.message.n;
	w->answer->flags = MAIL_REPORT | MAIL_TLS_OPTIONAL;
	return arena_result(w->arena);
}

static result write_mail(struct tls_work *w, str *to, size_t n)
{
	const struct tls_report_mail mail = {.report = &w->report, .to = to, .to_n = n, .from_domain = w->from.domain,
		.submitter = relay_name(), .message_id = reporter_message_id(&w->m->report, w->arena), .now = clock_wall_s(),
		.packed = buf_str(&w->packed)};
	w->answer->mail.p = to;
	w->answer->mail.n = n;
	tls_report_print(&w->mail, &mail);
	TRY(buf_result(&w->mail));
	TRY(sign(w));
	return seal(w);
}

/* ---- all places ---- */

static result tell(struct tls_work *w)
{
	str *to = arena_array(w->arena, TLSRPT_PLACES_MAX, sizeof *to);
	size_t n = 0;
	if (!to)
		return arena_result(w->arena);
	TRY(write_report(w));
	for (size_t i = 0; i < w->places.n; i++) {
		const struct tlsrpt_place *p = &w->places.place[i];
		if (p->address.n > 0 && str_is_ascii(p->address))
			to[n++] = p->address;
		else if (p->address.n == 0)
			w->answer->told |= post_to(w, p);
	}
	return n > 0 ? write_mail(w, to, n) : OK;
}

result on_tls_report(struct arrival *in, struct queue_relay_tls_report *m, struct queue_relay_tls_reported *answer)
{
	struct tls_work w = {.m = m, .answer = answer, .arena = in->arena, .packed = buf_new(JSON_MAX),
		.mail = buf_new(2 * JSON_MAX), .fields = buf_new(RELAY_FIELDS_MAX)};
	result r = find_places(&w);
	if (!failed(r) && answer->wanted)
		r = tell(&w);
	asker_inspect_examined_release(&w.found);
	buf_free(&w.packed);
	buf_free(&w.mail);
	buf_free(&w.fields);
	return r;
}
