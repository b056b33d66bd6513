#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/load.h"

static void write_file(char *path, const char *text)
{
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void defaults_are_valid_and_units_count(void **state)
{
	(void)state;
	struct options o;
	options_init(&o);
	assert_true(options_number(&o, OPT_MESSAGE_SIZE) == 50u * 1024 * 1024);
	assert_true(options_number(&o, OPT_COMMAND_TIME) == 300000);
	assert_ok(options_set(&o, OPT_MESSAGE_SIZE, STR("64k")));
	assert_true(options_number(&o, OPT_MESSAGE_SIZE) == 65536);
	assert_int_equal(options_set(&o, OPT_MESSAGE_SIZE, STR("64x")).kind, FAIL_INPUT);
	assert_int_equal(options_set(&o, OPT_MESSAGE_SIZE, STR("99999999999999G")).kind, FAIL_INPUT);
	assert_int_equal(options_set(&o, OPT_MESSAGE_SIZE, STR("1")).kind, FAIL_INPUT);
	assert_ok(options_set(&o, OPT_BARE_NEWLINE, STR("normalise")));
	assert_int_equal(options_number(&o, OPT_BARE_NEWLINE), 1);
	assert_int_equal(options_set(&o, OPT_BARE_NEWLINE, STR("normal")).kind, FAIL_INPUT);
	assert_ok(options_set(&o, OPT_DEMO, STR("yes")));
	assert_true(options_yes(&o, OPT_DEMO));
	options_free(&o);
}

static void a_good_file_is_read(void **state)
{
	(void)state;
	struct options o;
	AUTO_BUF buf problems = buf_new(CONFIG_PROBLEMS_MAX);
	char path[] = "/tmp/postern-config-XXXXXX";
	str rest, member;
	write_file(path, "# comment\nhostname = mail.example.test\nlisten-smtp = { \"127.0.0.1:25\", \"[::1]:25\" }\n"
			 "message-size = 20M\n");
	options_init(&o);
	assert_ok(config_load(path, &o, NULL, &problems));
	assert_str(options_text(&o, OPT_HOSTNAME), STR("mail.example.test"));
	rest = options_text(&o, OPT_LISTEN_SMTP);
	assert_true(options_next(&rest, &member));
	assert_str(member, STR("127.0.0.1:25"));
	assert_true(options_next(&rest, &member));
	assert_str(member, STR("[::1]:25"));
	assert_false(options_next(&rest, &member));
	options_free(&o);
	unlink(path);
}

static void every_problem_names_line_and_remedy(void **state)
{
	(void)state;
	struct options o;
	AUTO_BUF buf problems = buf_new(CONFIG_PROBLEMS_MAX);
	char path[] = "/tmp/postern-config-XXXXXX";
	write_file(path, "hostname = a.example\nmessage-size = huge\n\nrecipients = 1\nhostnam = b\nfoo-bar = 1\n"
			 "bare-newline = maybe\nhostname = b.example\nlisten-imap = {\n\"a\",\n\"b\"\n}\n");
	options_init(&o);
	assert_int_equal(config_load(path, &o, NULL, &problems).kind, FAIL_INPUT);
	str text = buf_str(&problems);
	assert_true(str_find(text, STR(":2: message-size: this is not a size")) != STR_NONE);
	assert_true(str_find(text, STR(":4: recipients: the value is below")) != STR_NONE);
	assert_true(str_find(text, STR(":5: hostnam: there is no such option; did you mean `hostname`?")) != STR_NONE);
	assert_true(str_find(text, STR(":6: foo-bar: there is no such option")) != STR_NONE);
	assert_true(str_find(text, STR(":7: bare-newline: ")) != STR_NONE);
	assert_true(str_find(text, STR("(reject|normalise)")) != STR_NONE);
	assert_true(str_find(text, STR(":8: hostname: this is set in line 1 already")) != STR_NONE);
	assert_true(str_find(text, STR("listen-imap")) == STR_NONE);
	options_free(&o);
	unlink(path);
	buf_clear(&problems);
	assert_int_equal(config_load("/nonexistent/x.conf", &o, NULL, &problems).kind, FAIL_DISK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_are_valid_and_units_count),
		cmocka_unit_test(a_good_file_is_read),
		cmocka_unit_test(every_problem_names_line_and_remedy),
	};
	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
