#include "account/imap/session.h"

#include <stdarg.h>
#include <stdio.h>

enum { KEYWORDS_MAX = 64 };

bool imap_enabled(const struct imap_session *s, unsigned bit)
{
	return (s->enabled & bit) != 0;
}

bool imap_utf8(const struct imap_session *s)
{
	return (s->enabled & (ENABLED_REV2 | ENABLED_UTF8)) != 0;
}

result imap_bad(struct imap_session *s, const char *sentence)
{
	s->bad = true;
	return failure(FAIL_INPUT, sentence);
}

result imap_no(struct imap_session *s, const char *code, const char *sentence)
{
	if (code)
		imap_code(s, "%s", code);
	return failure(FAIL_CONFLICT, sentence);
}

void imap_code(struct imap_session *s, const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	must(n >= 0 && (size_t)n < sizeof text);
	buf_clear(&s->code);
	buf_put(&s->code, str_from(text));
}

/* Response codes of RFC 9051 7.1 for what the store says. */
static const char *code_of(const struct imap_session *s, enum fail_kind kind)
{
	switch (kind) {
	case FAIL_LIMIT: return IMAP_CODE_LIMIT;
	case FAIL_MEMORY: return IMAP_CODE_UNAVAILABLE;
	case FAIL_INPUT: return IMAP_CODE_CANNOT;
	case FAIL_DENIED: return s->view && !view_writes(s->view) ? IMAP_CODE_READ_ONLY : IMAP_CODE_NOPERM;
	case FAIL_ABSENT: return IMAP_CODE_NONEXISTENT;
	case FAIL_EXISTS: return IMAP_CODE_ALREADYEXISTS;
	case FAIL_FULL: return IMAP_CODE_OVERQUOTA;
	case FAIL_DAMAGE: return IMAP_CODE_CORRUPTION;
	case FAIL_DISK:
	case FAIL_BUSY:
	case FAIL_TIMEOUT:
	case FAIL_CLOSED:
	case FAIL_PEER:
	case FAIL_CANCELLED: return IMAP_CODE_UNAVAILABLE;
	case FAIL_NONE:
	case FAIL_CONFLICT:
	case FAIL_NETWORK: break;
	}
	return NULL;
}

static str first_letter_up(buf *scratch, const char *sentence)
{
	buf_put(scratch, str_from(sentence));
	if (scratch->n)
		scratch->p[0] = (char)ascii_upper((unsigned char)scratch->p[0]);
	return buf_str(scratch);
}

static void put_code(struct imap_session *s, const char *otherwise)
{
	if (!s->code.n && !otherwise)
		return;
	buf_putc(&s->out, '[');
	buf_put(&s->out, s->code.n ? buf_str(&s->code) : str_from(otherwise));
	buf_put(&s->out, STR("] "));
}

void imap_answer(struct imap_session *s, str tag, str name, result r)
{
	AUTO_BUF buf text = buf_new(1024);
	buf_put(&s->out, tag.n ? tag : STR("*"));
	buf_put(&s->out, !failed(r) ? STR(" OK ") : s->bad ? STR(" BAD ") : STR(" NO "));
	put_code(s, failed(r) && !s->bad ? code_of(s, r.kind) : NULL);
	if (failed(r)) {
		imap_put_text(&s->out, first_letter_up(&text, r.text), false);
	} else if (s->done) {
		buf_put(&s->out, str_from(s->done));
	} else {
		buf_put(&s->out, name);
		buf_put(&s->out, STR(" completed"));
	}
	buf_put(&s->out, STR("\r\n"));
}

void imap_bye(struct imap_session *s, const char *sentence)
{
	buf_put(&s->out, STR("* BYE "));
	buf_put(&s->out, str_from(sentence));
	buf_put(&s->out, STR("\r\n"));
	s->ending = true;
	result r = imap_send(s, true);
	(void)r; /* whoever has gone does not hear it */
}

result imap_send(struct imap_session *s, bool now)
{
	if (!failed(s->link))
		s->link = speech_send(&s->speech, &s->out, now);
	return s->link;
}

result imap_send_if_long(struct imap_session *s)
{
	return s->out.n < IMAP_OUT_SEND && !s->out.broken ? s->link : imap_send(s, false);
}

void imap_put_view_flags(struct imap_session *s, uint64_t flags)
{
	str names[KEYWORDS_MAX];
	struct imap_flags f = {.system = (unsigned)(flags & (STORE_SYSTEM | STORE_RECENT)), .keywords = {.v = names}};
	if (imap_enabled(s, ENABLED_REV2))
		f.system &= ~(unsigned)IMAP_RECENT;
	for (unsigned bit = STORE_KEYWORD_BIT; bit < KEYWORDS_MAX && flags >> bit; bit++) {
		str name = flags >> bit & 1 ? view_keyword(s->view, bit) : (str){0};
		if (name.p)
			names[f.keywords.n++] = name;
	}
	imap_put_flags(&s->out, &f);
}

void imap_put_flags_news(struct imap_session *s, const struct view_message *m)
{
	buf *out = &s->out;
	buf_put(out, STR("* "));
	buf_put_u64(out, m->number);
	buf_put(out, STR(" FETCH (FLAGS "));
	imap_put_view_flags(s, m->flags);
	if (s->uid || imap_enabled(s, ENABLED_REV2 | ENABLED_CONDSTORE)) { /* RFC 9051 7.5.2, RFC 7162 3.2.4 */
		buf_put(out, STR(" UID "));
		buf_put_u64(out, m->uid);
	}
	if (imap_enabled(s, ENABLED_CONDSTORE)) {
		buf_put(out, STR(" MODSEQ ("));
		buf_put_u64(out, m->modseq);
		buf_putc(out, ')');
		s->modseqs = true;
	}
	buf_put(out, STR(")\r\n"));
}

static void put_all_flags(struct imap_session *s, bool star)
{
	str names[KEYWORDS_MAX];
	struct imap_flags f = {.system = STORE_SYSTEM, .keywords = {.v = names}};
	for (unsigned bit = STORE_KEYWORD_BIT; bit < KEYWORDS_MAX; bit++) {
		str name = view_keyword(s->view, bit);
		if (name.p)
			names[f.keywords.n++] = name;
	}
	star = star && f.keywords.n < STORE_KEYWORDS_MAX;
	imap_put_flags(&s->out, &f);
	if (star) { /* new keywords may be made */
		s->out.n -= !s->out.broken;
		buf_put(&s->out, STR(" \\*)"));
	}
}

void imap_put_keywords(struct imap_session *s)
{
	buf *out = &s->out;
	buf_put(out, STR("* FLAGS "));
	put_all_flags(s, false);
	buf_put(out, STR("\r\n* OK [" IMAP_CODE_PERMANENTFLAGS " "));
	if (view_writes(s->view))
		put_all_flags(s, true);
	else
		buf_put(out, STR("()"));
	buf_put(out, STR("] Flags that can be changed\r\n"));
}
