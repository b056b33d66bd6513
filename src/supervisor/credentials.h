/* What the service manager hands over for the vault's master key (systemd.exec(5),
 * LoadCredentialEncrypted=): files in $CREDENTIALS_DIRECTORY. Read anew for each
 * vault, so that it may be exchanged. Nothing suspends. */
#ifndef SUPERVISOR_CREDENTIALS_H
#define SUPERVISOR_CREDENTIALS_H

#include "base/buf.h"
#include "config/options.h"

enum { CREDENTIAL_MAX = 1024 };

/* By option master-key: postern.master-key and postern.master-key.former, or
 * postern.passphrase (empty when there is none: the vault waits for it). The caller
 * wipes both. ABSENT and DISK with a sentence for the operator. */
result credentials_read(const struct options *o, buf *master, buf *former) NODISCARD;

#endif
