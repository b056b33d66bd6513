/* HTTPS: TLS ends here, and what it carries goes to web, which speaks HTTP and decides
 * from the client's address what may be said (docs/admin-api.md). Nothing of it is
 * looked at here. Who it is comes from this edge alone: PROXY, bans and limits as for mail. */
#ifndef EDGE_WEB_H
#define EDGE_WEB_H

/* Begins a refusal; a sentence follows. */
#define WEB_BUSY "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"

#endif
