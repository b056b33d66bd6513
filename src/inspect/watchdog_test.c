/* A parser that does not end is ended. The timer's seconds are milliseconds here
 * (the linker puts __wrap_setitimer in its place). */
#include "base/test.h"
#include "inspect/watchdog.h"
#include "run/fiber.h"
#include "run/loop.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

int __real_setitimer(int which, const struct itimerval *t, struct itimerval *old);
int __wrap_setitimer(int which, const struct itimerval *t, struct itimerval *old);

static long wound; /* the most that was asked for */

int __wrap_setitimer(int which, const struct itimerval *t, struct itimerval *old)
{
	const struct itimerval brief = {.it_value.tv_usec = t->it_value.tv_sec * 1000};
	assert_int_equal(t->it_value.tv_usec, 0);
	wound = t->it_value.tv_sec > wound ? t->it_value.tv_sec : wound;
	return __real_setitimer(which, &brief, old);
}

static volatile bool endless;

static void parse(void *arg)
{
	*(bool *)arg = true;
	while (endless)
		;
}

static void work(void *arg)
{
	watchdog_run(parse, arg);
}

static int status_of_parsing(void)
{
	bool parsed = false;
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		if (failed(loop_open()) || failed(fiber_start(work, &parsed, "work", NULL)))
			_exit(2);
		loop_run();
		usleep(50 * 1000); /* nothing is left running */
		_exit(!parsed);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void a_parser_that_does_not_end_is_ended(void **state)
{
	(void)state;
	endless = true;
	int status = status_of_parsing();
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGPROF);
}

static void one_that_ends_goes_on(void **state)
{
	(void)state;
	endless = false;
	int status = status_of_parsing();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void it_has_its_seconds(void **state)
{
	bool parsed = false;
	(void)state;
	endless = false;
	assert_ok(loop_open());
	assert_ok(fiber_start(work, &parsed, "work", NULL));
	loop_run();
	loop_close();
	assert_true(parsed);
	assert_int_equal(wound, WATCHDOG_CPU_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_parser_that_does_not_end_is_ended),
		cmocka_unit_test(one_that_ends_goes_on),
		cmocka_unit_test(it_has_its_seconds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
