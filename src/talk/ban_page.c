#include "talk/ban_page.h"

#include <sodium.h>

#include "base/mem.h"
#include "run/memfd.h"
#include "run/random.h"

enum { LENGTHS = 129, WORDS = 4, KEY_WORDS = 2, LENGTH_WORDS = 3 };

/* Words that are read and written whole: both sides work on them at the same time. */
struct slot {
	uint64_t word[WORDS]; /* network, network, bits and grade, until */
};

static const uint64_t PAGE_MARK = 0x31736e6162747370; /* "pstbans1" */
static const uint64_t USED = 1 << 16;

struct page {
	uint64_t mark;
	uint64_t sequence;
	uint64_t key[KEY_WORDS];
	uint64_t lengths[LENGTH_WORDS]; /* a bit for each length of prefix that some row has */
	struct slot slots[BAN_PAGE_SLOTS];
};

struct ban_page {
	struct page *page;
	size_t rows;
	uint32_t of_length[LENGTHS];
};

struct ban_window {
	const struct page *page;
};

static uint64_t look(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static void set(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

/* ---- slots ---- */

struct place {
	uint64_t word[2];
	unsigned bits;
};

static struct place place_of(const unsigned char ip[16], unsigned bits)
{
	struct place p = {.bits = bits};
	unsigned char cut[16] = {0};
	memcpy(cut, ip, bits / 8);
	if (bits % 8)
		cut[bits / 8] = (unsigned char)(ip[bits / 8] & (0xff00U >> bits % 8));
	memcpy(p.word, cut, sizeof p.word);
	return p;
}

static size_t first_slot(const struct page *page, const struct place *p)
{
	unsigned char made[crypto_shorthash_BYTES], text[17], key[crypto_shorthash_KEYBYTES];
	uint64_t n, words[KEY_WORDS] = {look(&page->key[0]), look(&page->key[1])};
	memcpy(key, words, sizeof key);
	memcpy(text, p->word, sizeof p->word);
	text[16] = (unsigned char)p->bits;
	crypto_shorthash(made, text, sizeof text, key);
	memcpy(&n, made, sizeof n);
	return (size_t)(n % BAN_PAGE_SLOTS);
}

static bool is_used(const struct slot *s)
{
	return look(&s->word[2]) & USED;
}

static bool is_of(const struct slot *s, const struct place *p)
{
	return look(&s->word[0]) == p->word[0] && look(&s->word[1]) == p->word[1] &&
	       (look(&s->word[2]) & 0xff) == p->bits;
}

/* The place's slot, or the free one where it would go; BAN_PAGE_SLOTS: neither within the looks. */
static size_t slot_for(const struct page *page, const struct place *p)
{
	size_t at = first_slot(page, p);
	for (unsigned looks = 0; looks < BAN_PAGE_LOOKS; looks++, at = (at + 1) % BAN_PAGE_SLOTS)
		if (!is_used(&page->slots[at]) || is_of(&page->slots[at], p))
			return at;
	return BAN_PAGE_SLOTS;
}

/* ---- the writer ---- */

result ban_page_make(int *fd)
{
	return memfd_window_make("bans", sizeof(struct page), fd);
}

bool ban_page_is_shut(int fd)
{
	return memfd_window_is_shut(fd, sizeof(struct page));
}

result ban_page_open(int fd, struct ban_page **out)
{
	void *page;
	struct ban_page *p = mem_alloc(sizeof *p);
	if (!p)
		return failure(FAIL_MEMORY, "out of memory");
	result r = memfd_window_write(fd, sizeof(struct page), &page);
	if (failed(r)) {
		mem_free(p);
		return r;
	}
	p->page = page;
	for (unsigned i = 0; i < KEY_WORDS; i++)
		set(&p->page->key[i], random_u64());
	set(&p->page->mark, PAGE_MARK);
	*out = p;
	return OK;
}

void ban_page_close(struct ban_page **at)
{
	struct ban_page *p = *at;
	*at = NULL;
	if (!p)
		return;
	memfd_window_unmap(p->page, sizeof *p->page);
	mem_free(p);
}

size_t ban_page_rows(const struct ban_page *p)
{
	return p->rows;
}

static void begin_change(struct page *page)
{
	set(&page->sequence, look(&page->sequence) + 1);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static void end_change(struct page *page)
{
	__atomic_store_n(&page->sequence, look(&page->sequence) + 1, __ATOMIC_RELEASE);
}

static void count_length(struct ban_page *p, unsigned bits, bool more)
{
	uint64_t *word = &p->page->lengths[bits / 64], bit = (uint64_t)1 << bits % 64;
	p->rows = more ? p->rows + 1 : p->rows - 1;
	p->of_length[bits] = more ? p->of_length[bits] + 1 : p->of_length[bits] - 1;
	set(word, p->of_length[bits] ? look(word) | bit : look(word) & ~bit);
}

result ban_page_put(struct ban_page *p, const struct ban_row *row)
{
	must(row->network.bits < LENGTHS && row->grade > BAN_NONE && row->grade < BAN_GRADES);
	const struct place where = place_of(row->network.ip, row->network.bits);
	size_t at = slot_for(p->page, &where);
	bool more = at < BAN_PAGE_SLOTS && !is_used(&p->page->slots[at]);
	if (at == BAN_PAGE_SLOTS || (more && p->rows >= BAN_PAGE_ROWS))
		return failure(FAIL_LIMIT, "there are as many bans as the server holds; remove some");
	struct slot *s = &p->page->slots[at];
	begin_change(p->page);
	set(&s->word[0], where.word[0]);
	set(&s->word[1], where.word[1]);
	set(&s->word[2], where.bits | (uint64_t)row->grade << 8 | USED);
	set(&s->word[3], (uint64_t)row->until);
	if (more)
		count_length(p, where.bits, true);
	end_change(p->page);
	return OK;
}

static struct place place_in(const struct slot *s)
{
	return (struct place){.word = {look(&s->word[0]), look(&s->word[1])}, .bits = look(&s->word[2]) & 0xff};
}

/* Those behind a hole move up, so that a look may end at the first free slot. */
static void close_hole(struct page *page, size_t hole)
{
	for (size_t at = (hole + 1) % BAN_PAGE_SLOTS; is_used(&page->slots[at]); at = (at + 1) % BAN_PAGE_SLOTS) {
		const struct place moves = place_in(&page->slots[at]);
		size_t home = first_slot(page, &moves);
		if ((at - home) % BAN_PAGE_SLOTS < (at - hole) % BAN_PAGE_SLOTS)
			continue;
		for (unsigned i = 0; i < WORDS; i++)
			set(&page->slots[hole].word[i], look(&page->slots[at].word[i]));
		hole = at;
	}
	for (unsigned i = 0; i < WORDS; i++)
		set(&page->slots[hole].word[i], 0);
}

void ban_page_remove(struct ban_page *p, const net_cidr *network)
{
	const struct place where = place_of(network->ip, network->bits);
	size_t at = slot_for(p->page, &where);
	if (at == BAN_PAGE_SLOTS || !is_used(&p->page->slots[at]))
		return;
	begin_change(p->page);
	close_hole(p->page, at);
	count_length(p, where.bits, false);
	end_change(p->page);
}

/* ---- readers ---- */

result ban_window_open(int fd, struct ban_window **out)
{
	const void *page;
	struct ban_window *w = mem_alloc(sizeof *w);
	if (!w)
		return failure(FAIL_MEMORY, "out of memory");
	result r = memfd_window_read(fd, sizeof(struct page), &page);
	if (failed(r)) {
		mem_free(w);
		return r;
	}
	w->page = page;
	*out = w;
	return OK;
}

void ban_window_close(struct ban_window **at)
{
	struct ban_window *w = *at;
	*at = NULL;
	if (!w)
		return;
	memfd_window_unmap(w->page, sizeof *w->page);
	mem_free(w);
}

static void look_up(const struct page *page, const struct place *p, int64_t now, struct ban_row *best)
{
	size_t at = slot_for(page, p);
	if (at == BAN_PAGE_SLOTS || !is_used(&page->slots[at]))
		return;
	const struct slot *s = &page->slots[at];
	uint64_t grade = look(&s->word[2]) >> 8 & 0xff;
	int64_t until = (int64_t)look(&s->word[3]);
	if (grade <= (uint64_t)best->grade || grade >= BAN_GRADES || (until && until <= now))
		return;
	*best = (struct ban_row){.network.bits = p->bits, .grade = (enum ban_grade)grade, .until = until};
	memcpy(best->network.ip, p->word, sizeof best->network.ip);
}

static struct ban_row find_once(const struct page *page, const net_addr *a, int64_t now)
{
	struct ban_row best = {.grade = BAN_NONE};
	for (unsigned bits = net_is_v4(a) ? 96 : 0; bits < LENGTHS; bits++) {
		if (!(look(&page->lengths[bits / 64]) >> bits % 64 & 1))
			continue;
		const struct place p = place_of(a->ip, bits);
		look_up(page, &p, now, &best);
	}
	return best;
}

/* A writer that ended in the middle of a change leaves the sequence odd for good: then
 * what is there counts as it is. Each slot but the one it was at is whole. */
bool ban_window_find(const struct ban_window *w, const net_addr *a, int64_t now, struct ban_row *out)
{
	struct ban_row found = {.grade = BAN_NONE};
	if (!w || look(&w->page->mark) != PAGE_MARK)
		return false;
	for (unsigned i = 0; i < BAN_PAGE_READS; i++) {
		uint64_t before = __atomic_load_n(&w->page->sequence, __ATOMIC_ACQUIRE);
		found = find_once(w->page, a, now);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (!(before & 1) && look(&w->page->sequence) == before)
			break;
	}
	if (found.grade != BAN_NONE)
		*out = found;
	return found.grade != BAN_NONE;
}
