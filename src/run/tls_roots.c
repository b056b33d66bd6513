#include "run/tls_roots.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "run/files.h"
#include "run/tls_core.h"

static const char system_file[] = "/etc/ssl/certs/ca-certificates.crt"; /* of Debian's ca-certificates */

struct root {
	unsigned long subject; /* its hash; the same for every spelling that X509_NAME_cmp takes for equal */
	size_t at, n;
};

/* Two roots of one hash are both in the store from the beginning: it asks here only for a subject that it has nothing
 * of, and one root is all that an answer must bring. */
struct roots {
	buf der;
	struct root *index; /* by `subject` */
	size_t n, cap;
};

static const result no_memory = {FAIL_MEMORY, "There is no memory for the trusted certificates."};

static void release(X509_LOOKUP *lookup)
{
	struct roots *roots = X509_LOOKUP_get_method_data(lookup);
	if (!roots)
		return;
	buf_free(&roots->der);
	mem_free(roots->index);
	mem_free(roots);
}

/* ---- finding ---- */

static int by_subject(const void *a, const void *b)
{
	const struct root *x = a, *y = b;
	return (x->subject > y->subject) - (x->subject < y->subject);
}

static const struct root *look_up(const struct roots *roots, size_t sorted, unsigned long subject)
{
	const struct root wanted = {.subject = subject};
	return sorted > 0 ? bsearch(&wanted, roots->index, sorted, sizeof wanted, by_subject) : NULL;
}

static str der_of(const struct roots *roots, const struct root *root)
{
	return str_of(roots->der.p + root->at, root->n);
}

static X509 *parse(str der)
{
	const unsigned char *p = (const unsigned char *)der.p;
	return d2i_X509_AUX(NULL, &p, (long)der.n);
}

static bool hash(const X509_NAME *name, unsigned long *out)
{
	int ok = 0;
	*out = X509_NAME_hash_ex(name, NULL, NULL, &ok);
	return ok == 1;
}

/* Its key and extensions are read now: a root for which memory is refused then is good for nothing ever after. */
static bool is_whole(X509 *root)
{
	return X509_get0_pubkey(root) && X509_check_purpose(root, -1, 0) == 1;
}

/* The store counts one more reference to what it is handed, after this; its own keeps the root alive. */
static bool hand_out(X509_STORE *store, X509 *root, X509_OBJECT *out)
{
	if (!is_whole(root) || X509_STORE_add_cert(store, root) != 1 || X509_OBJECT_set1_X509(out, root) != 1)
		return false;
	X509_free(root);
	return true;
}

/* 1 or 0: OpenSSL takes any other answer for a root as well. It looks at the queue of errors after the handshake, which
 * is therefore left as it was. */
static int find(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *name, X509_OBJECT *out)
{
	const struct roots *roots = X509_LOOKUP_get_method_data(lookup);
	unsigned long subject;
	if (type != X509_LU_X509 || !roots)
		return 0;
	ERR_set_mark();
	const struct root *root = hash(name, &subject) ? look_up(roots, roots->n, subject) : NULL;
	X509 *x = root ? parse(der_of(roots, root)) : NULL;
	bool found = x && X509_NAME_cmp(X509_get_subject_name(x), name) == 0
		&& hand_out(X509_LOOKUP_get_store(lookup), x, out);
	X509_free(x);
	ERR_pop_to_mark();
	return found;
}

/* ---- adding ---- */

/* One for the process: by it a store knows that it has this place already. */
static X509_LOOKUP_METHOD *method(void)
{
	static X509_LOOKUP_METHOD *made;
	if (made)
		return made;
	X509_LOOKUP_METHOD *m = X509_LOOKUP_meth_new("roots in memory");
	if (m && X509_LOOKUP_meth_set_get_by_subject(m, find) == 1 && X509_LOOKUP_meth_set_free(m, release) == 1)
		return made = m;
	X509_LOOKUP_meth_free(m);
	return NULL;
}

