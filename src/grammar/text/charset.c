#include "grammar/text/charset.h"
#include "base/mem.h"

#include <unicode/ucnv.h>
#include <unicode/udata.h>
#include <unicode/unorm2.h>

struct charset_slot {
	str name;
	char bytes[CHARSET_NAME_MAX + 1];
	UConverter *table;
};

struct charsets {
	struct charset_slot slots[CHARSET_OPEN_MAX];
	size_t next; /* the slot given up next */
};

/* Labels that mean more than they say (as in the WHATWG's encoding list), and
 * names from mail that ICU does not know. */
static const struct {
	str label;
	const char *name;
} meanings[] = {
	{STR_INIT("gb2312"), "gb18030"},           {STR_INIT("gbk"), "gb18030"},
	{STR_INIT("cp936"), "gb18030"},            {STR_INIT("x-gbk"), "gb18030"},
	{STR_INIT("euc-kr"), "windows-949"},       {STR_INIT("ks_c_5601-1987"), "windows-949"},
	{STR_INIT("iso-8859-9"), "windows-1254"},  {STR_INIT("iso-8859-11"), "windows-874"},
	{STR_INIT("tis-620"), "windows-874"},      {STR_INIT("shift_jis"), "windows-31j"},
	{STR_INIT("x-sjis"), "windows-31j"},       {STR_INIT("big5"), "big5-hkscs"},
	{STR_INIT("iso-8859-8-i"), "iso-8859-8"},  {STR_INIT("iso-8859-8-e"), "iso-8859-8"},
	{STR_INIT("unicode-1-1-utf-7"), "utf-7"},  {STR_INIT("x-mac-roman"), "macintosh"},
	{STR_INIT("iso-2022-jp"), "iso-2022-jp-2"},  {STR_INIT("chinesebig5"), "big5-hkscs"},
	{STR_INIT("gb2312_charset"), "gb18030"},
};

static const char *const common[] = {
	"iso-8859-2",   "iso-8859-3",   "iso-8859-4",   "iso-8859-5",   "iso-8859-6",   "iso-8859-7",   "iso-8859-8",
	"iso-8859-10",  "iso-8859-13",  "iso-8859-14",  "iso-8859-15",  "windows-1250", "windows-1251", "windows-1253",
	"windows-1254", "windows-1255", "windows-1256", "windows-1257", "windows-1258", "windows-874",  "windows-949",
	"windows-31j",  "koi8-r",       "koi8-u",       "euc-jp",       "iso-2022-jp-2", "gb18030",     "big5-hkscs",
	"iso-2022-kr",  "hz-gb-2312",   "utf-16",       "utf-7",        "macintosh",    "ibm437",       "ibm850",
};

result charset_preload(void)
{
	UErrorCode e = U_ZERO_ERROR;
	udata_setFileAccess(UDATA_NO_FILES, &e);
	unorm2_getNFKDInstance(&e);
	unorm2_getNFCInstance(&e);
	if (U_FAILURE(e))
		return failure(FAIL_ABSENT, "ICU's data is missing; install the package libicu72 again");
	for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
		UErrorCode one = U_ZERO_ERROR;
		ucnv_close(ucnv_open(common[i], &one));
	}
	return OK;
}

struct charsets *charsets_new(void)
{
	return mem_alloc(sizeof(struct charsets));
}

void charsets_free(struct charsets **c)
{
	if (!*c)
		return;
	for (size_t i = 0; i < CHARSET_OPEN_MAX; i++)
		ucnv_close((*c)->slots[i].table);
	mem_free(*c);
	*c = NULL;
}

/* Without quotes, blanks and the language RFC 2231 allows behind a '*'. */
static str clean(str name)
{
	name = str_trim(name);
	while (name.n > 0 && (name.p[0] == '"' || name.p[0] == '\''))
		name = str_skip(name, 1);
	while (name.n > 0 && (name.p[name.n - 1] == '"' || name.p[name.n - 1] == '\''))
		name.n--;
	size_t star = str_chr(name, '*');
	return star == STR_NONE ? name : str_sub(name, 0, star);
}

