#include "run/places_kit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/test.h"
#include "run/files.h"
#include "run/memfd.h"

enum { DATABASE_MAX = 1 << 20 };

bool places_kit_make(const char *kind, const char *lines, buf *out)
{
	char path[] = "/tmp/places-kit-XXXXXX", command[512];
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	snprintf(command, sizeof command, "perl '%s' %s %s 2>/dev/null", PLACES_SCRIPT, kind, path);
	FILE *to = popen(command, "w");
	assert_non_null(to);
	fputs(lines, to);
	bool made = pclose(to) == 0;
	*out = buf_new(DATABASE_MAX);
	if (made)
		assert_ok(file_load(path, out));
	else
		fprintf(stderr, "skipped: no databases can be made without libmaxmind-db-writer-perl\n");
	unlink(path);
	return made;
}

struct places *places_kit_of(const char *lines)
{
	static const char *const kinds[] = {"country", "network"};
	struct places *p = NULL;
	int fd[2] = {-1, -1};
	for (size_t i = 0; i < 2; i++) {
		AUTO_BUF buf b = buf_new(0);
		if (places_kit_make(kinds[i], lines, &b))
			assert_ok(memfd_of(buf_str(&b), &fd[i]));
	}
	if (fd[0] >= 0 && fd[1] >= 0)
		assert_ok(places_take(&p, fd[0], fd[1]));
	for (size_t i = 0; i < 2; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	return p;
}