static struct roots *roots_of(X509_STORE *store)
{
	X509_LOOKUP_METHOD *m = method();
	X509_LOOKUP *lookup = m ? X509_STORE_add_lookup(store, m) : NULL;
	struct roots *roots = lookup ? X509_LOOKUP_get_method_data(lookup) : NULL;
	if (!lookup || roots)
		return roots;
	roots = mem_alloc(sizeof *roots);
	if (roots)
		roots->der = buf_new(TLS_ROOTS_MAX);
	X509_LOOKUP_set_method_data(lookup, roots);
	return roots;
}

/* Why OpenSSL took no certificate: damage always has a reason in its queue of errors, refused memory not always. */
static result why(void)
{
	bool refused = ERR_peek_error() == 0;
	for (unsigned long e; (e = ERR_get_error()); )
		refused |= ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE;
	return refused ? no_memory : failure(FAIL_INPUT, "One of the trusted certificates is damaged.");
}

static result add_root(struct roots *roots, size_t sorted, str der)
{
	struct root root = {.at = roots->der.n, .n = der.n};
	X509 *x = parse(der);
	if (!x)
		return why();
	bool hashed = hash(X509_get_subject_name(x), &root.subject);
	X509_free(x);
	if (!hashed)
		return no_memory;
	const struct root *there = look_up(roots, sorted, root.subject);
	if (there && str_eq(der_of(roots, there), der))
		return OK;
	if (!mem_room(&roots->index, &roots->cap, roots->n, sizeof root))
		return no_memory;
	roots->index[roots->n++] = root;
	buf_put(&roots->der, der);
	return buf_result(&roots->der);
}

static result add_each(struct roots *roots, BIO *in)
{
	size_t met = 0, sorted = roots->n;
	unsigned char *der;
	long n;
	while (PEM_bytes_read_bio(&der, &n, NULL, PEM_STRING_X509_TRUSTED, in, tls_no_passphrase, NULL) == 1) {
		result r = add_root(roots, sorted, str_of((const char *)der, (size_t)n));
		OPENSSL_free(der);
		TRY(r);
		met++;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return why();
	return met > 0 ? OK : failure(FAIL_INPUT, "The file of trusted certificates holds no PEM certificates.");
}

static result add_text(struct roots *roots, str pem)
{
	if (!buf_reserve(&roots->der, pem.n / 4 * 3)) /* all that it can hold: the block grows once */
		return buf_result(&roots->der);
	BIO *in = tls_pem_view(pem);
	result r = in ? add_each(roots, in) : no_memory;
	BIO_free(in);
	return r;
}

static result settle(X509_STORE *store, str der)
{
	X509 *x = parse(der);
	bool ok = x && X509_STORE_add_cert(store, x) == 1;
	X509_free(x);
	return ok ? OK : no_memory;
}

static result settle_twins(X509_STORE *store, const struct roots *roots)
{
	for (size_t i = 1; i < roots->n; i++) {
		const struct root *pair = &roots->index[i - 1];
		if (pair[0].subject != pair[1].subject)
			continue;
		TRY(settle(store, der_of(roots, &pair[0])));
		TRY(settle(store, der_of(roots, &pair[1])));
	}
	return OK;
}

result tls_roots_add(X509_STORE *store, str pem)
{
	ERR_clear_error();
	struct roots *roots = roots_of(store);
	result r = roots ? add_text(roots, pem) : no_memory;
	if (!failed(r)) {
		qsort(roots->index, roots->n, sizeof *roots->index, by_subject);
		r = settle_twins(store, roots);
	}
	ERR_clear_error();
	return r;
}

result tls_roots_load(X509_STORE *store, str more)
{
	AUTO_BUF buf system = buf_new(TLS_ROOTS_MAX);
	result r = file_load(system_file, &system);
	if (!failed(r) && system.n > 0)
		r = tls_roots_add(store, buf_str(&system));
	if (r.kind == FAIL_INPUT)
		return failure(FAIL_INPUT,
			"A certificate of the system's authorities is damaged; install ca-certificates anew.");
	if (failed(r) && r.kind != FAIL_ABSENT)
		return r;
	return more.n > 0 ? tls_roots_add(store, more) : OK;
}
