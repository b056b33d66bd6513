/* What an account asks of inspect for a SEARCH, so that it needs neither ICU
 * nor a MIME parser itself: to fold a text, and to look through a whole message
 * whose search text was cut. search_open after charset_preload. */
#ifndef INSPECT_SEARCH_H
#define INSPECT_SEARCH_H

#include "talk/asker_inspect.h"

result search_open(void) NODISCARD;
void search_close(void);

result on_fold(struct arrival *in, struct asker_inspect_fold *m, struct asker_inspect_folded *answer);
result on_look(struct arrival *in, struct asker_inspect_look *m, struct asker_inspect_looked *answer);

#endif
