/* The local socket, spoken to as a client of SMTP. */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/sendmail/sendmail.h"
#include "config/load.h"
#include "grammar/mime/address_list.h"
#include "grammar/smtp/smtp_reply.h"
#include "grammar/smtp/xtext.h"

static const char standard_file[] = "/etc/postern/postern.conf";

struct session {
	int fd;
	bool verbose;
	buf in;          /* read and not yet looked at */
	size_t at;
	struct smtp_reply reply;
	buf text;        /* of the last reply */
	char account[400]; /* whose address mail goes out with, from the answer to EHLO */
};

/* ---- the socket ---- */

/* $POSTERN_SUBMIT_SOCKET, else what the configuration says, else the standard place. */
static bool find_socket(char *path, size_t size)
{
	const char *given = getenv("POSTERN_SUBMIT_SOCKET");
	AUTO_BUF buf problems = buf_new(CONFIG_PROBLEMS_MAX);
	struct options o;
	int n;
	if (given)
		return snprintf(path, size, "%s", given) < (int)size;
	options_init(&o);
	if (access(standard_file, R_OK) == 0) {
		result r = config_load(standard_file, &o, NULL, &problems);
		(void)r; /* a mistake elsewhere in the file is posternd's to report */
	}
	str local = options_text(&o, OPT_LISTEN_LOCAL);
	if (str_starts(local, STR("/")))
		n = snprintf(path, size, "%.*s", STR_ARG(local));
	else
		n = snprintf(path, size, "%s/%.*s", options_text(&o, OPT_DIRECTORY).p, STR_ARG(local));
	options_free(&o);
	return n > 0 && n < (int)size;
}

static int reach(int *out)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	if (!find_socket(a.sun_path, sizeof a.sun_path))
		return complain_about(EX_CONFIG, "the path of the local socket (listen-local) is too long");
	*out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*out < 0)
		return complain_about(EX_OSERR, "no socket can be made: %s", strerror(errno));
	if (connect(*out, (struct sockaddr *)&a, sizeof a) == 0)
		return EX_OK;
	int status = complain_about(EX_TEMPFAIL, "the mail server cannot be reached at %s: %s. Nothing was kept; try again "
				    "when it runs (posternd)", a.sun_path, strerror(errno));
	close(*out);
	*out = -1;
	return status;
}

static bool write_all(int fd, str s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno != EINTR)
			return false;
		s = str_skip(s, n > 0 ? (size_t)n : 0);
	}
	return true;
}

/* ---- replies ---- */

static bool fill(struct session *s)
{
	char piece[4096];
	struct pollfd p = {.fd = s->fd, .events = POLLIN};
	if (poll(&p, 1, SENDMAIL_ANSWER_S * 1000) <= 0)
		return false;
	ssize_t n = read(s->fd, piece, sizeof piece);
	if (n <= 0)
		return false;
	if (s->at == s->in.n) {
		buf_clear(&s->in);
		s->at = 0;
	}
	buf_put(&s->in, str_of(piece, (size_t)n));
	return !s->in.broken;
}

static bool next_line(struct session *s, str *line)
{
	for (;;) {
		str rest = str_skip(buf_str(&s->in), s->at);
		size_t lf = str_chr(rest, '\n');
		if (lf != STR_NONE) {
			*line = str_trim(str_sub(rest, 0, lf));
			s->at += lf + 1;
			return true;
		}
		if (!fill(s))
			return false;
	}
}

/* 0 when the connection ended or what came was no reply. */
static unsigned hear(struct session *s)
{
	str line;
	s->reply = (struct smtp_reply){0};
	buf_clear(&s->text);
	do {
		if (!next_line(s, &line) || failed(smtp_reply_read(&s->reply, line, &s->text)))
			return 0;
		if (s->verbose)
			printf("<- %.*s\n", STR_ARG(line));
	} while (!s->reply.done);
	return s->reply.code;
}

static unsigned say(struct session *s, str line)
{
	if (s->verbose)
		printf("-> %.*s", STR_ARG(line));
	return write_all(s->fd, line) ? hear(s) : 0;
}

/* ---- what a refusal means to the caller ---- */

