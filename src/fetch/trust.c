#include "fetch/trust.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "run/files.h"

/* How many there were; -1: one could not be read. */
static int add_all(X509_STORE *store, str pem)
{
	int n = 0;
	BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
	for (X509 *x; in && (x = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL)) != NULL; n++) {
		bool added = X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
		if (!added)
			n = -2;
		if (!added)
			break;
	}
	bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	ERR_clear_error();
	BIO_free(in);
	return at_end ? n : -1;
}

static result fill(X509_STORE *store, const char *system_file, str more)
{
	AUTO_BUF buf system = buf_new(TRUST_FILE_MAX);
	result r = file_load(system_file, &system);
	if (failed(r) && r.kind != FAIL_ABSENT)
		return r;
	if (system.n > 0 && add_all(store, buf_str(&system)) < 0)
		return failure(FAIL_INPUT, "a certificate of the system's authorities cannot be read");
	if (more.n > 0 && add_all(store, more) <= 0)
		return failure(FAIL_INPUT, "fetch-ca: the file holds no certificates in PEM");
	return OK;
}

result trust_open(const char *system_file, str more, X509_STORE **out)
{
	X509_STORE *store = X509_STORE_new();
	if (!store)
		return failure(FAIL_MEMORY, "out of memory");
	result r = fill(store, system_file, more);
	if (failed(r))
		X509_STORE_free(store);
	else
		*out = store;
	return r;
}
