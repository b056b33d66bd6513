/* Locked accounts, for people. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/password.h"

static void show_policy(const struct call *c, const json_t *answer)
{
	const char *account = call_option(c, "account");
	str recovery = text_of(answer, "recovery_key");
	bool locked = str_eq(text_of(answer, "policy"), STR("locked"));
	bool waits = json_is_true(json_object_get(answer, "waits"));
	if (recovery.n > 0)
		printf("%.*s\n", STR_ARG(recovery));
	if (recovery.n > 0)
		fprintf(stderr, "This is the recovery key of %s; it is not shown again. Print it and keep it apart: if every "
			"password is lost, it alone opens this mail.\n", account);
	fprintf(stderr, "%s %s%s\n", account, locked ? "is locked" : "is not locked any more",
		!waits ? "" : locked ? " from the owner's next login with the password on" : " from the owner's next login on");
}

int run_account_policy(struct call *c)
{
	struct secret *s = NULL;
	json_t *answer, *in = json_pack("{s:s, s:s}", "account", call_option(c, "account"), "policy", c->words[0]);
	if (!in)
		return complain(c, STATUS_USAGE, "usage", "an address is UTF-8 text");
	if (call_option(c, "password-stdin")) {
		result r = password_ask_known(true, call_option(c, "account"), &s);
		if (!failed(r) && !password_put(in, "password", s))
			r = failure(FAIL_INPUT, "the password must be UTF-8 text");
		secret_free(&s);
		if (failed(r)) {
			password_drop(in);
			return complain(c, STATUS_USAGE, "usage", r.text);
		}
	}
	int status = password_post(c, "account-policy", in, &answer);
	if (status == STATUS_DONE && c->json)
		show_json(answer);
	else if (status == STATUS_DONE)
		show_policy(c, answer);
	return finish(status, answer);
}

int run_account_recover(struct call *c)
{
	bool from_stdin = call_option(c, "password-stdin") != NULL;
	struct secret *key = NULL, *password = NULL;
	json_t *answer, *in = json_pack("{s:s}", "account", c->words[0]);
	result r = in ? password_ask_known(from_stdin, "the recovery key", &key)
		      : failure(FAIL_INPUT, "an address is UTF-8 text");
	if (!failed(r))
		r = password_ask(from_stdin, c->words[0], &password);
	if (!failed(r) && !(password_put(in, "recovery_key", key) && password_put(in, "password", password)))
		r = failure(FAIL_INPUT, "key and password must be UTF-8 text");
	secret_free(&key);
	secret_free(&password);
	if (failed(r)) {
		password_drop(in);
		return complain(c, STATUS_USAGE, "usage", r.text);
	}
	int status = password_post(c, "account-recover", in, &answer);
	if (status == STATUS_DONE)
		puts(c->json ? "{\"done\":true}" : "The account has a new password, which opens its mail.");
	return finish(status, answer);
}
