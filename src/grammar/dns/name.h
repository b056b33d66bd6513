/* Host names as DNS has them (RFC 1035 2.3.4, RFC 1123 2.1): A-labels of
 * letters, digits, hyphens and the underscore some use, parted by dots, without
 * a dot at the end. Nothing is owned, nothing suspends. */
#ifndef GRAMMAR_DNS_NAME_H
#define GRAMMAR_DNS_NAME_H

#include "base/str.h"

enum { DNS_NAME_MAX = 253, DNS_LABEL_MAX = 63 };

bool dns_name_is(str s);

#endif
