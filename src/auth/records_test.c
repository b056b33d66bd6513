/* What `postern domain records` lists. */
#include "auth/auth_kit.h"

#include "auth/records.h"
#include "run/clock.h"

enum { ARENA = 1 << 20 };

static struct web_auth_domain_records_are records(const char *domain, arena *a)
{
	struct web_auth_domain_records m = {.name = str_from(domain)};
	struct web_auth_domain_records_are are;
	assert_ok(web_auth_domain_records_call(kit.web, NULL, &m, a, &are));
	return are;
}

static const struct web_auth_dns_row *find(
	const struct web_auth_domain_records_are *r, const char *name, const char *type)
{
	for (size_t i = 0; i < r->rows.n; i++)
		if (str_eq(r->rows.p[i].name, str_from(name)) && str_eq(r->rows.p[i].type, str_from(type)))
			return &r->rows.p[i];
	return NULL;
}

static void there_is(const struct web_auth_domain_records_are *r, const char *name, const char *type, const char *value)
{
	const struct web_auth_dns_row *row = find(r, name, type);
	if (!row)
		fail_msg("no %s at %s", type, name);
	else
		assert_str(row->value, str_from(value));
}

static void set(enum option_id id, const char *value)
{
	assert_ok(options_set(&auth.options, id, str_from(value)));
}

static void lists(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	set(OPT_HOSTNAME, "mx.example.org");
	set(OPT_LISTEN_SMTP, "192.0.2.5:25\n192.0.2.5:2525\n[2001:db8::5]:25");
	set(OPT_LISTEN_SUBMISSIONS, "0.0.0.0:465");
	set(OPT_LISTEN_IMAPS, "[::]:9993\n127.0.0.1:993");
	set(OPT_CERTIFICATE_DIGEST, "00ff");
	assert_ok(kit_domain("example.test"));
	struct web_auth_domain_records_are r = records("Example.TEST", &a);
	there_is(&r, "example.test", "MX", "10 mx.example.org.");
	there_is(&r, "mx.example.org", "A", "192.0.2.5");
	there_is(&r, "mx.example.org", "AAAA", "2001:db8::5");
	there_is(&r, "example.test", "TXT", "v=spf1 mx -all");
	there_is(&r, "mx.example.org", "TXT", "v=spf1 a -all");
	there_is(&r, "_dmarc.example.test", "TXT", "v=DMARC1; p=quarantine; rua=mailto:postmaster@example.test");
	there_is(&r, "_smtp._tls.example.test", "TXT", "v=TLSRPTv1; rua=mailto:postmaster@example.test");
	there_is(&r, "_mta-sts.example.test", "TXT", "v=STSv1; id=1");
	there_is(&r, "_25._tcp.mx.example.org", "TLSA", "3 1 1 00ff");
	there_is(&r, "_submissions._tcp.example.test", "SRV", "0 1 465 mx.example.org.");
	there_is(&r, "_imaps._tcp.example.test", "SRV", "0 1 9993 mx.example.org.");
	assert_null(find(&r, "_pop3s._tcp.example.test", "SRV"));
	size_t addresses = 0, keys = 0;
	for (size_t i = 0; i < r.rows.n; i++) {
		addresses += str_eq(r.rows.p[i].type, STR("A"));
		keys += str_starts(r.rows.p[i].value, STR("v=DKIM1; k="));
		assert_true(r.rows.p[i].note.n > 0);
		assert_false(str_ends(r.rows.p[i].name, STR(".")));
	}
	assert_int_equal(addresses, 1);
	assert_int_equal(keys, 2);
}

static void a_domains_records(void **state)
{
	(void)state;
	kit_run(lists);
}