static UConverter *open_table(str name)
{
	char label[CHARSET_NAME_MAX + 1] = {0};
	UErrorCode e = U_ZERO_ERROR;
	/* Behind a comma ICU takes options. */
	bool odd = str_chr(name, '\0') != STR_NONE || str_chr(name, ',') != STR_NONE;
	if (name.n == 0 || name.n > CHARSET_NAME_MAX || odd)
		return NULL;
	memcpy(label, name.p, name.n);
	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
		if (str_ieq(name, meanings[i].label))
			return ucnv_open(meanings[i].name, &e);
	/* ICU would look for a file of any name it does not know. */
	if (ucnv_countAliases(label, &e) == 0 || U_FAILURE(e))
		return NULL;
	UConverter *table = ucnv_open(label, &e);
	return U_SUCCESS(e) ? table : NULL;
}

/* Names nobody knows are remembered like the others, with no table. */
static UConverter *table_of(struct charsets *c, str name)
{
	for (size_t i = 0; i < CHARSET_OPEN_MAX; i++)
		if (c->slots[i].name.p && str_ieq(c->slots[i].name, name))
			return c->slots[i].table;
	if (name.n > CHARSET_NAME_MAX)
		return NULL;
	struct charset_slot *slot = &c->slots[c->next];
	c->next = (c->next + 1) % CHARSET_OPEN_MAX;
	ucnv_close(slot->table);
	memcpy(slot->bytes, name.p, name.n);
	slot->name = str_of(slot->bytes, name.n);
	slot->table = open_table(name);
	return slot->table;
}

static bool is_one_of(str name, const char *const *names)
{
	for (; *names; names++)
		if (str_ieq(name, str_from(*names)))
			return true;
	return false;
}

bool charset_begin(struct charset_stream *s, struct charsets *c, str name)
{
	static const char *const ascii[] = {"us-ascii", "ascii", "ansi_x3.4-1968", "646", "iso-ir-6", NULL};
	static const char *const utf8[] = {"utf-8", "utf8", "unicode-1-1-utf-8", NULL};
	static const char *const latin[] = {"iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "windows-1252", "cp1252",
	                                    "x-cp1252", NULL};
	*s = (struct charset_stream){.kind = CHARSET_GUESS};
	name = clean(name);
	if (name.n == 0 || is_one_of(name, ascii))
		return true;
	if (is_one_of(name, utf8))
		s->kind = CHARSET_UTF8;
	else if (is_one_of(name, latin))
		s->kind = CHARSET_1252;
	else if ((s->table = table_of(c, name))) {
		s->kind = CHARSET_TABLE;
		ucnv_resetToUnicode(s->table);
	}
	return s->kind != CHARSET_GUESS;
}

bool charset_known(struct charsets *c, str name)
{
	struct charset_stream s;
	return charset_begin(&s, c, name);
}

size_t utf8_sequence(str s, size_t i)
{
	unsigned char c = str_at(s, i);
	size_t n = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
	for (size_t k = 1; k < n; k++) {
		if (i + k == s.n)
			return SIZE_MAX;
		unsigned char x = str_at(s, i + k);
		unsigned char low = k > 1 ? 0x80 : c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
		unsigned char high = k > 1 ? 0xBF : c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
		if (x < low || x > high)
			return 0;
	}
	return n;
}

void utf8_put(buf *out, uint32_t c)
{
	if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
		c = 0xFFFD;
	char b[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};
	for (size_t k = n; k-- > 1; c >>= 6)
		b[k] = (char)(0x80 | (c & 0x3F));
	b[0] = (char)(first[n] | c);
	buf_put(out, str_of(b, n));
}

static size_t ascii_run(str in, size_t i)
{
	size_t from = i;
	while (i < in.n && str_at(in, i) < 0x80)
		i++;
	return i - from;
}

uint32_t windows_1252(unsigned char c)
{
	static const uint16_t c1[32] = {
		0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
		0x2039, 0x0152, 0x8D,   0x017D, 0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
		0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178,
	};
	return c >= 0x80 && c < 0xA0 ? c1[c - 0x80] : c;
}

static void feed_1252(str in, buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		size_t run = ascii_run(in, i);
		buf_put(out, str_sub(in, i, run));
		i += run;
		if (i < in.n)
			utf8_put(out, windows_1252(str_at(in, i)));
	}
}

