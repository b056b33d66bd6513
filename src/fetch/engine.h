/* libcurl itself: one multi handle, whose sockets are in an epoll instance that
 * one fiber watches. For transfer.c alone. */
#ifndef FETCH_ENGINE_H
#define FETCH_ENGINE_H

#include <openssl/x509.h>

#include "fetch/request.h"
#include "talk/asker_fetch.h"

struct engine_wish {
	const struct request *request;
	const char *addresses;
	uint64_t time_ms;
};

result engine_open(X509_STORE *trusted) NODISCARD;
result engine_start(void) NODISCARD;
void engine_close(void);
result engine_run(const struct engine_wish *w, arena *a, struct asker_fetch_got *got) NODISCARD; /* suspends */

#endif
