#include "account/imap/fetching.h"

#include "grammar/base64.h"
#include "grammar/qp.h"

static void put_name(struct fetching *g, const struct imap_section *sec)
{
	imap_put_section(&g->s->out, sec);
	buf_putc(&g->s->out, ' ');
}

/* What cannot be read is NIL in its place, and the command fails at its end. */
static void put_nil(struct fetching *g, const struct imap_section *sec, result why)
{
	put_name(g, sec);
	buf_put(&g->s->out, sec->name == IMAP_BINARY_SIZE ? STR("0") : STR("NIL"));
	if (failed(why))
		g->trouble = why;
}

static void put_text(struct fetching *g, const struct imap_section *sec, str text)
{
	buf *out = &g->s->out;
	put_name(g, sec);
	if (!text.n) {
		buf_put(out, STR("\"\""));
		return;
	}
	imap_put_literal_head(out, text.n, false);
	buf_put(out, text);
}

static result open_letter(struct fetching *g, struct fetch_letter *l)
{
	return l->bytes ? OK : fetch_open(g->s->view, l->row->uid, &l->bytes);
}

/* ---- a run of octets */

/* The first piece is read before its announcement, so that a failure can still be told. */
static result put_range(struct fetching *g, struct fetch_letter *l, const struct imap_section *sec,
	struct section_place at)
{
	struct imap_session *s = g->s;
	section_cut(sec, &at.from, &at.n);
	if (!at.n) {
		put_text(g, sec, STR(""));
		return OK;
	}
	AUTO_BUF buf piece = buf_new(IMAP_PIECE);
	uint64_t n = at.n < IMAP_PIECE ? at.n : IMAP_PIECE;
	result r = open_letter(g, l);
	if (!failed(r))
		r = fetch_bytes(l->bytes, at.from, n, &piece);
	if (failed(r)) {
		put_nil(g, sec, r);
		return OK;
	}
	put_name(g, sec);
	imap_put_literal_head(&s->out, at.n, sec->name == IMAP_BINARY); /* which may hold NUL */
	for (;;) {
		TRY(imap_send(s, false));
		s->link = stream_write(s->stream, buf_str(&piece));
		TRY(s->link);
		at.from += n;
		at.n -= n;
		if (!at.n)
			return OK;
		n = at.n < IMAP_PIECE ? at.n : IMAP_PIECE;
		buf_clear(&piece);
		s->link = fetch_bytes(l->bytes, at.from, n, &piece); /* half of it is sent: nothing else can follow */
		TRY(s->link);
	}
}

/* ---- chosen fields */

/* The header block, from the row where it is there; of a huge one the part that is looked at. */
static result header_text(struct fetching *g, struct fetch_letter *l, const struct section_place *at, buf *hold,
	str *out)
{
	if (at->from == 0 && l->row->header.p && l->row->header.n == at->n) {
		*out = l->row->header;
		return OK;
	}
	TRY(open_letter(g, l));
	TRY(fetch_bytes(l->bytes, at->from, at->n < HEADER_BYTES_MAX ? at->n : HEADER_BYTES_MAX, hold));
	*out = buf_str(hold);
	return OK;
}

