/* Hashes of passwords that other servers made: an account may be brought along
 * with one, and gets one of ours at the first login.
 *
 * bcrypt and SHA512-CRYPT (libxcrypt: "$2b$12$...", "$6$..."), PBKDF2 in
 * passlib's form ("$pbkdf2-sha256$29000$SALT$KEY", sha512 too). A scheme in
 * braces before it, as Dovecot writes it ("{BLF-CRYPT}"), is taken off.
 * Checking takes as long as its maker chose, at most HASHES_... say: it runs in a
 * worker. Nothing suspends. */
#ifndef AUTH_HASHES_H
#define AUTH_HASHES_H

#include "base/fail.h"
#include "base/str.h"

enum hashes_limits {
	HASHES_BCRYPT_COST = 15,
	HASHES_CRYPT_ROUNDS = 1000000,
	HASHES_PBKDF2_ROUNDS = 2000000,
	HASHES_TEXT = 256,
};

str hashes_plain(str hash);      /* without the scheme in braces */
bool hashes_is_foreign(str hash); /* one of these forms, within the limits */
result hashes_verify(str hash, str password) NODISCARD; /* OK, DENIED, MEMORY */

#endif
