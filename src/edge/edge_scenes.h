/* Scenes that many tests of the sessions are made of: a dialogue, and in what
 * state the edge and its neighbours are when the client comes. Tests only. */
#ifndef EDGE_EDGE_SCENES_H
#define EDGE_EDGE_SCENES_H

#include "edge/edge_kit.h"

struct kit_scene {
	const char *name;
	const char *play;
	unsigned silent, refuses, gone; /* as in struct kit, like what follows */
	bool unable, too_large;
	bool demo;       /* a login without TLS */
	bool clear;      /* the client has no TLS, where the others have */
	bool submission; /* the client is a mail program, where the others are servers */
	bool device;     /* it is one that logs in without TLS */
	uint32_t delay;
	enum option_id option; /* with a value: set before the client comes */
	const char *value;
};

/* Opens the kit as the scene says and lets the client connect. */
void kit_enter(struct kit *k, const struct kit_scene *s, enum client_protocol protocol);
/* Each on a kit of its own; act(kit, scene) enters and plays. */
void kit_scenes(const struct kit_scene *scenes, size_t n, void (*act)(struct kit *k, const struct kit_scene *s));

/* A test with a kit `k` of its own, not yet open; the body follows. */
#define ON_KIT(NAME)                               \
	static void NAME##_on(struct kit *k);      \
	static void NAME(void **state)             \
	{                                          \
		(void)state;                       \
		kit_run(NAME##_on);                \
	}                                          \
	static void NAME##_on(struct kit *k)

#endif
