/* The supervisor's own events: lines on stderr until watch is there, then to
 * watch like everybody's; back to stderr while watch is being replaced.
 * Nothing suspends but voice_open. */
#ifndef SUPERVISOR_VOICE_H
#define SUPERVISOR_VOICE_H

#include "supervisor/house.h"

void voice_stderr(void);
void voice_open(struct house *h); /* suspends; again after watch was replaced */
void voice_close(void);

#endif
