#include "supervisor/credentials.h"

#include <stdio.h>
#include <stdlib.h>

#include "run/files.h"

enum source { SOURCE_FILE, SOURCE_CREDENTIAL, SOURCE_PASSPHRASE }; /* the words of option master-key */

static result read_one(const char *name, buf *out)
{
	char path[4096];
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	int n = folder ? snprintf(path, sizeof path, "%s/%s", folder, name) : 0;
	if (n <= 0 || (size_t)n >= sizeof path)
		return failure(FAIL_ABSENT, "the service has no credentials ($CREDENTIALS_DIRECTORY)");
	if (!buf_reserve(out, CREDENTIAL_MAX)) /* it must not move: a copy would stay behind */
		return buf_result(out);
	return file_load(path, out);
}

static result read_optional(const char *name, buf *out)
{
	result r = read_one(name, out);
	return r.kind == FAIL_ABSENT ? OK : r;
}

/* The line end that an editor leaves is no part of a passphrase. */
static void cut_line_end(buf *b)
{
	while (b->n > 0 && (b->p[b->n - 1] == '\n' || b->p[b->n - 1] == '\r'))
		b->n--;
}

result credentials_read(const struct options *o, buf *master, buf *former)
{
	uint64_t source = options_number(o, OPT_MASTER_KEY);
	if (source == SOURCE_PASSPHRASE) {
		TRY(read_optional("postern.passphrase", master));
		cut_line_end(master);
		return OK;
	}
	if (source == SOURCE_FILE)
		return OK;
	result r = read_one("postern.master-key", master);
	if (r.kind == FAIL_ABSENT)
		return failure(FAIL_ABSENT, "`master-key = credential` needs the credential postern.master-key "
			"(LoadCredential= or LoadCredentialEncrypted= in the service's unit)");
	TRY(r);
	return read_optional("postern.master-key.former", former);
}
