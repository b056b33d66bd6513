/* Faults planted into auth (weakened_edge.c tells how). */
#include "auth/checker.h"
#include "auth/throttle.h"

/* Nothing is hashed for a name that nobody has. */
result __real_checker_verify(struct checker *c, str stored, str password);
result __wrap_checker_verify(struct checker *c, str stored, str password);
result __wrap_checker_verify(struct checker *c, str stored, str password)
{
	return stored.n ? __real_checker_verify(c, stored, password) : failure(FAIL_DENIED, "the password is wrong");
}

/* Guessing costs no time. */
uint32_t __wrap_throttle_wait(const struct throttle *t, str key, uint64_t now);
uint32_t __wrap_throttle_wait(const struct throttle *t, str key, uint64_t now)
{
	(void)t;
	(void)key;
	(void)now;
	return 0;
}

uint32_t __wrap_throttle_failed(struct throttle *t, str key, uint64_t now);
uint32_t __wrap_throttle_failed(struct throttle *t, str key, uint64_t now)
{
	(void)t;
	(void)key;
	(void)now;
	return 0;
}

/* Everything is taken for a password. */
result __wrap_password_acceptable(str password, str address);
result __wrap_password_acceptable(str password, str address)
{
	(void)password;
	(void)address;
	return OK;
}
