/* HTTP/1.1 (RFC 9112, by libmicrohttpd) on connections that were accepted and
 * checked by the caller, in the room's one loop.
 *
 * Each request gets a fiber; its connection is suspended until the fiber has
 * answered. A body is at most HTTP_BODY_MAX octets (413), a request with its
 * headers must come within HTTP_IDLE_S. The library owns the connections; a
 * request's body is wiped before it is freed, since it may hold a password. */
#ifndef WEB_HTTP_H
#define WEB_HTTP_H

#include <sys/types.h>

#include "base/buf.h"

enum {
	HTTP_BODY_MAX = 64 << 10,
	HTTP_ANSWER_MAX = 4 << 20,
	HTTP_PATH_MAX = 200,
	HTTP_CONNECTIONS = 256,
	HTTP_IDLE_S = 30,
};

struct http_request {
	uid_t uid; /* whose process it is that asks */
	str method, path, body;
	unsigned status; /* the answer's; 200 */
	buf answer;      /* JSON */
};

/* Before the jail. `answer` runs on a fiber and may suspend. */
result http_open(void (*answer)(struct http_request *q)) NODISCARD;
result http_start(void) NODISCARD; /* on a fiber: begins to serve */
result http_add(int fd) NODISCARD; /* takes the connected socket, also when it fails */
void http_close(void);             /* waits for requests under way; suspends */

#endif
