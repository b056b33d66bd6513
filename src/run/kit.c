#include "run/kit.h"

#include "run/fiber.h"
#include "run/loop.h"

int kit_open_loop(void **state)
{
	(void)state;
	return failed(loop_open()) ? -1 : 0;
}

int kit_close_loop(void **state)
{
	(void)state;
	loop_close();
	return 0;
}

void kit_play(void **state)
{
	const struct kit_scene *s = *state;
	assert_ok(fiber_start(s->play, NULL, "test", NULL));
	loop_run();
}

void kit_fill(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (char)(i * 2654435761U >> 13);
}

void kit_expect(struct stream *s, str want)
{
	while (want.n) {
		str got;
		assert_ok(stream_read_some(s, &got));
		size_t n = got.n < want.n ? got.n : want.n;
		assert_memory_equal(got.p, want.p, n);
		stream_consume(s, n);
		want = str_skip(want, n);
	}
}
