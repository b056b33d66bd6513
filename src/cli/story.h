/* Events told as sentences, for people who follow a letter.
 *
 * One row for each event of base/log_events.h: a template whose {names} are the
 * event's fields. What stands in [brackets] is left out when a field in it is
 * missing, empty or 0. {size:octets}, {until:time}, {advice:advice} and
 * {verified:verified} are put in words; {n:more} is only for more than one. */
#ifndef CLI_STORY_H
#define CLI_STORY_H

#include <jansson.h>

#include "base/buf.h"

/* An event that this program does not know is told by its name and fields. */
void story_tell(buf *out, str event, const json_t *fields);
bool story_knows(str event);

#endif
