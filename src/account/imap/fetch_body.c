#include "account/imap/fetching.h"

#include "grammar/mime/qp.h"
#include "grammar/text/base64.h"

/* The section at hand. */
struct piece {
	struct fetching *g;
	struct fetch_letter *l;
	const struct imap_section *sec;
	const struct section_names *names;
	struct section_place at;
};

static void put_name(struct piece *p)
{
	imap_put_section(&p->g->s->out, p->sec);
	buf_putc(&p->g->s->out, ' ');
}

/* What cannot be read is NIL in its place, and the command fails at its end. */
static void put_nil(struct piece *p, result why)
{
	put_name(p);
	buf_put(&p->g->s->out, p->sec->name == IMAP_BINARY_SIZE ? STR("0") : STR("NIL"));
	if (failed(why))
		p->g->trouble = why;
}

/* A literal must not hold NUL (RFC 9051 9, CHAR8); BINARY gives the octets as they are. */
static void hide_nul(char *p, size_t n)
{
	for (char *end = p + n; n && (p = memchr(p, '\0', n)); n = (size_t)(end - p))
		*p = '?';
}

static void put_text(struct piece *p, str text)
{
	buf *out = &p->g->s->out;
	size_t start;
	put_name(p);
	if (!text.n) {
		buf_put(out, STR("\"\""));
		return;
	}
	imap_put_literal_head(out, text.n, false);
	start = out->n;
	buf_put(out, text);
	if (!out->broken)
		hide_nul(out->p + start, text.n);
}

static result open_letter(struct piece *p)
{
	return p->l->bytes ? OK : fetch_open(p->g->s->view, p->l->row->uid, &p->l->bytes);
}

/* ---- a run of octets */

static result read_octets(struct piece *p, uint64_t from, uint64_t n, buf *out)
{
	TRY(fetch_bytes(p->l->bytes, from, n, out));
	if (p->sec->name != IMAP_BINARY)
		hide_nul(out->p, out->n);
	return OK;
}

/* Small and at hand: one copy, behind the others'. */
static result put_near(struct piece *p, str octets)
{
	buf *out = &p->g->s->out;
	bool binary = p->sec->name == IMAP_BINARY;
	put_name(p);
	imap_put_literal_head(out, octets.n, binary && str_chr(octets, '\0') != STR_NONE);
	size_t start = out->n;
	buf_put(out, octets);
	if (!binary && !out->broken)
		hide_nul(out->p + start, octets.n);
	return imap_send_if_long(p->g->s);
}

/* The first piece is read before its announcement, so that a failure can still be told. */
static result put_range(struct piece *p)
{
	struct imap_session *s = p->g->s;
	struct section_place at = p->at;
	section_cut(p->sec, &at.from, &at.n);
	if (!at.n) {
		put_text(p, STR(""));
		return OK;
	}
	str near;
	result r = open_letter(p);
	if (!failed(r) && at.n <= IMAP_GATHER && fetch_near(p->l->bytes, at.from, at.n, &near))
		return put_near(p, near);
	AUTO_BUF buf piece = buf_new(IMAP_PIECE);
	uint64_t n = at.n < IMAP_PIECE ? at.n : IMAP_PIECE;
	if (!failed(r))
		r = read_octets(p, at.from, n, &piece);
	if (failed(r)) {
		put_nil(p, r);
		return OK;
	}
	put_name(p);
	/* RFC 9051 7.5.2: literal8 says that there may be a NUL; of a long part nobody knows. */
	bool binary = p->sec->name == IMAP_BINARY;
	bool nul = n < at.n || str_chr(buf_str(&piece), '\0') != STR_NONE;
	imap_put_literal_head(&s->out, at.n, binary && nul);
	if (at.n <= IMAP_GATHER) {
		buf_put(&s->out, buf_str(&piece));
		return imap_send_if_long(s);
	}
	for (;;) {
		TRY(imap_send(s, false));
		s->link = stream_write(s->speech.stream, buf_str(&piece));
		TRY(s->link);
		at.from += n;
		at.n -= n;
		if (!at.n)
			return OK;
		n = at.n < IMAP_PIECE ? at.n : IMAP_PIECE;
		buf_clear(&piece);
		s->link = read_octets(p, at.from, n, &piece); /* half of it is sent: nothing else can follow */
		TRY(s->link);
	}
}

/* ---- chosen fields */

/* The header block, from the row where it is there; of a huge one the part that is looked at. */
static result header_text(struct piece *p, buf *hold, str *out)
{
	const struct section_place *at = &p->at;
	if (at->from == 0 && p->l->row->header.p && p->l->row->header.n == at->n) {
		*out = p->l->row->header;
		return OK;
	}
	TRY(open_letter(p));
	TRY(fetch_bytes(p->l->bytes, at->from, at->n < HEADER_BYTES_MAX ? at->n : HEADER_BYTES_MAX, hold));
	*out = buf_str(hold);
	return OK;
}

static result put_fields(struct piece *p)
{
	AUTO_BUF buf hold = buf_new(HEADER_BYTES_MAX);
	AUTO_BUF buf fields = buf_new(HEADER_BYTES_MAX + 2);
	str header;
	result r = header_text(p, &hold, &header);
	if (!failed(r))
		section_put_fields(header, p->names, &fields);
	if (!failed(r))
		r = buf_result(&fields);
	if (failed(r)) {
		put_nil(p, r);
		return OK;
	}
	uint64_t from = 0, n = fields.n;
	section_cut(p->sec, &from, &n);
	put_text(p, str_sub(buf_str(&fields), (size_t)from, (size_t)n));
	return OK;
}

