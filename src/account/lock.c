#include "account/lock.h"

#include <sodium.h>
#include <string.h>

#include "account/store/reseal.h"
#include "engine/reseal.h"
#include "engine/seal_box.h"

static const char notice_file[] = "lock", notice_next[] = "lock.next";

const struct lock_vault lock_vault_of_rooms = {own_key, own_key_next, own_key_follow};

/* ---- the notice ---- */

enum {
	NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	PLAIN = OWNER_PUBLIC + 3 * 8,
	SEALED = NONCE + PLAIN + TAG,
};
static const unsigned char purpose[] = "postern lock 1";

static void put(const struct lock_notice *n, unsigned char *plain)
{
	memcpy(plain, n->owner.b, OWNER_PUBLIC);
	box_put_u64(plain + OWNER_PUBLIC, n->quota);
	box_put_u64(plain + OWNER_PUBLIC + 8, n->octets);
	box_put_u64(plain + OWNER_PUBLIC + 16, n->messages);
}

static struct lock_notice take(const unsigned char *plain)
{
	struct lock_notice n = {.quota = box_get_u64(plain + OWNER_PUBLIC), .octets = box_get_u64(plain + OWNER_PUBLIC + 8),
		.messages = box_get_u64(plain + OWNER_PUBLIC + 16)};
	memcpy(n.owner.b, plain, OWNER_PUBLIC);
	return n;
}

static result write_file(struct files *f, str bytes)
{
	AUTO_FILE struct file *file = NULL;
	TRY(files_open(f, notice_next, FILES_CREATE, &file));
	TRY(file_write(file, 0, bytes));
	TRY(file_truncate(file, bytes.n));
	TRY(file_sync(file));
	file_close(&file);
	TRY(files_rename(f, notice_next, notice_file));
	return files_sync_folder(f);
}

static result write_notice(const struct lock *l, const unsigned char key[OWN_KEY], const struct lock_notice *n)
{
	unsigned char sealed[SEALED];
	randombytes_buf(sealed, NONCE);
	put(n, sealed + NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		sealed + NONCE, NULL, sealed + NONCE, PLAIN, purpose, sizeof purpose, NULL, sealed, key);
	return write_file(l->files, str_of((const char *)sealed, sizeof sealed));
}

/* *good false: it was sealed by another key, or there is none. */
static result read_notice(const struct lock *l, const unsigned char key[OWN_KEY], struct lock_notice *out, bool *good)
{
	unsigned char sealed[SEALED], plain[PLAIN];
	AUTO_FILE struct file *file = NULL;
	size_t n = sizeof sealed;
	*good = false;
	result r = files_open(l->files, notice_file, FILES_READ, &file);
	if (failed(r))
		return r.kind == FAIL_ABSENT ? OK : r;
	TRY(file_read(file, 0, sealed, &n));
	*good = n == sizeof sealed && crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, sealed + NONCE,
		PLAIN + TAG, purpose, sizeof purpose, sealed, key) == 0;
	if (*good)
		*out = take(plain);
	return OK;
}

/* ---- what is true ---- */

/* The key that opens mail.db by itself, or `lock`, is in force from now on. */
static result settle(struct lock *l, const unsigned char key[OWN_KEY], bool next)
{
	if (next)
		TRY(l->vault->follow());
	memcpy(l->key, key, OWN_KEY);
	if (!l->locked)
		return files_unlink_if_there(l->files, notice_file);
	return OK;
}

static result try_key(struct lock *l, const unsigned char key[OWN_KEY], bool next, bool *found)
{
	const struct reseal_key opener = {key, l->id};
	bool alone, noticed;
	TRY(reseal_opens(l->files, STORE_FILE, &opener, &alone));
	TRY(read_notice(l, key, &l->notice, &noticed));
	*found = alone || noticed;
	l->locked = !alone;
	return *found ? settle(l, key, next) : OK;
}

