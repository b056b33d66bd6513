#include "edge/intake.h"

#include <unistd.h>

#include "run/memfd.h"
#include "talk/shape.h"

enum { PAGE = 4096 };

struct intake intake_new(uint64_t max)
{
	return (struct intake){.near = buf_new(TALK_INLINE_MAX + INTAKE_STEP_MAX), .max = max, .memfd = -1};
}

void intake_free(struct intake *in)
{
	if (in->memfd >= 0)
		close(in->memfd);
	buf_free(&in->near);
	*in = intake_new(in->max);
}

uint64_t intake_size(const struct intake *in)
{
	return in->far + in->near.n;
}

/* Whole pages as long as more comes: a page begun twice costs its clearing. */
static result put_far(struct intake *in, size_t n)
{
	if (in->memfd < 0)
		TRY(memfd_create_empty("message", &in->memfd));
	TRY(memfd_append(in->memfd, str_sub(buf_str(&in->near), 0, n)));
	buf_drop(&in->near, n);
	in->far += n;
	return OK;
}

void intake_step(struct intake *in)
{
	if (in->broken)
		return;
	in->broken = in->near.broken;
	if (!in->broken && intake_size(in) > in->max)
		in->broken = FAIL_LIMIT;
	if (!in->broken && in->near.n > TALK_INLINE_MAX && failed(put_far(in, in->near.n / PAGE * PAGE)))
		in->broken = FAIL_MEMORY;
}

result intake_body(struct intake *in, struct body *out)
{
	if (in->memfd < 0) {
		*out = body_of(buf_str(&in->near));
		return OK;
	}
	TRY(put_far(in, in->near.n));
	TRY(memfd_seal(in->memfd));
	int fd = in->memfd;
	uint64_t size = in->far;
	in->memfd = -1; /* body_carry takes it */
	intake_free(in);
	return body_carry(fd, size, out);
}
