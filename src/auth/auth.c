#include "auth/auth.h"

#include "auth/contain.h"

struct auth auth;

static void tell_edges(void)
{
	audience_tell(&auth.audience);
}

static void login_ended(uint64_t account, struct sending *s)
{
	profile_release(&auth.profiles, account, s);
}

result auth_open(struct auth *a, struct files *f, const unsigned char key[DIRECTORY_KEY])
{
	str separator = options_text(&a->options, OPT_SEPARATOR);
	a->opened = true;
	throttle_init(&a->throttle);
	turns_init(&a->turns);
	tokens_init(&a->tokens);
	a->tokens.ended = login_ended;
	visitors_init(&a->visitors);
	audience_init(&a->audience);
	exchanges_init(&a->exchanges);
	signing_init(&a->signing);
	TRY(recent_open(&a->recent, RECENT_MS));
	TRY(recent_open(&a->wrong, RECENT_WRONG_MS));
	TRY(directory_open(f, key, &a->directory));
	a->directory->give_up = a->world->give_up;
	a->directory->changed = tell_edges;
	a->directory->rule.separator = separator.n ? separator.p[0] : '\0';
	TRY(profiles_open(&a->profiles, a->directory, &a->options));
	TRY(app_salts_open(&a->salts, a->directory));
	app_uses_open(&a->app_uses, a->directory);
	TRY(contain_open(a));
	return checker_open(options_number(&a->options, OPT_PASSWORD_WORKERS),
			    options_number(&a->options, OPT_PASSWORD_MEMORY), &a->checker);
}

void auth_close(struct auth *a)
{
	if (!a->opened)
		return;
	a->opened = false;
	checker_close(&a->checker);
	profiles_close(&a->profiles);
	app_uses_close(&a->app_uses);
	contain_close(a);
	directory_close(&a->directory);
	recent_close(&a->recent);
	recent_close(&a->wrong);
	tokens_free(&a->tokens);
	visitors_free(&a->visitors);
	audience_free(&a->audience);
	throttle_free(&a->throttle);
	turns_free(&a->turns);
	exchanges_free(&a->exchanges);
}
