/* App passwords and SCRAM, through the doors that web and the edges use. */
#include "auth/auth_kit.h"

#include <stdio.h>
#include <unistd.h>

#include "auth/app_secret.h"
#include "auth/scram.h"
#include "grammar/text/base64.h"
#include "grammar/text/scram.h"
#include "run/clock.h"

#define ANNA "anna@example.test"
#define OTTO "otto@example.test"
#define GOOD "four easy words here"

static char secret[APP_SECRET_TEXT + 1];

static result add(struct web_auth_app_password_add *m)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_app_password_added is;
	if (!m->name.p)
		m->name = STR("phone");
	if (!m->account.p)
		m->account = STR(ANNA);
	result r = web_auth_app_password_add_call(kit.web, NULL, m, &a, &is);
	if (failed(r))
		return kit_kind(r);
	assert_int_equal(is.secret.n, APP_SECRET_TEXT);
	memcpy(secret, is.secret.p, is.secret.n);
	return OK;
}

/* Anna's "phone", or what else is wished. */
#define ADD(...) add(&(struct web_auth_app_password_add){.expires = 0 __VA_OPT__(,) __VA_ARGS__})

static result end_app(const char *name)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct web_auth_done done;
	const struct web_auth_app_password_revoke m = {.account = STR(ANNA), .name = str_from(name)};
	result r = web_auth_app_password_revoke_call(kit.web, NULL, &m, &a, &done);
	return kit_kind(r);
}

static struct web_auth_app_passwords list(arena *a)
{
	struct web_auth_app_passwords is;
	assert_ok(web_auth_app_password_list_call(kit.web, NULL,
		&(struct web_auth_app_password_list){.account = STR(ANNA)}, a, &is));
	return is;
}

static void anna_and_otto(void)
{
	assert_ok(kit_domain("example.test"));
	assert_ok(kit_account(ANNA, GOOD));
	assert_ok(kit_account(OTTO, GOOD));
}

static enum edge_auth_login_verdict try(const char *user, const char *password)
{
	return kit_login(user, password, EDGE_AUTH_PROTOCOL_SMTP).verdict;
}

/* ---- the secret's form ---- */

static void a_secret_is_typed_as_people_do(void **state)
{
	char letters[APP_SECRET_LETTERS], again[APP_SECRET_LETTERS], text[APP_SECRET_TEXT];
	(void)state;
	app_secret_make(letters);
	app_secret_group(letters, text);
	assert_true(app_secret_read(str_of(text, sizeof text), again));
	assert_memory_equal(letters, again, sizeof letters);
	assert_true(app_secret_read(STR("ABCD efgh ijkm-npqrstuvwxyzabcd"), again));
	assert_memory_equal(again, "abcdefghijkmnpqrstuvwxyzabcd", sizeof again);
	assert_false(app_secret_read(STR("abcdefghijkmnpqrstuvwxyzabc"), again));
	assert_false(app_secret_read(STR("abcdefghijkmnpqrstuvwxyzabcde"), again));
	assert_false(app_secret_read(STR("lbcdefghijkmnpqrstuvwxyzabcd"), again));
	assert_false(app_secret_read(STR(GOOD), again));
}

