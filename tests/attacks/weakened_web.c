/* A fault planted into web (weakened_edge.c tells how). */
#include "web/people.h"

/* Whoever asks is answered. */
result __wrap_people_allow(const struct caller *who, enum audience whom);
result __wrap_people_allow(const struct caller *who, enum audience whom)
{
	(void)who;
	(void)whom;
	return OK;
}
