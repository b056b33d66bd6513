/* The master key, for people. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/password.h"

static const char vault[] = "the vault";

static bool from_stdin(const struct call *c)
{
	return call_option(c, "password-stdin") != NULL;
}

/* Takes the secrets; either may be NULL. */
static int post(const struct call *c, const char *endpoint, struct secret *now, struct secret *next)
{
	json_t *in = json_object(), *answer = NULL;
	bool good = (!now || password_put(in, "passphrase", now)) && (!next || password_put(in, "next", next));
	secret_free(&now);
	secret_free(&next);
	if (!good) {
		password_drop(in);
		return complain(c, STATUS_USAGE, "usage", "a passphrase is UTF-8 text");
	}
	int status = password_post(c, endpoint, in, &answer);
	return status == STATUS_DONE ? finish(status, answer) : status;
}

static int say(const struct call *c, int status, const char *what)
{
	if (status == STATUS_DONE)
		puts(c->json ? "{\"done\":true}" : what);
	return status;
}

int run_unlock(struct call *c)
{
	struct secret *s = NULL;
	result r = password_ask_known(from_stdin(c), vault, &s);
	if (failed(r))
		return complain(c, STATUS_USAGE, "usage", r.text);
	return say(c, post(c, "unlock", s, NULL), "The vault is open; the rooms that waited for it begin.");
}

static int state(const struct call *c, json_t **out)
{
	return ask_server(c, "master-key", json_object(), out);
}

static bool by_passphrase(const json_t *state_is)
{
	return str_eq(text_of(state_is, "source"), STR("passphrase"));
}

int run_master_key(struct call *c)
{
	static const struct {
		const char *source, *words;
	} all[] = {
		{"file", "The master key is in keys/master.key: whoever has the disk has the mail."},
		{"credential", "The master key is the service's credential postern.master-key; nothing of it is in keys/."},
		{"passphrase", "The master key is sealed by a passphrase (keys/master.sealed)."}};
	json_t *answer;
	int status = state(c, &answer);
	if (status != STATUS_DONE)
		return status;
	if (c->json) {
		show_json(answer);
		return finish(status, answer);
	}
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (str_eq(text_of(answer, "source"), str_from(all[i].source)))
			puts(all[i].words);
	if (json_is_true(json_object_get(answer, "locked")))
		puts("The vault waits for the passphrase: `postern unlock`.");
	else
		printf("It was replaced %lld times%s\n", (long long)number_of(answer, "keys") - 1,
			json_is_true(json_object_get(answer, "unfinished")) ? "; not everything is sealed anew yet." : ".");
	return finish(status, answer);
}

int run_master_key_rotate(struct call *c)
{
	struct secret *s = NULL;
	json_t *answer;
	int status = state(c, &answer);
	if (status != STATUS_DONE)
		return status;
	result r = by_passphrase(answer) ? password_ask_known(from_stdin(c), vault, &s) : OK;
	finish(status, answer);
	if (failed(r))
		return complain(c, STATUS_USAGE, "usage", r.text);
	return say(c, post(c, "master-key-rotate", s, NULL),
		"There is a new master key. Everything is sealed anew by it now, in the background.");
}

int run_master_key_passphrase(struct call *c)
{
	struct secret *now = NULL, *next = NULL;
	result r = password_ask_known(from_stdin(c), vault, &now);
	if (!failed(r))
		r = password_ask(from_stdin(c), vault, &next);
	if (failed(r)) {
		secret_free(&now);
		return complain(c, STATUS_USAGE, "usage", r.text);
	}
	return say(c, post(c, "master-key-passphrase", now, next), "The vault has another passphrase.");
}
