/* What administrators ask, brought by web. Every change is an event. */
#include "auth/accounts.h"
#include "auth/app_door.h"
#include "auth/certificate_door.h"
#include "auth/contain.h"
#include "auth/contain_door.h"
#include "auth/doors.h"
#include "auth/factor_door.h"
#include "auth/hashes.h"
#include "auth/listing.h"
#include "auth/local_users.h"
#include "auth/lock_door.h"
#include "auth/login.h"
#include "auth/openers.h"
#include "auth/records.h"
#include "auth/usage.h"
#include "grammar/smtp/mailbox.h"
#include "run/secret.h"
#include "talk/auth_account.h"
#include "talk/relay_auth.h"

enum { CHECK_MS = 3600 * 1000 }; /* all of a large account is read */

result web_report(const struct arrival *in, const char *act, str what, result r)
{
	if (failed(r))
		log_event(EV_ADMIN_REFUSED, &in->trace, F_STR("act", str_from(act)), F_STR("what", what),
			  F_STR("why", str_from(r.text)));
	else
		log_event(EV_ADMIN, &in->trace, F_STR("act", str_from(act)), F_STR("what", what));
	return r;
}

/* ---- domains ---- */

static result on_domain_add(struct arrival *in, struct web_auth_domain_add *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "domain add", m->name, directory_add_domain(auth.directory, m->name));
}

static result on_domain_delete(struct arrival *in, struct web_auth_domain_delete *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "domain delete", m->name, directory_delete_domain(auth.directory, m->name));
}

static result on_domain_catch_all(struct arrival *in, struct web_auth_domain_catch_all *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "domain catch-all", m->name, directory_set_catch_all(auth.directory, m->name, m->target));
}

static result on_domain_signing(struct arrival *in, struct web_auth_domain_signing *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, m->signs ? "domain signing on" : "domain signing off", m->name,
		      directory_set_signing(auth.directory, m->name, m->signs));
}

static struct listing listing_of(struct arrival *in, str after)
{
	return (struct listing){.d = auth.directory, .arena = in->arena, .after = after};
}

static result on_domain_list(struct arrival *in, struct web_auth_domain_list *m, struct web_auth_domains *answer)
{
	struct listing l = listing_of(in, m->after);
	return listing_domains(&l, answer);
}

static result on_domain_records(
	struct arrival *in, struct web_auth_domain_records *m, struct web_auth_domain_records_are *answer)
{
	return records_of(&auth, m->name, in->arena, answer);
}

static result on_domain_rotate(struct arrival *in, struct web_auth_domain_rotate *m, struct web_auth_done *answer)
{
	str name;
	(void)answer;
	result r = mailbox_domain(m->name, in->arena, &name);
	return web_report(in, "domain rotate", m->name, failed(r) ? r : signing_rotate(&auth, name));
}

/* ---- accounts ---- */

static result foreign_hash(str given, str password, char out[DIRECTORY_HASH_MAX + 1])
{
	str text = hashes_plain(given);
	if (password.n > 0 || !password_is_hash(text))
		return failure(FAIL_INPUT, "give either a password or a hash: Argon2id ($argon2id$v=19$m=...), bcrypt "
			"($2b$...), SHA512-CRYPT ($6$...) or PBKDF2 ($pbkdf2-sha256$...)");
	memcpy(out, text.p, text.n);
	return OK;
}

static result hash_of(const struct web_auth_account_add *m, char out[DIRECTORY_HASH_MAX + 1])
{
	if (m->hash.n > 0)
		return foreign_hash(m->hash, m->password, out);
	if (m->any_password && !options_yes(&auth.options, OPT_DEMO))
		return failure(FAIL_DENIED, "only the demo takes passwords that do not follow the rules");
	if (!m->any_password)
		TRY(password_acceptable(m->password, m->address));
	return checker_hash(auth.checker, m->password, out);
}

