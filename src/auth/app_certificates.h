/* Client certificates as rows of directory.db: one thing of one device, as an app
 * password is, with name, bounds, last use and end (app_passwords.c has both).
 *
 * If a row exists, the vault's authority signed that certificate for its account.
 * Calls suspend. */
#ifndef AUTH_APP_CERTIFICATES_H
#define AUTH_APP_CERTIFICATES_H

#include "auth/app_passwords.h"

/* Oldest first; the arena's. */
result app_certificates_read(struct directory *d, uint64_t account, arena *a, struct app_passwords *out) NODISCARD;

struct app_certificate {
	uint64_t account;
	struct app_password row;
};
/* ABSENT: nobody's, or revoked. */
result app_certificate_find(struct directory *d, str fingerprint, arena *a, struct app_certificate *out) NODISCARD;

/* The authority that certificates are verified by, DER; empty while nobody has one. */
result app_authority(struct directory *d, arena *a, str *out) NODISCARD;

/* `authority` takes the place of the one that was known. EXISTS, LIMIT, ABSENT; `created` and `id` are set here. */
result app_certificate_keep(struct directory *d, uint64_t account, struct app_password *n, str authority) NODISCARD;
/* By its name, or its serial number or fingerprint in hexadecimal digits. ABSENT. */
result app_certificate_revoke(struct directory *d, uint64_t account, str name, uint64_t *id) NODISCARD;

#endif
