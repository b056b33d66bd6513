/* What stream.c, stream_line.c and carry.c share. */
#ifndef RUN_STREAM_CORE_H
#define RUN_STREAM_CORE_H

#include "base/buf.h"
#include "run/stream.h"
#include "run/tls.h"

/* What a stream that speaks TLS does otherwise. Behind a pointer, so that a
 * room without TLS does not link the TLS library, which costs half a megabyte
 * of private memory. */
struct stream_cipher {
	result (*read)(struct tls *t, char *p, size_t n, struct tls_step *out);
	result (*write)(struct tls *t, str bytes, struct tls_step *out);
	result (*end)(struct tls *t, int *wants);
	void (*free)(struct tls **t);
};

struct stream {
	int fd;
	struct fd_watch *watch;
	struct tls *tls; /* NULL without */
	const struct stream_cipher *cipher; /* with tls */
	char *in; /* NULL while nothing is buffered */
	size_t in_cap;
	size_t in_from; /* first byte not consumed */
	size_t in_to;
	size_t in_used; /* the most that in_to was: what is behind was never written */
	size_t scanned; /* of what is buffered: holds no line end */
	bool dry;       /* without TLS: the last read took all there was, so the next waits first */
	buf out;
	uint64_t idle_ms;
	uint64_t deadline;
	uint64_t bytes_in;
	uint64_t bytes_out;
	result in_ended;  /* sticks */
	result out_ended;
	unsigned steps; /* since it last waited */
};

/* Like tls_try_read and tls_try_write, on whatever the stream runs over. */
result stream_try_read(struct stream *s, char *p, size_t n, struct tls_step *out) NODISCARD;
result stream_try_write(struct stream *s, str bytes, struct tls_step *out) NODISCARD;
result stream_wait(struct stream *s, int wants) NODISCARD; /* suspends, minding both limits */
/* Counts a step that did not wait; lets the others run now and then. */
void stream_step(struct stream *s);
void stream_drop_empty(struct stream *s); /* the read buffer, when it holds nothing */
/* As stream_fill, growing up to max instead of STREAM_BLOCK. */
result stream_fill_to(struct stream *s, size_t max) NODISCARD;

#endif