static int status_of(const struct session *s)
{
	unsigned code = s->reply.code;
	if (code < 500)
		return EX_TEMPFAIL;
	if (s->reply.status[1] == 1)
		return EX_NOUSER;
	if (code == 530 || code == 535 || s->reply.status[1] == 7)
		return EX_NOPERM;
	return s->reply.status[1] == 6 || code == 501 || code == 553 ? EX_DATAERR : EX_UNAVAILABLE;
}

static int refused(const struct session *s, const char *what)
{
	if (!s->reply.done)
		return complain_about(EX_TEMPFAIL, "%s: the server ended the connection. Nothing was kept; try again", what);
	return complain_about(status_of(s), "%s: %.*s", what, STR_ARG(buf_str(&s->text)));
}

/* ---- addresses ---- */

/* Names alone are of this machine: the caller's own is the account it sends as,
 * any other is looked for in the account's domain. */
static void put_address(const struct session *s, str address, buf *out)
{
	const struct passwd *me = getpwuid(getuid());
	str account = str_from(s->account);
	if (str_chr(address, '@') != STR_NONE || !account.n) {
		buf_put(out, address);
	} else if (me && str_eq(address, str_from(me->pw_name))) {
		buf_put(out, account);
	} else {
		buf_put(out, address);
		buf_put(out, str_skip(account, str_rchr(account, '@')));
	}
}

static bool is_clean(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (str_at(s, i) < 32 || s.p[i] == 127)
			return false;
	return true;
}

/* ---- the transaction ---- */

static int greet(struct session *s)
{
	if (hear(s) != 220)
		return refused(s, "the server does not answer as it should");
	if (say(s, STR("EHLO localhost\r\n")) != 250)
		return refused(s, "EHLO");
	str rest = buf_str(&s->text);
	while (rest.n) {
		size_t lf = str_chr(rest, '\n');
		str line = str_sub(rest, 0, lf);
		if (str_istarts(line, STR("XACCOUNT ")))
			snprintf(s->account, sizeof s->account, "%.*s", STR_ARG(str_skip(line, sizeof "XACCOUNT " - 1)));
		rest = lf == STR_NONE ? STR("") : str_skip(rest, lf + 1);
	}
	return EX_OK;
}

static bool needs_utf8(const struct session *s, const struct letter *l, str sender)
{
	bool yes = !str_is_ascii(sender) || !str_is_ascii(str_from(s->account));
	for (size_t i = 0; i < l->to_n; i++)
		yes = yes || !str_is_ascii(l->to[i]);
	return yes;
}

static int say_mail(struct session *s, const struct wishes *w, const struct letter *l)
{
	AUTO_BUF buf line = buf_new(4096), sender = buf_new(1024);
	if (!w->has_sender)
		buf_put(&sender, str_from(s->account));
	else if (w->sender[0])
		put_address(s, str_from(w->sender), &sender);
	if (!is_clean(buf_str(&sender)))
		return complain_about(EX_USAGE, "the sender holds characters that no address has");
	buf_printf(&line, "MAIL FROM:<%.*s> SIZE=%zu", STR_ARG(buf_str(&sender)), l->text.n);
	if (l->eight_bit || (w->body && strcasecmp(w->body, "8BITMIME") == 0))
		buf_put(&line, STR(" BODY=8BITMIME"));
	if (needs_utf8(s, l, buf_str(&sender)))
		buf_put(&line, STR(" SMTPUTF8"));
	if (w->ret)
		buf_printf(&line, " RET=%s", w->ret);
	if (w->envid) {
		buf_put(&line, STR(" ENVID="));
		xtext_encode(&line, str_from(w->envid));
	}
	buf_put(&line, STR("\r\n"));
	return say(s, buf_str(&line)) == 250 ? EX_OK : refused(s, "the sender is refused");
}

static int say_rcpt(struct session *s, const struct wishes *w, str to)
{
	AUTO_BUF buf line = buf_new(4096), address = buf_new(1024), what = buf_new(1024);
	put_address(s, to, &address);
	if (!is_clean(buf_str(&address)))
		return complain_about(EX_USAGE, "a recipient holds characters that no address has");
	buf_printf(&line, "RCPT TO:<%.*s>", STR_ARG(buf_str(&address)));
	if (w->notify && is_clean(str_from(w->notify)) && !strchr(w->notify, ' '))
		buf_printf(&line, " NOTIFY=%s", w->notify);
	buf_put(&line, STR("\r\n"));
	if (say(s, buf_str(&line)) == 250)
		return EX_OK;
	buf_printf(&what, "%.*s is refused, and nobody gets the message%c", STR_ARG(buf_str(&address)), '\0');
	return refused(s, what.broken ? "a recipient is refused" : what.p);
}

