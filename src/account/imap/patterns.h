/* LIST and LSUB: which names are asked for. */
#ifndef ACCOUNT_IMAP_PATTERNS_H
#define ACCOUNT_IMAP_PATTERNS_H

#include "account/imap/session.h"

struct imap_pattern {
	str text;
	bool wire; /* half of a shift of UTF-7 was written: names are compared as they go over the wire */
};

struct imap_patterns {
	struct imap_pattern *v;
	size_t n;
};

result imap_patterns_read(struct imap_session *s, const struct imap_list *l, struct imap_patterns *out) NODISCARD;
bool imap_patterns_match(const struct imap_patterns *p, str name);

#endif
