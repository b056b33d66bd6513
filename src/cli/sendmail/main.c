#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/sendmail/sendmail.h"

int complain_about(int status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("sendmail: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return status;
}

static int send(const struct wishes *w)
{
	struct letter l;
	int status = letter_read(w, STDIN_FILENO, &l);
	if (status == EX_OK && l.to_n == 0)
		status = complain_about(EX_USAGE, w->from_header ? "the header names no recipient (To, Cc, Bcc)"
								 : "name the recipients, or let -t take them from the header");
	if (status == EX_OK)
		status = session_send(w, &l);
	letter_free(&l);
	return status;
}

/* mailq and -bp: the administrator's command shows the queue. */
static int show_queue(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 16);
	if (n > 0) {
		self[n] = '\0';
		char *name = strrchr(self, '/') + 1;
		snprintf(name, sizeof self - (size_t)(name - self), "postern");
		execl(self, "postern", "queue", "list", (char *)NULL);
	}
	execl(POSTERN_BIN "/postern", "postern", "queue", "list", (char *)NULL);
	return complain_about(EX_OSFILE, "the command postern is missing; `postern queue list` shows the queue");
}

int main(int argc, char **argv)
{
	struct wishes w;
	signal(SIGPIPE, SIG_IGN);
	int status = wishes_read(argc, (const char *const *)argv, &w);
	if (status != EX_OK)
		return status;
	switch (w.mode) {
	case MODE_SMTP:
		return session_speak();
	case MODE_QUEUE:
		return show_queue();
	case MODE_NOTHING:
		return EX_OK;
	case MODE_SEND:
		break;
	}
	return send(&w);
}
