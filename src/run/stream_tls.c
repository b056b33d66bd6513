#include "run/stream_core.h"

#include "run/clock.h"
#include "run/tls_peer.h"

static const struct stream_cipher cipher = {
	.read = tls_try_read, .write = tls_try_write, .end = tls_try_end, .free = tls_free};

/* On failure fresh stays the caller's, who may ask it why. */
static result start_tls(struct stream *s, struct tls *fresh)
{
	uint64_t limit = TLS_HANDSHAKE_MS;
	uint64_t left = clock_left(s->deadline);
	limit = left < limit ? left : limit;
	result r = tls_handshake(fresh, s->watch, limit);
	if (failed(r)) {
		s->in_ended = s->out_ended = r;
		return r;
	}
	s->tls = fresh;
	s->cipher = &cipher;
	return OK;
}

static result start_or_free(struct stream *s, struct tls *fresh)
{
	result r = start_tls(s, fresh);
	if (failed(r))
		tls_free(&fresh);
	return r;
}

static result may_start_tls(const struct stream *s)
{
	if (stream_pending(s) || s->out.n || s->tls)
		return failure(FAIL_CONFLICT, "Bytes were sent before TLS began and would pass as protected.");
	return OK;
}

result stream_start_tls(struct stream *s, struct tls_context *c)
{
	TRY(may_start_tls(s));
	struct tls *fresh = NULL;
	TRY(tls_server(c, s->fd, &fresh));
	return start_or_free(s, fresh);
}

result stream_start_tls_client(struct stream *s, struct tls_context *c, str name)
{
	TRY(may_start_tls(s));
	struct tls *fresh = NULL;
	TRY(tls_client(c, s->fd, name, &fresh));
	return start_or_free(s, fresh);
}

result stream_start_tls_peer(struct stream *s, struct tls_context *c, const struct tls_peer *p, enum tls_proof *proof)
{
	struct tls *fresh = NULL;
	*proof = TLS_UNPROVEN;
	TRY(may_start_tls(s));
	TRY(tls_to_peer(c, s->fd, p, &fresh));
	result r = start_tls(s, fresh);
	*proof = tls_proof(fresh);
	if (failed(r))
		tls_free(&fresh);
	return r;
}
