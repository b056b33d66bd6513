#include "base/test.h"

#include <sodium.h>
#include <stdio.h>

#include "grammar/audit/audit_chain.h"
#include "grammar/audit/audit_name.h"

enum { RECORDS = 12, SECOND_FILE = 7 }; /* the second file begins with this record */

/* ---- a log of two files ---- */

static unsigned char public[AUDIT_KEY], secret[crypto_sign_SECRETKEYBYTES];
static buf line[RECORDS + 1], clear[RECORDS + 1]; /* from 1 */
static struct audit_hash head[RECORDS + 1];

static const char *event_of(uint64_t seq)
{
	if (seq == 1 || seq == SECOND_FILE)
		return "audit.begin";
	return seq % 4 == 0 ? "audit.checkpoint" : "login.accepted";
}

static str time_of(uint64_t seq)
{
	static char t[AUDIT_TIME + 1];
	snprintf(t, sizeof t, "2026-11-22T05:00:%02u.000Z", (unsigned)(seq % 60));
	return str_of(t, AUDIT_TIME);
}

static void sign(uint64_t seq, char digits[2 * AUDIT_SIGNATURE + 1])
{
	unsigned char signature[AUDIT_SIGNATURE];
	struct audit_statement s = audit_statement_of(seq - 1, time_of(seq).p, &head[seq - 1]);
	crypto_sign_detached(signature, NULL, (const unsigned char *)s.p, s.n, secret);
	sodium_bin2hex(digits, 2 * AUDIT_SIGNATURE + 1, signature, sizeof signature);
}

static void write_record(uint64_t seq, str user)
{
	struct log_octets o;
	struct log_record r;
	char key[2 * AUDIT_KEY + 1], signature[2 * AUDIT_SIGNATURE + 1];
	sodium_bin2hex(key, sizeof key, public, sizeof public);
	sign(seq, signature);
	const struct log_field login[] = {F_STR("user", user), F_STR("client", STR("192.0.2.1")), F_U64("account", seq),
					  {0}};
	const struct log_field checkpoint[] = {F_STR("key", str_from(key)), F_STR("signature", str_from(signature)), {0}};
	log_encode(EV_LOGIN, NULL, seq % 4 == 0 ? checkpoint : login, &o);
	assert_true(log_read(str_of(o.p, o.n), &r));
	struct audit_draft d = {.seq = seq, .prev = head[seq - 1], .time = time_of(seq), .event = str_from(event_of(seq)),
				.room = STR("auth"), .seed = {(unsigned char)seq}};
	buf_clear(&line[seq]);
	buf_clear(&clear[seq]);
	assert_true(audit_line_put(&d, r, &line[seq], &clear[seq], &head[seq]));
}

static int make_log(void **state)
{
	(void)state;
	crypto_sign_keypair(public, secret);
	head[0] = (struct audit_hash){{0}};
	for (uint64_t seq = 1; seq <= RECORDS; seq++) {
		line[seq] = clear[seq] = buf_new(AUDIT_LINE_MAX);
		write_record(seq, STR("anna@example.org"));
	}
	return 0;
}

static int drop_log(void **state)
{
	(void)state;
	for (uint64_t seq = 1; seq <= RECORDS; seq++) {
		buf_free(&line[seq]);
		buf_free(&clear[seq]);
	}
	return 0;
}

/* ---- a reader ---- */

struct reader {
	struct audit_chain chain;
	buf rest;
};

static struct reader reader_of(void)
{
	struct reader r = {.rest = buf_new(1 << 20)};
	audit_chain_begin(&r.chain, public);
	return r;
}

static void read_line(struct reader *r, str s)
{
	if (!audit_chain_line(&r->chain, s))
		buf_put(&r->rest, s);
}

static void end_file(struct reader *r)
{
	struct audit_hash h = audit_hash_of(buf_str(&r->rest));
	if (r->rest.n > 0)
		audit_chain_rest(&r->chain, r->rest.n, &h);
	buf_clear(&r->rest);
}

/* `order`: records, 0 ends a file and names its first record by the one that should be there. */
static struct audit_chain read_order(const uint64_t *order, const struct audit_checkpoint *kept)
{
	struct reader r = reader_of();
	r.chain.kept = kept;
	audit_chain_file(&r.chain, 1);
	for (size_t i = 0; order[i] != UINT64_MAX; i++) {
		if (order[i] > 0) {
			read_line(&r, buf_str(&line[order[i]]));
			continue;
		}
		end_file(&r);
		audit_chain_file(&r.chain, SECOND_FILE);
	}
	end_file(&r);
	audit_chain_end(&r.chain);
	buf_free(&r.rest);
	return r.chain;
}
#define READ(...) read_order((const uint64_t[]){__VA_ARGS__, UINT64_MAX}, NULL)

