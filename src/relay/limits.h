/* Every bound of the relay, in one place. Times in milliseconds; those of the
 * dialogue are RFC 5321 section 4.5.3.2's. */
#ifndef RELAY_LIMITS_H
#define RELAY_LIMITS_H

enum relay_limit {
	RELAY_HOSTS_MAX = 20,        /* mail servers of a destination that count, the best first */
	RELAY_ADDRESSES_MAX = 8,     /* of one server */
	RELAY_ATTEMPTS_MAX = 12,     /* connections for one message */
	RELAY_TLSA_MAX = 20,         /* records of one server */
	RELAY_RECIPIENTS_MAX = 100,  /* in one transaction, where the server names no number */
	RELAY_TLS_OUTCOMES_MAX = 20, /* as queue-relay.talk */
	RELAY_TEXT_MAX = 500,
	RELAY_FIELDS_MAX = 64 * 1024,  /* printed above a report */
	RELAY_STUFF_BLOCK = 64 * 1024, /* dot-stuffed at a time; a smaller message goes out with its commands */

	RELAY_LOOKUP_MS = 60000,     /* resolve and fetch */
	RELAY_NEIGHBOUR_MS = 30000,  /* auth and vault */
	RELAY_INSPECT_MS = 60000,    /* a report that is written */
	RELAY_CONNECT_MS = 30000,
	RELAY_GREETING_MS = 300000,
	RELAY_COMMAND_MS = 300000,   /* EHLO, MAIL, RCPT, RSET, AUTH */
	RELAY_DATA_MS = 120000,      /* for the 354 */
	RELAY_BLOCK_MS = 180000,     /* for a block of the message to be taken */
	RELAY_END_MS = 600000,       /* for the answer to the message */
	RELAY_QUIT_MS = 5000,

	RELAY_STS_MAX = 2000,        /* MTA-STS policies remembered */
	RELAY_STS_PAUSE_MS = 300000, /* after a policy could not be fetched (RFC 8461 3.3) */

	RELAY_KEPT_MAX = 200,        /* open sessions that nobody uses */
	RELAY_KEPT_MS = 20000,       /* how long one is kept */
	RELAY_MESSAGES_MAX = 200,    /* over one connection */
	RELAY_MESSAGE_MAX = 272 * 1024 * 1024, /* opened item */
};

#endif
