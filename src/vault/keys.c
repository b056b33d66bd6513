#include "vault/keys.h"
#include "base/mem.h"
#include "run/files.h"
#include "vault/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A principal's own key and an item's key are wrapped under different names,
 * so that the one can't be passed off as the other. */
static const char own_purpose[] = "postern own key 1:";
static const char item_purpose[] = "postern item key 1:";

struct keys {
	struct masters *masters;
	int wrapped;
	int erased;
};

_Static_assert((int)PRINCIPAL_MAX == (int)FOLDER_NAME_MAX, "a principal's name is a file's");

static result folder(const char *name, int *out)
{
	TRY(dir_make_at(AT_FDCWD, name, 0700));
	return dir_open_at(AT_FDCWD, name, out);
}

/* OK, ABSENT, or DISK: what cannot be looked at must not pass for missing. */
static result there_is(int at, const char *name)
{
	struct stat st;
	if (fstatat(at, name, &st, 0) == 0)
		return OK;
	return errno == ENOENT ? failure(FAIL_ABSENT, "there is no such key")
			       : failure(FAIL_DISK, "the keys folder cannot be read");
}

static result open_folders(struct keys *k)
{
	TRY(folder("wrapped", &k->wrapped));
	return folder("erased", &k->erased);
}

result keys_open(struct masters *m, struct keys **out)
{
	struct keys *k = mem_alloc(sizeof *k);
	if (!k)
		return failure(FAIL_MEMORY, "out of memory");
	*k = (struct keys){.masters = m, .wrapped = -1, .erased = -1};
	result r = open_folders(k);
	if (failed(r))
		keys_close(&k);
	else
		*out = k;
	return r;
}

void keys_close(struct keys **k)
{
	if (!*k)
		return;
	if ((*k)->wrapped >= 0)
		close((*k)->wrapped);
	if ((*k)->erased >= 0)
		close((*k)->erased);
	mem_free(*k);
	*k = NULL;
}

struct bound {
	unsigned char p[sizeof item_purpose + PRINCIPAL_MAX];
	size_t n;
};

static struct bound bind_to(const char *purpose, str principal)
{
	struct bound b;
	size_t n = strlen(purpose);
	must(principal.n <= PRINCIPAL_MAX);
	memcpy(b.p, purpose, n);
	memcpy(b.p + n, principal.p, principal.n);
	b.n = n + principal.n;
	return b;
}

static str bound_str(const struct bound *b)
{
	return str_of((const char *)b->p, b->n);
}

static result wrap(
	const struct keys *k, struct bound to, const unsigned char key[KEY_SIZE], unsigned char out[KEY_WRAPPED])
{
	return masters_seal(k->masters, bound_str(&to), str_of((const char *)key, KEY_SIZE), out);
}

static result unwrap(
	const struct keys *k, struct bound to, const unsigned char in[KEY_WRAPPED], unsigned char key[KEY_SIZE])
{
	return masters_unseal(k->masters, bound_str(&to), str_of((const char *)in, KEY_WRAPPED), key);
}

/* ---- a principal's own ---- */

#define NEXT "-next"

/* The file of the key in force, or of the one that follows; both are bound to the principal's name, so that the
 * second may take the first one's place. */
static result file_of(str principal, bool next, struct folder_name *out)
{
	char text[PRINCIPAL_MAX + sizeof NEXT];
	struct folder_name checked;
	TRY(folder_name_of(principal, &checked));
	int n = snprintf(text, sizeof text, "%s%s", checked.p, next ? NEXT : "");
	must(n > 0 && (size_t)n < sizeof text);
	return folder_name_of(str_of(text, (size_t)n), out);
}

static result refuse_erased(const struct keys *k, str principal)
{
	struct folder_name name;
	TRY(folder_name_of(principal, &name));
	result r = there_is(k->erased, name.p);
	if (r.kind == FAIL_ABSENT)
		return OK;
	return failed(r) ? r : failure(FAIL_DENIED, "this principal's key was destroyed; it gets no other");
}

static result store(struct keys *k, const struct folder_name *name, str principal, const unsigned char key[KEY_SIZE])
{
	unsigned char wrapped[KEY_WRAPPED];
	TRY(wrap(k, bind_to(own_purpose, principal), key, wrapped));
	return file_write_at(k->wrapped, name->p, str_of((const char *)wrapped, sizeof wrapped), 0600);
}

static result make(struct keys *k, str principal, bool next, unsigned char key[KEY_SIZE])
{
	struct folder_name name;
	TRY(file_of(principal, next, &name));
	TRY(refuse_erased(k, principal));
	result r = there_is(k->wrapped, name.p);
	if (r.kind != FAIL_ABSENT)
		return failed(r) ? r : failure(FAIL_EXISTS, "this principal has a key already");
	randombytes_buf(key, KEY_SIZE);
	r = store(k, &name, principal, key);
	if (failed(r))
		sodium_memzero(key, KEY_SIZE);
	return r;
}