/* Encoded words stand outside of quotes. */
static void put_name(str name, buf *out)
{
	bool encoded = str_find(name, STR("=?")) != STR_NONE;
	if (!encoded)
		buf_putc(out, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (!encoded && (name.p[i] == '"' || name.p[i] == '\\'))
			buf_putc(out, '\\');
		buf_putc(out, name.p[i]);
	}
	buf_put(out, encoded ? STR(" ") : STR("\" "));
}

static void put_from(const struct session *s, str name, str address, buf *out)
{
	bool named = name.n && is_clean(name);
	if (named)
		put_name(name, out);
	buf_put(out, named ? STR("<") : STR(""));
	put_address(s, address, out);
	buf_put(out, named ? STR(">") : STR(""));
}

/* A letter without From gets the account's; addresses without a domain get the account's too. */
static void complete_from(const struct session *s, const struct wishes *w, struct letter *l, buf *out)
{
	struct address_walk walk = address_walk_on(l->from_value, &l->memory);
	struct address a;
	bool more = false;
	if (l->has_from && !l->from.n)
		return;
	buf_put(out, STR("From: "));
	if (!l->has_from)
		put_from(s, str_from(w->name), str_from(s->account), out);
	for (; l->has_from && address_next(&walk, &a); more = true) {
		buf_put(out, more ? STR(", ") : STR(""));
		put_from(s, a.name, letter_written(l, &a), out);
	}
	buf_put(out, STR("\r\n"));
}

static int say_data(struct session *s, const struct wishes *w, struct letter *l)
{
	AUTO_BUF buf from = buf_new(SENDMAIL_MESSAGE_MAX), line = buf_new(100);
	str text = buf_str(&l->text);
	size_t at = l->from.n ? (size_t)(l->from.p - text.p) : 0;
	str before = str_sub(text, 0, at), after = str_skip(text, at + l->from.n);
	complete_from(s, w, l, &from);
	buf_printf(&line, "BDAT %zu LAST\r\n", before.n + from.n + after.n);
	if (failed(buf_result(&from)) || failed(arena_result(&l->memory)))
		return complain_about(EX_OSERR, "there is not enough memory");
	if (!write_all(s->fd, buf_str(&line)) || !write_all(s->fd, before) || !write_all(s->fd, buf_str(&from)) ||
	    !write_all(s->fd, after) || hear(s) != 250)
		return refused(s, "the message is refused");
	return EX_OK;
}

static int transact(struct session *s, const struct wishes *w, struct letter *l)
{
	int status = greet(s);
	if (status == EX_OK)
		status = say_mail(s, w, l);
	for (size_t i = 0; i < l->to_n && status == EX_OK; i++)
		status = say_rcpt(s, w, l->to[i]);
	if (status == EX_OK)
		status = say_data(s, w, l);
	if (status == EX_OK)
		say(s, STR("QUIT\r\n")); /* whatever it answers, the message is kept */
	return status;
}

int session_send(const struct wishes *w, struct letter *l)
{
	struct session s = {.fd = -1, .verbose = w->verbose, .in = buf_new(1 << 20), .text = buf_new(65536)};
	int status = reach(&s.fd);
	if (status == EX_OK) {
		status = transact(&s, w, l);
		close(s.fd);
	}
	buf_free(&s.in);
	buf_free(&s.text);
	return status;
}

/* ---- -bs ---- */

/* Carries what there is; false at the end. */
static bool carry(int from, int to)
{
	char piece[65536];
	ssize_t n = read(from, piece, sizeof piece);
	return n > 0 && write_all(to, str_of(piece, (size_t)n));
}

int session_speak(void)
{
	int fd;
	int status = reach(&fd);
	struct pollfd p[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.events = POLLIN}};
	if (status != EX_OK)
		return status;
	p[1].fd = fd;
	while (poll(p, 2, -1) > 0) {
		if (p[1].revents && !carry(fd, STDOUT_FILENO))
			break;
		if (p[0].revents && !carry(STDIN_FILENO, fd)) {
			shutdown(fd, SHUT_WR); /* the answers to what was said still come */
			p[0].fd = -1;
		}
	}
	close(fd);
	return EX_OK;
}
