#include "run/budget.h"

#include <sys/sysinfo.h>

#include "base/str.h"
#include "run/files.h"

enum { LIMIT_TEXT_MAX = 64 };

result budget_take(struct budget *b, uint64_t n)
{
	if (n > b->max - b->taken) {
		b->refused++;
		return failure(FAIL_LIMIT, "As many messages are in transit as memory allows; try again soon.");
	}
	b->taken += n;
	if (b->taken > b->peak)
		b->peak = b->taken;
	return OK;
}

void budget_give(struct budget *b, uint64_t n)
{
	must(n <= b->taken);
	b->taken -= n;
}

uint64_t budget_of_memory(unsigned share, unsigned of)
{
	struct sysinfo info;
	must(sysinfo(&info) == 0);
	uint64_t bytes = (uint64_t)info.totalram * info.mem_unit;
	AUTO_BUF buf text = buf_new(LIMIT_TEXT_MAX);
	uint64_t limit = 0;
	if (!failed(file_load("/sys/fs/cgroup/memory.max", &text)) && str_to_u64(str_trim(buf_str(&text)), &limit)
	    && limit < bytes)
		bytes = limit;
	return bytes / of * share;
}
