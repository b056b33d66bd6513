#include "grammar/smtp/dsn.h"

#include "grammar/mime/date.h"
#include "grammar/mime/header.h"
#include "grammar/mime/qp.h"
#include "grammar/smtp/xtext.h"
#include "grammar/text/base64.h"

enum { BOUNDARY_MAX = 60, WORD_OCTETS = 42 };

struct writer {
	buf *out;
	const struct dsn *d;
	char boundary[BOUNDARY_MAX + 24];
	bool global;    /* the forms of RFC 6533 */
	bool whole;     /* the original comes whole */
	bool coded;     /* its header comes quoted-printable */
	bool eight_bit; /* what of it comes as it is has octets above 127 */
	str part;       /* of the original, that comes */
};

/* ---- header fields ---- */

static void put(struct writer *w, const char *text)
{
	buf_put(w->out, str_from(text));
}

static void put_name(struct writer *w, const char *name)
{
	put(w, name);
	put(w, ": ");
}

static void put_date_field(struct writer *w, const char *name, int64_t seconds)
{
	put_name(w, name);
	date_print(w->out, (struct date_time){.seconds = seconds});
	put(w, "\r\n");
}

/* Words in UTF-8 (RFC 2047), a line each. */
static void put_words(struct writer *w, str s)
{
	while (s.n > 0) {
		str word = str_clip(s, WORD_OCTETS);
		put(w, "\r\n =?utf-8?B?");
		base64_encode(w->out, word, 0);
		put(w, "?=");
		s = str_skip(s, word.n);
	}
}

static void put_subject(struct writer *w)
{
	AUTO_BUF buf clean = buf_new(4 * DSN_SUBJECT_MAX);
	dsn_put_line(&clean, str_clip(w->d->subject, DSN_SUBJECT_MAX));
	str subject = str_trim(buf_str(&clean));
	dsn_carry(w->out, &clean);
	put_name(w, "Subject");
	put(w, dsn_subject(w->d));
	if (subject.n > 0)
		put(w, ":");
	if (str_is_ascii(subject) && subject.n > 0 && str_find(subject, STR("=?")) == STR_NONE) {
		put(w, "\r\n ");
		buf_put(w->out, subject);
	} else {
		put_words(w, subject);
	}
	put(w, "\r\n");
}

/* The Message-ID of the original, so that programs show the report beside it. */
static void put_thread(struct writer *w)
{
	struct header_walk walk = {.text = w->d->original};
	struct header_field f;
	while (header_next(&walk, &f)) {
		if (f.id != HEADER_MESSAGE_ID)
			continue;
		if (f.value.n < 3 || f.value.n > 250 || f.value.p[0] != '<' || !str_ends(f.value, STR(">")) ||
		    str_chr(f.value, '\n') != STR_NONE || str_chr(f.value, '\r') != STR_NONE || !str_is_ascii(f.value))
			return;
		put(w, "In-Reply-To: ");
		dsn_put_line(w->out, f.value);
		put(w, "\r\nReferences: ");
		dsn_put_line(w->out, f.value);
		put(w, "\r\n");
		return;
	}
}

