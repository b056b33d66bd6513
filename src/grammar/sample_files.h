/* The sample mails below $POSTERN_DATA, for tests only: calls `each` for every
 * .eml, .msg and .txt file of mime-stalwart, mime-mimekit, dmarc-rspamd and
 * mailauth-*; returns how many there were, 0 where the data is missing. */
#ifndef GRAMMAR_SAMPLE_FILES_H
#define GRAMMAR_SAMPLE_FILES_H

#include "base/str.h"

size_t sample_mails(void (*each)(str path, str text, void *ctx), void *ctx);

#endif