static result account_add(const struct web_auth_account_add *m, uint64_t *id)
{
	char text[DIRECTORY_HASH_MAX + 1] = {0};
	result r = hash_of(m, text);
	if (!failed(r)) {
		struct new_account n = {.address = m->address, .name = m->name, .hash = str_from(text), .admin = m->admin,
					.quota = m->quota ? m->quota : options_number(&auth.options, OPT_QUOTA)};
		r = accounts_make(&auth, &n, id);
	}
	secret_wipe(text, sizeof text);
	return r;
}

static result on_account_add(struct arrival *in, struct web_auth_account_add *m, struct web_auth_account_added *answer)
{
	return web_report(in, "account add", m->address, account_add(m, &answer->account));
}

static result on_account_list(struct arrival *in, struct web_auth_account_list *m, struct web_auth_accounts *answer)
{
	struct listing l = listing_of(in, m->after);
	return listing_accounts(&l, answer);
}

static result put_profile(struct web_auth_account_is *answer)
{
	struct profile_counts c;
	TRY(profile_counts(&auth.profiles, answer->row.account, &c));
	answer->sent_hour = c.sent_hour;
	answer->sent_day = c.sent_day;
	answer->first_hour = c.first_hour;
	answer->first_day = c.first_day;
	answer->known = c.known;
	return OK;
}

static result on_account_show(struct arrival *in, struct web_auth_account_show *m, struct web_auth_account_is *answer)
{
	struct listing l = listing_of(in, (str){NULL, 0});
	struct book_account *who;
	struct account_record record;
	struct usage usage = {0};
	TRY(directory_find_account(auth.directory, m->address, &who));
	TRY(listing_rights(&l, who, answer));
	answer->row = (struct web_auth_account_row){.account = who->id, .address = arena_dup(in->arena, who->entry->key),
		.admin = who->admin, .disabled = who->disabled, .created = who->created,
		.contained = contain_since(&auth, who->id)};
	answer->policy = who->lock == LOCK_NONE ? WEB_AUTH_POLICY_SERVER : WEB_AUTH_POLICY_LOCKED;
	answer->policy_waits = who->lock != LOCK_NONE && who->lock != LOCK_LOCKED;
	TRY(directory_read_account(auth.directory, answer->row.account, &record));
	secret_wipe(record.hash, sizeof record.hash);
	answer->row.name = arena_dup(in->arena, str_of(record.name, record.name_n));
	answer->quota = record.quota;
	answer->reachable = !failed(usage_ask(&auth, answer->row.account, &usage));
	answer->messages = usage.messages;
	answer->octets = usage.octets;
	answer->mailboxes = usage.mailboxes;
	answer->sessions = usage.sessions;
	answer->shut = usage.shut;
	answer->waiting = usage.waiting;
	TRY(put_profile(answer));
	return arena_result(in->arena);
}

static result copy_findings(arena *m, const struct auth_account_checked *from, struct web_auth_account_checked *to)
{
	struct web_auth_finding *v = arena_array(m, from->findings.n + 1, sizeof *v);
	if (!v)
		return arena_result(m);
	for (size_t i = 0; i < from->findings.n; i++)
		v[i] = (struct web_auth_finding){from->findings.p[i].sentence, from->findings.p[i].repaired};
	to->findings.p = v;
	to->findings.n = from->findings.n;
	return OK;
}

/* An account that does not open has said why to the log. */
static result at_work(result r)
{
	bool away = r.kind == FAIL_BUSY || r.kind == FAIL_CLOSED || r.kind == FAIL_PEER || r.kind == FAIL_TIMEOUT;
	return away ? failure(r.kind, "the account's process does not run; posternd's log says why") : r;
}

static result check_account(arena *m, const struct web_auth_account_check *q, struct web_auth_account_checked *answer)
{
	struct book_account *who;
	struct channel *c;
	const struct asking how = {.arena = m, .timeout_ms = CHECK_MS};
	struct auth_account_check ask = {.repair = q->repair};
	struct auth_account_checked is;
	TRY(directory_find_account(auth.directory, q->address, &who));
	answer->account = who->id;
	TRY(at_work(auth.world->account(who->id, &c)));
	TRY(at_work(auth_account_check_call_within(c, &how, &ask, &is)));
	answer->messages = is.messages;
	answer->octets = is.octets;
	answer->more = is.more;
	return copy_findings(m, &is, answer);
}