/* The next key first: where it opens mail.db alone, `lock` may still open by the one before. */
static result find(struct lock *l, const unsigned char key[OWN_KEY])
{
	unsigned char next[OWN_KEY];
	const struct reseal_key opener = {key, l->id};
	bool found = false, alone;
	TRY(reseal_opens(l->files, STORE_FILE, &opener, &alone));
	result r = alone ? failure(FAIL_ABSENT, "") : l->vault->next(false, next);
	if (!failed(r))
		r = try_key(l, next, true, &found);
	sodium_memzero(next, sizeof next);
	if (failed(r) && r.kind != FAIL_ABSENT)
		return r;
	if (!found)
		TRY(try_key(l, key, false, &found));
	return found ? OK : failure(FAIL_DAMAGE, "neither the mailbox nor its lock opens by the vault's key; restore the "
		"keys folder and the account's from the same backup");
}

result lock_find(struct lock *l)
{
	unsigned char key[OWN_KEY];
	bool there, noticed;
	TRY(store_reseal_forget(l->files));
	TRY(files_exists(l->files, STORE_FILE, &there));
	TRY(files_exists(l->files, notice_file, &noticed));
	TRY(l->vault->key(!there, key));
	memcpy(l->key, key, sizeof key);
	l->locked = l->open = false;
	result r = there && noticed ? find(l, key) : OK;
	sodium_memzero(key, sizeof key);
	return r;
}

void lock_wipe(struct lock *l)
{
	sodium_memzero(l->key, sizeof l->key);
	sodium_memzero(&l->owner, sizeof l->owner);
	l->open = false;
}

result lock_open(struct lock *l, const struct owner_key *owner)
{
	const struct owner_public public = owner_key_public(owner);
	if (sodium_memcmp(public.b, l->notice.owner.b, sizeof public.b) != 0)
		return failure(FAIL_DENIED, "this is not the key of the account's owner");
	l->owner = *owner;
	l->open = true;
	return OK;
}

void lock_database(const struct lock *l, unsigned char out[OWN_KEY])
{
	must(!l->locked || l->open);
	if (l->locked)
		owner_key_database(&l->owner, l->key, out);
	else
		memcpy(out, l->key, OWN_KEY);
}

result lock_note(struct lock *l)
{
	must(l->locked);
	return write_notice(l, l->key, &l->notice);
}

/* ---- another policy ---- */

struct change {
	unsigned char was[OWN_KEY], vault[OWN_KEY], now[OWN_KEY];
	struct lock_notice notice;
};

static result seal_anew(struct lock *l, struct change *c, const struct owner_key *owner)
{
	const struct store_reseal how = {.files = l->files, .key = c->was, .next = c->now, .id = l->id};
	lock_database(l, c->was);
	TRY(l->vault->next(true, c->vault));
	if (owner)
		owner_key_database(owner, c->vault, c->now);
	else
		memcpy(c->now, c->vault, OWN_KEY);
	TRY(store_reseal(&how));
	if (owner) {
		c->notice = l->notice;
		c->notice.owner = owner_key_public(owner);
		TRY(write_notice(l, c->vault, &c->notice));
	}
	return store_reseal_take(l->files);
}

/* From the rename on: whatever fails here is made good by lock_find. */
static result put_in_force(struct lock *l, const struct change *c, const struct owner_key *owner)
{
	l->locked = owner != NULL;
	l->open = owner != NULL;
	memcpy(l->key, c->vault, OWN_KEY);
	if (owner) {
		l->owner = *owner;
		l->notice = c->notice;
	} else {
		sodium_memzero(&l->owner, sizeof l->owner);
	}
	TRY(l->vault->follow());
	return owner ? OK : files_unlink_if_there(l->files, notice_file);
}

result lock_change(struct lock *l, const struct owner_key *owner)
{
	must(l->locked == !owner);
	struct change c;
	result r = seal_anew(l, &c, owner);
	if (!failed(r))
		r = put_in_force(l, &c, owner);
	sodium_memzero(&c, sizeof c);
	return r;
}
