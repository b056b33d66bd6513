/* Prints a text as SEARCH compares it (fold.h), as a JSON string. */
#include "frames.h"
#include "grammar/text/charset.h"
#include "grammar/text/fold.h"

static json_t *folded(str text, void *ctx)
{
	AUTO_BUF buf b = buf_new(SIZE_MAX);
	(void)ctx;
	search_fold(text, &b);
	must(!b.broken);
	return json_of(b.n ? buf_str(&b) : STR(""));
}

int main(int argc, char **argv)
{
	must(!failed(charset_preload()));
	return describe_all(argc, argv, folded, NULL);
}
