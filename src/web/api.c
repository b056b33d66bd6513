#include "web/api.h"

#include "run/random.h"
#include "run/secret.h"
#include "talk/room.h"
#include "web/endpoints.h"
#include "web/json.h"

static const struct {
	enum fail_kind kind;
	unsigned status;
} statuses[] = {
	{FAIL_INPUT, 400},    {FAIL_LIMIT, 400},  {FAIL_DENIED, 403}, {FAIL_ABSENT, 404},    {FAIL_EXISTS, 409},
	{FAIL_CONFLICT, 409}, {FAIL_PEER, 502},   {FAIL_CLOSED, 503}, {FAIL_CANCELLED, 503}, {FAIL_BUSY, 503},
	{FAIL_TIMEOUT, 504},  {FAIL_FULL, 507},
};

static unsigned status_of(enum fail_kind kind)
{
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (statuses[i].kind == kind)
			return statuses[i].status;
	return 500;
}

/* ---- one endpoint ---- */

static result check_needs(const struct ask *q)
{
	str rest = str_from(q->endpoint->needs);
	while (rest.n > 0) {
		size_t end = str_chr(rest, ' ');
		str name = str_sub(rest, 0, end);
		if (!json_object_getn(q->in, name.p, name.n))
			return failure_in(q->arena, FAIL_INPUT, "the request needs \"%.*s\"", STR_ARG(name));
		rest = end == STR_NONE ? (str){0} : str_skip(rest, end + 1);
	}
	return OK;
}

/* The API passes on what is declared, so it calls by the tables instead of one
 * generated function for each message. */
static result pass_on(const struct ask *q, json_t **answer)
{
	const struct channel_kind *kind = backend_kind(q->endpoint->backend);
	const struct talk_message *m = endpoint_message(q->endpoint);
	const struct talk_shape *shape = kind->pair->messages[m->answer].shape;
	struct channel *c;
	void *message = arena_alloc(q->arena, m->shape->size + 1), *said = arena_alloc(q->arena, shape->size + 1);
	if (!message || !said)
		return arena_result(q->arena);
	TRY(message_of_json(m->shape, q->in, q->arena, message));
	TRY(room_connect(kind, backend_role(q->endpoint->backend), 0, &c));
	const struct saying s = {.pair = kind->pair, .number = q->endpoint->number, .trace = &q->trace, .message = message};
	uint64_t within = q->endpoint->within_ms ? q->endpoint->within_ms : API_CALL_MS;
	const struct hearing h = {.arena = q->arena, .timeout_ms = within, .answer = said};
	TRY(channel_call(c, &s, &h));
	*answer = json_of_message(shape, said);
	message_wipe_secrets(shape, said);
	return *answer ? OK : failure(FAIL_MEMORY, "out of memory");
}

/* NULL: there is nothing in it to wipe. */
static const struct talk_shape *request_shape(const struct endpoint *e)
{
	return e->own ? e->takes : endpoint_message(e)->shape;
}

static const struct talk_shape *answer_shape(const struct endpoint *e)
{
	return e->own ? e->gives : backend_kind(e->backend)->pair->messages[endpoint_message(e)->answer].shape;
}

/* A secret is written once, and wiped with the answer (http.h). */
static void write_answer(const struct endpoint *e, json_t *answer, buf *out)
{
	const struct talk_shape *s = answer_shape(e);
	bool secret = s && shape_has_secrets(s);
	if (secret && !buf_reserve(out, API_SECRET_ANSWER)) /* growing would leave a copy behind */
		return;
	json_write(answer, out);
	if (secret)
		json_wipe_secrets(s, answer);
}

static result run(const struct ask *q, json_t **answer)
{
	const struct endpoint *e = q->endpoint;
	TRY(check_needs(q));
	if (e->check)
		TRY(e->check(q));
	TRY(e->own ? e->own(q, answer) : pass_on(q, answer));
	if (e->dress)
		e->dress(*answer);
	return OK;
}

/* What the request is about: the first member that it must have. */
static str target_of(const struct ask *q)
{
	str needs = str_from(q->endpoint->needs);
	str first = str_sub(needs, 0, str_chr(needs, ' '));
	const json_t *v = json_object_getn(q->in, first.p, first.n);
	if (json_is_string(v))
		return str_of(json_string_value(v), json_string_length(v));
	AUTO_BUF buf number = buf_new(32);
	if (json_is_integer(v))
		buf_printf(&number, "%lld", (long long)json_integer_value(v));
	return arena_dup(q->arena, buf_str(&number));
}

/* ---- the audit log ---- */

struct act {
	const struct ask *ask;
	str target;
	uint64_t account; /* that the target is the address of; 0: none */
};