static result on_account_check(struct arrival *in, struct web_auth_account_check *m,
	struct web_auth_account_checked *answer)
{
	result r = check_account(in->arena, m, answer);
	return m->repair ? web_report(in, "account check --repair", m->address, r) : r;
}

static result new_hash(const struct web_auth_account_password *m, char text[PASSWORD_HASH_MAX])
{
	TRY(password_acceptable(m->password, m->address));
	return checker_hash(auth.checker, m->password, text);
}

result web_set_password(const struct web_auth_account_password *m)
{
	char text[DIRECTORY_HASH_MAX + 1] = {0};
	struct book_account *who;
	TRY(directory_find_account(auth.directory, m->address, &who));
	uint64_t id = who->id;
	result r = m->hash.n ? foreign_hash(m->hash, m->password, text) : new_hash(m, text);
	if (!failed(r))
		r = lock_door_set_hash(&auth, &(struct new_password){id, m->hash.n ? (str){NULL, 0} : m->password,
			str_from(text)});
	secret_wipe(text, sizeof text);
	login_forget(&auth, id);
	if (!failed(r))
		login_end_sessions(&auth, id, 0, false);
	return r;
}

static result on_account_password(struct arrival *in, struct web_auth_account_password *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "account password", m->address, web_set_password(m));
}

static result set_quota(const struct web_auth_account_quota *m)
{
	struct book_account *who;
	TRY(directory_find_account(auth.directory, m->address, &who));
	return accounts_set_quota(&auth, who->id, m->octets);
}

static result on_account_quota(struct arrival *in, struct web_auth_account_quota *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "account quota", m->address, set_quota(m));
}

static result set_disabled(const struct web_auth_account_disable *m)
{
	struct book_account *who;
	TRY(directory_find_account(auth.directory, m->address, &who));
	uint64_t id = who->id;
	TRY(directory_set_disabled(auth.directory, id, m->disabled));
	login_forget(&auth, id);
	if (m->disabled)
		login_end_sessions(&auth, id, 0, true);
	return OK;
}

static result on_account_disable(struct arrival *in, struct web_auth_account_disable *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, m->disabled ? "account disable" : "account enable", m->address, set_disabled(m));
}

static result set_admin(const struct web_auth_account_admin *m)
{
	struct book_account *who;
	TRY(directory_find_account(auth.directory, m->address, &who));
	return directory_set_admin(auth.directory, who->id, m->administrator);
}

static result on_account_admin(struct arrival *in, struct web_auth_account_admin *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, m->administrator ? "account administrator on" : "account administrator off", m->address,
		set_admin(m));
}

static result delete_account(str address)
{
	struct book_account *who;
	TRY(directory_find_account(auth.directory, address, &who));
	return accounts_erase(&auth, who->id);
}

static result on_account_delete(struct arrival *in, struct web_auth_account_delete *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "account delete", m->address, delete_account(m->address));
}

static result set_grant(const struct web_auth_send_as *m)
{
	struct book_account *who;
	TRY(directory_find_account(auth.directory, m->account, &who));
	return directory_grant(auth.directory, who->id, m->address, m->granted);
}

static result on_send_as(struct arrival *in, struct web_auth_send_as *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, m->granted ? "send-as add" : "send-as remove", m->account, set_grant(m));
}

/* ---- aliases ---- */

static result on_alias_add(struct arrival *in, struct web_auth_alias_add *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "alias add", m->address, directory_add_alias(auth.directory, m->address, m->targets.p,
		m->targets.n));
}

static result on_alias_delete(struct arrival *in, struct web_auth_alias_delete *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "alias delete", m->address, directory_delete_alias(auth.directory, m->address));
}

static result on_alias_list(struct arrival *in, struct web_auth_alias_list *m, struct web_auth_aliases *answer)
{
	struct listing l = listing_of(in, m->after);
	return listing_aliases(&l, answer);
}

/* ---- routes ---- */

