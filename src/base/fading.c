#include "base/fading.h"

uint32_t fading_now(const struct fading *f, uint64_t now, uint64_t half_life)
{
	uint64_t passed = now > f->at ? now - f->at : 0, halvings = passed / half_life;
	if (halvings >= 32)
		return 0;
	uint32_t n = f->n >> halvings;
	return n - (uint32_t)((n / 2) * (passed % half_life) / half_life);
}

uint32_t fading_add(struct fading *f, uint32_t n, uint64_t now, uint64_t half_life)
{
	uint32_t left = fading_now(f, now, half_life);
	f->n = n > UINT32_MAX - left ? UINT32_MAX : left + n;
	if (now > f->at)
		f->at = now;
	return f->n;
}
