#include "engine/seal_run.h"
#include "base/mem.h"

#include <string.h>

static void seal_page(struct box *box, uint64_t at, const unsigned char *page, unsigned char *unit)
{
	memcpy(unit, page, SEAL_PAGE);
	struct box_name name = {BOX_PAGE, at / SEAL_PAGE + 1, 0};
	box_seal(box, &name, unit, SEAL_PAGE);
}

static result write_run(struct seal_run *run)
{
	str pages = str_of((const char *)run->space, run->n * SEAL_PAGE);
	run->n = 0;
	return pages.n > 0 ? file_write(run->file, run->at, pages) : OK;
}

result seal_run_put(struct seal_run *run, struct box *box, uint64_t at, const unsigned char *page)
{
	if (run->n == SEAL_RUN_MAX || at != run->at + run->n * SEAL_PAGE)
		TRY(write_run(run));
	if (!run->space)
		run->space = mem_grow(NULL, (size_t)SEAL_RUN_MAX * SEAL_PAGE);
	if (!run->space)
		return failure(FAIL_MEMORY, "out of memory");
	if (run->n == 0)
		run->at = at;
	seal_page(box, at, page, run->space + run->n * SEAL_PAGE);
	run->n++;
	return OK;
}

result seal_run_end(struct seal_run *run)
{
	result r = write_run(run);
	mem_free(run->space);
	run->space = NULL;
	return r;
}
