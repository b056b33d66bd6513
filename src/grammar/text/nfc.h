/* Unicode's normal form C, which the names of mailboxes are in (RFC 9051 5.1,
 * RFC 5198 3): one spelling for what looks the same.
 *
 * nfc_sure needs no tables and is for whoever does not link ICU: it knows the
 * scripts in which every text is in NFC, which is nearly every name there is.
 * nfc_put (ICU; charset_preload before) appends the form of a text of at most
 * NFC_MAX octets; a longer one as it is. Errors stay in `out`. */
#ifndef GRAMMAR_NFC_H
#define GRAMMAR_NFC_H

#include "base/buf.h"

enum nfc_limits { NFC_MAX = 2000 };

bool nfc_sure(str utf8); /* false: it may be another; also for what is no UTF-8 */
void nfc_put(str utf8, buf *out);

#endif
