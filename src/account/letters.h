/* From what inspect found to what the store keeps.
 *
 * Believes nothing: facts that do not fit the message are INPUT, which is a
 * neighbour's nonsense, not the message's fault. Views of `message` and
 * `encoded`, the rest in the arena. Nothing suspends. */
#ifndef ACCOUNT_LETTERS_H
#define ACCOUNT_LETTERS_H

#include "account/store/message.h"

result letter_of(str encoded, str message, arena *m, struct letter *out) NODISCARD;

#endif
