#include "grammar/imap/imap_search.h"
#include "grammar/imap/imap_args.h"

enum argument { NOTHING, TEXT, FIELD, DATE, NUMBER, ATOM, UIDS, MODSEQ };

static const struct word {
	str name;
	enum imap_key_kind kind;
	enum argument argument;
	unsigned on, off; /* flags; a keyword's off means negated */
} words[] = {
	{STR_INIT("ALL"), IMAP_KEY_ALL, NOTHING, 0, 0},
	{STR_INIT("ANSWERED"), IMAP_KEY_FLAGS, NOTHING, IMAP_ANSWERED, 0},
	{STR_INIT("BCC"), IMAP_KEY_BCC, TEXT, 0, 0},
	{STR_INIT("BEFORE"), IMAP_KEY_BEFORE, DATE, 0, 0},
	{STR_INIT("BODY"), IMAP_KEY_BODY, TEXT, 0, 0},
	{STR_INIT("CC"), IMAP_KEY_CC, TEXT, 0, 0},
	{STR_INIT("DELETED"), IMAP_KEY_FLAGS, NOTHING, IMAP_DELETED, 0},
	{STR_INIT("DRAFT"), IMAP_KEY_FLAGS, NOTHING, IMAP_DRAFT, 0},
	{STR_INIT("EMAILID"), IMAP_KEY_EMAILID, ATOM, 0, 0},
	{STR_INIT("FLAGGED"), IMAP_KEY_FLAGS, NOTHING, IMAP_FLAGGED, 0},
	{STR_INIT("FROM"), IMAP_KEY_FROM, TEXT, 0, 0},
	{STR_INIT("HEADER"), IMAP_KEY_HEADER, FIELD, 0, 0},
	{STR_INIT("KEYWORD"), IMAP_KEY_KEYWORD, ATOM, 0, 0},
	{STR_INIT("LARGER"), IMAP_KEY_LARGER, NUMBER, 0, 0},
	{STR_INIT("MODSEQ"), IMAP_KEY_MODSEQ, MODSEQ, 0, 0},
	{STR_INIT("NEW"), IMAP_KEY_FLAGS, NOTHING, IMAP_RECENT, IMAP_SEEN},
	{STR_INIT("OLD"), IMAP_KEY_FLAGS, NOTHING, 0, IMAP_RECENT},
	{STR_INIT("ON"), IMAP_KEY_ON, DATE, 0, 0},
	{STR_INIT("RECENT"), IMAP_KEY_FLAGS, NOTHING, IMAP_RECENT, 0},
	{STR_INIT("SAVEDATESUPPORTED"), IMAP_KEY_SAVEDATESUPPORTED, NOTHING, 0, 0},
	{STR_INIT("SAVEDBEFORE"), IMAP_KEY_SAVEDBEFORE, DATE, 0, 0},
	{STR_INIT("SAVEDON"), IMAP_KEY_SAVEDON, DATE, 0, 0},
	{STR_INIT("SAVEDSINCE"), IMAP_KEY_SAVEDSINCE, DATE, 0, 0},
	{STR_INIT("SEEN"), IMAP_KEY_FLAGS, NOTHING, IMAP_SEEN, 0},
	{STR_INIT("SENTBEFORE"), IMAP_KEY_SENTBEFORE, DATE, 0, 0},
	{STR_INIT("SENTON"), IMAP_KEY_SENTON, DATE, 0, 0},
	{STR_INIT("SENTSINCE"), IMAP_KEY_SENTSINCE, DATE, 0, 0},
	{STR_INIT("SINCE"), IMAP_KEY_SINCE, DATE, 0, 0},
	{STR_INIT("SMALLER"), IMAP_KEY_SMALLER, NUMBER, 0, 0},
	{STR_INIT("SUBJECT"), IMAP_KEY_SUBJECT, TEXT, 0, 0},
	{STR_INIT("TEXT"), IMAP_KEY_TEXT, TEXT, 0, 0},
	{STR_INIT("THREADID"), IMAP_KEY_THREADID, ATOM, 0, 0},
	{STR_INIT("TO"), IMAP_KEY_TO, TEXT, 0, 0},
	{STR_INIT("UID"), IMAP_KEY_UID, UIDS, 0, 0},
	{STR_INIT("UNANSWERED"), IMAP_KEY_FLAGS, NOTHING, 0, IMAP_ANSWERED},
	{STR_INIT("UNDELETED"), IMAP_KEY_FLAGS, NOTHING, 0, IMAP_DELETED},
	{STR_INIT("UNDRAFT"), IMAP_KEY_FLAGS, NOTHING, 0, IMAP_DRAFT},
	{STR_INIT("UNFLAGGED"), IMAP_KEY_FLAGS, NOTHING, 0, IMAP_FLAGGED},
	{STR_INIT("UNKEYWORD"), IMAP_KEY_KEYWORD, ATOM, 0, 1},
	{STR_INIT("UNSEEN"), IMAP_KEY_FLAGS, NOTHING, 0, IMAP_SEEN},
};
enum { WORDS = sizeof words / sizeof *words };

