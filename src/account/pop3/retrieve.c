/* RETR and TOP: messages, read and sent in pieces (RFC 1939 sections 3, 5, 7). */
#include "account/pop3/session.h"

#include "account/store/fetch.h"
#include "grammar/smtp/smtp_data.h"

enum { STUFFED_MAX = 2 * POP3_PIECE + 16 };

struct sending {
	struct pop3_session *s;
	struct letter_bytes *bytes;
	uint64_t at;    /* octets read */
	uint64_t end;
	uint64_t lines; /* still to be sent of the body; UINT64_MAX: all */
	struct smtp_stuffer stuffer;
	buf piece, stuffed;
};

/* How much of the piece that was read at g->at is wanted. */
static size_t wanted(struct sending *g)
{
	str piece = buf_str(&g->piece);
	uint64_t header = fetch_header_size(g->bytes);
	if (g->lines == UINT64_MAX)
		return piece.n;
	size_t i = header <= g->at ? 0 : header - g->at < piece.n ? (size_t)(header - g->at) : piece.n;
	while (i < piece.n && g->lines > 0) {
		size_t lf = str_chr(str_skip(piece, i), '\n');
		i = lf == STR_NONE ? piece.n : i + lf + 1;
		g->lines -= lf != STR_NONE;
	}
	return i;
}

static result read_piece(struct sending *g)
{
	buf_clear(&g->piece);
	TRY(fetch_bytes(g->bytes, g->at, POP3_PIECE, &g->piece));
	if (!g->piece.n && g->at < g->end)
		return failure(FAIL_DAMAGE, "a part of this message is missing; ask the server's administrator");
	size_t n = wanted(g);
	bool last = n < g->piece.n || g->at + n >= g->end;
	buf_clear(&g->stuffed);
	smtp_data_stuff(&g->stuffer, str_sub(buf_str(&g->piece), 0, n), &g->stuffed);
	if (last)
		smtp_data_stuff_finish(&g->stuffer, &g->stuffed);
	g->at = last ? g->end : g->at + n;
	return buf_result(&g->stuffed);
}

static result write_piece(struct sending *g)
{
	TRY(pop3_send(g->s, false));
	g->s->link = stream_write(g->s->speech.stream, buf_str(&g->stuffed));
	return g->s->link;
}

/* The first piece is read before +OK, so that a failure can still be told; later
 * nothing else can follow half of a message than the connection's end. */
static result send_all(struct sending *g)
{
	TRY(read_piece(g));
	if (g->lines == UINT64_MAX)
		buf_printf(&g->s->out, "+OK %llu octets\r\n", (unsigned long long)g->end);
	else
		buf_put(&g->s->out, STR("+OK The top of it\r\n"));
	TRY(write_piece(g));
	while (g->at < g->end) {
		g->s->link = read_piece(g);
		TRY(g->s->link);
		TRY(write_piece(g));
	}
	return OK;
}

static result gone(result r)
{
	return r.kind != FAIL_ABSENT ? r : failure(FAIL_ABSENT, "another session has removed this message meanwhile");
}

static result retrieve(struct pop3_session *s, uint64_t number, uint64_t lines)
{
	const struct maildrop_message *m;
	struct sending g = {.s = s, .lines = lines, .stuffer = {.lf_dots = true}};
	TRY(pop3_message(s, number, &m));
	result r = fetch_open(s->drop.view, m->uid, &g.bytes);
	if (failed(r))
		return gone(r);
	g.end = fetch_size(g.bytes);
	g.piece = buf_new(POP3_PIECE);
	g.stuffed = buf_new(STUFFED_MAX);
	r = send_all(&g);
	buf_free(&g.piece);
	buf_free(&g.stuffed);
	fetch_close(&g.bytes);
	return gone(r);
}

result pop3_run_RETR(struct pop3_session *s, const struct pop3_command *c)
{
	return retrieve(s, c->message.number, UINT64_MAX);
}

/* A number of lines that no message has is like all of them. */
result pop3_run_TOP(struct pop3_session *s, const struct pop3_command *c)
{
	return retrieve(s, c->message.number, c->message.lines);
}