static void bare(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	struct web_auth_domain_records m = {.name = STR("example.test")};
	struct web_auth_domain_records_are are;
	set(OPT_HOSTNAME, "example.test");
	set(OPT_LISTEN_SMTP, "0.0.0.0:25\n[::]:25");
	assert_int_equal(web_auth_domain_records_call(kit.web, NULL, &m, &a, &are).kind, FAIL_ABSENT);
	assert_ok(kit_domain("example.test"));
	kit.no_keys = true;
	struct web_auth_domain_records_are r = records("example.test", &a);
	assert_null(find(&r, "example.test", "A"));
	assert_null(find(&r, "_25._tcp.example.test", "TLSA"));
	there_is(&r, "example.test", "TXT", "v=spf1 mx -all");
	for (size_t i = 0; i < r.rows.n; i++)
		assert_false(str_eq(r.rows.p[i].value, STR("v=spf1 a -all")));
	set(OPT_HOSTNAME, "[192.0.2.1]");
	assert_int_equal(web_auth_domain_records_call(kit.web, NULL, &m, &a, &are).kind, FAIL_INPUT);
}

static void what_is_not_there_is_not_listed(void **state)
{
	(void)state;
	kit_run(bare);
}

static size_t noted(const struct web_auth_domain_records_are *r, const char *note)
{
	size_t n = 0;
	for (size_t i = 0; i < r->rows.n; i++)
		n += str_starts(r->rows.p[i].note, str_from(note));
	return n;
}

static void rotating(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	set(OPT_HOSTNAME, "mx.example.org");
	clock_test_hold(1795312800000);
	assert_ok(kit_domain("example.test"));
	signing_look(&auth);
	clock_test_advance(180ull * 86400 * 1000);
	signing_look(&auth);
	struct web_auth_domain_records_are r = records("example.test", &a);
	assert_int_equal(noted(&r, "signs mail"), 2);
	assert_int_equal(noted(&r, "new key"), 2);
	const struct book_domain *d = book_domain(&auth.directory->book, STR("example.test"));
	assert_ok(directory_turn_key(auth.directory, domain_key(d, KEY_PUBLISHED, DKIM_RSA_SHA256)->id, clock_wall_s()));
	r = records("example.test", &a);
	assert_int_equal(noted(&r, "signs mail"), 2);
	assert_int_equal(noted(&r, "new key"), 1);
	assert_int_equal(noted(&r, "old key"), 1);
	clock_test_release();
}

static void keys_say_what_is_to_be_done(void **state)
{
	(void)state;
	kit_run(rotating);
}

/* More keys than are listed, when they follow one another quickly. */
static void crowd(void)
{
	AUTO_ARENA arena a = arena_new(ARENA);
	set(OPT_HOSTNAME, "mx.example.org");
	assert_ok(kit_domain("example.test"));
	for (int round = 0; round < RECORDS_KEYS_MAX; round++) {
		uint64_t ids[2];
		assert_ok(directory_begin_keys(auth.directory, STR("example.test"), 1));
		const struct book_domain *d = book_domain(&auth.directory->book, STR("example.test"));
		for (int i = 0; i < 2; i++)
			ids[i] = domain_key(d, KEY_BEGUN, (enum dkim_algorithm)i)->id;
		for (int i = 0; i < 2; i++) {
			assert_ok(directory_finish_key(auth.directory, ids[i], STR("AAAA"), 1));
			assert_ok(directory_turn_key(auth.directory, ids[i], 1));
		}
	}
	struct web_auth_domain_records_are r = records("example.test", &a);
	assert_int_equal(noted(&r, "signs mail") + noted(&r, "old key"), RECORDS_KEYS_MAX);
	assert_int_equal(noted(&r, "signs mail"), 2);
}

static void the_latest_keys_are_listed(void **state)
{
	(void)state;
	kit_run(crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_domains_records),
		cmocka_unit_test(what_is_not_there_is_not_listed),
		cmocka_unit_test(keys_say_what_is_to_be_done),
		cmocka_unit_test(the_latest_keys_are_listed),
	};
	return cmocka_run_group_tests_name("auth records", tests, NULL, NULL);
}
