/* postern: administers a Postern server, and runs the demo.
 *
 * Exit status: 0 done, 1 the answer is no, 2 usage, 3 cannot reach the server. */
#include <curl/curl.h>
#include <locale.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"

int run_version(struct call *c)
{
	printf(c->json ? "{\"version\":\"%s\"}\n" : "postern %s\n", POSTERN_VERSION);
	return STATUS_DONE;
}

static void put_row(const struct command *row, buf *out)
{
	buf_put(out, STR("  "));
	call_usage(row, out);
	buf_printf(out, "\n      %s\n", row->about);
}

/* All commands, or those whose names begin with what was typed. */
static bool put_help(const struct call *c, buf *out)
{
	AUTO_BUF buf want = buf_new(1024);
	size_t before = out->n;
	for (size_t i = 0; i < c->n; i++)
		buf_printf(&want, i > 0 ? " %s" : "%s", c->words[i]);
	for (size_t i = 0; i < commands_n; i++)
		if (str_starts(str_from(commands[i].name), buf_str(&want)))
			put_row(&commands[i], out);
	return out->n > before;
}

int run_help(struct call *c)
{
	AUTO_BUF buf out = buf_new(65536);
	if (!put_help(c, &out))
		return complain(c, STATUS_USAGE, "usage", "there is no such command; `postern help` lists them");
	printf("postern [--dir D | --socket S] [--json] COMMAND\n\n%.*s\n"
	       "--dir D names the server's directory (otherwise that of /etc/postern/postern.conf, or\n"
	       "/var/lib/postern), --socket S its administration socket, --json asks for output for programs.\n"
	       "Exit status: 0 done, 1 the answer is no, 2 usage, 3 the server cannot be reached.\n",
	       STR_ARG(buf_str(&out)));
	return STATUS_DONE;
}

static int run(struct call *c)
{
	if (c->help) {
		struct call help = *c;
		if (c->command) {
			help.words[0] = c->command->name;
			help.n = 1;
		}
		return run_help(&help);
	}
	return c->command->run(c);
}

static bool wants_json(const char *const *words)
{
	for (; *words && strcmp(*words, "--") != 0; words++)
		if (strcmp(*words, "--json") == 0)
			return true;
	return false;
}

/* What was typed could not be read as a whole, so --json is looked for apart. */
static int misunderstood(const char *const *words, buf *complaint)
{
	const struct call c = {.json = wants_json(words)};
	buf_putc(complaint, '\0');
	return complain(&c, STATUS_USAGE, "usage", complaint->broken ? "that is too long" : complaint->p);
}

int main(int argc, char **argv)
{
	static const char *const nothing[] = {"help", NULL};
	struct call c = {0};
	AUTO_BUF buf complaint = buf_new(4096);
	setlocale(LC_TIME, "");
	signal(SIGPIPE, SIG_IGN);
	if (sodium_init() < 0 || curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK) {
		fputs("postern: its libraries cannot be started\n", stderr);
		return STATUS_UNREACHABLE;
	}
	const char *const *words = argc > 1 ? (const char *const *)argv + 1 : nothing;
	result r = call_parse(commands, commands_n, words, &c, &complaint);
	int status = failed(r) ? misunderstood(words, &complaint) : run(&c);
	curl_global_cleanup();
	return fflush(stdout) == 0 ? status : STATUS_NO;
}