static result put_fields(struct fetching *g, struct fetch_letter *l, const struct imap_section *sec,
	const struct section_names *names, const struct section_place *at)
{
	AUTO_BUF buf hold = buf_new(HEADER_BYTES_MAX);
	AUTO_BUF buf fields = buf_new(HEADER_BYTES_MAX + 2);
	str header;
	result r = header_text(g, l, at, &hold, &header);
	if (!failed(r))
		section_put_fields(header, names, &fields);
	if (!failed(r))
		r = buf_result(&fields);
	if (failed(r)) {
		put_nil(g, sec, r);
		return OK;
	}
	uint64_t from = 0, n = fields.n;
	section_cut(sec, &from, &n);
	put_text(g, sec, str_sub(buf_str(&fields), (size_t)from, (size_t)n));
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

static result undo_all(struct fetching *g, struct fetch_letter *l, const struct section_place *at, struct undoing *u,
	bool send)
{
	struct imap_session *s = g->s;
	AUTO_BUF buf piece = buf_new(IMAP_PIECE);
	for (uint64_t done = 0; done < at->n && u->at < u->to;) {
		uint64_t n = at->n - done < IMAP_PIECE ? at->n - done : IMAP_PIECE;
		buf_clear(&piece);
		TRY(fetch_bytes(l->bytes, at->from + done, n, &piece));
		done += n;
		undo(u, buf_str(&piece), done == at->n);
		TRY(buf_result(&u->out));
		str part = wanted(u);
		u->nul |= str_chr(part, '\0') != STR_NONE;
		if (send && part.n)
			TRY(stream_write(s->stream, part));
		u->at += u->out.n;
		buf_clear(&u->out);
	}
	return OK;
}

static struct undoing undoing_of(enum content_encoding encoding, uint64_t from, uint64_t to)
{
	return (struct undoing){.encoding = encoding, .out = buf_new(2 * IMAP_PIECE), .from = from, .to = to};
}

static result send_decoded(struct fetching *g, struct fetch_letter *l, const struct section_place *at,
	struct undoing *u)
{
	struct imap_session *s = g->s;
	TRY(imap_send(s, false));
	s->link = undo_all(g, l, at, u, true);
	return s->link;
}

static result put_decoded(struct fetching *g, struct fetch_letter *l, const struct imap_section *sec,
	const struct section_place *at)
{
	struct undoing count = undoing_of(at->encoding, 0, UINT64_MAX);
	result r = open_letter(g, l);
	if (!failed(r))
		r = undo_all(g, l, at, &count, false);
	buf_free(&count.out);
	if (failed(r)) {
		put_nil(g, sec, r);
		return OK;
	}
	uint64_t from = 0, n = count.at;
	section_cut(sec, &from, &n);
	if (sec->name == IMAP_BINARY_SIZE || !n) {
		put_name(g, sec);
		if (n)
			buf_put_u64(&g->s->out, count.at);
		else
			buf_put(&g->s->out, sec->name == IMAP_BINARY_SIZE ? STR("0") : STR("\"\""));
		return OK;
	}
	put_name(g, sec);
	imap_put_literal_head(&g->s->out, n, count.nul);
	struct undoing give = undoing_of(at->encoding, from, from + n);
	r = send_decoded(g, l, at, &give);
	buf_free(&give.out);
	return r;
}

/* ---- */

static result unknown_encoding(struct fetching *g)
{
	return imap_no(g->s, "UNKNOWN-CTE", "a part's transfer encoding is not known here; fetch it by BODY[...]");
}

static struct section_source source_of(const struct fetch_letter *l)
{
	return (struct section_source){&l->parts, l->row->trace.n, l->row->header_size, l->row->size};
}

result fetch_put_section(struct fetching *g, struct fetch_letter *l, const struct imap_section *sec,
	const struct section_names *names)
{
	struct section_source m = source_of(l);
	struct section_place at = {0};
	if (!sec->depth || l->parts.n)
		at = section_find(&m, sec);
	bool header = at.kind == SECTION_RANGE && at.from == 0 && l->row->header.p && l->row->header.n == at.n;
	switch (at.kind) {
	case SECTION_NIL:
		put_nil(g, sec, OK);
		return OK;
	case SECTION_UNKNOWN:
		put_nil(g, sec, unknown_encoding(g));
		return OK;
	case SECTION_FIELDS:
		return put_fields(g, l, sec, names, &at);
	case SECTION_DECODED:
		return put_decoded(g, l, sec, &at);
	case SECTION_RANGE:
		break;
	}
	if (sec->name == IMAP_BINARY_SIZE) {
		put_name(g, sec);
		buf_put_u64(&g->s->out, at.n);
		return OK;
	}
	if (!header)
		return put_range(g, l, sec, at);
	section_cut(sec, &at.from, &at.n);
	put_text(g, sec, str_sub(l->row->header, (size_t)at.from, (size_t)at.n));
	return OK;
}
