#include "vault/handshakes.h"

#include <openssl/pem.h>

#include "base/mem.h"
#include "run/worker.h"

struct handshakes {
	EVP_PKEY *key; /* NULL: the server has no TLS */
	struct worker *worker;
};

/* ---- on the threads ---- */

struct task {
	struct job job;
	EVP_PKEY *key;
	const struct tls_to_sign *what;
	buf *out;
	result done;
};

static void work(void *ctx, struct job **jobs, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < n; i++) {
		struct task *t = (struct task *)(void *)jobs[i];
		t->done = tls_far_sign(t->key, t->what, t->out);
	}
}

/* ---- the calls ---- */

result handshakes_read(str pem, struct handshakes **out)
{
	struct handshakes *h = mem_alloc(sizeof *h);
	if (!h)
		return failure(FAIL_MEMORY, "out of memory");
	result r = pem.n > 0 ? tls_key_read(pem, &h->key) : OK;
	if (failed(r))
		handshakes_close(&h);
	else
		*out = h;
	return r;
}

result handshakes_open(struct handshakes *h)
{
	const struct worker_plan plan = {.run = work, .name = "handshakes", .threads = HANDSHAKES_THREADS,
		.queue_max = HANDSHAKES_WAITING, .batch_max = 1};
	return h->key ? worker_open(&plan, &h->worker) : OK;
}

result handshakes_sign(struct handshakes *h, const struct tls_to_sign *what, buf *out)
{
	struct task t = {.key = h->key, .what = what, .out = out};
	if (!h->worker)
		return failure(FAIL_ABSENT, "the server has no certificate");
	TRY(worker_run(h->worker, &t.job));
	return t.done;
}

void handshakes_close(struct handshakes **h)
{
	if (!*h)
		return;
	worker_close(&(*h)->worker);
	EVP_PKEY_free((*h)->key);
	mem_free(*h);
	*h = NULL;
}
