#include "auth/factor_door.h"

#include "auth/app_door.h"
#include "auth/login.h"
#include "auth/rules.h"
#include "auth/second_factor.h"
#include "run/secret.h"

static result find(str address, uint64_t *id)
{
	struct book_account *who;
	TRY(directory_find_account(auth.directory, address, &who));
	*id = who->id;
	return OK;
}

/* ---- second factors ---- */

/* RFC 3986 unreserved characters stand for themselves. */
static void put_encoded(buf *out, str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = str_at(text, i);
		if (ascii_alpha(c) || ascii_digit(c) || c == '-' || c == '.' || c == '_' || c == '~')
			buf_putc(out, (char)c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

static void put_base32(buf *out, const unsigned char *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint32_t bits = 0;
	unsigned have = 0;
	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | p[i];
		for (have += 8; have >= 5; have -= 5)
			buf_putc(out, digits[bits >> (have - 5) & 31]);
	}
}

/* The form that programs agree on (Google Authenticator's Key URI Format). */
static result put_uri(arena *a, str account, const struct second_factor_new *made, str *out)
{
	SECRET_BUF buf uri = buf_new(WEB_AUTH_SECOND_FACTOR_MADE_URI_MAX);
	str server = options_text(&auth.options, OPT_HOSTNAME);
	server = server.n ? server : STR("Postern");
	buf_reserve(&uri, WEB_AUTH_SECOND_FACTOR_MADE_URI_MAX);
	buf_put(&uri, STR("otpauth://totp/"));
	put_encoded(&uri, server);
	buf_put(&uri, STR(":"));
	put_encoded(&uri, account);
	buf_put(&uri, STR("?secret="));
	put_base32(&uri, made->secret, sizeof made->secret);
	buf_put(&uri, STR("&issuer="));
	put_encoded(&uri, server);
	buf_put(&uri, STR("&algorithm=SHA1&digits=6&period=30"));
	TRY(buf_result(&uri));
	*out = arena_dup(a, buf_str(&uri));
	return arena_result(a);
}

static result put_codes(arena *a, const struct second_factor_new *made, struct web_auth_second_factor_made *answer)
{
	str *v = arena_array(a, RECOVERY_CODES, sizeof *v);
	if (!v)
		return arena_result(a);
	for (size_t i = 0; i < RECOVERY_CODES; i++)
		v[i] = arena_dup(a, str_of(made->codes[i], RECOVERY_TEXT));
	answer->codes.p = v;
	answer->codes.n = RECOVERY_CODES;
	return arena_result(a);
}

static result totp(arena *a, str account, struct web_auth_second_factor_made *answer)
{
	struct second_factor_new made;
	uint64_t id;
	TRY(find(account, &id));
	result r = second_factor_set(&auth, id, &made);
	if (!failed(r))
		r = put_uri(a, account, &made, &answer->uri);
	if (!failed(r))
		r = put_codes(a, &made, answer);
	secret_wipe(&made, sizeof made);
	if (failed(r))
		return r;
	login_forget_app(&auth, id, 0); /* whoever came in by the password alone */
	login_end_sessions(&auth, id, 0, false);
	return OK;
}

result factor_door_totp(struct arrival *in, struct web_auth_second_factor_totp *m,
	struct web_auth_second_factor_made *answer)
{
	return web_report(in, "second-factor totp", m->account, totp(in->arena, m->account, answer));
}

static result off(str account)
{
	uint64_t id;
	TRY(find(account, &id));
	TRY(second_factor_off(&auth, id));
	login_forget_app(&auth, id, 0); /* whose sessions were proved by it */
	return OK;
}

result factor_door_off(struct arrival *in, struct web_auth_second_factor_off *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "second-factor off", m->account, off(m->account));
}

result factor_door_show(struct arrival *in, struct web_auth_second_factor_show *m,
	struct web_auth_second_factor_is *answer)
{
	struct second_factor_facts f;
	struct book_account *who;
	(void)in;
	TRY(directory_find_account(auth.directory, m->account, &who));
	answer->demanded = who->entry->domain->second_factor;
	TRY(second_factor_facts(&auth, who->id, &f));
	answer->on = f.on;
	answer->since = f.since;
	answer->codes = f.codes;
	return OK;
}

