#include "vault/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES };

/* A principal's own key and an item's key are wrapped under different names,
 * so that the one can't be passed off as the other. */
static const char own_purpose[] = "postern own key 1:";
static const char item_purpose[] = "postern item key 1:";

struct keys {
	unsigned char master[KEY_SIZE];
	int wrapped;
	int erased;
};

struct name {
	char p[PRINCIPAL_MAX + 8];
};

/* A principal's name becomes a file name, so it may hold nothing that leads elsewhere. */
static result file_name(str principal, struct name *out)
{
	if (principal.n == 0 || principal.n > PRINCIPAL_MAX)
		return failure(FAIL_INPUT, "the principal's name is empty or too long");
	for (size_t i = 0; i < principal.n; i++) {
		unsigned char c = str_at(principal, i);
		if (!ascii_alpha(c) && !ascii_digit(c) && c != '-')
			return failure(FAIL_INPUT, "the principal's name holds an unexpected character");
	}
	snprintf(out->p, sizeof out->p, "%.*s", STR_ARG(principal));
	return OK;
}

static bool write_all(int fd, const unsigned char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return true;
}

/* Writes beside, syncs, renames, syncs the folder: afterwards the file is whole or absent. */
static result write_file(int at, const struct name *name, const unsigned char *p, size_t n)
{
	struct name beside;
	snprintf(beside.p, sizeof beside.p, "%.*s.new", PRINCIPAL_MAX, name->p);
	int fd = openat(at, beside.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return failure(FAIL_DISK, "a key file cannot be made");
	bool good = write_all(fd, p, n) && fsync(fd) == 0;
	close(fd);
	if (!good || renameat(at, beside.p, at, name->p) < 0 || fsync(at) < 0)
		return failure(FAIL_DISK, "a key file cannot be written and synced; is the disk full?");
	return OK;
}

static result read_file(int at, const char *name, unsigned char *p, size_t n)
{
	int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return failure(FAIL_ABSENT, "there is no such key");
	if (fd < 0)
		return failure(FAIL_DISK, "a key file cannot be opened");
	unsigned char extra;
	ssize_t got = read(fd, p, n);
	ssize_t more = read(fd, &extra, 1);
	close(fd);
	if (got != (ssize_t)n || more != 0)
		return failure(FAIL_DAMAGE, "a key file has the wrong size; restore the keys folder from a backup");
	return OK;
}

static result folder(const char *name, int *out)
{
	if (mkdirat(AT_FDCWD, name, 0700) < 0 && errno != EEXIST)
		return failure(FAIL_DISK, "a folder for keys cannot be made");
	*out = openat(AT_FDCWD, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *out < 0 ? failure(FAIL_DISK, "a folder for keys cannot be opened") : OK;
}

static bool any_file(const char *name)
{
	struct stat st;
	return fstatat(AT_FDCWD, name, &st, 0) == 0;
}

/* A new master key is made only in an empty folder: beside wrapped keys a
 * missing master key is a loss that must be seen, not papered over. */
static result make_master(struct keys *k, bool fresh)
{
	static const struct name master = {"master.key"};
	if (!fresh)
		return failure(FAIL_ABSENT, "keys/master.key is missing while wrapped keys exist; put it back from your backup");
	randombytes_buf(k->master, sizeof k->master);
	int here = openat(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (here < 0)
		return failure(FAIL_DISK, "the keys folder cannot be opened");
	result r = write_file(here, &master, k->master, sizeof k->master);
	close(here);
	return r;
}

static result open_all(struct keys *k)
{
	bool fresh = !any_file("wrapped");
	result r = read_file(AT_FDCWD, "master.key", k->master, sizeof k->master);
	if (r.kind == FAIL_ABSENT)
		r = make_master(k, fresh);
	TRY(r);
	TRY(folder("wrapped", &k->wrapped));
	return folder("erased", &k->erased);
}

result keys_open(struct keys **out)
{
	if (sodium_init() < 0)
		return failure(FAIL_MEMORY, "the crypto library cannot start");
	struct keys *k = sodium_malloc(sizeof *k);
	if (!k)
		return failure(FAIL_MEMORY, "no locked memory for the master key; raise the limit of locked memory");
	k->wrapped = k->erased = -1;
	result r = open_all(k);
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
	sodium_free(*k);
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

static void wrap(const struct keys *k, struct bound to, const unsigned char key[KEY_SIZE], unsigned char out[KEY_WRAPPED])
{
	unsigned long long n;
	randombytes_buf(out, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE, &n, key, KEY_SIZE, to.p, to.n, NULL, out, k->master);
	must(n == KEY_WRAPPED - NONCE);
}

static result unwrap(const struct keys *k, struct bound to, const unsigned char in[KEY_WRAPPED], unsigned char key[KEY_SIZE])
{
	unsigned long long n;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(key, &n, NULL, in + NONCE, KEY_WRAPPED - NONCE, to.p, to.n, in,
						       k->master) != 0)
		return failure(FAIL_DAMAGE, "a wrapped key does not open: it was made for another principal, or it is damaged");
	return OK;
}

result keys_make(struct keys *k, str principal, unsigned char key[KEY_SIZE])
{
	struct name name;
	unsigned char wrapped[KEY_WRAPPED];
	struct stat st;
	TRY(file_name(principal, &name));
	if (fstatat(k->erased, name.p, &st, 0) == 0)
		return failure(FAIL_DENIED, "this principal's key was destroyed; it gets no other");
	if (fstatat(k->wrapped, name.p, &st, 0) == 0)
		return failure(FAIL_EXISTS, "this principal has a key already");
	randombytes_buf(key, KEY_SIZE);
	wrap(k, bind_to(own_purpose, principal), key, wrapped);
	result r = write_file(k->wrapped, &name, wrapped, sizeof wrapped);
	if (failed(r))
		sodium_memzero(key, KEY_SIZE);
	return r;
}

result keys_get(struct keys *k, str principal, unsigned char key[KEY_SIZE])
{
	struct name name;
	unsigned char wrapped[KEY_WRAPPED];
	TRY(file_name(principal, &name));
	TRY(read_file(k->wrapped, name.p, wrapped, sizeof wrapped));
	return unwrap(k, bind_to(own_purpose, principal), wrapped, key);
}

/* The mark comes first: a crash between the two leaves a key that is refused
 * from then on, and the erasure is finished when it is asked again. */
result keys_erase(struct keys *k, str principal)
{
	struct name name;
	static const unsigned char zero[KEY_WRAPPED];
	TRY(file_name(principal, &name));
	TRY(write_file(k->erased, &name, zero, 0));
	int fd = openat(k->wrapped, name.p, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? OK : failure(FAIL_DISK, "a key file cannot be opened");
	/* Over the old bytes first: a file system that writes in place keeps no copy. */
	bool good = write_all(fd, zero, sizeof zero) && fsync(fd) == 0;
	close(fd);
	if (!good || unlinkat(k->wrapped, name.p, 0) < 0 || fsync(k->wrapped) < 0)
		return failure(FAIL_DISK, "a key file cannot be destroyed; try again");
	return OK;
}

result keys_wrap_new(struct keys *k, str principal, unsigned char key[KEY_SIZE], unsigned char wrapped[KEY_WRAPPED])
{
	struct name checked;
	TRY(file_name(principal, &checked));
	randombytes_buf(key, KEY_SIZE);
	wrap(k, bind_to(item_purpose, principal), key, wrapped);
	return OK;
}

result keys_unwrap(struct keys *k, str principal, str wrapped, unsigned char key[KEY_SIZE])
{
	struct name checked;
	unsigned char in[KEY_WRAPPED];
	TRY(file_name(principal, &checked));
	if (wrapped.n != KEY_WRAPPED)
		return failure(FAIL_DAMAGE, "a wrapped key has the wrong size");
	memcpy(in, wrapped.p, sizeof in);
	return unwrap(k, bind_to(item_purpose, principal), in, key);
}
