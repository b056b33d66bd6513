/* What is going to happen, by time; what was planned first comes first. */
#include "week.h"

#include "base/mem.h"

struct event {
	uint64_t at, order;
	void (*happen)(void *arg);
	void *arg;
};

static struct {
	struct event *v; /* a heap, v[0] the earliest */
	size_t n, cap;
	uint64_t planned;
} agenda;

static bool before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(size_t i, size_t j)
{
	struct event e = agenda.v[i];
	agenda.v[i] = agenda.v[j];
	agenda.v[j] = e;
}

void agenda_in(uint64_t ms, void (*happen)(void *arg), void *arg)
{
	agenda.v = array_more(agenda.v, agenda.n, &agenda.cap, sizeof *agenda.v);
	size_t i = agenda.n++;
	agenda.v[i] = (struct event){week_now() + ms, agenda.planned++, happen, arg};
	for (; i > 0 && before(&agenda.v[i], &agenda.v[(i - 1) / 2]); i = (i - 1) / 2)
		swap(i, (i - 1) / 2);
}

bool agenda_next(uint64_t *at)
{
	if (agenda.n)
		*at = agenda.v[0].at;
	return agenda.n > 0;
}

void agenda_do(void)
{
	struct event first = agenda.v[0];
	agenda.v[0] = agenda.v[--agenda.n];
	for (size_t i = 0, child; (child = 2 * i + 1) < agenda.n; i = child) {
		if (child + 1 < agenda.n && before(&agenda.v[child + 1], &agenda.v[child]))
			child++;
		if (before(&agenda.v[i], &agenda.v[child]))
			break;
		swap(i, child);
	}
	first.happen(first.arg);
}

void agenda_clear(void)
{
	mem_free(agenda.v);
	agenda.v = NULL;
	agenda.n = agenda.cap = 0;
}
