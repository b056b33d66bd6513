/* HTTPS requests by libcurl, many at the same time on one fiber's watch.
 *
 * libcurl is told the addresses, so it looks nothing up; it follows no
 * redirect, knows no proxy, cookie, password or file, and speaks HTTP/1.1 over
 * TLS 1.2 or later with a certificate for the host from a trusted authority. It
 * runs on the loop's own stack. A connection is used once. transfer_open is for
 * before the jail; transfer_run suspends, at most TRANSFER_TIME_MS, and gives no
 * failure but CANCELLED, LIMIT and MEMORY: what the world did is in the answer,
 * which lives in the arena. One process has one. */
#ifndef FETCH_TRANSFER_H
#define FETCH_TRANSFER_H

#include <openssl/x509.h>

#include "fetch/request.h"
#include "talk/asker_fetch.h"

enum {
	TRANSFER_AT_ONCE = 100,
	TRANSFER_TIME_MS = 60000,    /* waiting for a place included (RFC 8461 3.3 suggests a minute) */
	TRANSFER_CONNECT_MS = 20000, /* for all addresses together */
	TRANSFER_HEADER_MAX = 65536, /* octets of the answer's header */
	TRANSFER_BODY_MAX = 1 << 20, /* whatever was asked for */
	TRANSFER_POSTED_MAX = 65536, /* octets of an answer to a POST */
};

/* Limits in a struct, so that tests reach them. 0: as above. */
struct transfer_limits {
	size_t at_once;
	uint64_t time_ms;
};

result transfer_open(X509_STORE *trusted, struct transfer_limits limits) NODISCARD; /* takes the store */
result transfer_start(void) NODISCARD; /* on a fiber, in the jail */
void transfer_close(void);

/* `addresses` as request_addresses gives it. */
result transfer_run(const struct request *r, const char *addresses, arena *a, struct asker_fetch_got *got) NODISCARD;

void transfer_refuse(const char *why, struct asker_fetch_got *got);
size_t transfer_most_at_once(void);

#endif
