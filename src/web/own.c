#include "web/own.h"

#include "run/clock.h"
#include "run/secret.h"
#include "talk/room.h"
#include "talk/visitor_auth.h"
#include "talk/web_watch.h"
#include "web/api.h"
#include "web/json.h"

static bool is_demo;

void own_set_demo(bool demo)
{
	is_demo = demo;
}

result own_check_account(const struct ask *q)
{
	if (!is_demo && json_is_true(json_object_get(q->in, "any_password")))
		return failure(FAIL_DENIED, "only the demo may skip the password rules");
	return OK;
}

void own_dress_traces(json_t *answer)
{
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(answer, "rows"), i, row) {
		const json_t *text = json_object_get(row, "fields");
		json_t *fields = json_loadb(json_string_value(text), json_string_length(text), 0, NULL);
		if (fields)
			json_object_set_new(row, "fields", fields);
	}
}

/* ---- sessions of visitors ---- */

static result read_login(const struct ask *q, struct visitor_auth_login *m)
{
	if (!q->who->visitor)
		return failure(FAIL_CONFLICT, "the local socket knows who calls; one logs in over HTTPS (option listen-https)");
	if (json_object_get(q->in, "client") || json_object_get(q->in, "trusted"))
		return failure(FAIL_INPUT, "a login is `user`, `password` and `code`");
	TRY(message_of_json(&visitor_auth_login_shape, q->in, q->arena, m));
	m->client = q->who->client;
	m->trusted = q->who->trusted;
	return OK;
}

result own_login(const struct ask *q, json_t **answer)
{
	struct visitor_auth_login m;
	struct visitor_auth_logged_in is;
	struct channel *auth;
	const struct asking ask = {.trace = &q->trace, .arena = q->arena, .timeout_ms = API_CALL_MS};
	TRY(read_login(q, &m));
	TRY(room_connect(&visitor_auth_as_visitor_kind, "auth", 0, &auth));
	TRY(visitor_auth_login_call_within(auth, &ask, &m, &is));
	*answer = json_of_message(&visitor_auth_person_shape, &is.person);
	bool full = *answer && json_object_set_new(*answer, "token", json_hex(is.token, sizeof is.token)) == 0 &&
		    json_object_set_new(*answer, "lasts", json_integer((json_int_t)is.lasts)) == 0;
	secret_wipe(is.token, sizeof is.token);
	return full ? OK : failure(FAIL_MEMORY, "out of memory");
}

result own_logout(const struct ask *q, json_t **answer)
{
	struct visitor_auth_logout m;
	struct visitor_auth_logged_out is;
	struct channel *auth;
	if (!q->who->visitor)
		return failure(FAIL_CONFLICT, "the local socket has no sessions");
	memcpy(m.token, q->who->token, sizeof m.token);
	TRY(room_connect(&visitor_auth_as_visitor_kind, "auth", 0, &auth));
	TRY(visitor_auth_logout_call(auth, &q->trace, &m, q->arena, &is));
	*answer = json_object();
	return *answer ? OK : failure(FAIL_MEMORY, "out of memory");
}

/* ---- the audit log ---- */

static str text_of(const struct ask *q, const char *name)
{
	const json_t *v = json_object_get(q->in, name);
	return json_is_string(v) ? str_of(json_string_value(v), json_string_length(v)) : (str){NULL, 0};
}

/* An administrator sees everything, or one account; a user what concerns the own one. */
static result account_shown(const struct ask *q, uint64_t *account)
{
	str address = text_of(q, "address");
	bool admin = q->who->administrator;
	uint64_t own = q->who->account;
	const json_t *number = json_object_get(q->in, "account");
	*account = admin && json_is_integer(number) ? (uint64_t)json_integer_value(number) : 0;
	if (address.n > 0)
		TRY(people_account(&(struct person){.address = address}, account));
	if (!admin && !q->who->visitor)
		TRY(people_account(&(struct person){.uid = q->who->uid}, &own));
	if (!admin && (own == 0 || (address.n > 0 && *account != own)))
		return failure(FAIL_DENIED, "this user may only see what concerns the own account");
	if (address.n > 0 && *account == 0)
		return failure(FAIL_ABSENT, "there is no such account");
	*account = admin ? *account : own;
	return OK;
}

result own_audit_show(const struct ask *q, json_t **answer)
{
	struct web_watch_audit_show m = {.since = text_of(q, "since")};
	struct web_watch_audit_records are;
	const json_t *before = json_object_get(q->in, "before");
	struct channel *watch;
	if (m.since.n > WEB_WATCH_AUDIT_SHOW_SINCE_MAX)
		return failure(FAIL_INPUT, "`since` is a time as 2026-11-22T05:00:00.000Z, or the beginning of one");
	if (json_is_integer(before) && json_integer_value(before) > 0)
		m.before = (uint64_t)json_integer_value(before);
	TRY(account_shown(q, &m.account));
	TRY(room_connect(&web_watch_as_web_kind, "watch", 0, &watch));
	TRY(web_watch_audit_show_call(watch, &q->trace, &m, q->arena, &are));
	*answer = json_of_message(&web_watch_audit_records_shape, &are);
	if (!*answer)
		return failure(FAIL_MEMORY, "out of memory");
	own_dress_traces(*answer);
	return OK;
}

/* ---- status ---- */

static result rooms_of(const struct ask *q, json_t *into)
{
	struct supervisor_room_rooms m = {0};
	struct supervisor_room_rooms_are are;
	int64_t first = clock_wall_s();
	TRY(supervisor_room_rooms_call(room_supervisor(), &q->trace, &m, q->arena, &are));
	for (size_t i = 0; i < are.rooms.n; i++)
		if (are.rooms.p[i].started > 0 && are.rooms.p[i].started < first)
			first = are.rooms.p[i].started;
	json_t *v = json_of_message(&supervisor_room_rooms_are_shape, &are);
	json_object_set_new(into, "uptime", json_integer(clock_wall_s() - first));
	json_object_update(into, v);
	json_decref(v);
	return OK;
}

static result counters_of(const struct ask *q, json_t *into)
{
	struct web_watch_counters m = {0};
	struct web_watch_counters_are are;
	struct channel *watch;
	TRY(room_connect(&web_watch_as_web_kind, "watch", 0, &watch));
	TRY(web_watch_counters_call(watch, &q->trace, &m, q->arena, &are));
	for (size_t i = 0; i < are.rows.n; i++) {
		const struct web_watch_counter_row *row = &are.rows.p[i];
		json_object_setn_new(into, row->name.p, row->name.n, json_integer((json_int_t)row->value));
	}
	return OK;
}

result own_status(const struct ask *q, json_t **answer)
{
	json_t *v = json_pack("{s:s}", "version", POSTERN_VERSION);
	json_t *counters = json_object();
	result r = v && counters ? rooms_of(q, v) : failure(FAIL_MEMORY, "out of memory");
	/* The rest is worth showing although the log is being replaced. */
	bool counted = !failed(r) && !failed(counters_of(q, counters));
	if (!failed(r) && json_object_set(v, "counters", counted ? counters : json_null()) < 0)
		r = failure(FAIL_MEMORY, "out of memory");
	json_decref(counters);
	if (failed(r))
		json_decref(v);
	else
		*answer = v;
	return r;
}
