#include "engine/reseal.h"

#include <string.h>

#include "base/mem.h"
#include "engine/seal.h"

enum { PAGES_AT_ONCE = 64 };

struct both {
	struct box was, next;
	unsigned char pages[PAGES_AT_ONCE * SEAL_PAGE];
};

static void both_free(struct both **at)
{
	if (!*at)
		return;
	box_wipe(&(*at)->was);
	box_wipe(&(*at)->next);
	explicit_bzero((*at)->pages, sizeof (*at)->pages);
	mem_free(*at);
}

static result damaged(void)
{
	return failure(FAIL_DAMAGE, "a page of the database does not authenticate; restore from a backup");
}

static result one_page(struct both *b, uint64_t number, unsigned char *page)
{
	const struct box_name name = {BOX_PAGE, number, 0};
	if (!box_open(&b->was, &name, page, SEAL_PAGE))
		return damaged();
	box_seal(&b->next, &name, page, SEAL_PAGE);
	return OK;
}

static result all_pages(struct file *from, struct file *to, struct both *b)
{
	for (uint64_t at = 0;; at += sizeof b->pages) {
		size_t n = sizeof b->pages;
		TRY(file_read(from, at, b->pages, &n));
		if (n % SEAL_PAGE)
			return damaged();
		for (size_t i = 0; i < n; i += SEAL_PAGE)
			TRY(one_page(b, (at + i) / SEAL_PAGE + 1, b->pages + i));
		TRY(file_write(to, at, str_of((const char *)b->pages, n)));
		if (n < sizeof b->pages)
			return file_truncate(to, at + n);
	}
}

result reseal(struct files *f, const struct resealing *r)
{
	__attribute__((cleanup(both_free))) struct both *b = mem_alloc(sizeof *b);
	AUTO_FILE struct file *from = NULL;
	AUTO_FILE struct file *to = NULL;
	if (!b)
		return failure(FAIL_MEMORY, "out of memory");
	memcpy(b->was.key, r->key, BOX_KEY);
	memcpy(b->next.key, r->next, BOX_KEY);
	memcpy(b->was.id, r->id, BOX_ID);
	memcpy(b->next.id, r->id, BOX_ID);
	TRY(files_open(f, r->from, FILES_READ, &from));
	TRY(files_open(f, r->to, FILES_CREATE, &to));
	TRY(all_pages(from, to, b));
	TRY(file_sync(to));
	return files_sync_folder(f);
}

result reseal_opens(struct files *f, const char *path, const struct reseal_key *k, bool *out)
{
	unsigned char page[SEAL_PAGE];
	struct box b = {.left = 0};
	const struct box_name first = {BOX_PAGE, 1, 0};
	AUTO_FILE struct file *file = NULL;
	size_t n = sizeof page;
	TRY(files_open(f, path, FILES_READ, &file));
	TRY(file_read(file, 0, page, &n));
	memcpy(b.key, k->key, BOX_KEY);
	memcpy(b.id, k->id, BOX_ID);
	*out = n == sizeof page && box_open(&b, &first, page, SEAL_PAGE);
	box_wipe(&b);
	explicit_bzero(page, sizeof page);
	return OK;
}
