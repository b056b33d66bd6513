#include "watch/ledger_kit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/test.h"
#include "run/clock.h"
#include "run/fiber.h"
#include "run/loop.h"

static char folder[64];

struct files_local ledger_kit_files;
const unsigned char ledger_kit_key[LEDGER_KEY] = "a key of tests";

int ledger_kit_enter(void **state)
{
	(void)state;
	memcpy(folder, "/tmp/watch-test-XXXXXX", sizeof "/tmp/watch-test-XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	ledger_kit_files = files_local(AT_FDCWD);
	return 0;
}

static bool is_made_by_watch(str name)
{
	static const str begins[] = {STR_INIT("ledger.db"), STR_INIT("postern.log"), STR_INIT("eve.json"),
		STR_INIT("syslog.log"), STR_INIT("elsewhere")};
	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
		if (str_starts(name, begins[i]))
			return true;
	return false;
}

int ledger_kit_leave(void **state)
{
	(void)state;
	DIR *d = opendir(".");
	for (const struct dirent *e; d && (e = readdir(d));)
		if (is_made_by_watch(str_from(e->d_name)))
			unlink(e->d_name);
	if (d)
		closedir(d);
	return chdir("/") < 0 || rmdir(folder) < 0 ? -1 : 0;
}

struct ledger *ledger_kit_open(void)
{
	const struct ledger_options o = {.files = &ledger_kit_files.base, .key = ledger_kit_key, .keep_ms = 1000000,
		.octets_max = 1 << 30};
	struct ledger *l = NULL;
	assert_ok(ledger_open(&o, &l));
	return l;
}

void ledger_kit_pass(uint64_t ms)
{
	enum { TURNS = 8 };
	clock_test_advance(ms);
	for (int i = 0; i < TURNS; i++)
		fiber_yield();
}

void ledger_kit_run(void (*fn)(void *arg))
{
	assert_ok(loop_open());
	assert_ok(fiber_start(fn, NULL, "test", NULL));
	loop_run();
	loop_close();
}