static bool word_of(str word, const char *const *names, size_t n, size_t *out)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(word, str_from(names[i]))) {
			*out = i;
			return true;
		}
	}
	return word.n == 0; /* the usual one */
}

static result route_add(const struct web_auth_route_add *m)
{
	size_t protocol = ROUTE_SMTP, tls = m->user.n > 0 ? ROUTE_VERIFIED : ROUTE_OPPORTUNISTIC;
	if (!word_of(m->protocol, relay_auth_protocol_names, ROUTE_PROTOCOLS, &protocol))
		return failure(FAIL_INPUT, "the protocol is smtp or lmtp");
	if (!word_of(m->tls, relay_auth_tls_names, ROUTE_TLS_KINDS, &tls))
		return failure(FAIL_INPUT, "tls is opportunistic, required, verified or implicit");
	const struct route n = {.kind = (enum route_kind)m->kind, .match = m->match, .host = m->host, .port = m->port,
		.mx = m->mx, .protocol = (enum route_protocol)protocol, .tls = (enum route_tls)tls, .user = m->user};
	return directory_add_route(auth.directory, &n, m->password);
}

_Static_assert((int)ROUTE_RELAYED == (int)WEB_AUTH_ROUTE_KIND_RELAYED,
	       "kinds of routes stand in the same order in both");

static result on_route_add(struct arrival *in, struct web_auth_route_add *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "route add", m->match, route_add(m));
}

static result on_route_delete(struct arrival *in, struct web_auth_route_delete *m, struct web_auth_done *answer)
{
	(void)answer;
	return web_report(in, "route delete", m->match,
		      directory_delete_route(auth.directory, (enum route_kind)m->kind, m->match));
}

static result on_route_list(struct arrival *in, struct web_auth_route_list *m, struct web_auth_routes *answer)
{
	return listing_routes(&auth.directory->routes, m->after, in->arena, answer);
}

static result on_account_of(struct arrival *in, struct web_auth_account_of *m, struct web_auth_account_of_is *answer)
{
	str address = m->address;
	if (address.n == 0 && m->uid <= UINT32_MAX)
		address = local_users_address(&auth.local_users, (uint32_t)m->uid);
	const struct book_account *who = address.n ? reach_login(&auth.directory->book, address) : NULL;
	if (!who)
		return OK;
	answer->account = who->id;
	answer->address = arena_dup(in->arena, who->entry->key);
	return arena_result(in->arena);
}

const struct web_auth_as_auth web_handlers = {
	.account_of = on_account_of,
	.domain_add = on_domain_add,
	.domain_delete = on_domain_delete,
	.domain_catch_all = on_domain_catch_all,
	.domain_signing = on_domain_signing,
	.domain_list = on_domain_list,
	.domain_records = on_domain_records,
	.domain_rotate = on_domain_rotate,
	.account_add = on_account_add,
	.account_list = on_account_list,
	.account_show = on_account_show,
	.account_check = on_account_check,
	.account_password = on_account_password,
	.account_quota = on_account_quota,
	.account_admin = on_account_admin,
	.account_disable = on_account_disable,
	.account_delete = on_account_delete,
	.account_policy = lock_door_policy,
	.account_recover = lock_door_recover,
	.account_contain = contain_door_contain,
	.account_release = contain_door_release,
	.account_reset = contain_door_reset,
	.app_password_add = app_door_add,
	.app_password_list = app_door_list,
	.app_password_revoke = app_door_revoke,
	.certificate_add = certificate_door_add,
	.certificate_list = certificate_door_list,
	.certificate_revoke = certificate_door_revoke,
	.second_factor_totp = factor_door_totp,
	.second_factor_off = factor_door_off,
	.second_factor_show = factor_door_show,
	.second_factor_check = factor_door_check,
	.domain_second_factor = factor_door_domain,
	.rule_add = rule_door_add,
	.rule_list = rule_door_list,
	.rule_delete = rule_door_delete,
	.send_as = on_send_as,
	.alias_add = on_alias_add,
	.alias_delete = on_alias_delete,
	.alias_list = on_alias_list,
	.route_add = on_route_add,
	.route_delete = on_route_delete,
	.route_list = on_route_list,
};
