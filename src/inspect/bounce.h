/* Reports about messages: written from the original, examined like any message,
 * and made ready for signing with the keys of the server's own domain.
 *
 * The original is hostile, so all of this happens here and nowhere else. The
 * subject that people read is decoded. Errors: LIMIT, MEMORY. Runs on a big
 * stack (watchdog_run) and does not suspend. */
#ifndef INSPECT_BOUNCE_H
#define INSPECT_BOUNCE_H

#include "grammar/text/charset.h"
#include "talk/asker_inspect.h"

struct bounce {
	const struct asker_inspect_bounce *asked;
	struct charsets *charsets;
	arena *out; /* lives as long as the answer */
	struct asker_inspect_bounced *answer;
	result result;
};

void bounce_write(void *arg); /* a struct bounce */

#endif
