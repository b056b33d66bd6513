/* HTTPS behind TLS: the edge says who comes and carries what web answers. */
#include "base/test.h"
#include "edge/edge_scenes.h"
#include "run/random.h"

#define GET "C: GET / HTTP/1.1\n"
#define BUSY "S: HTTP/1.1 503\nS: Content-Type: text/plain\nS: Connection: close\nS: \nS: Administration is not\nEND"

static const struct kit_scene scenes[] = {
	{"web answers", GET "S: HTTP/1.1 200 OK\nS: stranger 192.0.2.1\nEND"},
	{"the demo's own machine", GET "S: HTTP/1.1 200 OK\nS: trusted 127.0.0.1\nEND", .demo = true},
	{"half a question", "c: G\nS: HTTP/1.1 200 OK\nS: stranger 192.0.2.1\nEND"},
	{"nothing is said", "W: 59000\nW: 2000\nEND"},
	{"web has gone", GET BUSY, .gone = KIT_WEB},
	{"web has too many", GET BUSY, .refuses = KIT_WEB},
	{"web says nothing", GET "W: 19000\nW: 2000\n" BUSY, .silent = KIT_WEB},
};

static void act(struct kit *k, const struct kit_scene *s)
{
	kit_enter(k, s, CLIENT_WEB);
	kit_play(k, s->play);
}

static void every_scene_is_played(void **state)
{
	(void)state;
	kit_scenes(scenes, sizeof scenes / sizeof scenes[0], act);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_scene_is_played)};
	must(!failed(random_open()));
	return cmocka_run_group_tests_name("edge web", tests, NULL, NULL);
}
