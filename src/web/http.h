/* HTTP/1.1 (RFC 9112, by libmicrohttpd) in the room's one loop, on connections of two
 * kinds: of this machine's processes, accepted by the caller; and of visitors over the
 * network, whose bytes an edge carries out of TLS. Whether they may come is the caller's
 * to check before.
 *
 * Each request gets a fiber; its connection is suspended until the fiber has
 * answered. A body is at most HTTP_BODY_MAX octets (413). A connection that says
 * nothing for HTTP_IDLE_S ends; a visitor's also when a request has not come whole within
 * HTTP_REQUEST_MS (408), or its answer was not taken within HTTP_ANSWER_MS. Visitors
 * have no more than HTTP_VISITORS connections, so that the local socket always has some.
 * The library owns the connections; a request's body is wiped before it is freed, since
 * it may hold a password. */
#ifndef WEB_HTTP_H
#define WEB_HTTP_H

#include <sys/types.h>

#include "base/buf.h"
#include "run/net.h"

enum {
	HTTP_BODY_MAX = 64 << 10,
	HTTP_ANSWER_MAX = 4 << 20,
	HTTP_PATH_MAX = 200,
	HTTP_TOKEN_MAX = 100,
	HTTP_CONNECTIONS = 256,
	HTTP_VISITORS = 128,
	HTTP_IDLE_S = 30,
	HTTP_REQUEST_MS = 20000,
	HTTP_ANSWER_MS = 60000,
};

/* Whose connection it is. */
struct http_from {
	bool visitor;
	uid_t uid;    /* of a process of this machine */
	str client;   /* a visitor's address */
	bool trusted; /* a visitor that is not slowed down */
};

struct http_request {
	struct http_from from;
	str method, path, body;
	str token;       /* of "Authorization: Bearer" (RFC 6750 2.1); empty: none */
	unsigned status; /* the answer's; 200 */
	bool last;       /* the connection ends with the answer */
	buf answer;      /* JSON */
};

/* Before the jail. `answer` runs on a fiber and may suspend. */
result http_open(void (*answer)(struct http_request *q)) NODISCARD;
result http_start(void) NODISCARD; /* on a fiber: begins to serve */
result http_add(int fd) NODISCARD; /* takes the connected socket, also when it fails */
/* A visitor's, whose other end the caller has; takes fd, also when it fails. LIMIT, BUSY. */
struct http_visit {
	int fd;
	net_addr client;
	bool trusted;
};
result http_add_visitor(const struct http_visit *v) NODISCARD;
void http_close(void);             /* waits for requests under way; suspends */

#endif
