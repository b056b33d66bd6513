#include "base/test.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vault/audit_key.h"

static char folder[64];
static struct masters *masters;
static struct keys *keys;
static const str now = STR_INIT("2026-11-22T05:00:00.123Z");

static int fresh_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/postern-audit-key-XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	return failed(masters_open(&(struct masters_told){.source = MASTERS_FILE}, &masters)) ||
			       failed(keys_open(masters, &keys)) ? -1 : 0;
}

static int remove_folder(void **state)
{
	(void)state;
	keys_close(&keys);
	masters_close(&masters);
	unlink("audit.key");
	unlink("audit.head");
	unlink("master.key");
	unlink("check");
	rmdir("wrapped");
	rmdir("erased");
	return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static struct audit_head head_of(uint64_t seq, unsigned char first)
{
	return (struct audit_head){.seq = seq, .hash = {{first}}, .time = now};
}

static void a_head_is_signed_and_anybody_can_check_it(void **state)
{
	struct audit_key_is is, again;
	struct audit_head h = head_of(7, 1);
	struct audit_checkpoint c = {.seq = 7, .hash = h.hash};
	(void)state;
	assert_ok(audit_key_get(keys, &is));
	assert_int_equal(is.seq, 0);
	assert_ok(audit_key_sign(keys, &h, c.signature));
	memcpy(c.key, is.public, sizeof c.key);
	memcpy(c.time, now.p, sizeof c.time);
	assert_true(audit_checkpoint_signed(&c));
	c.seq = 8;
	assert_false(audit_checkpoint_signed(&c));
	assert_ok(audit_key_get(keys, &again));
	assert_int_equal(again.seq, 7);
	assert_memory_equal(again.hash.b, h.hash.b, sizeof h.hash.b);
	assert_memory_equal(again.public, is.public, sizeof is.public);
}

static void no_second_history_is_signed(void **state)
{
	struct audit_key_is is;
	unsigned char signature[AUDIT_SIGNATURE];
	struct audit_head first = head_of(7, 1), earlier = head_of(6, 1), other = head_of(7, 2), later = head_of(8, 2);
	(void)state;
	assert_ok(audit_key_get(keys, &is));
	assert_ok(audit_key_sign(keys, &first, signature));
	assert_ok(audit_key_sign(keys, &first, signature)); /* the answer was lost */
	assert_int_equal(audit_key_sign(keys, &earlier, signature).kind, FAIL_DENIED);
	assert_int_equal(audit_key_sign(keys, &other, signature).kind, FAIL_DENIED);
	assert_ok(audit_key_sign(keys, &later, signature));
}

static void a_lost_key_or_head_is_seen(void **state)
{
	struct audit_key_is is;
	unsigned char signature[AUDIT_SIGNATURE];
	struct audit_head h = head_of(7, 1);
	(void)state;
	assert_ok(audit_key_get(keys, &is));
	assert_ok(audit_key_sign(keys, &h, signature));
	assert_int_equal(rename("audit.key", "kept"), 0);
	assert_int_equal(audit_key_get(keys, &is).kind, FAIL_DAMAGE);
	assert_int_equal(rename("kept", "audit.key"), 0);
	assert_int_equal(unlink("audit.head"), 0);
	assert_true(failed(audit_key_get(keys, &is)));
	assert_true(failed(audit_key_sign(keys, &h, signature)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_head_is_signed_and_anybody_can_check_it, fresh_folder, remove_folder),
		cmocka_unit_test_setup_teardown(no_second_history_is_signed, fresh_folder, remove_folder),
		cmocka_unit_test_setup_teardown(a_lost_key_or_head_is_seen, fresh_folder, remove_folder),
	};
	return cmocka_run_group_tests_name("vault audit key", tests, NULL, NULL);
}