static void put_header(struct writer *w)
{
	const struct dsn *d = w->d;
	put(w, "From: Mail Delivery System <postmaster@");
	dsn_put_line(w->out, d->from_domain);
	put(w, ">\r\nTo: <");
	dsn_put_line(w->out, d->to);
	put(w, ">\r\n");
	put_subject(w);
	put_date_field(w, "Date", d->now);
	put(w, "Message-ID: <");
	dsn_put_line(w->out, d->message_id);
	put(w, ">\r\n");
	put_thread(w);
	put(w, "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"");
	put(w, w->boundary);
	put(w, "\"\r\n");
	if (w->eight_bit || w->global)
		put(w, "Content-Transfer-Encoding: 8bit\r\n");
	put(w, "\r\n");
}

static void begin_part(struct writer *w)
{
	put(w, "--");
	put(w, w->boundary);
	put(w, "\r\n");
}

/* ---- for people ---- */

static void put_text_part(struct writer *w)
{
	AUTO_BUF buf text = buf_new(w->out->max);
	struct qp_encoder e = {0};
	dsn_print_text(&text, w->d);
	bool plain = str_is_ascii(buf_str(&text));
	begin_part(w);
	put(w, "Content-Type: text/plain; charset=utf-8\r\nContent-Language: en\r\n");
	put(w, plain ? "\r\n" : "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	if (plain) {
		buf_put(w->out, buf_str(&text));
	} else {
		qp_encode(&e, buf_str(&text), w->out);
		qp_encode_finish(&e, w->out);
	}
	dsn_carry(w->out, &text);
	put(w, "\r\n");
}

/* ---- for programs ---- */

/* A text that is not ASCII stays so only where that is allowed. */
static void put_value(struct writer *w, str s)
{
	AUTO_BUF buf clean = buf_new(4096);
	dsn_put_line(&clean, str_sub(s, 0, 1024));
	dsn_carry(w->out, &clean);
	for (size_t i = 0; i < clean.n && !w->global; i++)
		if ((unsigned char)clean.p[i] > 127)
			clean.p[i] = '?';
	buf_put(w->out, buf_str(&clean));
}

static void put_address(struct writer *w, const char *name, str type, str address)
{
	AUTO_BUF buf clean = buf_new(4096);
	dsn_put_line(&clean, str_sub(address, 0, 1024));
	dsn_carry(w->out, &clean);
	put_name(w, name);
	if (str_is_ascii(address) && !str_ieq(type, STR("utf-8"))) {
		put_value(w, type);
		put(w, "; ");
		buf_put(w->out, buf_str(&clean));
	} else {
		put(w, "utf-8; ");
		utf8_addr_encode(w->out, buf_str(&clean), w->global);
	}
	put(w, "\r\n");
}

static void put_original_recipient(struct writer *w, str orcpt)
{
	size_t semicolon = str_chr(orcpt, ';');
	if (semicolon != STR_NONE && semicolon > 0)
		put_address(w, "Original-Recipient", str_sub(orcpt, 0, semicolon), str_trim(str_skip(orcpt, semicolon + 1)));
}

static void put_diagnostic(struct writer *w, const struct dsn_row *r)
{
	if (r->diagnostic.n == 0 && r->code == 0)
		return;
	put_name(w, "Diagnostic-Code");
	if (r->code > 0) {
		buf_printf(w->out, "smtp; %u ", r->code);
		put_value(w, r->status);
		put(w, r->status.n > 0 ? " " : "");
	} else {
		put(w, "x-postern; ");
	}
	put_value(w, r->diagnostic);
	put(w, "\r\n");
}

static const char *const action_names[DSN_ACTIONS] = {[DSN_FAILED] = "failed", [DSN_DELAYED] = "delayed",
	[DSN_DELIVERED] = "delivered", [DSN_RELAYED] = "relayed", [DSN_EXPANDED] = "expanded"};

static const char *general_status(enum dsn_action a)
{
	return a == DSN_FAILED ? "5.0.0" : a == DSN_DELAYED ? "4.0.0" : "2.0.0";
}

static void put_row(struct writer *w, const struct dsn_row *r)
{
	put(w, "\r\n");
	put_original_recipient(w, r->orcpt);
	put_address(w, "Final-Recipient", STR("rfc822"), r->address);
	put_name(w, "Action");
	put(w, action_names[r->action]);
	put(w, "\r\n");
	put_name(w, "Status");
	put_value(w, r->status.n > 0 ? r->status : str_from(general_status(r->action)));
	put(w, "\r\n");
	if (r->host.n > 0) {
		put(w, "Remote-MTA: dns; ");
		put_value(w, r->host);
		put(w, "\r\n");
	}
	put_diagnostic(w, r);
	if (r->last > 0)
		put_date_field(w, "Last-Attempt-Date", r->last);
	if (r->action == DSN_DELAYED && r->until > 0)
		put_date_field(w, "Will-Retry-Until", r->until);
}

static void put_status_part(struct writer *w)
{
	const struct dsn *d = w->d;
	begin_part(w);
	put(w, w->global ? "Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" :
		"Content-Type: message/delivery-status\r\n\r\n");
	if (d->envid.n > 0) {
		put_name(w, "Original-Envelope-Id");
		put_value(w, d->envid);
		put(w, "\r\n");
	}
	put(w, "Reporting-MTA: dns; ");
	put_value(w, d->reporting_mta);
	put(w, "\r\n");
	if (d->arrived > 0)
		put_date_field(w, "Arrival-Date", d->arrived);
	for (size_t i = 0; i < d->n; i++)
		put_row(w, &d->rows[i]);
	put(w, "\r\n");
}

/* ---- the original ---- */

/* Lines as mail has them: only CRLF ends one, none is too long, no NUL. */
static bool well_lined(str s)
{
	size_t length = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = str_at(s, i);
		bool end = c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n';
		if (c == '\0' || c == '\n' || (c == '\r' && !end) || ++length > DSN_LINE_MAX + 1)
			return false;
		if (end) {
			i++;
			length = 0;
		}
	}
	return true;
}

