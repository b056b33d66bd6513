#include "talk/item_keys.h"

#include "run/clock.h"

static unsigned char *at(const struct item_keys *k, size_t i)
{
	return secret_bytes(k->keys) + i * ITEM_KEY;
}

static void forget(struct item_keys *k, size_t i)
{
	secret_wipe(at(k, i), ITEM_KEY);
	k->of[i] = (struct item_key_kept){.until = 0};
}

/* How long the next one has; 0: there is none. */
static uint64_t forget_old(struct item_keys *k)
{
	uint64_t now = clock_mono_ms(), left = 0;
	for (size_t i = 0; i < ITEM_KEYS; i++) {
		uint64_t until = k->of[i].until;
		if (until == 0)
			continue;
		if (until <= now)
			forget(k, i);
		else if (left == 0 || until - now < left)
			left = until - now;
	}
	return left;
}

static void wait_and_forget(void *arg)
{
	struct item_keys *k = arg;
	for (uint64_t left = forget_old(k); left > 0; left = forget_old(k))
		if (gate_wait(&k->closing, left).kind == FAIL_CANCELLED)
			item_keys_close(k);
	k->forgetting = false;
}

static bool make_ready(struct item_keys *k)
{
	if (!k->ready)
		gate_init(&k->closing);
	k->ready = true;
	if (k->closed || (!k->keys && failed(secret_new((size_t)ITEM_KEYS * ITEM_KEY, &k->keys))))
		return false;
	if (!k->forgetting && failed(fiber_start(wait_and_forget, k, "item keys", NULL)))
		return false;
	k->forgetting = true;
	return true;
}

void item_keys_keep(struct item_keys *k, str wrapped, const unsigned char key[ITEM_KEY])
{
	if (wrapped.n == 0 || wrapped.n > ITEM_WRAPPED_MAX || !make_ready(k))
		return;
	size_t i = k->newest = (k->newest + 1) % ITEM_KEYS;
	memcpy(at(k, i), key, ITEM_KEY);
	k->of[i] = (struct item_key_kept){
		.until = clock_mono_ms() + ITEM_KEY_MS, .letters = 1, .wrapped_n = wrapped.n};
	memcpy(k->of[i].wrapped, wrapped.p, wrapped.n);
}

bool item_keys_newest(struct item_keys *k, unsigned char key[ITEM_KEY], str *wrapped)
{
	struct item_key_kept *of = &k->of[k->newest];
	if (of->until <= clock_mono_ms() || of->letters >= ITEM_KEY_LETTERS)
		return false;
	of->letters++;
	memcpy(key, at(k, k->newest), ITEM_KEY);
	*wrapped = str_of(of->wrapped, of->wrapped_n);
	return true;
}

bool item_keys_find(struct item_keys *k, str wrapped, unsigned char key[ITEM_KEY])
{
	uint64_t now = clock_mono_ms();
	for (size_t i = 0; i < ITEM_KEYS; i++) {
		const struct item_key_kept *of = &k->of[i];
		if (of->until <= now || !str_eq(str_of(of->wrapped, of->wrapped_n), wrapped))
			continue;
		memcpy(key, at(k, i), ITEM_KEY);
		return true;
	}
	return false;
}

void item_keys_close(struct item_keys *k)
{
	k->closed = true;
	for (size_t i = 0; k->keys && i < ITEM_KEYS; i++)
		forget(k, i);
	secret_free(&k->keys);
	if (k->forgetting)
		gate_wake_all(&k->closing);
}