static void assert_fault(const struct audit_chain *c, enum audit_fault fault, uint64_t at)
{
	if (c->fault != fault || c->at != at)
		fail_msg("%s at %lu (%s), not %s at %lu", audit_fault_name(c->fault), (unsigned long)c->at,
			 c->why ? c->why : "", audit_fault_name(fault), (unsigned long)at);
}

/* ---- whole ---- */

static void a_whole_log_is_whole(void **state)
{
	(void)state;
	struct audit_chain c = READ(1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12);
	assert_fault(&c, AUDIT_WHOLE, 0);
	assert_int_equal(c.last, RECORDS);
	assert_int_equal(c.signatures, 3);
	assert_int_equal(c.signed_to, 11);
}

static void values_in_clear_are_apart_and_fit(void **state)
{
	struct audit_clear k;
	struct audit_clear_value v;
	struct audit_line l;
	struct audit_value sealed;
	(void)state;
	assert_int_equal(str_find(buf_str(&line[2]), STR("anna")), STR_NONE);
	assert_int_equal(str_find(buf_str(&line[2]), STR("192.0.2.1")), STR_NONE);
	assert_true(audit_line_read(str_sub(buf_str(&line[2]), 0, line[2].n - 1), &l));
	assert_true(audit_clear_read(str_sub(buf_str(&clear[2]), 0, clear[2].n - 1), &k));
	assert_true(audit_clear_next(&k.fields, &v) && audit_field_find(l.fields, v.name, &sealed));
	assert_str(v.text, STR("anna@example.org"));
	assert_true(audit_clear_fits(&v, &sealed.sealed));
	v.salt[0] ^= 1;
	assert_false(audit_clear_fits(&v, &sealed.sealed));
	v.salt[0] ^= 1;
	v.text.n--;
	assert_false(audit_clear_fits(&v, &sealed.sealed));
}

static void equal_values_have_different_seals(void **state)
{
	struct audit_line a, b;
	struct audit_value x, y;
	(void)state;
	assert_true(audit_line_read(str_sub(buf_str(&line[2]), 0, line[2].n - 1), &a));
	assert_true(audit_line_read(str_sub(buf_str(&line[3]), 0, line[3].n - 1), &b));
	assert_true(audit_field_find(a.fields, STR("user"), &x) && audit_field_find(b.fields, STR("user"), &y));
	assert_memory_not_equal(x.sealed.b, y.sealed.b, sizeof x.sealed.b);
}

/* ---- tampered with ---- */

static void a_changed_record_is_found(void **state)
{
	(void)state;
	char *digit = line[5].p + str_find(buf_str(&line[5]), STR("\"account\":")) + sizeof "\"account\":" - 1;
	*digit = '6';
	struct audit_chain c = READ(1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12);
	assert_fault(&c, AUDIT_CHANGED, 5);
}

static void a_record_written_anew_with_its_hash_is_found(void **state)
{
	(void)state;
	struct audit_hash before = head[5];
	write_record(5, STR("mallory@example.org"));
	head[5] = before;
	struct audit_chain c = READ(1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12);
	assert_fault(&c, AUDIT_CHANGED, 5);
}

/* Whoever writes everything anew from there on lacks vault's signature. */
static void a_history_written_anew_is_found(void **state)
{
	(void)state;
	memset(secret, 1, sizeof secret);
	for (uint64_t seq = 5; seq <= RECORDS; seq++)
		write_record(seq, STR("mallory@example.org"));
	struct audit_chain c = READ(1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12);
	assert_fault(&c, AUDIT_FORGED, 8);
}

static void another_key_is_found(void **state)
{
	unsigned char vaults[AUDIT_KEY];
	(void)state;
	memcpy(vaults, public, sizeof vaults);
	crypto_sign_keypair(public, secret);
	for (uint64_t seq = 1; seq <= RECORDS; seq++)
		write_record(seq, STR("mallory@example.org"));
	memcpy(public, vaults, sizeof public);
	struct audit_chain c = READ(1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12);
	assert_fault(&c, AUDIT_FORGED, 4);
	assert_non_null(strstr(c.why, "another key"));
}