static void not_utf8(struct charset_stream *s, str one, buf *out)
{
	if (s->kind == CHARSET_UTF8) {
		utf8_put(out, 0xFFFD);
		return;
	}
	s->kind = CHARSET_1252;
	feed_1252(one, out);
}

/* As far as it is UTF-8; returns what was taken. Stops when a guess was wrong. */
static size_t feed_utf8(struct charset_stream *s, str in, buf *out)
{
	size_t from = 0, i = 0;
	while (i < in.n && s->kind != CHARSET_1252) {
		i += ascii_run(in, i);
		size_t n = i < in.n ? utf8_sequence(in, i) : SIZE_MAX;
		if (n != 0 && n != SIZE_MAX) {
			i += n;
			continue;
		}
		buf_put(out, str_sub(in, from, i - from));
		if (n == SIZE_MAX)
			return i;
		not_utf8(s, str_sub(in, i, 1), out);
		from = ++i;
	}
	if (s->kind != CHARSET_1252)
		buf_put(out, str_sub(in, from, i - from));
	return i;
}

/* Completes a sequence held from before with the next bytes. */
static str feed_held(struct charset_stream *s, str in, buf *out)
{
	while (s->held_n > 0 && in.n > 0 && s->kind != CHARSET_1252) {
		s->held[s->held_n++] = str_at(in, 0);
		in = str_skip(in, 1);
		str held = str_of((const char *)s->held, s->held_n);
		size_t n = utf8_sequence(held, 0);
		if (n == SIZE_MAX)
			continue;
		if (n == 0) {
			/* The byte just taken may begin something of its own: give it back. */
			held.n--;
			in = str_of(in.p - 1, in.n + 1);
			not_utf8(s, str_sub(held, 0, s->kind == CHARSET_UTF8 ? 1 : held.n), out);
		} else {
			buf_put(out, held);
		}
		s->held_n = 0;
	}
	return in;
}

static void put_units(struct charset_stream *s, const UChar *u, size_t n, buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (s->lead && U16_IS_TRAIL(u[i])) {
			utf8_put(out, (uint32_t)U16_GET_SUPPLEMENTARY(s->lead, u[i]));
			s->lead = 0;
			continue;
		}
		if (s->lead)
			utf8_put(out, 0xFFFD);
		s->lead = U16_IS_LEAD(u[i]) ? u[i] : 0;
		if (!s->lead)
			utf8_put(out, u[i]);
	}
}

static void feed_table(struct charset_stream *s, str in, bool last, buf *out)
{
	UChar units[1024];
	const char *from = in.p ? in.p : "";
	const char *end = from + in.n;
	UErrorCode e;
	do {
		UChar *to = units;
		e = U_ZERO_ERROR;
		ucnv_toUnicode(s->table, &to, units + 1024, &from, end, NULL, last, &e);
		put_units(s, units, (size_t)(to - units), out);
	} while (e == U_BUFFER_OVERFLOW_ERROR && !out->broken);
}

void charset_feed(struct charset_stream *s, str in, buf *out)
{
	if (s->kind == CHARSET_TABLE) {
		feed_table(s, in, false, out);
		return;
	}
	if (s->kind != CHARSET_1252) {
		in = feed_held(s, in, out);
		in = str_skip(in, s->kind == CHARSET_1252 ? 0 : feed_utf8(s, in, out));
	}
	if (s->kind == CHARSET_1252) {
		feed_1252(in, out);
		return;
	}
	must(in.n + s->held_n < 4);
	for (size_t i = 0; i < in.n; i++)
		s->held[s->held_n++] = str_at(in, i);
}

void charset_finish(struct charset_stream *s, buf *out)
{
	if (s->kind == CHARSET_TABLE)
		feed_table(s, (str){NULL, 0}, true, out);
	if (s->lead)
		utf8_put(out, 0xFFFD);
	if (s->held_n)
		not_utf8(s, str_of((const char *)s->held, s->held_n), out);
	s->lead = 0;
	s->held_n = 0;
}

void charset_text(struct charsets *c, str name, str in, buf *out)
{
	struct charset_stream s;
	charset_begin(&s, c, name);
	if (s.kind == CHARSET_GUESS)
		s.kind = str_is_utf8(in) ? CHARSET_UTF8 : CHARSET_1252;
	charset_feed(&s, in, out);
	charset_finish(&s, out);
}
