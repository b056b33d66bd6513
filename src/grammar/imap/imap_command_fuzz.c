/* Properties: a refusal names a place inside the text and a sentence; a tag is
 * a tag; every string of a command can be read; search trees keep their depth;
 * sets and sections print to what parses and prints the same. */
#include "grammar/imap/imap_command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUDGET = 1 << 20 };

static volatile unsigned char seen;

static void touch(str s)
{
	for (size_t i = 0; i < s.n; i++)
		seen ^= str_at(s, i);
}

static void touch_all(const struct imap_strs *list)
{
	for (size_t i = 0; i < list->n; i++)
		touch(list->v[i]);
}

static void check_set(const struct imap_set *s)
{
	AUTO_ARENA arena a = arena_new(BUDGET);
	AUTO_BUF buf first = buf_new(BUDGET), second = buf_new(BUDGET);
	imap_put_set(&first, s);
	if (!s->saved && s->n == 0)
		return;
	struct imap_lex x = imap_lex_on(buf_str(&first), &a);
	struct imap_set again = imap_sequence_set(&x);
	must(!x.in.bad && imap_ends(&x));
	imap_put_set(&second, &again);
	must(str_eq(buf_str(&first), buf_str(&second)));
}

static unsigned check_key(const struct imap_key *k)
{
	unsigned deepest = 0;
	touch(k->text);
	if (k->kind == IMAP_KEY_HEADER)
		touch(k->field);
	if (k->kind == IMAP_KEY_SET || k->kind == IMAP_KEY_UID)
		check_set(&k->set);
	if (k->kind >= IMAP_KEY_BEFORE && k->kind <= IMAP_KEY_SAVEDSINCE)
		must(k->date.month >= 1 && k->date.month <= 12 && k->date.day >= 1 && k->date.day <= 31);
	if (k->kind > IMAP_KEY_OR)
		return 0;
	must(k->first);
	for (const struct imap_key *o = k->first; o; o = o->next) {
		must(o->kind != k->kind || o->negated);
		unsigned depth = check_key(o) + 1;
		deepest = depth > deepest ? depth : deepest;
		must(o->next || o == k->last);
	}
	return deepest;
}

static void check_section(const struct imap_section *s)
{
	AUTO_ARENA arena a = arena_new(BUDGET);
	AUTO_BUF buf text = buf_new(BUDGET), again = buf_new(BUDGET);
	must(!s->partial || s->length > 0);
	must(s->depth <= IMAP_PART_NUMBERS_MAX);
	buf_put(&text, STR("a FETCH 1 "));
	imap_put_section(&text, s);
	size_t end = text.n;
	if (s->partial) { /* the answer leaves the length out */
		text.n--;
		buf_printf(&text, ".%llu>", (unsigned long long)s->length);
	}
	struct imap_command c;
	must(!failed(imap_parse(buf_str(&text), &a, &c)));
	imap_put_section(&again, c.fetch.sections);
	must(again.n == end - 10 && memcmp(again.p, text.p + 10, again.n - 1) == 0);
}

static void check_fetch(const struct imap_fetch *f)
{
	check_set(&f->set);
	must(f->items || f->sections);
	for (const struct imap_section *s = f->sections; s; s = s->next)
		check_section(s);
}

static void check_mailboxes(const struct imap_command *c)
{
	switch ((int)c->verb) {
	case IMAP_SELECT_COMMAND:
	case IMAP_EXAMINE_COMMAND:
		touch(c->select.mailbox);
		check_set(&c->select.known);
		check_set(&c->select.match_numbers);
		check_set(&c->select.match_uids);
		return;
	case IMAP_CREATE_COMMAND:
		touch(c->create.mailbox);
		touch(c->create.unknown);
		return;
	case IMAP_RENAME_COMMAND:
		touch(c->rename.from);
		touch(c->rename.to);
		return;
	case IMAP_LIST_COMMAND:
	case IMAP_LSUB_COMMAND:
		touch(c->list.reference);
		touch_all(&c->list.patterns);
		must(c->list.patterns.n > 0);
		return;
	case IMAP_STATUS_COMMAND:
		touch(c->status.mailbox);
		must(c->status.items);
		return;
	case IMAP_SETQUOTA_COMMAND:
		touch(c->setquota.root);
		for (const struct imap_quota_limit *l = c->setquota.limits; l; l = l->next)
			touch(l->resource);
		return;
	case IMAP_DELETE_COMMAND:
	case IMAP_SUBSCRIBE_COMMAND:
	case IMAP_UNSUBSCRIBE_COMMAND:
	case IMAP_GETQUOTA_COMMAND:
	case IMAP_GETQUOTAROOT_COMMAND:
		touch(c->mailbox);
	}
}

static void check_command(const struct imap_command *c)
{
	switch ((int)c->verb) {
	case IMAP_LOGIN_COMMAND:
		touch(c->login.user);
		touch(c->login.password);
		return;
	case IMAP_AUTHENTICATE_COMMAND:
		touch(c->auth.mechanism);
		touch(c->auth.initial);
		return;
	case IMAP_ENABLE_COMMAND:
		touch_all(&c->enable);
		return;
	case IMAP_ID_COMMAND:
		touch_all(&c->id);
		must(c->id.n % 2 == 0);
		return;
	case IMAP_SEARCH_COMMAND:
		touch(c->search.charset);
		must(check_key(c->search.key) <= IMAP_SEARCH_DEPTH_MAX);
		return;
	case IMAP_FETCH_COMMAND:
		check_fetch(&c->fetch);
		return;
	case IMAP_STORE_COMMAND:
		check_set(&c->store.set);
		touch_all(&c->store.flags.keywords);
		return;
	case IMAP_COPY_COMMAND:
	case IMAP_MOVE_COMMAND:
		check_set(&c->copy.set);
		touch(c->copy.mailbox);
		return;
	default:
		check_mailboxes(c);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_of((const char *)data, size);
	AUTO_ARENA arena a = arena_new(BUDGET);
	struct imap_command c;
	result r = imap_parse(text, &a, &c);
	touch(c.tag);
	must(c.tag.n == 0 || c.tag.p == text.p);
	for (size_t i = 0; i < c.tag.n; i++)
		must(imap_astring_char(str_at(c.tag, i)) && c.tag.p[i] != '+');
	if (failed(r)) {
		must(c.error_at <= text.n && r.text && r.text[0]);
		return 0;
	}
	must(c.tag.n > 0 && c.verb < IMAP_VERBS);
	must(!c.uid || (imap_verb_flags(c.verb) & IMAP_TAKES_UID));
	check_command(&c);
	return 0;
}
