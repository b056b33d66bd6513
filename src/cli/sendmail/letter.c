/* The message on standard input: its line ends, and in its header the recipients. */
#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/sendmail/sendmail.h"
#include "grammar/mime/address_list.h"
#include "grammar/mime/header.h"
#include "grammar/smtp/mailbox.h"

enum { MEMORY_MAX = 64 << 20 };

void letter_free(struct letter *l)
{
	buf_free(&l->text);
	arena_free(&l->memory);
	mem_free(l->to);
	*l = (struct letter){.to = NULL};
}

static int no_memory(void)
{
	return complain_about(EX_OSERR, "there is not enough memory");
}

/* ---- reading ---- */

static int read_all(int fd, buf *raw)
{
	char piece[65536];
	for (;;) {
		ssize_t n = read(fd, piece, sizeof piece);
		if (n == 0)
			return EX_OK;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain_about(EX_IOERR, "the message cannot be read: %s", strerror(errno));
		buf_put(raw, str_of(piece, (size_t)n));
		if (raw->broken == FAIL_LIMIT)
			return complain_about(EX_DATAERR, "the message is larger than %d MiB", SENDMAIL_MESSAGE_MAX >> 20);
		if (raw->broken)
			return no_memory();
	}
}

/* Lines may end in LF or CRLF; a dot alone ends the message unless -i said otherwise. */
static void put_lines(str raw, bool dots, buf *out)
{
	while (raw.n) {
		size_t lf = str_chr(raw, '\n');
		str line = str_sub(raw, 0, lf);
		if (str_ends(line, STR("\r")))
			line.n--;
		if (!dots && str_eq(line, STR(".")))
			return;
		buf_put(out, line);
		buf_put(out, STR("\r\n"));
		raw = lf == STR_NONE ? STR("") : str_skip(raw, lf + 1);
	}
}

/* Does it begin with a field, or with the empty line of no header? */
static bool begins_with_header(str raw)
{
	struct header_walk w = {.text = raw};
	struct header_field f;
	return line_is_empty(raw, 0, line_end(raw, 0)) || (header_next(&w, &f) && f.raw.p == raw.p);
}

/* Text alone is a body; an mbox's first line is none of the message. */
static void put_message(str raw, bool dots, buf *out)
{
	if (str_starts(raw, STR("From ")))
		raw = str_skip(raw, line_end(raw, 0));
	if (raw.n && !begins_with_header(raw))
		buf_put(out, STR("\r\n"));
	put_lines(raw, dots, out);
}

/* ---- recipients ---- */

static bool add(struct letter *l, str address)
{
	if (l->to_n == SENDMAIL_RECIPIENTS)
		return false;
	if (!mem_room(&l->to, &l->to_cap, l->to_n, sizeof *l->to))
		return false;
	l->to[l->to_n++] = address;
	return true;
}

str letter_written(struct letter *l, const struct address *a)
{
	AUTO_BUF buf out = buf_new(ADDRESS_TEXT_MAX);
	struct mailbox box = {.kind = MAILBOX_NAME, .local = a->mailbox, .domain = a->host};
	if (a->host.p && a->host.n)
		mailbox_print(&out, &box);
	else
		buf_put(&out, a->mailbox);
	return arena_dup(&l->memory, buf_str(&out));
}

static bool add_list(struct letter *l, str list)
{
	struct address_walk walk = address_walk_on(list, &l->memory);
	struct address a;
	while (address_next(&walk, &a))
		if (a.kind == ADDRESS_MAILBOX && a.mailbox.n && !add(l, letter_written(l, &a)))
			return false;
	return !failed(arena_result(&l->memory));
}

static bool is_one_of(str name, const char *const *names)
{
	for (; *names; names++)
		if (str_ieq(name, str_from(*names)))
			return true;
	return false;
}

static const char *const plain[] = {"To", "Cc", "Bcc", NULL};
static const char *const resent[] = {"Resent-To", "Resent-Cc", "Resent-Bcc", NULL};

/* Programs of the machine write "From: root" (cron does): outside of it that is no address. */
static bool lacks_domain(str list, arena *a)
{
	struct address_walk walk = address_walk_on(list, a);
	struct address one;
	bool lacks = false;
	while (address_next(&walk, &one)) {
		if (one.kind != ADDRESS_MAILBOX || !one.mailbox.n)
			return false;
		lacks = lacks || !one.host.n;
	}
	return lacks;
}

/* True: it is sent again. */
static bool look(struct letter *l)
{
	struct header_walk w = {.text = buf_str(&l->text)};
	struct header_field f;
	bool again = false;
	while (header_next(&w, &f)) {
		again = again || is_one_of(f.name, resent);
		if (f.id != HEADER_FROM)
			continue;
		if (!l->has_from && lacks_domain(f.value, &l->memory)) {
			l->from = f.raw;
			l->from_value = f.value;
		}
		l->has_from = true;
	}
	return again;
}

/* A message that is sent again goes to whom it is sent again (RFC 5322 3.6.6). */
static bool add_from_header(struct letter *l, bool again)
{
	struct header_walk w = {.text = buf_str(&l->text)};
	struct header_field f;
	while (header_next(&w, &f))
		if (is_one_of(f.name, again ? resent : plain) && !add_list(l, f.value))
			return false;
	return true;
}

int letter_read(const struct wishes *w, int fd, struct letter *l)
{
	AUTO_BUF buf raw = buf_new(SENDMAIL_MESSAGE_MAX);
	*l = (struct letter){.text = buf_new((size_t)SENDMAIL_MESSAGE_MAX * 2), .memory = arena_new(MEMORY_MAX)};
	int status = read_all(fd, &raw);
	if (status != EX_OK)
		return status;
	put_message(buf_str(&raw), w->dots, &l->text);
	if (failed(buf_result(&l->text)))
		return no_memory();
	bool again = look(l);
	l->eight_bit = !str_is_ascii(buf_str(&l->text));
	for (size_t i = 0; i < w->recipients_n; i++)
		if (!add_list(l, str_from(w->recipients[i])))
			return no_memory();
	if (w->from_header && !add_from_header(l, again))
		return no_memory();
	return EX_OK;
}