static str text(struct imap_lex *x)
{
	return imap_astring(x, "a text to look for is expected here");
}

/* MODSEQ ["/flags/\\Seen" all|priv|shared] n */
static uint64_t modseq(struct imap_lex *x)
{
	if (cursor_peek(&x->in) != '"')
		return imap_number64(x);
	imap_string(x);
	imap_space(x);
	if (!imap_eat_word(x, STR("ALL")) && !imap_eat_word(x, STR("PRIV")) && !imap_eat_word(x, STR("SHARED")))
		imap_want(x, "all, priv or shared is expected here");
	imap_space(x);
	return imap_number64(x);
}

static void argument(struct imap_lex *x, struct imap_key *key, const struct word *w)
{
	if (w->argument != NOTHING)
		imap_space(x);
	switch (w->argument) {
	case NOTHING:
		key->on = w->on;
		key->off = w->off;
		return;
	case TEXT:
		key->text = text(x);
		return;
	case FIELD:
		key->field = imap_astring(x, "the name of a header field is expected here");
		imap_space(x);
		key->text = text(x);
		return;
	case ATOM:
		key->text = imap_atom(x, "a keyword or an object's id is expected here");
		key->negated = w->off != 0;
		return;
	case DATE:
		key->date = imap_date(x);
		return;
	case NUMBER:
		key->number = imap_number64(x);
		return;
	case UIDS:
		key->set = imap_sequence_set(x);
		return;
	case MODSEQ:
		key->number = modseq(x);
	}
}

static const struct word *lookup(struct imap_lex *x)
{
	cursor before = x->in;
	str name = imap_word(x);
	for (size_t i = 0; i < WORDS; i++)
		if (str_ieq(words[i].name, name))
			return &words[i];
	if (!x->in.bad)
		x->in = before;
	imap_want(x, "a search key is expected here, as UNSEEN, FROM or a set of message numbers");
	return NULL;
}

static struct imap_key *leaf(struct imap_lex *x)
{
	struct imap_key *key = imap_new(x, 1, sizeof *key);
	int c = cursor_peek(&x->in);
	if (key && (c == '*' || c == '$' || (c >= '0' && c <= '9'))) {
		key->kind = IMAP_KEY_SET;
		key->set = imap_sequence_set(x);
		return key;
	}
	const struct word *w = key ? lookup(x) : NULL;
	if (!w)
		return NULL;
	key->kind = w->kind;
	argument(x, key, w);
	return key;
}

/* What is open: the whole program, a parenthesis, or an OR that waits for operands. */
struct frame {
	struct frame *up;
	struct imap_key *node;
	size_t wants;  /* operands an OR still waits for */
	size_t count;
	bool paren;
};

static bool is_list(const struct imap_key *key)
{
	return key->kind == IMAP_KEY_AND || key->kind == IMAP_KEY_OR;
}

static void link_last(struct imap_key *node, struct imap_key *first, struct imap_key *last)
{
	if (node->last)
		node->last->next = first;
	else
		node->first = first;
	node->last = last;
}

static void attach(struct imap_lex *x, struct frame *f, struct imap_key *key)
{
	struct imap_key *node = f->node;
	unsigned depth = is_list(key) ? key->depth + 1 : 0;
	f->count++;
	if (is_list(key) && key->kind == node->kind && !key->negated) {
		link_last(node, key->first, key->last);
		depth = key->depth;
	} else {
		link_last(node, key, key);
	}
	if (depth > node->depth)
		node->depth = depth;
	if (depth > IMAP_SEARCH_DEPTH_MAX)
		imap_refuse(x, FAIL_LIMIT, "these search keys are nested deeper than this server searches");
}

