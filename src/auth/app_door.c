#include "auth/app_door.h"

#include "auth/app_secret.h"
#include "auth/clear.h"
#include "auth/login.h"
#include "auth/unlock.h"
#include "grammar/text/json_text.h"
#include "run/clock.h"
#include "run/secret.h"

/* ---- making one ---- */

/* The verifier of this text, for the account of that address, and its opener. */
static result verifier_of(str text, str address, struct scram_verifier *out, struct opener *opener)
{
	unsigned char salt[SCRAM_SALT];
	struct scram_key salted;
	app_salt_of(&auth.salts, address, salt);
	TRY(checker_salted(auth.checker, text, str_of((const char *)salt, sizeof salt), &salted));
	*out = scram_verifier(&salted);
	struct scram_key client = scram_client_key(&salted);
	*opener = unlock_app_opener(&client);
	secret_wipe(&client, sizeof client);
	secret_wipe(&salted, sizeof salted);
	return OK;
}

static result check_name(str name)
{
	if (name.n == 0 || name.n > APP_NAME_MAX || !str_is_utf8(name) || str_chr(name, '\0') != STR_NONE)
		return failure(FAIL_INPUT, "an app password or certificate has a name of at most 100 octets, such as "
			"\"phone\"");
	return OK;
}

result app_door_plan(const struct app_plan *p, arena *a, struct app_password *out)
{
	TRY(check_name(p->name));
	if (p->expires < 0 || (p->expires > 0 && p->expires <= clock_wall_s()))
		return failure(FAIL_INPUT, "the time at which it expires has passed already");
	*out = (struct app_password){.name = p->name, .expires = p->expires};
	return scope_of_words(&p->scope, a, &out->scope);
}

static result plan_of(const struct web_auth_app_password_add *m, arena *a, struct app_password *out)
{
	const struct app_plan p = {.name = m->name, .expires = m->expires, .scope = {.protocols = m->protocols.p,
		.protocols_n = m->protocols.n, .networks = m->networks.p, .networks_n = m->networks.n}};
	TRY(app_door_plan(&p, a, out));
	out->clear = m->clear;
	return m->clear ? clear_check(&auth, out) : OK;
}

static result keep(const char *letters, const char *text, uint64_t account, struct app_password *n)
{
	const struct book_account *who = book_account(&auth.directory->book, account);
	AUTO_BUF buf address = buf_new(ADDRESS_MAX);
	bool locked = lock_holds(who->lock);
	struct opener openers[2];
	buf_put(&address, who->entry->key); /* the account may be erased meanwhile */
	TRY(buf_result(&address));
	TRY(verifier_of(str_of(letters, APP_SECRET_LETTERS), buf_str(&address), &n->plain, &openers[0]));
	TRY(verifier_of(str_of(text, APP_SECRET_TEXT), buf_str(&address), &n->grouped, &openers[1]));
	for (size_t i = 0; i < 2 && locked; i++) {
		result r = unlock_seal_for(&auth, account, &openers[i]);
		if (r.kind != FAIL_BUSY) /* the owner's next login seals for it */
			TRY(r);
	}
	n->openers = openers;
	n->openers_n = 2;
	result kept = app_password_keep(auth.directory, account, n);
	n->openers = NULL; /* they end here */
	n->openers_n = 0;
	return kept;
}

static result add(arena *a, const struct web_auth_app_password_add *m, str *secret)
{
	char letters[APP_SECRET_LETTERS], text[APP_SECRET_TEXT];
	struct app_password n;
	struct book_account *who;
	TRY(directory_find_account(auth.directory, m->account, &who));
	TRY(plan_of(m, a, &n));
	app_secret_make(letters);
	app_secret_group(letters, text);
	result r = keep(letters, text, who->id, &n);
	if (!failed(r))
		*secret = arena_dup(a, str_of(text, sizeof text));
	secret_wipe(letters, sizeof letters);
	secret_wipe(text, sizeof text);
	secret_wipe(&n, sizeof n);
	return failed(r) ? r : arena_result(a);
}

result app_door_add(struct arrival *in, struct web_auth_app_password_add *m, struct web_auth_app_password_added *answer)
{
	const char *act = m->clear ? "app-password add without TLS" : "app-password add";
	return web_report(in, act, m->account, add(in->arena, m, &answer->secret));
}

/* ---- listing ---- */

result app_digits(str octets, arena *a, str *out)
{
	AUTO_BUF buf b = buf_new(2 * APP_FINGERPRINT);
	hex_put(&b, octets.p, octets.n);
	TRY(buf_result(&b));
	*out = arena_dup(a, buf_str(&b));
	return arena_result(a);
}

static result row_of(arena *a, const struct app_password *p, struct web_auth_app_password_row *out)
{
	str *protocols, *networks;
	const struct app_use use = app_last_use(&auth.app_uses, p);
	*out = (struct web_auth_app_password_row){.name = p->name, .expires = p->expires, .created = p->created,
		.clear = p->clear, .used = use.at, .used_from = arena_dup(a, use.client)};
	if (use.at)
		out->used_protocol = str_from(edge_auth_protocol_names[use.protocol]);
	TRY(scope_protocols(&p->scope, a, &protocols, &out->protocols.n));
	TRY(scope_networks(&p->scope, a, &networks, &out->networks.n));
	out->protocols.p = protocols;
	out->networks.p = networks;
	TRY(app_digits(p->serial, a, &out->serial));
	return app_digits(p->fingerprint, a, &out->fingerprint);
}

static result list(arena *a, const struct app_passwords *rows, struct web_auth_app_passwords *answer)
{
	struct web_auth_app_password_row *v = arena_array(a, APP_PASSWORDS_MAX, sizeof *v);
	if (!v)
		return arena_result(a);
	for (size_t i = 0; i < rows->n; i++)
		TRY(row_of(a, &rows->v[i], &v[i]));
	answer->rows.p = v;
	answer->rows.n = rows->n;
	return arena_result(a);
}

result app_door_rows(str account, app_rows *read, arena *a, struct web_auth_app_passwords *answer)
{
	struct book_account *who;
	struct app_passwords rows;
	TRY(directory_find_account(auth.directory, account, &who));
	result r = read(auth.directory, who->id, a, &rows);
	if (!failed(r))
		r = list(a, &rows, answer);
	app_passwords_wipe(&rows);
	return r;
}

result app_door_list(struct arrival *in, struct web_auth_app_password_list *m, struct web_auth_app_passwords *answer)
{
	return app_door_rows(m->account, app_passwords_read, in->arena, answer);
}

/* ---- revoking ---- */

result app_door_end(str account, str name, app_end *revoke)
{
	struct book_account *who;
	uint64_t id;
	TRY(directory_find_account(auth.directory, account, &who));
	uint64_t number = who->id;
	TRY(revoke(auth.directory, number, name, &id));
	login_forget_app(&auth, number, id);
	login_end_sessions(&auth, number, id, false);
	return OK;
}

result app_door_revoke(struct arrival *in, struct web_auth_app_password_revoke *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "app-password revoke", m->account, app_door_end(m->account, m->name, app_password_revoke));
}
