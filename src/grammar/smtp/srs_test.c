#include "base/test.h"

#include "grammar/smtp/srs.h"

static void prints(const struct srs *s, const char *want)
{
	AUTO_BUF buf b = buf_new(1000);
	srs_print(&b, s);
	assert_ok(buf_result(&b));
	assert_str(buf_str(&b), str_from(want));
}

static void a_first_forwarders_address_is_read_and_written(void **state)
{
	struct srs s;
	(void)state;
	assert_ok(srs_parse(STR("SRS0=ABCDEFGH=A7=example.org=anna=b"), &s));
	assert_int_equal(s.kind, SRS_0);
	assert_str(s.hash, STR("ABCDEFGH"));
	assert_int_equal(s.day, 31);
	assert_str(s.domain, STR("example.org"));
	assert_str(s.rest, STR("anna=b"));
	prints(&s, "SRS0=ABCDEFGH=A7=example.org=anna=b");
}

static void a_later_forwarders_address_leads_to_the_first(void **state)
{
	struct srs s;
	(void)state;
	assert_ok(srs_parse(STR("srs1+abc=first.test==HHH=TT=example.org=anna"), &s));
	assert_int_equal(s.kind, SRS_1);
	assert_str(s.domain, STR("first.test"));
	assert_str(s.rest, STR("=HHH=TT=example.org=anna"));
	prints(&s, "SRS1=abc=first.test==HHH=TT=example.org=anna");
}

static void what_is_none_is_told_apart_from_what_is_broken(void **state)
{
	static const char *const none[] = {"", "anna", "SRS", "SRS0", "SRS0a=b", "SRS2=a=b=c=d", "srs0x=A=AA=b=c"};
	static const char *const broken[] = {"SRS0=", "SRS0=A", "SRS0=A=AA", "SRS0=A=AA=b", "SRS0=A=AA=b=", "SRS0==AA=b=c",
		"SRS0=A=A1=b=c", "SRS0=A=AAA=b=c", "SRS1=A=b=c", "SRS1=A=b==", "SRS1=A==b=c", "SRS1=A=b", "SRS0-A-AA-b-c"};
	struct srs s;
	(void)state;
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		assert_ok(srs_parse(str_from(none[i]), &s));
		assert_int_equal(s.kind, SRS_NONE);
	}
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
		assert_int_equal(srs_parse(str_from(broken[i]), &s).kind, FAIL_INPUT);
}

static void a_hash_is_known_in_either_case(void **state)
{
	static const unsigned char octets[SRS_HASH_OCTETS] = {0xff, 0x00, 0x12, 0x34, 0x56};
	AUTO_BUF buf b = buf_new(100);
	(void)state;
	srs_put_hash(&b, octets);
	assert_str(buf_str(&b), STR("74ABENCW"));
	assert_true(srs_hash_is(buf_str(&b), octets));
	assert_true(srs_hash_is(STR("74abencw"), octets));
	assert_false(srs_hash_is(STR("74ABENCX"), octets));
	assert_false(srs_hash_is(STR("74ABENC"), octets));
	assert_false(srs_hash_is(STR("74ABENC1"), octets));
	assert_false(srs_hash_is(STR(""), octets));
}

static void the_hash_covers_all_but_itself_and_case(void **state)
{
	AUTO_BUF buf a = buf_new(200), b = buf_new(200), c = buf_new(200);
	struct srs s;
	(void)state;
	assert_ok(srs_parse(STR("SRS0=AAAAAAAA=AB=Example.org=Anna"), &s));
	srs_hashed(&a, &s);
	assert_ok(srs_parse(STR("srs0=BBBBBBBB=ab=example.ORG=anna"), &s));
	srs_hashed(&b, &s);
	assert_true(str_eq(buf_str(&a), buf_str(&b)));
	s.day++;
	srs_hashed(&c, &s);
	assert_false(str_eq(buf_str(&a), buf_str(&c)));
}

static void days_are_counted_round(void **state)
{
	(void)state;
	assert_int_equal(srs_age(5, 5), 0);
	assert_int_equal(srs_age(5, 1024 + 26), 21);
	assert_int_equal(srs_age(1020, 1024 * 9 + 1), 5);
	assert_int_equal(srs_age(6, 5), 1023);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_first_forwarders_address_is_read_and_written),
		cmocka_unit_test(a_later_forwarders_address_leads_to_the_first),
		cmocka_unit_test(what_is_none_is_told_apart_from_what_is_broken),
		cmocka_unit_test(a_hash_is_known_in_either_case),
		cmocka_unit_test(the_hash_covers_all_but_itself_and_case),
		cmocka_unit_test(days_are_counted_round),
	};
	return cmocka_run_group_tests_name("srs", tests, NULL, NULL);
}
