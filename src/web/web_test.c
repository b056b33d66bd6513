#include <jansson.h>

#include "base/test.h"
#include "talk/web_auth.h"
#include "talk/web_queue.h"
#include "web/endpoints.h"
#include "web/json.h"
#include "web/own.h"

static arena mem = {.max = 1 << 20};

static int clear(void **state)
{
	(void)state;
	arena_clear(&mem);
	return 0;
}

static json_t *object(const char *text)
{
	json_t *v = json_loads(text, 0, NULL);
	assert_non_null(v);
	return v;
}

/* ---- the table ---- */

static bool has_field(const struct talk_shape *s, str name)
{
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(str_from(s->fields[i].name), name))
			return true;
	return false;
}

static void check_needs(const struct endpoint *e, const struct talk_shape *s)
{
	str rest = str_from(e->needs);
	while (rest.n > 0) {
		size_t end = str_chr(rest, ' ');
		if (!has_field(s, str_sub(rest, 0, end)))
			fail_msg("%s needs \"%.*s\", which its message does not have", e->name, STR_ARG(str_sub(rest, 0, end)));
		rest = end == STR_NONE ? (str){0} : str_skip(rest, end + 1);
	}
}

static void test_each_row_fits_its_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < endpoints_n; i++) {
		const struct endpoint *e = &endpoints[i];
		const struct talk_message *m = endpoint_message(e);
		assert_ptr_equal(endpoint_find(str_from(e->name)), e); /* names are unique */
		assert_true(e->backend == BY_WEB ? e->own != NULL : m != NULL);
		if (!m)
			continue;
		assert_int_equal(m->by, 0); /* web says it */
		assert_true(m->answer != 0);
		check_needs(e, m->shape);
	}
	assert_null(endpoint_find(STR("no-such-thing")));
}

static bool is_served(enum backend b, size_t number)
{
	for (size_t i = 0; i < endpoints_n; i++)
		if (endpoints[i].backend == b && endpoints[i].number == number)
			return true;
	return false;
}

static void test_every_question_has_an_endpoint(void **state)
{
	(void)state;
	for (unsigned b = 0; b < BY_WEB; b++) {
		const struct talk_pair *p = backend_kind((enum backend)b)->pair;
		for (size_t n = 1; n <= p->n; n++)
			if (p->messages[n].by == 0 && !is_served((enum backend)b, n))
				fail_msg("%s: %s has no endpoint", p->name, p->messages[n].shape->name);
	}
}

/* ---- who may what ---- */

