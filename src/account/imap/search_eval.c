#include "account/imap/search_eval.h"

#include "grammar/mime/facts.h"
#include "talk/body.h"

enum { DAY = 24 * 60 * 60 };

static enum search_answer sure(bool yes)
{
	return yes ? SEARCH_YES : SEARCH_NO;
}

/* ---- dates: the day where it was written, whatever the hour (RFC 9051 6.4.4) */

static int64_t day_of(int64_t seconds, int64_t minutes)
{
	int64_t local = seconds + minutes * 60;
	return local / DAY - (local % DAY < 0);
}

static enum search_answer compare_day(enum imap_key_kind kind, int64_t day, struct date with)
{
	int64_t other = date_days(with);
	switch (kind) {
	case IMAP_KEY_BEFORE:
	case IMAP_KEY_SENTBEFORE:
	case IMAP_KEY_SAVEDBEFORE:
		return sure(day < other);
	case IMAP_KEY_ON:
	case IMAP_KEY_SENTON:
	case IMAP_KEY_SAVEDON:
		return sure(day == other);
	default:
		return sure(day >= other);
	}
}

static enum search_answer sent(const struct imap_key *key, struct search_subject *on)
{
	AUTO_ARENA arena m = arena_new(IMAP_FETCH_ARENA);
	struct facts known;
	result r = facts_stored_decode(on->row->parts, on->row->size - on->row->trace.n, &m, &known);
	if (failed(r)) {
		on->trouble = r;
		return SEARCH_NO;
	}
	if (!(known.flags & FACTS_DATED))
		return SEARCH_NO;
	return compare_day(key->kind, day_of(known.date, known.zone), key->date);
}

/* ---- text */

static struct search_key text_key(const struct imap_key *key)
{
	static const str fields[] = {
		[IMAP_KEY_FROM] = STR_INIT("From"), [IMAP_KEY_TO] = STR_INIT("To"), [IMAP_KEY_CC] = STR_INIT("Cc"),
		[IMAP_KEY_BCC] = STR_INIT("Bcc"),   [IMAP_KEY_SUBJECT] = STR_INIT("Subject"),
	};
	if (key->kind == IMAP_KEY_BODY)
		return (struct search_key){.scope = SEARCH_IN_BODY, .needle = key->text};
	if (key->kind == IMAP_KEY_TEXT)
		return (struct search_key){.scope = SEARCH_IN_ALL, .needle = key->text};
	str name = key->kind == IMAP_KEY_HEADER ? key->field : fields[key->kind];
	return (struct search_key){.scope = SEARCH_IN_FIELD, .name = name, .needle = key->text};
}

/* In ASCII, which a trace block is but for addresses. */
static bool holds(str text, str folded)
{
	for (size_t i = 0; i + folded.n <= text.n; i++) {
		size_t k = 0;
		while (k < folded.n && ascii_upper(str_at(text, i + k)) == str_at(folded, k))
			k++;
		if (k == folded.n)
			return true;
	}
	return false;
}

/* The trace block came after the search text was made. Many keys may look into
 * it, so what unfolding takes is given back with each field. */
static bool trace_has(const struct imap_key *key, struct search_subject *on)
{
	AUTO_ARENA arena unfolded = arena_new(on->row->trace.n + 64);
	struct header_walk w = {.text = on->row->trace};
	struct header_field f;
	while (header_next(&w, &f)) {
		if (key->kind == IMAP_KEY_HEADER && !str_ieq(f.name, key->field))
			continue;
		if (holds(header_unfold(&unfolded, f.value), key->text))
			return true;
		if (unfolded.broken)
			on->trouble = arena_result(&unfolded);
		arena_clear(&unfolded);
	}
	return false;
}

static enum search_answer text(const struct imap_key *key, struct search_subject *on)
{
	struct search_key k = text_key(key);
	if ((key->kind == IMAP_KEY_HEADER || key->kind == IMAP_KEY_TEXT) && trace_has(key, on))
		return SEARCH_YES;
	str message = on->whole ? on->whole->bytes : on->row->body;
	enum search_answer known = search_text_has(on->row->search, message, &k);
	if (known != SEARCH_UNSURE || !on->whole)
		return known;
	bool yes = false;
	result r = on->home->look(on->home, on->whole, &k, &yes);
	if (failed(r))
		on->trouble = r;
	return sure(yes);
}

/* ---- */