static void a_cut_is_found(void **state)
{
	(void)state;
	struct audit_chain middle = READ(1, 2, 3, 4, 6, 0, 7, 8, 9, 10, 11, 12), first = READ(2, 3, 4, 5, 6),
			   end = READ(1, 2, 3, 4, 0, 7, 8, 9), file = READ(0, 7, 8, 9, 10, 11, 12);
	assert_fault(&middle, AUDIT_CUT, 5);
	assert_int_equal(first.fault, AUDIT_REORDERED); /* the name says what should be first */
	assert_fault(&end, AUDIT_CUT, 5);
	assert_fault(&file, AUDIT_CUT, 1);
}

static void a_lost_tail_is_found_by_a_checkpoint_from_elsewhere(void **state)
{
	const struct audit_checkpoint kept = {.seq = 11, .hash = head[11]}, other = {.seq = 6, .hash = head[5]};
	(void)state;
	struct audit_chain alone = READ(1, 2, 3, 4, 5, 6, 0, 7, 8, 9);
	assert_fault(&alone, AUDIT_WHOLE, 0); /* nobody can tell without one */
	struct audit_chain cut = read_order((const uint64_t[]){1, 2, 3, 4, 5, 6, 0, 7, 8, 9, UINT64_MAX}, &kept);
	assert_fault(&cut, AUDIT_CUT, 10);
	struct audit_chain met = read_order((const uint64_t[]){1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, UINT64_MAX}, &kept);
	assert_fault(&met, AUDIT_WHOLE, 0);
	assert_true(met.met);
	struct audit_chain anew = read_order((const uint64_t[]){1, 2, 3, 4, 5, 6, UINT64_MAX}, &other);
	assert_fault(&anew, AUDIT_CHANGED, 6);
}

static void another_order_is_found(void **state)
{
	(void)state;
	struct audit_chain later = READ(1, 3, 2, 4, 5, 6), files = READ(7, 8, 9, 10, 11, 12, 0, 1, 2, 3, 4, 5, 6),
			   across = READ(1, 2, 9, 4, 5, 6, 0, 7, 8, 3, 10, 11, 12);
	assert_fault(&later, AUDIT_REORDERED, 2);
	assert_int_equal(files.fault, AUDIT_REORDERED);
	assert_fault(&across, AUDIT_REORDERED, 3);
}

static void an_insertion_is_found(void **state)
{
	buf fifth = line[5];
	(void)state;
	struct audit_chain again = READ(1, 2, 3, 4, 5, 5, 6);
	assert_fault(&again, AUDIT_INSERTED, 5);
	/* One that follows what stands before it, in front of the one it displaces. */
	line[5] = buf_new(AUDIT_LINE_MAX);
	write_record(5, STR("mallory@example.org"));
	struct reader r = reader_of();
	audit_chain_file(&r.chain, 1);
	for (uint64_t seq = 1; seq <= 5; seq++)
		read_line(&r, buf_str(&line[seq]));
	read_line(&r, buf_str(&fifth));
	audit_chain_end(&r.chain);
	assert_fault(&r.chain, AUDIT_INSERTED, 5);
	buf_free(&fifth);
	buf_free(&r.rest);
}

/* ---- what a crash leaves ---- */

static void print_begin(uint64_t seq, uint64_t octets, const struct audit_hash *rest)
{
	struct log_octets o;
	struct log_record r;
	char hex[2 * AUDIT_HASH + 1];
	sodium_bin2hex(hex, sizeof hex, rest->b, sizeof rest->b);
	const struct log_field f[] = {F_U64("unfinished", octets), F_STR("remains", str_from(hex)), {0}};
	log_encode(EV_AUDIT_BEGIN, NULL, f, &o);
	assert_true(log_read(str_of(o.p, o.n), &r));
	struct audit_draft d = {.seq = seq, .prev = head[seq - 1], .time = time_of(seq), .event = STR("audit.begin"),
				.room = STR("watch")};
	buf_clear(&line[seq]);
	assert_true(audit_line_put(&d, r, &line[seq], &clear[seq], &head[seq]));
}

static struct audit_chain read_crashed(uint64_t octets)
{
	struct reader r = reader_of();
	str half = str_sub(buf_str(&line[5]), 0, line[5].n / 2);
	struct audit_hash rest = audit_hash_of(half);
	audit_chain_file(&r.chain, 1);
	for (uint64_t seq = 1; seq <= 4; seq++)
		read_line(&r, buf_str(&line[seq]));
	read_line(&r, half);
	end_file(&r);
	print_begin(5, octets ? octets : half.n, &rest);
	audit_chain_file(&r.chain, 5);
	read_line(&r, buf_str(&line[5]));
	end_file(&r);
	audit_chain_end(&r.chain);
	buf_free(&r.rest);
	return r.chain;
}

