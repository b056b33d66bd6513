/* What `posternd --check` looks at besides the types of the options' values.
 * Nothing suspends. */
#ifndef SUPERVISOR_CHECK_H
#define SUPERVISOR_CHECK_H

#include "base/buf.h"
#include "config/options.h"

/* Addresses and networks, one at a time. INPUT with a sentence that holds the remedy. */
result check_value(enum option_id id, str value) NODISCARD;

/* Reads certificate and private key, and looks whether they belong together; a
 * problem is one line. The caller owns the buffers. */
result check_certificate(const struct options *o, buf *certificate, buf *private_key, buf *problems) NODISCARD;

#endif