static void test_who_may_ask_for_what(void **state)
{
	static const struct {
		struct caller who;
		bool strangers, owners, administrators;
	} rows[] = {
		{{.known = true, .administrator = true}, true, true, true}, /* root, or whom `administrators` names */
		{{.known = true}, true, true, false},                      /* a user of the machine with an account here */
		{{.visitor = true}, true, false, false},                   /* no session, or one that has ended */
		{{.visitor = true, .administrator = true}, true, false, false},
		{{.visitor = true, .known = true}, true, true, false},
		{{.visitor = true, .known = true, .administrator = true}, true, true, true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(failed(people_allow(&rows[i].who, FOR_STRANGERS)), !rows[i].strangers);
		assert_int_equal(failed(people_allow(&rows[i].who, FOR_OWNERS)), !rows[i].owners);
		assert_int_equal(failed(people_allow(&rows[i].who, FOR_ADMINISTRATORS)), !rows[i].administrators);
	}
}

/* What is not written here is for administrators alone. */
static void test_what_others_may_ask_for(void **state)
{
	static const char *const strangers[] = {"login"}, *const owners[] = {"logout", "audit-show", "audit-checkpoint"};
	size_t n[3] = {0};
	(void)state;
	for (size_t i = 0; i < endpoints_n; i++)
		n[endpoints[i].whom]++;
	assert_int_equal(n[FOR_STRANGERS], sizeof strangers / sizeof *strangers);
	assert_int_equal(n[FOR_OWNERS], sizeof owners / sizeof *owners);
	for (size_t i = 0; i < n[FOR_STRANGERS]; i++)
		assert_int_equal(endpoint_find(str_from(strangers[i]))->whom, FOR_STRANGERS);
	for (size_t i = 0; i < n[FOR_OWNERS]; i++)
		assert_int_equal(endpoint_find(str_from(owners[i]))->whom, FOR_OWNERS);
}

static bool may_come(const char *address)
{
	net_addr a;
	assert_ok(net_parse_ip(str_from(address), &a));
	return people_may_come(&a);
}

static void test_where_visitors_may_come_from(void **state)
{
	struct options o;
	(void)state;
	options_init(&o);
	assert_ok(people_read(&o));
	assert_true(may_come("127.0.0.1") && may_come("127.8.0.1") && may_come("::1"));
	assert_false(may_come("192.0.2.7") || may_come("2001:db8::1") || may_come("0.0.0.0"));
	people_free();
	assert_false(may_come("127.0.0.1")); /* nothing was read: nobody */
	assert_ok(options_set(&o, OPT_ADMIN_FROM, STR("192.0.2.0/24\n2001:db8:7::/48")));
	assert_ok(people_read(&o));
	assert_true(may_come("192.0.2.7") && may_come("2001:db8:7::9"));
	assert_false(may_come("127.0.0.1") || may_come("192.0.3.1") || may_come("2001:db8:8::9"));
	people_free();
	options_free(&o);
}

/* ---- JSON to messages ---- */

static result read_into(const struct talk_shape *s, const char *text, void *m)
{
	json_t *v = object(text);
	result r = message_of_json(s, v, &mem, m);
	json_decref(v);
	return r;
}

static void test_members_become_fields(void **state)
{
	(void)state;
	struct web_auth_account_add m;
	json_t *v = object("{\"address\":\"a@b\",\"quota\":5368709120,\"admin\":true}");
	assert_ok(message_of_json(&web_auth_account_add_shape, v, &mem, &m));
	assert_str(m.address, STR("a@b"));
	assert_true(m.quota == 5368709120 && m.admin && !m.any_password && m.name.n == 0);
	json_decref(v);
	struct web_auth_alias_add alias;
	v = object("{\"address\":\"s@b\",\"targets\":[\"x@b\",\"y@b\"]}");
	assert_ok(message_of_json(&web_auth_alias_add_shape, v, &mem, &alias));
	assert_int_equal(alias.targets.n, 2);
	assert_str(alias.targets.p[1], STR("y@b"));
	json_decref(v);
	struct web_auth_route_add route;
	v = object("{\"kind\":\"relayed\",\"match\":\"b.test\",\"port\":2525}");
	assert_ok(message_of_json(&web_auth_route_add_shape, v, &mem, &route));
	assert_int_equal(route.kind, WEB_AUTH_ROUTE_KIND_RELAYED);
	assert_int_equal(route.port, 2525);
	json_decref(v);
}

static void test_what_does_not_fit_is_refused(void **state)
{
	(void)state;
	struct web_auth_account_add m;
	struct web_auth_alias_add alias;
	struct web_auth_route_add route;
	const struct talk_shape *s = &web_auth_account_add_shape;
	assert_int_equal(read_into(s, "{\"adress\":\"a@b\"}", &m).kind, FAIL_INPUT);
	assert_int_equal(read_into(s, "{\"address\":5}", &m).kind, FAIL_INPUT);
	assert_int_equal(read_into(s, "{\"quota\":-1}", &m).kind, FAIL_INPUT);
	assert_int_equal(read_into(s, "{\"quota\":1.5}", &m).kind, FAIL_INPUT);
	assert_int_equal(read_into(s, "{\"admin\":1}", &m).kind, FAIL_INPUT);
	assert_int_equal(read_into(s, "{\"address\":null}", &m).kind, FAIL_INPUT);
	assert_int_equal(read_into(&web_auth_alias_add_shape, "{\"targets\":\"x@b\"}", &alias).kind, FAIL_INPUT);
	assert_int_equal(read_into(&web_auth_alias_add_shape, "{\"targets\":[1]}", &alias).kind, FAIL_INPUT);
	assert_int_equal(read_into(&web_auth_route_add_shape, "{\"kind\":\"relay\"}", &route).kind, FAIL_INPUT);
	assert_int_equal(read_into(&web_auth_route_add_shape, "{\"kind\":3}", &route).kind, FAIL_INPUT);
	assert_string_equal(read_into(s, "{\"adress\":\"a@b\"}", &m).text, "this request has no \"adress\"");
}

static void test_limits_of_messages_hold(void **state)
{
	(void)state;
	struct web_auth_account_add m;
	char address[WEB_AUTH_ACCOUNT_ADD_ADDRESS_MAX + 2] = "";
	memset(address, 'a', sizeof address - 1);
	json_t *v = json_pack("{s:s}", "address", address);
	assert_int_equal(message_of_json(&web_auth_account_add_shape, v, &mem, &m).kind, FAIL_INPUT);
	address[sizeof address - 2] = '\0';
	json_object_set_new(v, "address", json_string(address));
	assert_ok(message_of_json(&web_auth_account_add_shape, v, &mem, &m));
	json_decref(v);
	json_t *targets = json_array();
	for (int i = 0; i < WEB_AUTH_ALIAS_ADD_TARGETS_MAX + 1; i++)
		json_array_append_new(targets, json_string("a@b"));
	struct web_auth_alias_add alias;
	v = json_pack("{s:o}", "targets", targets);
	assert_int_equal(message_of_json(&web_auth_alias_add_shape, v, &mem, &alias).kind, FAIL_INPUT);
	json_array_remove(targets, 0);
	assert_ok(message_of_json(&web_auth_alias_add_shape, v, &mem, &alias));
	json_decref(v);
}

static void test_requests_are_bounded_objects(void **state)
{
	(void)state;
	json_t *v = NULL;
	char deep[4096] = "";
	assert_int_equal(json_read(STR("[1]"), &mem, &v).kind, FAIL_INPUT);
	assert_int_equal(json_read(STR("{\"a\":"), &mem, &v).kind, FAIL_INPUT);
	assert_int_equal(json_read(STR("{\"a\":1,\"a\":2}"), &mem, &v).kind, FAIL_INPUT);
	assert_int_equal(json_read(STR("{\"a\":\"\xff\"}"), &mem, &v).kind, FAIL_INPUT);
	memset(deep, '[', sizeof deep);
	assert_int_equal(json_read(str_of(deep, sizeof deep), &mem, &v).kind, FAIL_INPUT);
	assert_ok(json_read(STR("{\"a\":\"[[[[[[[[[[[[\\\"[[[[\"}"), &mem, &v)); /* brackets in a text are none */
	json_decref(v);
	assert_ok(json_read(STR("{\"a\":[[[[[[[1]]]]]]]}"), &mem, &v)); /* JSON_DEPTH_MAX */
	json_decref(v);
	assert_int_equal(json_read(STR("{\"a\":[[[[[[[[1]]]]]]]]}"), &mem, &v).kind, FAIL_INPUT);
}

static void test_secrets_are_wiped(void **state)
{
	(void)state;
	json_t *v = object("{\"address\":\"a@b\",\"password\":\"secret\"}");
	json_wipe_secrets(&web_auth_account_add_shape, v);
	assert_memory_equal(json_string_value(json_object_get(v, "password")), "\0\0\0\0\0\0", 6);
	assert_string_equal(json_string_value(json_object_get(v, "address")), "a@b");
	json_decref(v);
}

static void test_secrets_of_answers_are_wiped(void **state)
{
	char uri[] = "otpauth", codes[2][3] = {"ab", "cd"};
	const str list[] = {str_of(codes[0], 2), str_of(codes[1], 2)};
	const struct web_auth_second_factor_made m = {.uri = str_of(uri, 7), .codes = {list, 2}};
	(void)state;
	assert_true(shape_has_secrets(&web_auth_second_factor_made_shape));
	assert_false(shape_has_secrets(&web_auth_done_shape));
	json_t *v = json_of_message(&web_auth_second_factor_made_shape, &m);
	json_wipe_secrets(&web_auth_second_factor_made_shape, v);
	assert_memory_equal(json_string_value(json_object_get(v, "uri")), "\0\0\0\0\0\0\0", 7);
	for (size_t i = 0; i < 2; i++)
		assert_memory_equal(json_string_value(json_array_get(json_object_get(v, "codes"), i)), "\0\0", 2);
	json_decref(v);
	message_wipe_secrets(&web_auth_second_factor_made_shape, &m);
	assert_memory_equal(uri, "\0\0\0\0\0\0\0", 7);
	assert_memory_equal(codes, "\0\0\0\0\0", 6);
}

/* ---- messages to JSON ---- */

static void test_fields_become_members(void **state)
{
	(void)state;
	struct web_queue_item_row row = {.item = 7, .sender = STR("a\xff@b"), .state = WEB_QUEUE_ITEM_STATE_QUARANTINE,
					 .kept = -1, .delivery = {{0xab, 0xcd}}};
	struct web_queue_items m = {.rows = {&row, 1}, .total = UINT64_MAX};
	json_t *v = json_of_message(&web_queue_items_shape, &m);
	assert_non_null(v);
	json_t *got = json_array_get(json_object_get(v, "rows"), 0);
	assert_string_equal(json_string_value(json_object_get(got, "sender")), "a\xef\xbf\xbd@b");
	assert_string_equal(json_string_value(json_object_get(got, "state")), "quarantine");
	assert_string_equal(json_string_value(json_object_get(got, "delivery")), "abcd0000000000000000000000000000");
	assert_true(json_integer_value(json_object_get(got, "kept")) == -1);
	assert_true(json_integer_value(json_object_get(v, "total")) == INT64_MAX);
	json_decref(v);
}

static void test_fields_of_a_trace_become_an_object(void **state)
{
	(void)state;
	json_t *v = object("{\"rows\":[{\"fields\":\"{\\\"size\\\":5}\"},{\"fields\":\"broken\"}]}");
	own_dress_traces(v);
	json_t *rows = json_object_get(v, "rows");
	json_t *first = json_object_get(json_array_get(rows, 0), "fields");
	assert_true(json_integer_value(json_object_get(first, "size")) == 5);
	assert_true(json_is_string(json_object_get(json_array_get(rows, 1), "fields")));
	json_decref(v);
}

static void test_only_the_demo_skips_password_rules(void **state)
{
	(void)state;
	struct ask q = {.arena = &mem, .in = object("{\"any_password\":true}")};
	own_set_demo(false);
	assert_int_equal(own_check_account(&q).kind, FAIL_DENIED);
	own_set_demo(true);
	assert_ok(own_check_account(&q));
	json_decref(q.in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_each_row_fits_its_message, clear),
		cmocka_unit_test_setup(test_every_question_has_an_endpoint, clear),
		cmocka_unit_test(test_who_may_ask_for_what),
		cmocka_unit_test(test_what_others_may_ask_for),
		cmocka_unit_test(test_where_visitors_may_come_from),
		cmocka_unit_test_setup(test_members_become_fields, clear),
		cmocka_unit_test_setup(test_what_does_not_fit_is_refused, clear),
		cmocka_unit_test_setup(test_limits_of_messages_hold, clear),
		cmocka_unit_test_setup(test_requests_are_bounded_objects, clear),
		cmocka_unit_test_setup(test_secrets_are_wiped, clear),
		cmocka_unit_test_setup(test_secrets_of_answers_are_wiped, clear),
		cmocka_unit_test_setup(test_fields_become_members, clear),
		cmocka_unit_test_setup(test_fields_of_a_trace_become_an_object, clear),
		cmocka_unit_test_setup(test_only_the_demo_skips_password_rules, clear),
	};
	int failures = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(&mem);
	return failures;
}