static enum search_answer stored(const struct imap_key *key, struct search_subject *on)
{
	const struct fetch_row *row = on->row;
	result spent = effort_check(); /* thousands of keys may look at one message */
	if (failed(spent)) {
		on->trouble = spent;
		return SEARCH_NO;
	}
	switch (key->kind) {
	case IMAP_KEY_BEFORE:
	case IMAP_KEY_ON:
	case IMAP_KEY_SINCE:
		return compare_day(key->kind, day_of(row->date, row->minutes), key->date);
	case IMAP_KEY_SAVEDBEFORE:
	case IMAP_KEY_SAVEDON:
	case IMAP_KEY_SAVEDSINCE:
		return compare_day(key->kind, day_of(row->saved, 0), key->date);
	case IMAP_KEY_SENTBEFORE:
	case IMAP_KEY_SENTON:
	case IMAP_KEY_SENTSINCE:
		return sent(key, on);
	default:
		return text(key, on);
	}
}

static bool has_email_id(const struct imap_key *key, const struct view_message *m)
{
	char id[EMAIL_ID_SIZE];
	fetch_email_id(m->content, id);
	return str_eq(key->text, str_of(id, sizeof id));
}

/* Not inlined: search_eval recurses on a fiber's stack, 64 levels at most. */
static __attribute__((noinline)) enum search_answer leaf(const struct imap_key *key, struct search_subject *on)
{
	const struct view_message *m = on->m;
	switch (key->kind) {
	case IMAP_KEY_ALL:
	case IMAP_KEY_SAVEDATESUPPORTED:
		return SEARCH_YES;
	case IMAP_KEY_FLAGS:
		return sure((m->flags & key->on) == key->on && !(m->flags & key->off));
	case IMAP_KEY_KEYWORD:
		return sure(key->number && (m->flags >> key->number & 1));
	case IMAP_KEY_SET:
		return sure(imap_set_has(&key->set, m->number));
	case IMAP_KEY_UID:
		return sure(imap_set_has(&key->set, m->uid));
	case IMAP_KEY_LARGER:
		return sure(m->size > key->number);
	case IMAP_KEY_SMALLER:
		return sure(m->size < key->number);
	case IMAP_KEY_MODSEQ:
		return sure(m->modseq >= key->number);
	case IMAP_KEY_EMAILID:
		return sure(has_email_id(key, m));
	case IMAP_KEY_THREADID: /* nothing has one */
		return SEARCH_NO;
	default:
		return on->row ? stored(key, on) : SEARCH_UNSURE;
	}
}

static enum search_answer list(const struct imap_key *key, struct search_subject *on)
{
	enum search_answer decides = key->kind == IMAP_KEY_AND ? SEARCH_NO : SEARCH_YES;
	enum search_answer all = decides == SEARCH_NO ? SEARCH_YES : SEARCH_NO;
	for (const struct imap_key *k = key->first; k; k = k->next) {
		enum search_answer a = search_eval(k, on);
		if (a == decides)
			return decides;
		if (a == SEARCH_UNSURE)
			all = SEARCH_UNSURE;
	}
	return all;
}

enum search_answer search_eval(const struct imap_key *key, struct search_subject *on)
{
	bool many = key->kind == IMAP_KEY_AND || key->kind == IMAP_KEY_OR;
	enum search_answer a = many ? list(key, on) : leaf(key, on);
	return key->negated && a != SEARCH_UNSURE ? sure(a == SEARCH_NO) : a;
}

unsigned search_wants(const struct imap_key *key)
{
	unsigned want = 0;
	switch (key->kind) {
	case IMAP_KEY_AND:
	case IMAP_KEY_OR:
		for (const struct imap_key *k = key->first; k; k = k->next)
			want |= search_wants(k);
		return want;
	case IMAP_KEY_SENTBEFORE:
	case IMAP_KEY_SENTON:
	case IMAP_KEY_SENTSINCE:
		return FETCH_PARTS | FETCH_TRACE;
	case IMAP_KEY_HEADER:
	case IMAP_KEY_FROM:
	case IMAP_KEY_TO:
	case IMAP_KEY_CC:
	case IMAP_KEY_BCC:
	case IMAP_KEY_SUBJECT:
		return FETCH_SEARCH | FETCH_TRACE;
	case IMAP_KEY_TEXT:
	case IMAP_KEY_BODY:
		return FETCH_SEARCH | FETCH_TRACE | FETCH_SEARCHED_BODY;
	default:
		return FETCH_DATES;
	}
}
