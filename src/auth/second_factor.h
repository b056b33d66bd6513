/* A second factor: codes by time (TOTP, RFC 6238, by liboath: SHA-1, six
 * digits, 30 seconds) and recovery codes, each good once.
 *
 * It is asked where people log in to administer; mail programs cannot ask, so
 * with it on they need app passwords (login.c). If a second_factor row exists,
 * its account's flag in the book is set, and the other way round; `step` is the
 * last one whose code was taken, so that a code that was seen is of no use.
 * Recovery codes are kept as digests under the key of app_passwords.h's salts.
 * Calls suspend. */
#ifndef AUTH_SECOND_FACTOR_H
#define AUTH_SECOND_FACTOR_H

#include "auth/auth.h"

enum second_factor_limits {
	TOTP_SECRET = 20, /* octets */
	TOTP_STEP_S = 30,
	TOTP_DIGITS = 6,
	TOTP_WINDOW = 1,  /* steps that a clock may be off, either way */
	RECOVERY_CODES = 10,
	RECOVERY_LETTERS = 12,
	RECOVERY_TEXT = RECOVERY_LETTERS + 2, /* with hyphens */
};

/* Before the jail. */
result second_factor_start(void) NODISCARD;

/* Callers wipe it. */
struct second_factor_new {
	unsigned char secret[TOTP_SECRET];
	char codes[RECOVERY_CODES][RECOVERY_TEXT];
};
/* Makes both anew; what was there is good for nothing any more. */
result second_factor_set(struct auth *a, uint64_t account, struct second_factor_new *out) NODISCARD;
result second_factor_off(struct auth *a, uint64_t account) NODISCARD; /* ABSENT: it has none */
/* OK, DENIED, ABSENT; BUSY while another of the account is checked. Counts what was wrong and waits as logins do. */
result second_factor_check(struct auth *a, uint64_t account, str code) NODISCARD;

struct second_factor_facts {
	bool on;
	int64_t since;
	uint32_t codes;
};
result second_factor_facts(struct auth *a, uint64_t account, struct second_factor_facts *out) NODISCARD;
/* The code of that time, for tests. */
void second_factor_code(const unsigned char secret[TOTP_SECRET], int64_t at, char out[TOTP_DIGITS + 1]);

#endif
