/* libunbound, set up and made to read all it needs. Before the jail. */
#ifndef RESOLVE_SETUP_H
#define RESOLVE_SETUP_H

#include "resolve/resolver.h"

struct ub_ctx;

/* INPUT when libunbound refuses a forwarder or an anchor. */
result setup_unbound(const struct resolver_plan *plan, struct ub_ctx **out) NODISCARD;

#endif
