#include "auth/turns.h"

enum { NETWORKS_MAX = 4096, BITS_V4 = 96 + 24, BITS_V6 = 48 };

void turns_init(struct turns *t)
{
	*t = (struct turns){.waiting = hash_new(NETWORKS_MAX)};
}

void turns_free(struct turns *t)
{
	hash_free(&t->waiting);
}

static uintptr_t held(const struct turns *t, const struct turn *turn)
{
	return (uintptr_t)hash_get(&t->waiting, net_cidr_key(&turn->network));
}

static result put(struct turns *t, const struct turn *turn, uintptr_t n)
{
	return hash_put(&t->waiting, net_cidr_key(&turn->network), (void *)n);
}

result turn_take(struct turns *t, str client, struct turn *out)
{
	net_addr a;
	*out = (struct turn){0};
	if (!failed(net_parse_ip(client, &a)))
		out->network = net_around(&a, net_is_v4(&a) ? BITS_V4 : BITS_V6);
	if (t->n >= TURNS_FREE && held(t, out) >= TURNS_SHARE)
		return failure(FAIL_BUSY, "too many logins from there wait to be checked; try again in a moment");
	TRY(put(t, out, held(t, out) + 1));
	t->n++;
	return OK;
}

void turn_give(struct turns *t, const struct turn *turn)
{
	uintptr_t left = held(t, turn) - 1;
	result r = OK;
	t->n--;
	if (left)
		r = put(t, turn, left);
	else
		hash_remove(&t->waiting, net_cidr_key(&turn->network));
	must(!failed(r)); /* what is there is only replaced */
}
