/* Looks for the first line of a frame in the message behind it, as SEARCH TEXT
 * does: in the stored search text, and in the message itself. */
#include "frames.h"
#include "grammar/mime/search_text.h"

struct searcher {
	struct charsets *charsets;
	arena mem;
};

static json_t *look(str frame, void *ctx)
{
	static const char *const answers[] = {"no", "yes", "unsure"};
	struct searcher *s = ctx;
	struct mime_table parts;
	size_t line = str_chr(frame, '\n');
	must(line != STR_NONE);
	AUTO_BUF buf needle = buf_new(SIZE_MAX), stored = buf_new(SEARCH_TEXT_MAX);
	search_fold(str_sub(frame, 0, line), &needle);
	arena_clear(&s->mem);
	must(!failed(mime_parse(str_skip(frame, line + 1), &s->mem, &parts)));
	struct search_source from = {str_skip(frame, line + 1), &parts, s->charsets};
	struct search_key key = {SEARCH_IN_ALL, STR(""), buf_str(&needle)};
	bool exact = false;
	must(!failed(search_text_make(&from, &stored)));
	must(!failed(search_message_has(&from, &key, &exact)));
	enum search_answer answer = search_text_has(buf_str(&stored), from.message, &key);
	return json_pack("{s:s, s:b}", "stored", answers[answer], "exact", exact);
}

int main(int argc, char **argv)
{
	struct searcher s = {.mem = arena_new(MIME_ARENA_MAX)};
	must(!failed(charset_preload()));
	s.charsets = charsets_new();
	must(s.charsets);
	int status = describe_all(argc, argv, look, &s);
	charsets_free(&s.charsets);
	arena_free(&s.mem);
	return status;
}