/* RFC 7677 section 3. */
static void the_arithmetic_of_the_rfc(void **state)
{
	AUTO_BUF buf salt = buf_new(64), out = buf_new(256);
	(void)state;
	assert_ok(base64_decode(&salt, STR("W22ZaJ0SNY7soEsUEjb6gQ==")));
	const str message = STR("n=user,r=rOprNGfwEbeRWgbNEkqO,"
		"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
	struct scram_key salted = scram_salted(STR("pencil"), buf_str(&salt), 4096);
	struct scram_key client = scram_client_key(&salted), proof = scram_proof(&client, message);
	struct scram_verifier v = scram_verifier(&salted);
	base64_encode(&out, str_of((const char *)proof.b, sizeof proof.b), 0);
	assert_str(buf_str(&out), STR("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
	struct scram_key signature = scram_server_signature(&v, message), back = scram_client_of_proof(&v, message, &proof);
	buf_clear(&out);
	base64_encode(&out, str_of((const char *)signature.b, sizeof signature.b), 0);
	assert_str(buf_str(&out), STR("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
	assert_true(scram_opens(&v, &back));
	back.b[31] ^= 1;
	assert_false(scram_opens(&v, &back));
}

/* ---- app passwords ---- */

static void an_app_password_logs_in_with_or_without_hyphens(void)
{
	char letters[APP_SECRET_LETTERS + 1] = "";
	anna_and_otto();
	assert_ok(ADD());
	assert_true(app_secret_read(str_from(secret), letters));
	assert_int_equal(try(ANNA, secret), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_int_equal(try(ANNA, letters), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_int_equal(try(ANNA, GOOD), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_int_equal(try(OTTO, secret), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_ok(kit_alias("info@example.test", ANNA));
	assert_int_equal(try("info@example.test", secret), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	letters[3] = letters[3] == 'a' ? 'b' : 'a';
	assert_int_equal(try(ANNA, letters), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	kit_close();
	kit_open();
	assert_int_equal(try(ANNA, secret), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
}

static str why(enum edge_auth_protocol p)
{
	static char text[300];
	AUTO_ARENA arena a = arena_new(65536);
	struct edge_auth_login m = {.protocol = p, .user = STR(ANNA), .password = str_from(secret),
		.client = STR("192.0.2.7"), .encrypted = true};
	struct edge_auth_login_is is;
	assert_ok(edge_auth_login_call(kit.edge, NULL, &m, &a, &is));
	snprintf(text, sizeof text, "%s: %.*s", edge_auth_login_verdict_names[is.verdict], STR_ARG(is.text));
	edge_auth_login_is_release(&is);
	return str_from(text);
}

static void its_bounds_hold_and_say_so(void)
{
	str imap[] = {STR("imap"), STR("POP3")}, here[] = {STR("198.51.100.0/24"), STR("192.0.2.7")};
	anna_and_otto();
	assert_ok(ADD(.protocols = {imap, 2}));
	assert_str(why(EDGE_AUTH_PROTOCOL_POP3), STR("accepted: "));
	assert_true(str_starts(why(EDGE_AUTH_PROTOCOL_SMTP), STR("barred: This app password is not for this protocol")));
	assert_ok(end_app("phone"));
	assert_str(why(EDGE_AUTH_PROTOCOL_POP3), STR("refused: "));
	assert_ok(ADD(.networks = {here, 2}));
	assert_str(why(EDGE_AUTH_PROTOCOL_SMTP), STR("accepted: "));
	assert_ok(end_app("phone"));
	assert_ok(ADD(.networks = {here, 1}));
	assert_true(str_starts(why(EDGE_AUTH_PROTOCOL_SMTP), STR("barred: This app password is not for the network")));
	assert_ok(end_app("phone"));
	assert_ok(add(&(struct web_auth_app_password_add){.expires = clock_wall_s() + 100}));
	assert_str(why(EDGE_AUTH_PROTOCOL_SMTP), STR("accepted: "));
	clock_test_hold(clock_wall_ms());
	clock_test_set(clock_wall_ms() + 100000);
	assert_true(str_starts(why(EDGE_AUTH_PROTOCOL_SMTP), STR("barred: This app password has expired")));
	clock_test_release();
	assert_int_equal(kit.events[EV_LOGIN_FAILED], 4);
}

/* ---- without TLS ---- */

static result add_clear(const char *name, const char *protocol, const char *network)
{
	const str p = str_from(protocol), n = str_from(network);
	return ADD(.name = str_from(name), .protocols = {&p, 1}, .networks = {&n, n.n > 0}, .clear = true);
}

static enum edge_auth_login_verdict in_clear(const char *password, const char *client)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct edge_auth_login_is is;
	const struct edge_auth_login m = {.protocol = EDGE_AUTH_PROTOCOL_SMTP, .user = STR(ANNA), .clear = true,
		.password = str_from(password), .client = str_from(client)};
	assert_ok(edge_auth_login_call(kit.edge, NULL, &m, &a, &is));
	edge_auth_login_is_release(&is);
	return is.verdict;
}

static size_t offered_in_clear(const char *first)
{
	AUTO_ARENA arena a = arena_new(65536);
	struct edge_auth_offers_are are;
	assert_ok(edge_auth_offers_call(kit.edge, NULL, &(struct edge_auth_offers){0}, &a, &are));
	if (are.clear.n > 0)
		assert_str(are.clear.p[0], str_from(first));
	return are.clear.n;
}

static void a_device_without_tls(void)
{
	char usual[APP_SECRET_TEXT + 1];
	anna_and_otto();
	assert_ok(ADD());
	memcpy(usual, secret, sizeof usual);
	assert_int_equal(add_clear("printer", "smtp", "192.0.2.7/32").kind, FAIL_DENIED); /* the option is not set */
	assert_ok(options_set(&auth.options, OPT_CLEAR_FROM, STR("192.0.2.0/24\n2001:db8::/64")));
	assert_int_equal(add_clear("printer", "imap", "192.0.2.7/32").kind, FAIL_INPUT);
	assert_int_equal(add_clear("printer", "smtp", "192.0.2.0/24").kind, FAIL_INPUT);
	assert_int_equal(add_clear("printer", "smtp", "").kind, FAIL_INPUT);
	assert_int_equal(add_clear("printer", "smtp", "198.51.100.7").kind, FAIL_DENIED);
	assert_int_equal(offered_in_clear(NULL), 0);
	int news = kit.news;
	assert_ok(add_clear("printer", "smtp", "192.0.2.7/32"));
	assert_int_equal(kit.news, news + 1); /* edges ask anew */
	assert_int_equal(offered_in_clear("192.0.2.7"), 1);
	assert_int_equal(in_clear(secret, "192.0.2.7"), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_int_equal(in_clear(secret, "192.0.2.8"), EDGE_AUTH_LOGIN_VERDICT_BARRED);
	assert_int_equal(in_clear(usual, "192.0.2.7"), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_int_equal(in_clear(GOOD, "192.0.2.7"), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_int_equal(try(ANNA, secret), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED); /* with TLS too: kit_login is 192.0.2.7 */
	kit_close();
	kit_open();
	assert_ok(options_set(&auth.options, OPT_CLEAR_FROM, STR("198.51.100.0/24"))); /* no longer */
	assert_int_equal(offered_in_clear(NULL), 0);
}

static void what_cannot_be_is_refused(void)
{
	str odd[] = {STR("ftp")}, net[] = {STR("192.0.2.0/33")};
	anna_and_otto();
	assert_int_equal(ADD(.protocols = {odd, 1}).kind, FAIL_INPUT);
	assert_int_equal(ADD(.networks = {net, 1}).kind, FAIL_INPUT);
	assert_int_equal(add(&(struct web_auth_app_password_add){.expires = 5}).kind, FAIL_INPUT);
	assert_int_equal(ADD(.name = STR("")).kind, FAIL_INPUT);
	assert_int_equal(ADD(.account = STR("eve@example.test")).kind, FAIL_ABSENT);
	assert_ok(ADD());
	assert_int_equal(ADD().kind, FAIL_EXISTS);
	assert_int_equal(end_app("tablet").kind, FAIL_ABSENT);
	for (int i = 1; i < APP_PASSWORDS_MAX; i++) {
		char name[16];
		snprintf(name, sizeof name, "n%d", i);
		assert_ok(ADD(.name = str_from(name)));
	}
	assert_int_equal(ADD(.name = STR("one more")).kind, FAIL_LIMIT);
}

static void the_last_use_is_shown_and_kept(void)
{
	AUTO_ARENA arena a = arena_new(262144);
	anna_and_otto();
	assert_ok(ADD());
	assert_int_equal(list(&a).rows.p[0].used, 0);
	int64_t before = clock_wall_s();
	assert_int_equal(try(ANNA, secret), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	struct web_auth_app_password_row row = list(&a).rows.p[0];
	assert_true(row.used >= before);
	assert_str(row.used_from, STR("192.0.2.7"));
	assert_str(row.used_protocol, STR("smtp"));
	assert_ok(app_uses_flush(&auth.app_uses));
	kit_close();
	kit_open();
	struct web_auth_app_password_row again = list(&a).rows.p[0];
	assert_int_equal(again.used, row.used);
	assert_str(again.used_from, STR("192.0.2.7"));
}

static void revoking_ends_what_it_opened_and_nothing_else(void)
{
	anna_and_otto();
	assert_ok(ADD());
	struct edge_auth_login_is own = kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP);
	struct edge_auth_login_is app = kit_login(ANNA, secret, EDGE_AUTH_PROTOCOL_SMTP);
	struct edge_auth_login_is imap = kit_login(ANNA, secret, EDGE_AUTH_PROTOCOL_IMAP);
	assert_int_equal(imap.verdict, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	close(imap.session);
	uint64_t credential = kit.session_credential;
	assert_true(credential > 0 && kit_may_send(&app.token, ANNA));
	assert_ok(end_app("phone"));
	assert_true(kit_may_send(&own.token, ANNA));
	assert_false(kit_may_send(&app.token, ANNA));
	assert_int_equal(kit.ends, 1);
	assert_int_equal(kit.ended_credential, credential);
	assert_false(kit.ended_all);
	assert_int_equal(try(ANNA, secret), EDGE_AUTH_LOGIN_VERDICT_REFUSED);
}

static void the_stored_and_the_told_hold_no_secret(void)
{
	anna_and_otto();
	assert_ok(ADD());
	str record = str_of(kit.last_fields, kit.last_n);
	assert_true(str_find(record, str_of(secret, 4)) == STR_NONE);
	assert_int_equal(try(ANNA, secret), EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	record = str_of(kit.last_fields, kit.last_n);
	assert_true(str_find(record, STR("phone")) != STR_NONE);
	assert_true(str_find(record, str_of(secret, 9)) == STR_NONE);
}

/* ---- SCRAM ---- */

/* A client of its own, and what it is told. */
struct scram_play {
	const char *user, *header, *password;
	str data; /* of the channel binding */
	bool plus, offered, spoilt;
	enum edge_auth_login_verdict first, last;
	char salt[64], final[128], address[64];
	trace_id token;
};

static void put_proof(struct scram_play *p, buf *final, str said, str challenge)
{
	AUTO_BUF buf binding = buf_new(256), salt = buf_new(64), message = buf_new(2048);
	size_t s = str_find(challenge, STR(",s=")), i = str_find(challenge, STR(",i="));
	assert_ok(base64_decode(&salt, str_sub(challenge, s + 3, i - s - 3)));
	snprintf(p->salt, sizeof p->salt, "%.*s", STR_ARG(str_sub(challenge, s + 3, i - s - 3)));
	struct scram_key salted = scram_salted(str_from(p->password), buf_str(&salt), SCRAM_ITERATIONS);
	struct scram_key client = scram_client_key(&salted);
	buf_put(&binding, str_from(p->header));
	buf_put(&binding, p->data);
	buf_put(final, STR("c="));
	base64_encode(final, buf_str(&binding), 0);
	buf_putc(final, ',');
	buf_put(final, str_sub(challenge, 0, s));
	buf_printf(&message, "%.*s,%.*s,%.*s", STR_ARG(said), STR_ARG(challenge), STR_ARG(buf_str(final)));
	struct scram_key proof = scram_proof(&client, buf_str(&message));
	proof.b[0] ^= p->spoilt;
	buf_put(final, STR(",p="));
	base64_encode(final, str_of((const char *)proof.b, sizeof proof.b), 0);
	struct scram_verifier v = scram_verifier(&salted);
	struct scram_key signature = scram_server_signature(&v, buf_str(&message));
	AUTO_BUF buf want = buf_new(128);
	scram_signature_print(&want, str_of((const char *)signature.b, sizeof signature.b));
	snprintf(p->final, sizeof p->final, "%.*s", STR_ARG(buf_str(&want)));
}

static void exchange(struct scram_play *p)
{
	AUTO_ARENA arena a = arena_new(65536);
	AUTO_BUF buf first = buf_new(512), final = buf_new(1024);
	struct edge_auth_scram_is is;
	struct edge_auth_login_is end;
	buf_printf(&first, "%sn=%s,r=abcdef", p->header, p->user);
	const struct edge_auth_scram m = {.protocol = EDGE_AUTH_PROTOCOL_SMTP, .client = STR("192.0.2.7"),
		.plus = p->plus, .offered = p->offered, .first = buf_str(&first), .exporter = STR("EXPORTER"),
		.end_point = STR("END POINT")};
	assert_ok(edge_auth_scram_call(kit.edge, NULL, &m, &a, &is));
	p->first = is.verdict;
	if (is.verdict != EDGE_AUTH_LOGIN_VERDICT_ACCEPTED)
		return;
	put_proof(p, &final, str_skip(buf_str(&first), strlen(p->header)), is.first);
	const struct edge_auth_scram_proof f = {.exchange = is.exchange, .final = buf_str(&final)};
	assert_ok(edge_auth_scram_proof_call(kit.edge, NULL, &f, &a, &end));
	p->last = end.verdict;
	p->token = end.token;
	snprintf(p->address, sizeof p->address, "%.*s", STR_ARG(end.address));
	assert_true(end.verdict != EDGE_AUTH_LOGIN_VERDICT_ACCEPTED || str_eq(end.final, str_from(p->final)));
	assert_true(end.verdict == EDGE_AUTH_LOGIN_VERDICT_ACCEPTED || end.final.n == 0);
	/* A proof is taken once. */
	assert_ok(edge_auth_scram_proof_call(kit.edge, NULL, &f, &a, &end));
	assert_int_equal(end.verdict, EDGE_AUTH_LOGIN_VERDICT_LATER);
}

static struct scram_play play(struct scram_play p)
{
	p.user = p.user ? p.user : ANNA;
	p.header = p.header ? p.header : "n,,";
	p.password = p.password ? p.password : secret;
	exchange(&p);
	return p;
}

/* Anna with her secret and without binding, or what else is wished. */
#define PLAY(...) play((struct scram_play){.first = 0 __VA_OPT__(,) __VA_ARGS__})

static void scram_proves_both_sides(void)
{
	char letters[APP_SECRET_LETTERS + 1] = "";
	anna_and_otto();
	assert_ok(ADD());
	assert_true(app_secret_read(str_from(secret), letters));
	struct scram_play p = PLAY();
	assert_int_equal(p.last, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_string_equal(p.address, ANNA);
	assert_true(kit_may_send(&p.token, ANNA));
	assert_int_equal(PLAY(.password = letters).last, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_int_equal(PLAY(.spoilt = true).last, EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_int_equal(PLAY(.password = GOOD).last, EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_int_equal(PLAY(.user = OTTO).last, EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_int_equal(PLAY(.header = "n,a=" OTTO ",").last, EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_int_equal(PLAY(.header = "n,a=" ANNA ",").last, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_ok(end_app("phone"));
	assert_int_equal(PLAY().last, EDGE_AUTH_LOGIN_VERDICT_REFUSED);
}

static void the_channel_is_bound(void)
{
	anna_and_otto();
	assert_ok(ADD());
	assert_int_equal(PLAY(.header = "p=tls-exporter,,", .data = STR("EXPORTER"), .plus = true).last,
		EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_int_equal(PLAY(.header = "p=tls-server-end-point,,", .data = STR("END POINT"), .plus = true).last,
		EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_int_equal(PLAY(.header = "p=tls-exporter,,", .data = STR("ANOTHER"), .plus = true).last,
		EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_int_equal(PLAY(.header = "p=tls-unique,,", .plus = true).first, EDGE_AUTH_LOGIN_VERDICT_MALFORMED);
	assert_int_equal(PLAY(.plus = true).first, EDGE_AUTH_LOGIN_VERDICT_MALFORMED);
	assert_int_equal(PLAY(.header = "p=tls-exporter,,").first, EDGE_AUTH_LOGIN_VERDICT_MALFORMED);
}

/* Somebody in between who takes -PLUS out of the list is noticed. */
static void a_downgrade_is_refused(void)
{
	anna_and_otto();
	assert_ok(ADD());
	assert_int_equal(PLAY(.header = "y,,", .offered = true).first, EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_int_equal(PLAY(.header = "y,,").last, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_int_equal(PLAY(.offered = true).last, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_int_equal(kit.events[EV_LOGIN_FAILED], 1);
}

static void names_are_not_told_apart(void)
{
	anna_and_otto();
	assert_ok(ADD());
	assert_ok(kit_alias("info@example.test", ANNA));
	struct scram_play none = PLAY(.user = "nobody@example.test"), again = PLAY(.user = "Nobody@EXAMPLE.test");
	assert_int_equal(none.first, EDGE_AUTH_LOGIN_VERDICT_ACCEPTED);
	assert_int_equal(none.last, EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_string_equal(none.salt, again.salt);
	struct scram_play alias = PLAY(.user = "info@example.test"), own = PLAY();
	assert_string_not_equal(alias.salt, own.salt);
	assert_int_equal(alias.last, EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	assert_int_equal(PLAY(.user = "no address").last, EDGE_AUTH_LOGIN_VERDICT_REFUSED);
	kit_close();
	kit_open();
	assert_string_equal(PLAY(.user = "nobody@example.test").salt, none.salt);
	assert_string_equal(PLAY().salt, own.salt);
}

static void wrong_proofs_slow_down(void)
{
	anna_and_otto();
	for (int i = 0; i < THROTTLE_FREE + 2; i++)
		PLAY(.password = GOOD);
	assert_true(kit_login(ANNA, GOOD, EDGE_AUTH_PROTOCOL_SMTP).delay > 0);
}

static void exchanges_are_bounded_in_number_and_time(void)
{
	struct exchanges x;
	trace_id first, id;
	exchanges_init(&x);
	for (int i = 0; i < EXCHANGES_MAX + 10; i++) {
		struct exchange *e = exchange_new();
		e->channel = &x;
		assert_ok(exchanges_keep(&x, &e, i ? &id : &first));
	}
	assert_int_equal(x.table.n, EXCHANGES_MAX);
	assert_null(exchanges_take(&x, &x, &first));
	assert_null(exchanges_take(&x, &kit, &id));
	clock_test_hold(clock_wall_ms());
	clock_test_advance(EXCHANGE_MS);
	assert_null(exchanges_take(&x, &x, &id));
	clock_test_release();
	exchanges_drop_channel(&x, &x);
	assert_int_equal(x.table.n, 0);
	exchanges_free(&x);
}

#define ON_KIT(NAME) static void NAME##_test(void **state) { (void)state; kit_run(NAME); }
ON_KIT(a_device_without_tls)
ON_KIT(an_app_password_logs_in_with_or_without_hyphens)
ON_KIT(its_bounds_hold_and_say_so)
ON_KIT(what_cannot_be_is_refused)
ON_KIT(the_last_use_is_shown_and_kept)
ON_KIT(revoking_ends_what_it_opened_and_nothing_else)
ON_KIT(the_stored_and_the_told_hold_no_secret)
ON_KIT(scram_proves_both_sides)
ON_KIT(the_channel_is_bound)
ON_KIT(a_downgrade_is_refused)
ON_KIT(names_are_not_told_apart)
ON_KIT(wrong_proofs_slow_down)
ON_KIT(exchanges_are_bounded_in_number_and_time)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_secret_is_typed_as_people_do),
		cmocka_unit_test(the_arithmetic_of_the_rfc),
		cmocka_unit_test(an_app_password_logs_in_with_or_without_hyphens_test),
		cmocka_unit_test(its_bounds_hold_and_say_so_test),
		cmocka_unit_test(a_device_without_tls_test),
		cmocka_unit_test(what_cannot_be_is_refused_test),
		cmocka_unit_test(the_last_use_is_shown_and_kept_test),
		cmocka_unit_test(revoking_ends_what_it_opened_and_nothing_else_test),
		cmocka_unit_test(the_stored_and_the_told_hold_no_secret_test),
		cmocka_unit_test(scram_proves_both_sides_test),
		cmocka_unit_test(the_channel_is_bound_test),
		cmocka_unit_test(a_downgrade_is_refused_test),
		cmocka_unit_test(names_are_not_told_apart_test),
		cmocka_unit_test(wrong_proofs_slow_down_test),
		cmocka_unit_test(exchanges_are_bounded_in_number_and_time_test),
	};
	return cmocka_run_group_tests_name("auth-app", tests, NULL, NULL);
}
