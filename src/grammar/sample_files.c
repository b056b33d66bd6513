#include "grammar/sample_files.h"
#include "base/buf.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAMPLE_MAX = 64 << 20 };

/* nftw has no argument for its callback's own data. */
static struct {
	void (*each)(str path, str text, void *ctx);
	void *ctx;
	size_t n;
} walk;

static bool is_mail(str path)
{
	return str_ends(path, STR(".eml")) || str_ends(path, STR(".msg")) || str_ends(path, STR(".txt")) ||
	       str_find(path, STR("/maildir/")) != STR_NONE;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	if (type != FTW_F || !is_mail(str_from(path)))
		return 0;
	AUTO_BUF buf b = buf_new(SAMPLE_MAX);
	FILE *f = fopen(path, "rbe");
	must(f && buf_reserve(&b, (size_t)st->st_size + 1));
	b.n = fread(b.p, 1, (size_t)st->st_size, f);
	fclose(f);
	walk.each(str_from(path), buf_str(&b), walk.ctx);
	walk.n++;
	return 0;
}

size_t sample_mails(void (*each)(str path, str text, void *ctx), void *ctx)
{
	static const char *const folders[] = {"mime-stalwart", "mime-mimekit", "dmarc-rspamd", "mailauth-stalwart",
	                                      "mailauth-postalsys"};
	const char *data = getenv("POSTERN_DATA");
	walk.each = each;
	walk.ctx = ctx;
	walk.n = 0;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", data ? data : SAMPLE_DEFAULT, folders[i]);
		nftw(path, visit, 20, FTW_PHYS);
	}
	return walk.n;
}