static void an_unfinished_end_is_forgiven_when_it_is_named(void **state)
{
	(void)state;
	struct audit_chain c = read_crashed(0);
	assert_fault(&c, AUDIT_WHOLE, 0);
	assert_int_equal(c.unfinished, 1);
	assert_int_equal(c.last, 5);
	drop_log(state);
	make_log(state);
	struct audit_chain other = read_crashed(17);
	assert_fault(&other, AUDIT_CHANGED, 5);
}

/* ---- hostile lines ---- */

static void only_the_printed_form_is_read(void **state)
{
	static const char *const wrong[] = {"", "{}", "{\"hash\":\"\"}", "nonsense"};
	struct audit_line l;
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_false(audit_line_read(str_from(wrong[i]), &l));
	str good = str_sub(buf_str(&line[2]), 0, line[2].n - 1);
	assert_true(audit_line_read(good, &l));
	for (size_t n = 0; n < good.n; n++)
		assert_false(audit_line_read(str_sub(good, 0, n), &l));
}

static void many_fields_are_cut_and_it_is_said(void **state)
{
	struct log_field f[AUDIT_FIELDS_MAX + 8] = {{0}};
	char names[AUDIT_FIELDS_MAX + 8][8];
	struct log_octets o;
	struct log_record r;
	struct audit_line l;
	struct audit_value v;
	struct audit_draft d = {.seq = 1, .time = time_of(1), .event = STR("x"), .room = STR("y")};
	AUTO_BUF buf a = buf_new(1 << 20), b = buf_new(1 << 20);
	(void)state;
	for (size_t i = 0; i < AUDIT_FIELDS_MAX + 7; i++) {
		snprintf(names[i], sizeof names[i], "f%zu", i);
		f[i] = F_STR(names[i], STR("\1\2\3 text"));
	}
	log_encode(EV_LOGIN, NULL, f, &o);
	assert_true(log_read(str_of(o.p, o.n), &r));
	assert_true(audit_line_put(&d, r, &a, &b, &head[1]));
	assert_true(audit_line_read(str_sub(buf_str(&a), 0, a.n - 1), &l));
	size_t n = 0;
	for (str rest = l.fields; audit_field_next(&rest, &v);)
		n++;
	assert_int_equal(n, AUDIT_FIELDS_MAX);
	assert_true(audit_field_find(l.fields, STR("cut"), &v) && v.number == 1);
}

static void a_file_is_known_by_its_name(void **state)
{
	static const char *const others[] = {"", "audit-", "audit-1.jsonl", "audit-000000000000000x.jsonl",
		"audit-0000000000000001.jsonl2", "audit-0000000000000001", "clear-0000000000000001.jsonl",
		"Audit-0000000000000001.jsonl", "index-0000000000000001"};
	static const uint64_t numbers[] = {1, 42, 9999999999999999};
	uint64_t n = 7;
	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_false(audit_name_read(str_from(others[i]), &n));
	assert_int_equal(n, 7);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct audit_name name = audit_name_of(AUDIT_CHAIN_FILE, numbers[i]);
		assert_true(audit_name_read(str_from(name.p), &n));
		assert_int_equal(n, numbers[i]);
	}
	assert_string_equal(audit_name_of(AUDIT_CLEAR_FILE, 42).p, "clear-0000000000000042.jsonl");
	assert_string_equal(audit_name_of(AUDIT_INDEX_FILE, 42).p, "index-0000000000000042");
}

#define ON_A_LOG(T) cmocka_unit_test_setup_teardown(T, make_log, drop_log)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_known_by_its_name),
		ON_A_LOG(a_whole_log_is_whole),
		ON_A_LOG(values_in_clear_are_apart_and_fit),
		ON_A_LOG(equal_values_have_different_seals),
		ON_A_LOG(a_changed_record_is_found),
		ON_A_LOG(a_record_written_anew_with_its_hash_is_found),
		ON_A_LOG(a_history_written_anew_is_found),
		ON_A_LOG(another_key_is_found),
		ON_A_LOG(a_cut_is_found),
		ON_A_LOG(a_lost_tail_is_found_by_a_checkpoint_from_elsewhere),
		ON_A_LOG(another_order_is_found),
		ON_A_LOG(an_insertion_is_found),
		ON_A_LOG(an_unfinished_end_is_forgiven_when_it_is_named),
		ON_A_LOG(only_the_printed_form_is_read),
		ON_A_LOG(many_fields_are_cut_and_it_is_said),
	};
	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
