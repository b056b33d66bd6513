/* Logins by SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, with app passwords.
 *
 * Three things are the same for every name, whether it exists or not: the salt
 * that it is given, the time, and the answer. An account is reached by its own
 * address alone, not by an alias: its salt would tell whose alias it is.
 * Binding: the client's c= has to hold what this side of the TLS connection
 * knows, so that nobody stands between; a client that could bind and was told
 * otherwise ("y" although -PLUS was offered) is refused. Suspends. */
#ifndef AUTH_SCRAM_LOGIN_H
#define AUTH_SCRAM_LOGIN_H

#include "auth/login.h"

/* `channel` is only compared; `m` the answer's arena. */
struct scram_caller {
	const void *channel;
	const trace_id *trace;
	arena *m;
};
result scram_login_begin(struct auth *a, const struct scram_caller *who, const struct edge_auth_scram *m,
	struct edge_auth_scram_is *answer) NODISCARD;
result scram_login_prove(struct auth *a, const struct scram_caller *who, const struct edge_auth_scram_proof *m,
	struct edge_auth_login_is *answer) NODISCARD;

#endif
