/* Sockets and addresses.
 *
 * An address is 16 bytes (IPv4 as ::ffff:a.b.c.d) and a port, so that one type
 * serves both families and the tables of limits. Descriptors are non-blocking,
 * close-on-exec and the caller's. Only net_accept and net_connect suspend. */
#ifndef RUN_NET_H
#define RUN_NET_H

#include <sys/types.h>

#include "base/buf.h"
#include "run/fiber.h"

typedef struct net_addr {
	unsigned char ip[16];
	uint16_t port;
} net_addr;

enum { NET_TEXT_MAX = 48, NET_BACKLOG = 4096 };

bool net_is_v4(const net_addr *a);
bool net_is_loopback(const net_addr *a);
bool net_same_host(const net_addr *a, const net_addr *b);
result net_parse_ip(str text, net_addr *out) NODISCARD;   /* "192.0.2.1", "2001:db8::1"; port 0 */
result net_parse(str text, net_addr *out) NODISCARD;      /* "192.0.2.1:25", "[2001:db8::1]:25" */
void net_put_ip(buf *out, const net_addr *a);
void net_put(buf *out, const net_addr *a);                /* with the port; IPv6 in brackets */
/* RFC 5321 4.1.3: "[192.0.2.1]" or "[IPv6:2001:db8::1]". */
void net_put_literal(buf *out, const net_addr *a);

struct sockaddr;
struct sockaddr_storage;
/* For callers without a loop: the system's form, and how many octets of it count. */
uint32_t net_to_system(const net_addr *a, struct sockaddr_storage *out);
result net_from_system(const struct sockaddr *from, size_t n, net_addr *out) NODISCARD; /* ABSENT: another family */

/* A network: its first `bits` bits of the 128 (an IPv4 /24 has 120). */
typedef struct net_cidr {
	unsigned char ip[16];
	unsigned bits;
} net_cidr;

result net_parse_cidr(str text, net_cidr *out) NODISCARD; /* "192.0.2.0/24", "2001:db8::/32", one address */
net_cidr net_around(const net_addr *a, unsigned bits); /* the network of so many bits that the address is in */
void net_put_cidr(buf *out, const net_cidr *c); /* as it is parsed; one address without its length */
bool net_in(const net_addr *a, const net_cidr *c);
bool net_in_any(const net_addr *a, const net_cidr *list, size_t n);
bool net_cidr_in(const net_cidr *c, const net_cidr *in); /* the whole of it */
/* For tables by network. */
static inline str net_cidr_key(const net_cidr *c)
{
	return str_of((const char *)c, offsetof(net_cidr, bits) + sizeof c->bits);
}

/* DENIED (port below 1024 without right), EXISTS (in use), NETWORK. Port 0 picks one. */
result net_listen(const net_addr *a, int *fd) NODISCARD;
result net_listen_beside(const net_addr *a, int *fd) NODISCARD; /* one more on what net_listen already has */
result net_listen_unix(const char *path, int *fd) NODISCARD;
result net_accept(int fd, struct fd_watch *w, int *client) NODISCARD; /* suspends; LIMIT, CANCELLED, CLOSED */
result net_connect(const net_addr *a, uint64_t timeout_ms, int *fd) NODISCARD; /* suspends */
/* From an address of this machine (its port counts for nothing), of the same family; NULL: the system chooses. */
result net_connect_from(const net_addr *a, const net_addr *from, uint64_t timeout_ms, int *fd) NODISCARD; /* suspends */
/* Of the Internet at large: not loopback, private (RFC 1918, 4193), link-local, shared (RFC 6598), multicast,
 * documentation, or another range that RFC 6890 keeps from it. */
bool net_is_public(const net_addr *a);
bool net_cidr_is_private(const net_cidr *c); /* none of its addresses is public */
result net_connect_unix(const char *path, int *fd) NODISCARD;
/* As much of the line as fits at once, and the end: what is told to who is not served. Takes fd; empty: nothing. */
void net_send_off(int fd, str line);
result net_local(int fd, net_addr *out) NODISCARD;
result net_peer(int fd, net_addr *out) NODISCARD;
result net_peer_user(int fd, pid_t *pid, uid_t *uid) NODISCARD; /* SO_PEERCRED of a local socket */
result net_pair(int kind, int out[2]) NODISCARD; /* SOCK_STREAM or SOCK_SEQPACKET */

#endif
