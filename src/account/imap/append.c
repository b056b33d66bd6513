#include "account/imap/list.h"
#include "account/imap/read.h"
#include "account/imap/verbs.h"
#include "base/mem.h"
#include "run/clock.h"
#include "run/memfd.h"
#include "talk/body.h"
#include "talk/shape.h"

#include <unistd.h>

enum { FACTS_ARENA = 64 * 1024 * 1024 };

/* One message on its way: short ones lie in `bytes`, long ones in a memfd. */
struct arriving {
	struct arriving *next;
	buf bytes;
	int memfd;
	struct body body;
	uint64_t taken; /* of the budget */
	arena facts;
	struct letter letter;
	struct imap_flags flags;
	struct imap_time date;
};

struct appending {
	struct imap_session *s;
	struct imap_append *m;
	str mailbox;
	struct arriving *first, **end;
	size_t n;
	uint64_t octets;
};

static void let_go(struct appending *p)
{
	while (p->first) {
		struct arriving *a = p->first;
		p->first = a->next;
		body_free(&a->body);
		if (a->memfd >= 0)
			close(a->memfd);
		buf_free(&a->bytes);
		arena_free(&a->facts);
		budget_give(&p->s->home->append, a->taken);
		mem_free(a);
	}
}

/* ---- may it come? */

static result check_target(struct appending *p)
{
	struct imap_session *s = p->s;
	struct mailbox_status st;
	str name;
	if (p->m->utf8_name && !imap_utf8(s))
		return imap_bad(s, "a quoted string may hold UTF-8 only after ENABLE UTF8=ACCEPT or IMAP4rev2");
	TRY(imap_name_of(s, p->m->mailbox, &name));
	TRY(mailbox_name(&s->arena, name, &p->mailbox));
	return imap_try_create(s, mailbox_status_of(&s->home->owner, p->mailbox, &st));
}

static result check_message(struct appending *p)
{
	struct imap_session *s = p->s;
	uint64_t size = p->m->literal.size, headroom;
	if (p->m->utf8 && !imap_utf8(s))
		return imap_bad(s, "UTF8 needs ENABLE UTF8=ACCEPT or IMAP4rev2 before");
	if (size == 0) /* RFC 3502: how a client calls off what it began */
		return imap_no(s, NULL, "an empty message is not kept, and nothing before it in this command");
	if (size > s->home->message_max)
		return imap_no(s, IMAP_CODE_TOOBIG, "the message is larger than this server takes; see APPENDLIMIT");
	if (p->n == IMAP_APPEND_MESSAGES)
		return imap_no(s, IMAP_CODE_LIMIT, "one APPEND may bring 100 messages; send the others in another one");
	if (__builtin_add_overflow(p->octets, size, &p->octets) ||
	    failed(store_may_take(&s->home->owner, p->octets, &headroom)))
		return imap_no(s, IMAP_CODE_OVERQUOTA, "the account's quota has no room for this; delete messages first");
	return OK;
}

/* ---- its octets */

static result take_piece(void *ctx, str piece)
{
	struct arriving *a = ctx;
	if (a->memfd >= 0)
		return memfd_append(a->memfd, piece);
	buf_put(&a->bytes, piece);
	return buf_result(&a->bytes);
}

static result begin(struct appending *p, struct arriving **out)
{
	uint64_t size = p->m->literal.size;
	struct arriving *a = mem_alloc(sizeof *a);
	if (!a)
		return failure(FAIL_MEMORY, "the server has no memory for this message; try again later");
	*a = (struct arriving){.memfd = -1, .bytes = buf_new(TALK_INLINE_MAX), .facts = arena_new(FACTS_ARENA)};
	*p->end = a;
	p->end = &a->next;
	a->flags = p->m->flags;
	a->date = p->m->has_date ? p->m->date : (struct imap_time){.seconds = clock_wall_s()};
	if (failed(budget_take(&p->s->home->append, size)))
		return imap_no(p->s, IMAP_CODE_LIMIT,
			"too many large messages are being appended at once; try again in a moment");
	a->taken = size;
	p->n++;
	*out = a;
	return size > TALK_INLINE_MAX ? memfd_create_empty("append", &a->memfd) : OK;
}

static result finish(struct arriving *a)
{
	a->body = body_of(buf_str(&a->bytes));
	if (a->memfd < 0)
		return OK;
	TRY(memfd_seal(a->memfd));
	int fd = a->memfd;
	a->memfd = -1;
	return body_map(fd, a->taken, &a->body);
}

