/* postern-sendmail: what programs of this machine know as sendmail.
 *
 * It hands a message to the server's local socket, whose other end knows by the
 * user id which account sends. There is no spool: a program that is told 75
 * knows that nothing was kept and can try again; a spool that every user may
 * write to would need a privileged program, and would say "sent" of what the
 * server then refuses. One message a run, all its recipients or none. Blocking;
 * no threads. Statuses are those of sysexits.h. */
#ifndef CLI_SENDMAIL_SENDMAIL_H
#define CLI_SENDMAIL_SENDMAIL_H

#include "base/arena.h"
#include "base/buf.h"

enum {
	SENDMAIL_MESSAGE_MAX = 256 << 20,
	SENDMAIL_ANSWER_S = 600, /* for each reply: a message may be kept as slowly as that (RFC 5321 4.5.3.2) */
	SENDMAIL_RECIPIENTS = 100000,
};

enum sendmail_mode { MODE_SEND, MODE_SMTP, MODE_QUEUE, MODE_NOTHING };

struct wishes {
	enum sendmail_mode mode;
	bool from_header;   /* -t */
	bool dots;          /* -i: a line with a dot alone does not end the message */
	bool verbose;
	bool has_sender;
	const char *sender; /* -f, -r; "" and "<>" are the null sender */
	const char *name;   /* -F */
	const char *body, *notify, *ret, *envid; /* -B -N -R -V */
	const char *const *recipients;
	size_t recipients_n;
};

/* The exit status of a mistake, after its sentence was printed; EX_OK otherwise. */
int wishes_read(int argc, const char *const *argv, struct wishes *out);

/* One message in memory, as it goes out: lines end in CRLF. */
struct letter {
	buf text;
	arena memory;
	str *to;            /* as written, without names */
	size_t to_n, to_cap;
	bool has_from, eight_bit;
	str from, from_value; /* the From field, where an address in it has no domain; views of the text */
};

int letter_read(const struct wishes *w, int fd, struct letter *out);
void letter_free(struct letter *l);
/* local@domain with quotes where they are needed, or the local part alone; in the letter's memory. */
struct address;
str letter_written(struct letter *l, const struct address *a);

/* session.c: hands it over. */
int session_send(const struct wishes *w, struct letter *l);
int session_speak(void); /* -bs: standard input and output are the client's */

int complain_about(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
