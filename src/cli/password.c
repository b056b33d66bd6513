#include "cli/password.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "cli/commands.h"

/* A signal while the terminal is silent waits until it echoes again. */
static volatile sig_atomic_t caught;
static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
enum { ENDING = sizeof ending / sizeof ending[0] };

static void on_signal(int number)
{
	caught = number;
}

/* One line into locked memory, octet by octet, so that nothing behind it is taken. */
static result read_line(int fd, struct secret **out)
{
	struct secret *whole = NULL;
	size_t n = 0;
	TRY(secret_new(PASSWORD_LINE_MAX + 1, &whole));
	unsigned char *p = secret_bytes(whole);
	for (;;) {
		ssize_t got = read(fd, p + n, 1);
		if (got < 0 && errno == EINTR && !caught)
			continue;
		if (got <= 0 || p[n] == '\n')
			break;
		if (++n > PASSWORD_LINE_MAX) {
			secret_free(&whole);
			return failure(FAIL_INPUT, "the password is longer than 1024 octets");
		}
	}
	if (n > 0 && p[n - 1] == '\r')
		n--;
	result r = n > 0 ? secret_take((char *)p, n, out) : failure(FAIL_INPUT, "the password is empty");
	secret_free(&whole);
	return r;
}

static result ask_once(int tty, const char *prompt, const char *whose, struct secret **out)
{
	struct termios before, silent;
	struct sigaction was[ENDING];
	if (tcgetattr(tty, &before) < 0)
		return failure(FAIL_INPUT, "the terminal cannot be made silent; use --password-stdin");
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	silent.c_lflag |= ICANON;
	dprintf(tty, "%s %s: ", prompt, whose);
	for (size_t i = 0; i < ENDING; i++) /* without SA_RESTART: the reading ends */
		sigaction(ending[i], &(struct sigaction){.sa_handler = on_signal}, &was[i]);
	tcsetattr(tty, TCSAFLUSH, &silent);
	result r = read_line(tty, out);
	tcsetattr(tty, TCSAFLUSH, &before);
	dprintf(tty, "\n");
	for (size_t i = 0; i < ENDING; i++)
		sigaction(ending[i], &was[i], NULL);
	if (caught)
		raise(caught);
	return r;
}

static result ask_twice(int tty, const char *whose, struct secret **out)
{
	struct secret *first = NULL, *again = NULL;
	TRY(ask_once(tty, "New password for", whose, &first));
	result r = ask_once(tty, "Once more for", whose, &again);
	if (!failed(r) && !secret_eq(first, again))
		r = failure(FAIL_INPUT, "that was not the same twice; nothing was changed");
	secret_free(&again);
	if (failed(r))
		secret_free(&first);
	else
		*out = first;
	return r;
}

static result ask_known(int tty, const char *whose, struct secret **out)
{
	return ask_once(tty, "Password for", whose, out);
}

static result ask(bool from_stdin, const char *whose, result (*how)(int, const char *, struct secret **),
	struct secret **out)
{
	if (from_stdin)
		return read_line(STDIN_FILENO, out);
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	if (tty < 0)
		return failure(FAIL_INPUT, "there is no terminal to ask for the password; give it on standard input with "
					   "--password-stdin");
	result r = how(tty, whose, out);
	close(tty);
	return r;
}

result password_ask(bool from_stdin, const char *whose, struct secret **out)
{
	return ask(from_stdin, whose, ask_twice, out);
}

result password_ask_known(bool from_stdin, const char *whose, struct secret **out)
{
	return ask(from_stdin, whose, ask_known, out);
}

/* ---- in requests ---- */

bool password_put(json_t *in, const char *name, const struct secret *s)
{
	str text = secret_open(s);
	return json_object_set_new(in, name, json_stringn(text.p, text.n)) == 0;
}

void password_drop(json_t *in)
{
	const char *key;
	json_t *v;
	json_object_foreach(in, key, v)
		if (json_is_string(v))
			secret_wipe((void *)(uintptr_t)json_string_value(v), json_string_length(v));
	json_decref(in);
}

int password_post(const struct call *c, const char *endpoint, json_t *in, json_t **answer)
{
	int status = ask_server(c, endpoint, json_incref(in), answer);
	password_drop(in);
	return status;
}