static struct frame *open_frame(struct imap_lex *x, struct frame *up, struct imap_key like)
{
	struct frame *f = imap_new(x, 1, sizeof *f);
	struct imap_key *node = imap_new(x, 1, sizeof *node);
	if (!f || !node)
		return NULL;
	*node = like;
	*f = (struct frame){.up = up, .node = node};
	return f;
}

/* A parenthesis around one key is that key. */
static struct imap_key *closed(struct frame *f)
{
	struct imap_key *only = f->node->first;
	if (f->count != 1 || only->next)
		return f->node;
	only->negated ^= f->node->negated;
	return only;
}

/* Closes what is complete behind a key; the frame that is still open. */
static struct frame *close_frames(struct imap_lex *x, struct frame *f)
{
	while (f->up && !x->in.bad) {
		if (f->paren ? !imap_eat(x, ')') : --f->wants > 0)
			break;
		attach(x, f->up, closed(f));
		f = f->up;
	}
	return f;
}

static struct frame *one_key(struct imap_lex *x, struct frame *f)
{
	bool negated = false;
	while (imap_eat_word(x, STR("NOT"))) {
		imap_space(x);
		negated = !negated;
	}
	if (imap_eat(x, '(')) {
		f = open_frame(x, f, (struct imap_key){.kind = IMAP_KEY_AND, .negated = negated});
		if (f)
			f->paren = true;
		return f;
	}
	if (imap_eat_word(x, STR("OR"))) {
		imap_space(x);
		f = open_frame(x, f, (struct imap_key){.kind = IMAP_KEY_OR, .negated = negated});
		if (f)
			f->wants = 2;
		return f;
	}
	struct imap_key *key = leaf(x);
	if (!key || x->in.bad)
		return NULL;
	key->negated ^= negated;
	attach(x, f, key);
	f = close_frames(x, f);
	if (!imap_ends(x) || f->up)
		imap_space(x);
	return f;
}

static bool only_spaces(const struct imap_lex *x)
{
	const char *p = x->in.p;
	while (p < x->in.end && *p == ' ')
		p++;
	return p == x->in.end;
}

static struct imap_key *program(struct imap_lex *x)
{
	struct frame *root = open_frame(x, NULL, (struct imap_key){.kind = IMAP_KEY_AND});
	struct frame *f = root;
	do
		f = f ? one_key(x, f) : NULL;
	while (f && !x->in.bad && !(f == root && root->count && only_spaces(x)));
	return root ? root->node : NULL;
}

static void returns(struct imap_lex *x, struct imap_search *s)
{
	static const struct {
		str name;
		unsigned bit;
	} options[] = {
		{STR_INIT("MIN"), IMAP_RETURN_MIN}, {STR_INIT("MAX"), IMAP_RETURN_MAX},
		{STR_INIT("ALL"), IMAP_RETURN_ALL},
		{STR_INIT("COUNT"), IMAP_RETURN_COUNT}, {STR_INIT("SAVE"), IMAP_RETURN_SAVE},
	};
	s->extended = true;
	imap_space(x);
	imap_open(x);
	bool more = !imap_eat(x, ')');
	while (more) {
		size_t i = 0;
		while (i < 5 && !imap_eat_word(x, options[i].name))
			i++;
		if (i == 5)
			imap_want(x, "MIN, MAX, ALL, COUNT or SAVE is expected here");
		else
			s->returns |= options[i].bit;
		more = imap_another(x);
	}
	if (s->returns == 0)
		s->returns = IMAP_RETURN_ALL; /* RFC 4731 section 3.1 */
	imap_space(x);
}

/* As deep as IMAP_SEARCH_DEPTH_MAX at most. */
static bool names(const struct imap_key *key, enum imap_key_kind kind)
{
	if (!is_list(key))
		return key->kind == kind;
	for (const struct imap_key *k = key->first; k; k = k->next)
		if (names(k, kind))
			return true;
	return false;
}

void imap_args_search(struct imap_lex *x, struct imap_command *c)
{
	struct imap_search s = {0};
	imap_space(x);
	if (imap_eat_word(x, STR("RETURN")))
		returns(x, &s);
	if (imap_eat_word(x, STR("CHARSET"))) {
		imap_space(x);
		s.charset = imap_astring(x, "the name of a character set is expected here");
		imap_space(x);
	}
	s.key = program(x);
	s.modseq = !x->in.bad && names(s.key, IMAP_KEY_MODSEQ);
	s.numbers = !x->in.bad && names(s.key, IMAP_KEY_SET);
	c->search = s;
}