/* The header's fields, without the empty line, up to where the room ends. */
static str header_of(str original)
{
	struct header_walk walk = {.text = original};
	struct header_field f;
	size_t end = 0;
	while (header_next(&walk, &f)) {
		size_t to = (size_t)(f.raw.p - original.p) + f.raw.n;
		if (to > DSN_HEADER_MAX)
			break;
		end = to;
	}
	return str_sub(original, 0, end);
}

static bool for_whole(const struct dsn *d)
{
	return d->whole && d->original.n <= DSN_WHOLE_MAX && well_lined(d->original);
}

static void put_lines(struct writer *w, str s)
{
	buf_put(w->out, s);
	if (!str_ends(s, STR("\r\n")))
		put(w, "\r\n");
}

/* text/rfc822-headers is a text, so it may be encoded; message/rfc822 may not (RFC 2046 5.2.1). */
static void put_original_part(struct writer *w)
{
	struct qp_encoder e = {0};
	begin_part(w);
	put(w, "Content-Type: ");
	put(w, w->whole ? (w->global ? "message/global" : "message/rfc822") :
		w->global ? "message/global-headers" : "text/rfc822-headers; charset=utf-8");
	put(w, "\r\n");
	if (w->coded)
		put(w, "Content-Transfer-Encoding: quoted-printable\r\n");
	else if (w->eight_bit)
		put(w, "Content-Transfer-Encoding: 8bit\r\n");
	put(w, "\r\n");
	if (w->coded) {
		qp_encode(&e, w->part, w->out);
		qp_encode_finish(&e, w->out);
		put(w, "\r\n");
	} else {
		put_lines(w, w->part);
	}
}

/* ---- the whole ---- */

static bool wants_global(const struct dsn *d, str header)
{
	bool ascii = str_is_ascii(header);
	for (size_t i = 0; i < d->n && ascii; i++)
		ascii = str_is_ascii(d->rows[i].address) && str_is_ascii(d->rows[i].orcpt);
	return !str_is_ascii(d->to) || (d->utf8 && !ascii);
}

/* A line of the report that it cannot be mistaken for: not in the original. */
static void choose_boundary(struct writer *w)
{
	size_t n = 0;
	str id = w->d->message_id;
	for (size_t i = 0; i < id.n && n < BOUNDARY_MAX; i++) {
		unsigned char c = str_at(id, i);
		if (ascii_alpha(c) || ascii_digit(c))
			w->boundary[n++] = (char)c;
	}
	unsigned long more = 0;
	do {
		AUTO_BUF buf tail = buf_new(24);
		buf_printf(&tail, "=_%lu", more++);
		dsn_carry(w->out, &tail);
		memcpy(w->boundary + n, tail.p ? tail.p : "", tail.n);
		w->boundary[n + tail.n] = '\0';
	} while (!w->out->broken && str_find(w->part, str_from(w->boundary)) != STR_NONE);
}

void dsn_print(buf *out, const struct dsn *d, struct dsn_made *how)
{
	struct writer w = {.out = out, .d = d, .whole = for_whole(d)};
	str header = header_of(d->original);
	w.global = wants_global(d, header);
	w.part = w.whole ? d->original : header;
	w.coded = !w.whole && !w.global && (!str_is_ascii(header) || !well_lined(header));
	if (w.global && !w.whole && !well_lined(header))
		w.part = str_sub(header, 0, 0); /* such a header cannot stand in a text of lines */
	w.eight_bit = !w.coded && !str_is_ascii(w.part);
	choose_boundary(&w);
	put_header(&w);
	put_text_part(&w);
	put_status_part(&w);
	put_original_part(&w);
	put(&w, "--");
	put(&w, w.boundary);
	put(&w, "--\r\n");
	*how = (struct dsn_made){.utf8 = w.global, .eight_bit = w.global || w.eight_bit};
}
