/* Certificates of authorities that are parsed when a chain asks for them.
 *
 * A machine trusts some 150 authorities and meets a handful; parsed, each costs five times its octets. Their DER lies
 * in one block, and the store is told of it as a place to look (X509_LOOKUP_meth_new(3)): what it finds there it keeps,
 * parsed. The store owns all of it.
 *
 * Adding computes, some 20 ms for a system's file, and is for before the jail; finding needs no file and no system
 * call. Nothing suspends. A store whose certificates come from here takes none by X509_STORE_add_cert: one that it has
 * hides those of the same subject. */
#ifndef RUN_TLS_ROOTS_H
#define RUN_TLS_ROOTS_H

#include <openssl/x509.h>

#include "base/fail.h"
#include "base/str.h"

enum { TLS_ROOTS_MAX = 16 << 20 }; /* octets of DER in one store, counted as three quarters of the texts */

/* Those of a PEM text (RFC 7468; also OpenSSL's TRUSTED CERTIFICATE), besides those that are there already. INPUT: it
 * has none, or a damaged one; LIMIT, MEMORY. After a failure the store is good for X509_STORE_free alone. */
result tls_roots_add(X509_STORE *store, str pem) NODISCARD;
/* Those of the system, where it has any, and of `more`, which may be empty. The same, DENIED, DISK. */
result tls_roots_load(X509_STORE *store, str more) NODISCARD;

#endif