static result get(struct keys *k, str principal, bool next, unsigned char key[KEY_SIZE])
{
	struct folder_name name;
	unsigned char wrapped[KEY_WRAPPED];
	TRY(file_of(principal, next, &name));
	TRY(refuse_erased(k, principal));
	TRY(folder_read(k->wrapped, name.p, wrapped, sizeof wrapped));
	return unwrap(k, bind_to(own_purpose, principal), wrapped, key);
}

result keys_make(struct keys *k, str principal, unsigned char key[KEY_SIZE])
{
	return make(k, principal, false, key);
}

result keys_get(struct keys *k, str principal, unsigned char key[KEY_SIZE])
{
	return get(k, principal, false, key);
}

result keys_next(struct keys *k, str principal, bool may_make, unsigned char key[KEY_SIZE])
{
	result r = get(k, principal, true, key);
	return r.kind == FAIL_ABSENT && may_make ? make(k, principal, true, key) : r;
}

result keys_follow(struct keys *k, str principal)
{
	struct folder_name next, name;
	TRY(file_of(principal, true, &next));
	TRY(file_of(principal, false, &name));
	TRY(refuse_erased(k, principal));
	result r = there_is(k->wrapped, next.p);
	if (failed(r))
		return r.kind == FAIL_ABSENT ? OK : r;
	return folder_replace(k->wrapped, next.p, name.p);
}

/* The mark comes first: a crash between the two leaves a key that is refused
 * from then on, and the erasure is finished when it is asked again. */
result keys_erase(struct keys *k, str principal)
{
	struct folder_name name, next;
	TRY(file_of(principal, false, &name));
	TRY(file_of(principal, true, &next));
	TRY(file_write_at(k->erased, name.p, (str){NULL, 0}, 0600));
	result former = folder_destroy(k->wrapped, name.p), r = folder_destroy(k->wrapped, next.p);
	if (failed(former) && former.kind != FAIL_ABSENT)
		return former;
	return r.kind == FAIL_ABSENT ? OK : r;
}

result keys_wrap_new(struct keys *k, str principal, unsigned char key[KEY_SIZE], unsigned char wrapped[KEY_WRAPPED])
{
	TRY(refuse_erased(k, principal));
	randombytes_buf(key, KEY_SIZE);
	return wrap(k, bind_to(item_purpose, principal), key, wrapped);
}

result keys_unwrap(struct keys *k, str principal, str wrapped, unsigned char key[KEY_SIZE])
{
	unsigned char in[KEY_WRAPPED];
	TRY(refuse_erased(k, principal));
	if (wrapped.n != KEY_WRAPPED)
		return failure(FAIL_DAMAGE, "a wrapped key has the wrong size");
	memcpy(in, wrapped.p, sizeof in);
	return unwrap(k, bind_to(item_purpose, principal), in, key);
}

result keys_seal(const struct keys *k, str bound_to, str plain, buf *out)
{
	if (!buf_reserve(out, plain.n + KEY_SEALED_MORE))
		return buf_result(out);
	TRY(masters_seal(k->masters, bound_to, plain, (unsigned char *)out->p + out->n));
	out->n += plain.n + KEY_SEALED_MORE;
	return OK;
}

result keys_unseal(const struct keys *k, str bound_to, str sealed, buf *out)
{
	if (sealed.n < KEY_SEALED_MORE || !buf_reserve(out, sealed.n))
		return sealed.n < KEY_SEALED_MORE ? failure(FAIL_DAMAGE, "a sealed key is cut off") : buf_result(out);
	TRY(masters_unseal(k->masters, bound_to, sealed, (unsigned char *)out->p + out->n));
	out->n += sealed.n - KEY_SEALED_MORE;
	return OK;
}

/* One that was erased meanwhile stays so. */
static result rewrap_one(void *ctx, str file)
{
	struct keys *k = ctx;
	struct folder_name name;
	unsigned char key[KEY_SIZE];
	bool next = file.n > strlen(NEXT) && str_eq(str_skip(file, file.n - strlen(NEXT)), STR(NEXT));
	str principal = next ? str_sub(file, 0, file.n - strlen(NEXT)) : file;
	result r = get(k, principal, next, key);
	if (r.kind == FAIL_ABSENT || r.kind == FAIL_DENIED)
		return OK;
	TRY(r);
	r = folder_name_of(file, &name);
	if (!failed(r))
		r = store(k, &name, principal, key);
	sodium_memzero(key, sizeof key);
	return r;
}

result keys_rewrap(struct keys *k)
{
	return folder_each(k->wrapped, rewrap_one, k);
}
