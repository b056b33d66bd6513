#include "web/api.h"

#include "run/random.h"
#include "talk/room.h"
#include "web/endpoints.h"
#include "web/json.h"
#include "web/people.h"

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

/* NULL: web answers by itself. */
static const struct talk_shape *answer_shape(const struct endpoint *e)
{
	const struct talk_message *m = e->own ? NULL : endpoint_message(e);
	return m ? backend_kind(e->backend)->pair->messages[m->answer].shape : NULL;
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
	return room_attest(event, &a->ask->trace, F_STR("act", str_from(a->ask->endpoint->name)),
			   F_STR("target", a->target), F_U64("uid", a->ask->uid), F_U64("account", a->account),
			   F_STR("outcome", outcome));
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
	if (endpoint_message(q->endpoint))
		json_wipe_secrets(endpoint_message(q->endpoint)->shape, q->in);
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

void api_answer(struct http_request *q)
{
	AUTO_ARENA arena a = arena_new(API_ARENA);
	struct ask k = {.uid = q->uid, .arena = &a};
	json_t *answer = NULL;
	random_fill(&k.trace, sizeof k.trace);
	if (!str_eq(q->method, STR("POST"))) {
		put_refusal(q, &k.trace, failure(FAIL_INPUT, "the API takes POST requests only"));
		q->status = 405;
		return;
	}
	result r = find(q, &k.endpoint);
	if (!failed(r) && !k.endpoint->owner && !people_may_administrate(q->uid))
		r = failure(FAIL_DENIED, "this user may only ask for what concerns the own account");
	if (!failed(r))
		r = answer_endpoint(&k, q->body, &answer);
	if (!failed(r))
		write_answer(k.endpoint, answer, &q->answer);
	json_decref(answer);
	if (!failed(r))
		r = buf_result(&q->answer);
	if (failed(r)) {
		buf_clear(&q->answer);
		put_refusal(q, &k.trace, r);
	}
}
