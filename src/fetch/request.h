/* A request as somebody asks for it, made into what libcurl is told. Pure;
 * nothing suspends. INPUT for a host, path or type that cannot stand in a
 * request: a caller hands on what came from DNS. */
#ifndef FETCH_REQUEST_H
#define FETCH_REQUEST_H

#include "base/arena.h"
#include "run/net.h"

enum { REQUEST_PORT = 443, REQUEST_ADDRESSES_MAX = 8 };

struct request {
	str host;
	uint16_t port;
	str path;
	bool post;
	str type;      /* of the body */
	str body;
	size_t octets; /* of the answer's body; more is refused */
};

result request_check(const struct request *r) NODISCARD;
/* "https://host:port/path"; NULL: the arena refused. */
char *request_url(const struct request *r, arena *a);
/* "+host:port:address,address" (CURLOPT_RESOLVE): curl looks nothing up. */
char *request_addresses(const struct request *r, const net_addr *list, size_t n, arena *a);

#endif
