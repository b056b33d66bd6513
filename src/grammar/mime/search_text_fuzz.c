#include "grammar/mime/search_text.h"
#include "grammar/text/fold_ascii.h"
#include "grammar/text/html_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct charsets *cs;

static str fold_copy(str s, buf *out)
{
	bool cr = false;
	must(buf_reserve(out, s.n + 1));
	out->n = fold_ascii(s, &cr, out->p);
	return buf_str(out);
}

static void agree(const struct search_source *from, str stored, const struct search_key *key, enum search_answer want)
{
	bool exact = false;
	must(!failed(search_message_has(from, key, &exact)) && exact == (want == SEARCH_YES));
	enum search_answer a = search_text_has(stored, from->message, key);
	must(a == want || a == SEARCH_UNSURE);
	a = search_text_has(stored, (str){NULL, 0}, key);
	must(a == want || a == SEARCH_UNSURE);
}

/* Whatever it is, the stored text says what the message says. */
static void look_for(const struct search_source *from, str stored, str text)
{
	AUTO_BUF buf needle = buf_new(1000);
	search_fold(text, &needle);
	for (enum search_scope scope = SEARCH_IN_BODY; scope <= SEARCH_IN_ALL; scope++) {
		const struct search_key key = {scope, STR(""), buf_str(&needle)};
		bool has = false;
		must(!failed(search_message_has(from, &key, &has)));
		agree(from, stored, &key, has ? SEARCH_YES : SEARCH_NO);
	}
}

static void from_message(str text)
{
	AUTO_ARENA arena mem = arena_new(MIME_ARENA_MAX);
	AUTO_BUF buf b = buf_new(SEARCH_TEXT_MAX);
	struct mime_table t;
	struct search_text s;
	struct search_piece p;
	must(!failed(mime_parse(text, &mem, &t)));
	struct search_source from = {text, &t, cs};
	must(!failed(search_text_make(&from, &b)));
	must(search_text_open(buf_str(&b), &s));
	size_t n = 0;
	while (search_text_next(&s, &p)) {
		must(s.cut || str_is_utf8(p.text));
		if (n++ % 7)
			continue;
		AUTO_BUF buf copied = buf_new(SEARCH_TEXT_MAX);
		if (p.copied)
			p.text = fold_copy(str_sub(text, p.at, p.n), &copied);
		struct search_key key = {SEARCH_IN_ALL, STR(""), str_sub(p.text, p.text.n / 2, 3000)};
		agree(&from, buf_str(&b), &key, SEARCH_YES);
		look_for(&from, buf_str(&b), str_sub(text, text.n / 3, 3));
		look_for(&from, buf_str(&b), str_sub(p.text, p.text.n / 4, 5));
	}
	must(!s.in.bad);
}

static void html_in_two(str text, size_t at)
{
	AUTO_BUF buf a = buf_new(8 * text.n + 100), b = buf_new(8 * text.n + 100);
	struct html_text h = {0}, k = {0};
	html_text_feed(&h, text, &a);
	html_text_finish(&h, &a);
	html_text_feed(&k, str_sub(text, 0, at), &b);
	html_text_feed(&k, str_skip(text, at), &b);
	html_text_finish(&k, &b);
	must(!failed(buf_result(&a)) && str_eq(buf_str(&a), buf_str(&b)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_of((const char *)data, size);
	if (!cs) {
		must(!failed(charset_preload()));
		cs = charsets_new();
	}
	struct search_key key = {SEARCH_IN_ALL, STR(""), STR("X")};
	(void)search_text_has(text, text, &key);
	html_in_two(text, size / 2);
	from_message(text);
	return 0;
}
