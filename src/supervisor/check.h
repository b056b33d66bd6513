/* What `posternd --check` looks at besides the types of the options' values.
 * Nothing suspends. */
#ifndef SUPERVISOR_CHECK_H
#define SUPERVISOR_CHECK_H

#include "base/buf.h"
#include "config/options.h"

enum { CHECK_FILE_MAX = 65536 }; /* a file that rooms are handed */

/* Addresses, networks and files, one at a time. INPUT with a sentence that holds the remedy. */
result check_value(enum option_id id, str value) NODISCARD;

/* Reads certificate and private key, and looks whether they belong together; a
 * problem is one line. The caller owns the buffers. */
result check_certificate(const struct options *o, buf *certificate, buf *private_key, buf *problems) NODISCARD;

/* Tells the rooms the certificate's key: sets certificate-digest. */
result check_digest(struct options *o, str certificate) NODISCARD;

/* Appends what the file of a FILE_AT option holds; it is set. */
result check_file(str path, buf *out) NODISCARD;

#endif
