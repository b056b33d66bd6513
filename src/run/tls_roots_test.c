/* Chains against roots that are parsed when they are asked for. */
#include "run/tls_roots.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/test.h"
#include "run/tls.h"

enum { DAY = 86400, TEXT_MAX = 64 * 1024 };

/* ---- certificates ---- */

struct made {
	X509 *x;
	EVP_PKEY *key;
};

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

/* By its own key where `by` is NULL; good until so many days from now. */
static struct made make(const char *name, const struct made *by, int days)
{
	static long serial;
	struct made m = {X509_new(), EVP_EC_gen("P-256")};
	X509_NAME *subject = X509_get_subject_name(m.x);
	by = by ? by : &m;
	assert_int_equal(X509_set_version(m.x, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(m.x), ++serial), 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const void *)name, -1, -1, 0), 1);
	assert_int_equal(X509_set_issuer_name(m.x, X509_get_subject_name(by->x)), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(m.x), -9L * DAY));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(m.x), (long)days * DAY));
	assert_int_equal(X509_set_pubkey(m.x, m.key), 1);
	extend(m.x, m.x, NID_basic_constraints, "critical,CA:TRUE");
	extend(m.x, m.x, NID_subject_key_identifier, "hash");
	extend(m.x, by->x, NID_authority_key_identifier, "keyid");
	assert_true(X509_sign(m.x, by->key, EVP_sha256()) > 0);
	return m;
}

static void made_free(struct made *m)
{
	X509_free(m->x);
	EVP_PKEY_free(m->key);
}

static void put_bio(BIO *from, buf *out)
{
	char *p;
	long n = BIO_get_mem_data(from, &p);
	buf_put(out, str_of(p, (size_t)n));
	BIO_free(from);
	assert_ok(buf_result(out));
}

static void put_pem(const struct made *m, buf *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_X509(b, m->x), 1);
	put_bio(b, out);
}

static void put_key(const struct made *m, buf *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PUBKEY(b, m->key), 1);
	put_bio(b, out);
}

static result add(X509_STORE *store, const struct made *m)
{
	AUTO_BUF buf text = buf_new(TEXT_MAX);
	put_pem(m, &text);
	return tls_roots_add(store, buf_str(&text));
}

/* ---- chains ---- */

static X509_STORE_CTX *chain_of(X509_STORE *store, X509 *leaf)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, NULL), 1);
	return ctx;
}

static int verify(X509_STORE *store, const struct made *leaf)
{
	X509_STORE_CTX *ctx = chain_of(store, leaf->x);
	int good = X509_verify_cert(ctx), error = X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	assert_int_equal(good, error == X509_V_OK);
	return error;
}

static int parsed(X509_STORE *store)
{
	return sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
}

struct scene {
	X509_STORE *store;
	struct made roots[2], leaves[2];
};

/* Two authorities with a leaf each; the store knows nobody. */
static int set_up(void **state)
{
	static struct scene s;
	s.store = X509_STORE_new();
	for (int i = 0; i < 2; i++) {
		s.roots[i] = make(i ? "Second Root" : "First Root", NULL, 30);
		s.leaves[i] = make("leaf.example.test", &s.roots[i], 30);
	}
	*state = &s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;
	X509_STORE_free(s->store);
	for (int i = 0; i < 2; i++) {
		made_free(&s->roots[i]);
		made_free(&s->leaves[i]);
	}
	assert_int_equal(ERR_peek_error(), 0);
	return 0;
}

static void a_chain_has_its_root_parsed_once(void **state)
{
	struct scene *s = *state;
	assert_ok(add(s->store, &s->roots[0]));
	assert_ok(add(s->store, &s->roots[1]));
	assert_int_equal(parsed(s->store), 0);
	assert_int_equal(verify(s->store, &s->leaves[1]), X509_V_OK);
	assert_int_equal(parsed(s->store), 1);
	const X509 *root = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(X509_STORE_get0_objects(s->store), 0));
	assert_int_equal(X509_cmp(root, s->roots[1].x), 0);
	assert_int_equal(verify(s->store, &s->leaves[1]), X509_V_OK);
	assert_int_equal(parsed(s->store), 1);
	assert_ptr_equal(X509_OBJECT_get0_X509(sk_X509_OBJECT_value(X509_STORE_get0_objects(s->store), 0)), root);
	assert_int_equal(verify(s->store, &s->leaves[0]), X509_V_OK);
	assert_int_equal(parsed(s->store), 2);
}

