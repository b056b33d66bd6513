#include "edge/edge_scenes.h"

#include <stdio.h>

void kit_enter(struct kit *k, const struct kit_scene *s, enum client_protocol protocol)
{
	kit_open(k, s->demo);
	if (s->value)
		must(!failed(options_set(&k->edge.options, s->option, str_from(s->value))));
	k->silent = s->silent;
	k->refuses = s->refuses;
	k->gone = s->gone;
	k->unable = s->unable;
	k->too_large = s->too_large;
	k->device = s->device;
	k->delay = s->delay;
	kit_begin(k, protocol);
}

static const struct kit_scene *scene;
static void (*act_scene)(struct kit *k, const struct kit_scene *s);

static void act(struct kit *k)
{
	act_scene(k, scene);
}

void kit_scenes(const struct kit_scene *scenes, size_t n, void (*act_one)(struct kit *k, const struct kit_scene *s))
{
	act_scene = act_one;
	for (scene = scenes; scene < scenes + n; scene++) {
		printf("%s\n", scene->name);
		fflush(stdout); /* it says which one ended the program */
		kit_run(act);
	}
}