/* Whose business it is: an account's owner may see what was done to it. */
static result find_account(struct act *a)
{
	if (a->account || str_chr(a->target, '@') == STR_NONE)
		return OK;
	return people_account(&(struct person){.address = a->target}, &a->account);
}

static result attest(const struct act *a, enum log_name event, str outcome)
{
	const struct caller *who = a->ask->who;
	const str act = str_from(a->ask->endpoint->name);
	if (who->visitor)
		return room_attest(event, &a->ask->trace, F_STR("act", act), F_STR("target", a->target),
				   F_STR("user", who->address), F_STR("client", who->client), F_U64("account", a->account),
				   F_STR("outcome", outcome));
	return room_attest(event, &a->ask->trace, F_STR("act", act), F_STR("target", a->target), F_U64("uid", who->uid),
			   F_U64("account", a->account), F_STR("outcome", outcome));
}

/* Whoever changes something does it before witnesses: the wish is on the disk before it is granted, the outcome
 * before it is told. */
static result run_attested(const struct ask *q, json_t **answer)
{
	struct act a = {.ask = q, .target = target_of(q)};
	TRY(find_account(&a));
	TRY(attest(&a, EV_ADMIN_ASKED, STR("asked")));
	result r = run(q, answer);
	if (!failed(r))
		(void)find_account(&a).kind; /* a new one is known only now */
	result told = attest(&a, EV_ADMIN, failed(r) ? str_from(fail_name(r.kind)) : STR("done"));
	if (failed(r) || !failed(told))
		return r;
	json_decref(*answer);
	*answer = NULL;
	return failure(told.kind, "it was done, but the audit log cannot be written now to say so; postern status and"
		" posternd's log say why");
}

static result answer_endpoint(struct ask *q, str body, json_t **answer)
{
	TRY(json_read(body.n > 0 ? body : STR("{}"), q->arena, &q->in));
	result r = q->endpoint->changes ? run_attested(q, answer) : run(q, answer);
	const struct talk_shape *s = request_shape(q->endpoint);
	if (s)
		json_wipe_secrets(s, q->in);
	json_decref(q->in);
	return r;
}

/* ---- requests ---- */

static result find(const struct http_request *q, const struct endpoint **out)
{
	str prefix = STR("/v1/");
	if (!str_starts(q->path, prefix))
		return failure(FAIL_ABSENT, "there is no such page; the API's requests are POST /v1/NAME");
	*out = endpoint_find(str_skip(q->path, prefix.n));
	return *out ? OK : failure(FAIL_ABSENT, "the API has no request of that name; see docs/admin-api.md");
}

static void put_refusal(struct http_request *q, const trace_id *trace, result r)
{
	json_t *v = json_object();
	json_object_set_new(v, "error", json_text(str_from(r.text)));
	json_object_set_new(v, "kind", json_string(fail_name(r.kind)));
	json_object_set_new(v, "trace", json_hex(trace, sizeof *trace));
	q->status = status_of(r.kind);
	json_write(v, &q->answer);
	json_decref(v);
}

/* That somebody who is known was refused is on record; who is not known has left no name. */
static result allow(const struct ask *k)
{
	result r = people_allow(k->who, k->endpoint->whom);
	if (failed(r) && k->who->visitor && k->who->known)
		log_event(EV_ADMIN_REFUSED, &k->trace, F_STR("act", str_from(k->endpoint->name)),
			  F_STR("user", k->who->address), F_STR("client", k->who->client), F_U64("account", k->who->account));
	return r;
}

static result answer_request(const struct http_request *q, struct ask *k, json_t **answer)
{
	TRY(find(q, &k->endpoint));
	TRY(allow(k));
	return answer_endpoint(k, q->body, answer);
}

void api_answer(struct http_request *q)
{
	AUTO_ARENA arena a = arena_new(API_ARENA);
	struct caller who;
	struct ask k = {.who = &who, .arena = &a};
	json_t *answer = NULL;
	random_fill(&k.trace, sizeof k.trace);
	if (!str_eq(q->method, STR("POST"))) {
		put_refusal(q, &k.trace, failure(FAIL_INPUT, "the API takes POST requests only"));
		q->status = 405;
		return;
	}
	result r = people_know(q, &a, &who);
	bool met = !failed(r);
	if (met)
		r = answer_request(q, &k, &answer);
	if (!failed(r))
		write_answer(k.endpoint, answer, &q->answer);
	json_decref(answer);
	if (!failed(r))
		r = buf_result(&q->answer);
	if (failed(r)) {
		buf_clear(&q->answer);
		put_refusal(q, &k.trace, r);
	}
	/* Who did not say who it is (RFC 9110 15.5.2). It has to come in anew, past bans and limits. */
	q->last = met && r.kind == FAIL_DENIED && who.visitor && !who.known;
	q->status = q->last ? 401 : q->status;
	secret_wipe(who.token, sizeof who.token);
}