/* The first message, or the next one; its octets are read unless it may not come. */
static result take_message(struct appending *p)
{
	struct imap_session *s = p->s;
	struct arriving *a = NULL;
	TRY(check_message(p));
	TRY(begin(p, &a));
	if (p->m->literal.sync) {
		buf_put(&s->out, STR("+ Go on\r\n"));
		TRY(imap_send(s, true));
	}
	result r = imap_read_octets(s, p->m->literal.size, &(struct imap_octets_sink){take_piece, a});
	p->m->literal.size = 0; /* nothing is left to swallow but the rest of the command */
	p->m->literal.sync = false;
	TRY(r);
	return finish(a);
}

/* What stands behind the octets. The line is kept: flags of the next message point into it. */
static result read_on(struct appending *p, enum imap_append_step *step)
{
	struct imap_session *s = p->s;
	str line, kept;
	p->m->literal.sync = true; /* only what this line announces may still follow */
	TRY(imap_read_line(s, IMAP_COMMAND_MAX, &line));
	kept = arena_dup(&s->arena, line);
	if (!kept.p && line.n)
		return arena_result(&s->arena);
	struct imap_literal next;
	bool literal = imap_literal_at_end(kept, &next) == IMAP_LINE_LITERAL;
	result r = imap_append_more(kept, &s->arena, p->m, step);
	if (failed(r) && literal)
		p->m->literal = next;
	s->bad |= r.kind == FAIL_INPUT || r.kind == FAIL_ABSENT;
	return r;
}

static result take_all(struct appending *p)
{
	enum imap_append_step step = IMAP_APPEND_MESSAGE;
	TRY(check_target(p));
	while (step == IMAP_APPEND_MESSAGE) {
		TRY(take_message(p));
		TRY(read_on(p, &step));
	}
	return OK;
}

/* ---- keeping */

static result examine_all(struct appending *p)
{
	const struct imap_home *home = p->s->home;
	for (struct arriving *a = p->first; a; a = a->next) {
		TRY(effort_check());
		TRY(home->examine(home, &a->body, &a->facts, &a->letter));
	}
	return OK;
}

static result keep_all(struct appending *p)
{
	struct imap_session *s = p->s;
	struct append_item *items = arena_array(&s->arena, p->n, sizeof *items);
	size_t n = 0;
	struct appended done;
	if (!items)
		return arena_result(&s->arena);
	for (struct arriving *a = p->first; a; a = a->next)
		items[n++] = (struct append_item){&a->letter, imap_flag_names(&a->flags), a->date.seconds, a->date.minutes};
	const struct append what = {p->mailbox, items, n};
	TRY(imap_try_create(s, message_append(&s->home->owner, &what, &done)));
	TRY(imap_tell_name(s, p->mailbox, p->m->mailbox));
	struct imap_range uids = {done.first_uid, done.first_uid + (uint32_t)(n - 1)};
	buf_printf(&s->code, IMAP_CODE_APPENDUID " %u ", done.uidvalidity);
	imap_put_set(&s->code, &(struct imap_set){.r = &uids, .n = 1});
	return OK;
}

/* What the client takes to send them costs nothing. */
static result examine_and_keep(struct appending *p)
{
	struct effort effort;
	effort_begin(&effort, p->s->home->command_cpu_ms);
	result r = examine_all(p);
	if (!failed(r))
		r = keep_all(p);
	return speech_command_over(&effort, r, &(struct speech_command){STR("APPEND"), &p->s->trace});
}

void imap_append(struct imap_session *s, struct imap_append *m)
{
	struct appending p = {.s = s, .m = m};
	p.end = &p.first;
	result r = take_all(&p);
	if (!failed(r))
		r = examine_and_keep(&p);
	else if (!failed(s->link) && imap_swallow(s, m->literal).kind == FAIL_LIMIT)
		imap_bye(s, "[" IMAP_CODE_TOOBIG "] The announced message is larger than this server can step over; "
			    "log in again.");
	let_go(&p);
	if (failed(s->link) || s->ending)
		return;
	s->link = imap_news(s, true);
	if (!failed(s->link))
		imap_answer(s, m->tag, STR("APPEND"), r);
}

/* A command text that holds no message's announcement: the grammar has refused it. */
result run_APPEND(struct imap_session *s, struct imap_command *c)
{
	(void)c;
	return imap_bad(s, "the message is expected as a literal: {size} at the end of the line");
}