static void an_unknown_issuer_stays_unknown(void **state)
{
	struct scene *s = *state;
	assert_ok(add(s->store, &s->roots[0]));
	assert_int_equal(verify(s->store, &s->leaves[1]), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	assert_int_equal(parsed(s->store), 0);
}

static void roots_of_one_subject_all_count(void **state)
{
	struct scene *s = *state;
	struct made twin = make("First Root", NULL, 30), leaf = make("leaf.example.test", &twin, 30);
	AUTO_BUF buf text = buf_new(TEXT_MAX);
	put_pem(&s->roots[0], &text);
	put_pem(&s->roots[1], &text);
	put_pem(&twin, &text);
	assert_ok(tls_roots_add(s->store, buf_str(&text)));
	assert_int_equal(verify(s->store, &leaf), X509_V_OK);
	assert_int_equal(verify(s->store, &s->leaves[0]), X509_V_OK);
	made_free(&twin);
	made_free(&leaf);
}

/* The names' hashes (X509_NAME_hash_ex) have 32 bits; these two have the same. */
static void subjects_of_one_hash_are_told_apart(void **state)
{
	struct scene *s = *state;
	struct made one = make("root 14246", NULL, 30), other = make("root 75831", NULL, 30);
	struct made leaf = make("leaf.example.test", &one, 30), second = make("leaf.example.test", &other, 30);
	assert_int_equal(X509_subject_name_hash(one.x), X509_subject_name_hash(other.x));
	assert_ok(add(s->store, &one));
	assert_int_equal(verify(s->store, &second), X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
	assert_int_equal(parsed(s->store), 0);
	assert_ok(add(s->store, &other));
	assert_int_equal(verify(s->store, &second), X509_V_OK);
	assert_int_equal(verify(s->store, &leaf), X509_V_OK);
	made_free(&one);
	made_free(&other);
	made_free(&leaf);
	made_free(&second);
}

static void a_subject_in_another_spelling_is_the_same(void **state)
{
	struct scene *s = *state;
	struct made shouting = make("FIRST  ROOT", NULL, 30);
	assert_ok(add(s->store, &s->roots[0]));
	X509_NAME *issuer = X509_get_subject_name(shouting.x);
	assert_int_equal(X509_set_issuer_name(s->leaves[0].x, issuer), 1);
	assert_true(X509_sign(s->leaves[0].x, s->roots[0].key, EVP_sha256()) > 0);
	assert_int_equal(verify(s->store, &s->leaves[0]), X509_V_OK);
	made_free(&shouting);
}

static void an_expired_root_proves_nothing(void **state)
{
	struct scene *s = *state;
	struct made old = make("Old Root", NULL, -1), leaf = make("leaf.example.test", &old, 30);
	assert_ok(add(s->store, &old));
	assert_int_equal(verify(s->store, &leaf), X509_V_ERR_CERT_HAS_EXPIRED);
	made_free(&old);
	made_free(&leaf);
}

/* As an authority does that prolongs its certificate: one key, one name. */
static void its_renewed_certificate_does(void **state)
{
	struct scene *s = *state;
	struct made old = make("First Root", &s->roots[0], -1);
	assert_int_equal(X509_set_pubkey(old.x, s->roots[0].key), 1);
	assert_true(X509_sign(old.x, s->roots[0].key, EVP_sha256()) > 0);
	assert_ok(add(s->store, &old));
	assert_ok(add(s->store, &s->roots[0]));
	assert_int_equal(verify(s->store, &s->leaves[0]), X509_V_OK);
	made_free(&old);
}

static void a_server_that_is_its_own_authority_is_found(void **state)
{
	struct scene *s = *state;
	assert_ok(add(s->store, &s->roots[0]));
	assert_int_equal(verify(s->store, &s->roots[0]), X509_V_OK);
	assert_int_equal(verify(s->store, &s->roots[1]), X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

/* ---- texts ---- */

static void a_later_text_adds_to_what_was_found(void **state)
{
	struct scene *s = *state;
	struct made twin = make("First Root", NULL, 30), leaf = make("leaf.example.test", &twin, 30);
	assert_ok(add(s->store, &s->roots[0]));
	assert_int_equal(verify(s->store, &s->leaves[0]), X509_V_OK);
	assert_int_not_equal(verify(s->store, &leaf), X509_V_OK);
	assert_ok(add(s->store, &twin));
	assert_ok(add(s->store, &s->roots[1]));
	assert_int_equal(verify(s->store, &leaf), X509_V_OK);
	assert_int_equal(verify(s->store, &s->leaves[0]), X509_V_OK);
	assert_int_equal(verify(s->store, &s->leaves[1]), X509_V_OK);
	made_free(&twin);
	made_free(&leaf);
}

static void what_is_there_already_costs_nothing(void **state)
{
	struct scene *s = *state;
	AUTO_BUF buf text = buf_new(TEXT_MAX);
	put_pem(&s->roots[0], &text);
	put_pem(&s->roots[1], &text);
	for (int i = 0; i < 3; i++)
		assert_ok(tls_roots_add(s->store, buf_str(&text)));
	assert_int_equal(parsed(s->store), 0);
	assert_int_equal(verify(s->store, &s->leaves[0]), X509_V_OK);
}

static void other_things_in_a_text_are_passed_over(void **state)
{
	struct scene *s = *state;
	AUTO_BUF buf text = buf_new(TEXT_MAX);
	buf_put(&text, STR("# of our own\n\n"));
	put_pem(&s->roots[0], &text);
	put_key(&s->roots[0], &text);
	put_pem(&s->roots[1], &text);
	assert_ok(tls_roots_add(s->store, buf_str(&text)));
	assert_int_equal(verify(s->store, &s->leaves[0]), X509_V_OK);
	assert_int_equal(verify(s->store, &s->leaves[1]), X509_V_OK);
}

static void a_root_may_say_what_it_is_not_good_for(void **state)
{
	struct scene *s = *state;
	AUTO_BUF buf text = buf_new(TEXT_MAX);
	BIO *b = BIO_new(BIO_s_mem());
	assert_int_equal(X509_add1_reject_object(s->roots[0].x, OBJ_nid2obj(NID_server_auth)), 1);
	assert_int_equal(PEM_write_bio_X509_AUX(b, s->roots[0].x), 1);
	put_bio(b, &text);
	assert_ok(tls_roots_add(s->store, buf_str(&text)));
	assert_int_equal(verify(s->store, &s->leaves[0]), X509_V_OK);
	assert_int_equal(X509_STORE_set_trust(s->store, X509_TRUST_SSL_SERVER), 1);
	assert_int_equal(verify(s->store, &s->leaves[0]), X509_V_ERR_CERT_REJECTED);
}

static void refuse(str text, const char *reason)
{
	X509_STORE *store = X509_STORE_new();
	result r = tls_roots_add(store, text);
	assert_int_equal(r.kind, FAIL_INPUT);
	assert_non_null(strstr(r.text, reason));
	assert_int_equal(ERR_peek_error(), 0);
	X509_STORE_free(store);
}

static void texts_without_a_certificate_or_with_a_damaged_one_are_refused(void **state)
{
	struct scene *s = *state;
	AUTO_BUF buf text = buf_new(TEXT_MAX);
	refuse(str_of(NULL, 0), "holds no");
	refuse(STR("no certificate\n"), "holds no");
	put_key(&s->roots[0], &text);
	refuse(buf_str(&text), "holds no");
	buf_clear(&text);
	put_pem(&s->roots[0], &text);
	size_t second = text.n;
	put_pem(&s->roots[1], &text);
	refuse(str_sub(buf_str(&text), 0, text.n - 100), "damaged"); /* cut */
	text.p[second + sizeof "-----BEGIN CERTIFICATE-----"] ^= 1;   /* no SEQUENCE any more */
	put_pem(&s->roots[0], &text);
	refuse(buf_str(&text), "damaged");
	refuse(str_skip(buf_str(&text), second), "damaged");
}

static void a_text_has_an_end(void **state)
{
	struct scene *s = *state;
	AUTO_BUF buf text = buf_new(SIZE_MAX);
	size_t most = TLS_ROOTS_MAX / 3 * 4;
	put_pem(&s->roots[0], &text);
	assert_true(buf_reserve(&text, most + 8));
	memset(text.p + text.n, '\n', most + 8 - text.n);
	assert_int_equal(tls_roots_add(s->store, str_of(text.p, most + 8)).kind, FAIL_LIMIT);
	X509_STORE_free(s->store);
	s->store = X509_STORE_new();
	assert_ok(tls_roots_add(s->store, str_of(text.p, most)));
}

static void the_systems_come_with_more(void **state)
{
	struct scene *s = *state;
	AUTO_BUF buf text = buf_new(TEXT_MAX);
	put_pem(&s->roots[0], &text);
	assert_ok(tls_roots_load(s->store, buf_str(&text)));
	assert_int_equal(verify(s->store, &s->leaves[0]), X509_V_OK);
	assert_ok(tls_roots_load(s->store, str_of(NULL, 0)));
	assert_int_equal(tls_roots_load(s->store, STR("no certificate\n")).kind, FAIL_INPUT);
}

/* ---- memory ---- */

/* Parsing a certificate allocates 1,500 times, which is mostly OpenSSL's own affair: what comes first, then samples. */
static uint64_t next_place(uint64_t n)
{
	return n < 40 ? n + 1 : n + test_often(19, 1);
}

static bool adds_when_refused(str text, uint64_t place)
{
	X509_STORE *store = X509_STORE_new();
	mem_fail_at(place);
	result r = tls_roots_add(store, text);
	bool reached = mem_count() >= place;
	mem_fail_at(0);
	if (failed(r) && r.kind != FAIL_MEMORY)
		fail_msg("allocation %llu: %s (%s)", (unsigned long long)place, fail_name(r.kind), r.text);
	assert_int_equal(ERR_peek_error(), 0);
	X509_STORE_free(store);
	return reached;
}

static void refused_memory_is_told(void **state)
{
	struct scene *s = *state;
	struct made twin = make("First Root", NULL, 30);
	AUTO_BUF buf text = buf_new(TEXT_MAX);
	put_pem(&s->roots[0], &text);
	put_pem(&twin, &text);
	for (uint64_t n = 1; adds_when_refused(buf_str(&text), n); n = next_place(n))
		continue;
	made_free(&twin);
}

/* OpenSSL 3.0 may forget for want of memory that a root is self-signed, and there is no asking again. */
static bool forgot_itself(X509_STORE *store)
{
	X509 *root = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(X509_STORE_get0_objects(store), 0));
	return root && X509_get0_pubkey(root) && !(X509_get_extension_flags(root) & (EXFLAG_SS | EXFLAG_INVALID));
}

/* Looking for the root leaves nothing in the queue of errors, where a handshake would find it. */
static bool verifies_after_refusal(const struct scene *s, str root, uint64_t place)
{
	X509_STORE *store = X509_STORE_new();
	X509_OBJECT *found = X509_OBJECT_new();
	X509 *leaf = X509_dup(s->leaves[0].x);
	assert_ok(tls_roots_add(store, root));
	X509_STORE_CTX *ctx = chain_of(store, leaf);
	mem_fail_at(place);
	(void)X509_STORE_CTX_get_by_subject(ctx, X509_LU_X509, X509_get_issuer_name(leaf), found);
	assert_int_equal(ERR_peek_error(), 0);
	X509_verify_cert(ctx);
	bool reached = mem_count() >= place;
	mem_fail_at(0);
	ERR_clear_error();
	X509_STORE_CTX_free(ctx);
	X509_OBJECT_free(found);
	X509_free(leaf);
	if (verify(store, &s->leaves[0]) != X509_V_OK && !forgot_itself(store))
		fail_msg("after allocation %llu", (unsigned long long)place);
	X509_STORE_free(store);
	return reached;
}

static void refused_memory_loses_no_root(void **state)
{
	struct scene *s = *state;
	AUTO_BUF buf text = buf_new(TEXT_MAX);
	put_pem(&s->roots[0], &text);
	for (uint64_t n = 1; verifies_after_refusal(s, buf_str(&text), n); n = next_place(n))
		continue;
}

#define T(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int main(void)
{
	tls_forget(); /* OpenSSL's memory passes the seam as well */
	const struct CMUnitTest tests[] = {
		T(a_chain_has_its_root_parsed_once), T(an_unknown_issuer_stays_unknown), T(roots_of_one_subject_all_count),
		T(subjects_of_one_hash_are_told_apart), T(a_subject_in_another_spelling_is_the_same),
		T(an_expired_root_proves_nothing), T(its_renewed_certificate_does),
		T(a_server_that_is_its_own_authority_is_found), T(a_later_text_adds_to_what_was_found),
		T(what_is_there_already_costs_nothing), T(other_things_in_a_text_are_passed_over),
		T(a_root_may_say_what_it_is_not_good_for),
		T(texts_without_a_certificate_or_with_a_damaged_one_are_refused), T(a_text_has_an_end),
		T(the_systems_come_with_more), T(refused_memory_is_told), T(refused_memory_loses_no_root),
	};
	return cmocka_run_group_tests_name("tls roots", tests, NULL, NULL);
}
