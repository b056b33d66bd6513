/* What the tests of run/ share: a loop around each test, and streams that carry
 * much. Tests only. */
#ifndef RUN_KIT_H
#define RUN_KIT_H

#include "base/test.h"
#include "run/stream.h"

/* A cmocka test with a loop of its own. */
#define ON_LOOP(NAME) cmocka_unit_test_setup_teardown(NAME, kit_open_loop, kit_close_loop)
int kit_open_loop(void **state);
int kit_close_loop(void **state);
/* The same, where the body is a fiber: void NAME(void *arg), arg NULL. Only within a function. */
#define ON_FIBER(NAME) {#NAME, kit_play, kit_open_loop, kit_close_loop, &(struct kit_scene){NAME}}
struct kit_scene {
	void (*play)(void *arg);
};
void kit_play(void **state);

void kit_fill(char *p, size_t n);                /* with bytes that tell a wrong place */
void kit_expect(struct stream *s, str want);     /* exactly this comes next. Suspends */

#endif
