#include "talk/body.h"
#include "talk/shape.h"

#include <unistd.h>

#include "run/memfd.h"

result body_share(struct body *b)
{
	if (b->memfd > 0 || b->bytes.n <= TALK_INLINE_MAX)
		return OK;
	int fd;
	TRY(memfd_of(b->bytes, &fd));
	return body_map(fd, b->bytes.n, b);
}

static result map(int fd, uint64_t size, enum memfd_for what, struct body *out)
{
	str view = {NULL, 0};
	result r = memfd_map(fd, size, what, &view);
	if (!failed(r) && (view.n != size || size == 0)) {
		memfd_unmap(&view);
		r = failure(FAIL_PEER, "a long body has another size than announced");
	}
	if (failed(r))
		close(fd);
	else
		*out = (struct body){view, fd, true};
	return r;
}

result body_map(int fd, uint64_t size, struct body *out)
{
	return map(fd, size, MEMFD_READING, out);
}

result body_carry(int fd, uint64_t size, struct body *out)
{
	return map(fd, size, MEMFD_CARRYING, out);
}

void body_free(struct body *b)
{
	if (b->owned) {
		memfd_unmap(&b->bytes);
		close(b->memfd);
	}
	*b = body_of(str_of(NULL, 0));
}
