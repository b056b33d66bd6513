/* Memory for hashing in huge pages.
 *
 * Argon2id fills its memory once and gives it back. libsodium takes it from the
 * kernel by mmap, filled in page by page, and has no call by which it could be
 * given any: with 8 MiB that was 3.3 of 7.5 ms, and the tables of pages slowed
 * the rest. So the calls that it makes to mmap come here (the program's symbols
 * go before the C library's): what is large, anonymous and asked for between
 * huge_pages_begin and huge_pages_end lies on a multiple of a huge page and is
 * advised to be in such. 4.3 ms instead of 7.5, 51 instead of 77 with 64 MiB.
 *
 * Where the kernel has none, pages are small as ever. Everything else goes
 * through to the kernel as it was asked. The pair is a thread's own and does
 * not nest. Sanitized builds leave mmap alone: their run time has its own. */
#ifndef AUTH_HUGE_PAGES_H
#define AUTH_HUGE_PAGES_H

#include <stddef.h>

enum { HUGE_PAGE = 2 << 20 }; /* of amd64, and of arm64 with pages of 4 KiB; elsewhere there is just no gain */

void huge_pages_begin(void);
size_t huge_pages_end(void); /* how many mappings were made so */

#endif