static result check(const struct web_auth_second_factor_check *m)
{
	uint64_t id;
	TRY(find(m->account, &id));
	return second_factor_check(&auth, id, m->code);
}

result factor_door_check(struct arrival *in, struct web_auth_second_factor_check *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "second-factor check", m->account, check(m));
}

result factor_door_domain(struct arrival *in, struct web_auth_domain_second_factor *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "domain second-factor", m->name,
		directory_demand_factor(auth.directory, m->name, m->demanded));
}

/* ---- rules ---- */

static result rule_of(const struct web_auth_rule_add *m, arena *a, struct rule *out)
{
	str words[SCOPE_PROTOCOLS];
	struct rule_hours hours;
	struct scope_words w = {.protocols = words, .networks = m->networks.p, .networks_n = m->networks.n};
	bool admin = false;
	for (size_t i = 0; i < m->protocols.n; i++) {
		if (str_ieq(m->protocols.p[i], STR("admin")))
			admin = true;
		else if (w.protocols_n < SCOPE_PROTOCOLS)
			words[w.protocols_n++] = m->protocols.p[i];
	}
	if (m->networks.n == 0 && m->hours.n == 0 && m->countries.n == 0)
		return failure(FAIL_INPUT, "a rule names networks, countries or hours");
	if (m->countries.n > 0 && !auth.places)
		return failure(FAIL_CONFLICT, "this server cannot tell countries: its option country-database names no file");
	if (m->hours.n > 0 && !rules_hours_of(m->hours, &hours))
		return failure(FAIL_INPUT, "hours are written 08:00-18:00, in the server's time");
	TRY(scope_of_words(&w, a, &out->scope));
	TRY(rules_countries(m->countries.p, m->countries.n, a, &out->countries));
	out->others = m->others;
	out->scope.protocols |= admin ? RULE_ADMIN : 0;
	out->hours = m->hours;
	return OK;
}

static result rule_add(arena *a, const struct web_auth_rule_add *m, uint64_t *id)
{
	struct rule rule = {0};
	uint64_t account;
	TRY(find(m->account, &account));
	TRY(rule_of(m, a, &rule));
	TRY(rule_keep(auth.directory, account, &rule));
	*id = rule.id;
	return OK;
}

result rule_door_add(struct arrival *in, struct web_auth_rule_add *m, struct web_auth_rule_added *answer)
{
	return web_report(in, "rule add", m->account, rule_add(in->arena, m, &answer->rule));
}

static result row_of(arena *a, const struct rule *r, struct web_auth_rule_row *out)
{
	str *words, *networks, *countries, *protocols = arena_array(a, SCOPE_PROTOCOLS + 1, sizeof *protocols);
	size_t n;
	TRY(scope_protocols(&r->scope, a, &words, &n));
	TRY(scope_networks(&r->scope, a, &networks, &out->networks.n));
	TRY(rules_country_words(r->countries, a, &countries, &out->countries.n));
	TRY(arena_result(a));
	memcpy(protocols, words, n * sizeof *words);
	if (r->scope.protocols & RULE_ADMIN)
		protocols[n++] = STR("admin");
	out->rule = r->id;
	out->protocols.p = protocols;
	out->protocols.n = n;
	out->networks.p = networks;
	out->hours = r->hours;
	out->countries.p = countries;
	out->others = r->others;
	return OK;
}

result rule_door_list(struct arrival *in, struct web_auth_rule_list *m, struct web_auth_rules *answer)
{
	struct web_auth_rule_row *v = arena_array(in->arena, RULES_MAX, sizeof *v);
	struct rules rules;
	uint64_t account;
	TRY(find(m->account, &account));
	TRY(rules_read(auth.directory, account, in->arena, &rules));
	for (size_t i = 0; v && i < rules.n; i++)
		TRY(row_of(in->arena, &rules.v[i], &v[i]));
	answer->rows.p = v;
	answer->rows.n = rules.n;
	return arena_result(in->arena);
}

static result rule_delete(const struct web_auth_rule_delete *m)
{
	uint64_t account;
	TRY(find(m->account, &account));
	return rule_drop(auth.directory, account, m->rule);
}

result rule_door_delete(struct arrival *in, struct web_auth_rule_delete *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "rule delete", m->account, rule_delete(m));
}
