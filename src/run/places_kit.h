/* Databases of countries and networks for tests, made by Debian's
 * libmaxmind-db-writer-perl (tests/kit/places.pl). Tests only. */
#ifndef RUN_PLACES_KIT_H
#define RUN_PLACES_KIT_H

#include "base/buf.h"
#include "run/places.h"

/* `lines`: "NETWORK COUNTRY ASN [LATITUDE LONGITUDE]" each, "-" for what is not known; `kind`: "country" or
 * "network". The caller frees *out. False where the writer is missing, which is said. */
bool places_kit_make(const char *kind, const char *lines, buf *out);
/* Both databases, opened; the caller frees them. NULL where the writer is missing. */
struct places *places_kit_of(const char *lines);

#endif