/* ---- BINARY: the encoding undone, twice: once to know the size */

struct undoing {
	enum content_encoding encoding;
	struct base64_stream base64;
	struct qp_decoder qp;
	buf out;
	uint64_t at;       /* decoded octets before `out` */
	uint64_t from, to; /* of them, what is wanted */
	bool nul;
};

static void undo(struct undoing *u, str piece, bool last)
{
	if (u->encoding == ENCODING_BASE64) {
		base64_feed(&u->base64, piece, &u->out);
		if (last)
			base64_finish(&u->base64, &u->out);
	} else {
		qp_decode(&u->qp, piece, &u->out);
		if (last)
			qp_decode_finish(&u->qp, &u->out);
	}
}

/* The part of what is decoded that is wanted. */
static str wanted(const struct undoing *u)
{
	uint64_t end = u->at + u->out.n;
	uint64_t from = u->from > u->at ? u->from : u->at, to = u->to < end ? u->to : end;
	return from < to ? str_sub(buf_str(&u->out), (size_t)(from - u->at), (size_t)(to - from)) : str_of(NULL, 0);
}

static result undo_all(struct piece *p, struct undoing *u, bool send)
{
	struct imap_session *s = p->g->s;
	const struct section_place *at = &p->at;
	AUTO_BUF buf piece = buf_new(IMAP_PIECE);
	for (uint64_t done = 0; done < at->n && u->at < u->to;) {
		uint64_t n = at->n - done < IMAP_PIECE ? at->n - done : IMAP_PIECE;
		buf_clear(&piece);
		if (!send) /* what was announced is sent */
			TRY(effort_go_on());
		TRY(fetch_bytes(p->l->bytes, at->from + done, n, &piece));
		done += n;
		undo(u, buf_str(&piece), done == at->n);
		TRY(buf_result(&u->out));
		str part = wanted(u);
		u->nul |= str_chr(part, '\0') != STR_NONE;
		if (send && part.n)
			TRY(stream_write(s->speech.stream, part));
		u->at += u->out.n;
		buf_clear(&u->out);
	}
	return OK;
}

static struct undoing undoing_of(enum content_encoding encoding, uint64_t from, uint64_t to)
{
	return (struct undoing){.encoding = encoding, .out = buf_new(2 * IMAP_PIECE), .from = from, .to = to};
}

static result send_decoded(struct piece *p, struct undoing *u)
{
	struct imap_session *s = p->g->s;
	TRY(imap_send(s, false));
	s->link = undo_all(p, u, true);
	return s->link;
}

static result put_decoded(struct piece *p)
{
	buf *out = &p->g->s->out;
	bool size_only = p->sec->name == IMAP_BINARY_SIZE;
	struct undoing count = undoing_of(p->at.encoding, 0, UINT64_MAX);
	result r = open_letter(p);
	if (!failed(r))
		r = undo_all(p, &count, false);
	buf_free(&count.out);
	if (failed(r)) {
		put_nil(p, r);
		return OK;
	}
	uint64_t from = 0, n = count.at;
	section_cut(p->sec, &from, &n);
	put_name(p);
	if (size_only || !n) {
		if (size_only)
			buf_put_u64(out, count.at);
		else
			buf_put(out, STR("\"\""));
		return OK;
	}
	imap_put_literal_head(out, n, count.nul);
	struct undoing give = undoing_of(p->at.encoding, from, from + n);
	r = send_decoded(p, &give);
	buf_free(&give.out);
	return r;
}

/* ---- */

static result unknown_encoding(struct fetching *g)
{
	return imap_no(g->s, IMAP_CODE_UNKNOWN_CTE, "a part's transfer encoding is not known here; fetch it by BODY[...]");
}

static struct section_source source_of(const struct fetch_letter *l)
{
	return (struct section_source){&l->parts, l->row->trace.n, l->row->header_size, l->row->size};
}

/* The header block that came along with the row. */
static result put_header(struct piece *p)
{
	uint64_t from = 0, n = p->at.n;
	section_cut(p->sec, &from, &n);
	put_text(p, str_sub(p->l->row->header, (size_t)from, (size_t)n));
	return OK;
}

static result put_plain(struct piece *p)
{
	const struct fetch_row *row = p->l->row;
	if (p->sec->name == IMAP_BINARY_SIZE) {
		put_name(p);
		buf_put_u64(&p->g->s->out, p->at.n);
		return OK;
	}
	if (p->at.from == 0 && row->header.p && row->header.n == p->at.n)
		return put_header(p);
	return put_range(p);
}

result fetch_put_section(struct fetching *g, struct fetch_letter *l, const struct imap_section *sec,
	const struct section_names *names)
{
	struct section_source m = source_of(l);
	struct piece p = {.g = g, .l = l, .sec = sec, .names = names};
	result spent = effort_check();
	if (failed(spent)) { /* the line is ended all the same */
		put_nil(&p, spent);
		return OK;
	}
	if (!sec->depth || l->parts.n)
		p.at = section_find(&m, sec);
	switch (p.at.kind) {
	case SECTION_NIL:
		put_nil(&p, OK);
		return OK;
	case SECTION_UNKNOWN:
		put_nil(&p, unknown_encoding(g));
		return OK;
	case SECTION_FIELDS:
		return put_fields(&p);
	case SECTION_DECODED:
		return put_decoded(&p);
	case SECTION_RANGE:
		break;
	}
	return put_plain(&p);
}
