/* The certificate authorities that count: the system's, and those of
 * `fetch-ca`. Before the jail. The caller owns the store (X509_STORE_free). */
#ifndef FETCH_TRUST_H
#define FETCH_TRUST_H

#include <openssl/x509.h>

#include "base/fail.h"
#include "base/str.h"

enum { TRUST_FILE_MAX = 4 << 20 };

/* `more` may be empty. INPUT: it holds no certificate. Without the system's file only `more` counts. */
result trust_open(const char *system_file, str more, X509_STORE **out) NODISCARD;

#endif
