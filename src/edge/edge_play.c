#include "edge/edge_kit.h"

#include <stdio.h>
#include <stdlib.h>

struct play {
	struct kit *kit;
	buf reply; /* the last one, its lines ended by LF */
	str last;  /* its last line */
};

static _Noreturn void wrong(const struct play *p, const char *why)
{
	fprintf(stderr, "\"%.*s\": %s; the last reply was:\n%.*s\n", STR_ARG(p->kit->step), why,
		STR_ARG(buf_str(&p->reply)));
	abort();
}

static void hear_reply(struct play *p)
{
	bool many = p->kit->guest.protocol != CLIENT_IMAP && p->kit->guest.protocol != CLIENT_POP3;
	str line;
	buf_clear(&p->reply);
	do {
		if (!kit_hear(p->kit, &line))
			wrong(p, "the connection has ended");
		p->last = line;
		buf_put(&p->reply, line);
		buf_putc(&p->reply, '\n');
	} while (many && line.n > 3 && line.p[3] == '-');
}

static void expect_end(struct play *p)
{
	str line;
	if (kit_hear(p->kit, &line))
		wrong(p, "the connection goes on");
}

static void expect_kept(const struct play *p, str number, char which)
{
	uint64_t want, n = 0;
	must(str_to_u64(number, &want));
	for (size_t i = 0; i < p->kit->kept_n; i++)
		n += which == 'K' || (which == 'Q' ? p->kit->kept[i].queued : p->kit->kept[i].posted);
	if (n != want)
		wrong(p, "another number is kept");
}

/* \r and \n mean CR and LF. */
static void unescape(str text, buf *raw)
{
	for (size_t i = 0; i < text.n; i++) {
		bool escaped = text.p[i] == '\\' && i + 1 < text.n && (text.p[i + 1] == 'r' || text.p[i + 1] == 'n');
		buf_putc(raw, escaped ? (text.p[++i] == 'r' ? '\r' : '\n') : text.p[i]);
	}
}

/* "account 1 route 0 flags 0 from user1@here.test to a@far.test 0 ," and then trace and message */
static void expect_told(const struct play *p, str text)
{
	AUTO_BUF buf told = buf_new(1 << 20), want = buf_new(65536);
	unescape(text, &want);
	for (size_t i = 0; i < p->kit->kept_n; i++) {
		const struct kit_kept *k = &p->kit->kept[i];
		if (k->posted)
			buf_printf(&told, "account %u route %s%u flags %u from %s to %s hold %lld by %lld\n%s%s",
				   (unsigned)k->account, k->routed ? "" : "unknown ", (unsigned)k->route, k->flags,
				   k->sender, k->recipient,
				   (long long)k->hold_until, (long long)k->deliver_by, k->trace, k->message);
	}
	if (str_find(buf_str(&told), buf_str(&want)) != STR_NONE)
		return;
	fprintf(stderr, "%.*s\n", STR_ARG(buf_str(&told)));
	wrong(p, "another thing is posted");
}

static void send(struct play *p, str text, bool line)
{
	AUTO_BUF buf raw = buf_new(65536);
	unescape(text, &raw);
	if (line)
		buf_put(&raw, STR("\r\n"));
	kit_say(p->kit, buf_str(&raw));
}

static void one_step(struct play *p)
{
	str text = str_skip(p->kit->step, 3);
	uint64_t ms;
	switch (p->kit->step.p[0]) {
	case 'C':
	case 'c':
		send(p, text, p->kit->step.p[0] == 'C');
		return;
	case 'S':
		hear_reply(p);
		if (!str_starts(p->last, text))
			wrong(p, "another reply came");
		return;
	case 'H':
	case 'N':
		if ((str_find(buf_str(&p->reply), text) != STR_NONE) != (p->kit->step.p[0] == 'H'))
			wrong(p, "the reply says something else");
		return;
	case 'W':
		must(str_to_u64(text, &ms));
		kit_wait(ms);
		return;
	case 'L':
		p->kit->silent = 0;
		gate_wake_all(&p->kit->loud);
		kit_wait(0);
		return;
	case 'K':
	case 'Q':
	case 'P':
		expect_kept(p, text, p->kit->step.p[0]);
		return;
	case 'T':
		expect_told(p, text);
		return;
	default:
		expect_end(p);
	}
}

void kit_play(struct kit *k, const char *dialogue)
{
	struct play p = {.kit = k, .reply = buf_new(65536)};
	str rest = str_from(dialogue);
	while (rest.n) {
		size_t lf = str_chr(rest, '\n');
		k->step = str_sub(rest, 0, lf);
		rest = lf == STR_NONE ? str_of(NULL, 0) : str_skip(rest, lf + 1);
		one_step(&p);
	}
	buf_free(&p.reply);
}
