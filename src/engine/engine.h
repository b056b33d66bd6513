/* The door to an account's (or room's) stored state: who holds it, its
 * databases, its bodies. Rooms that keep state call this, not files, so that
 * storage can be elsewhere one day: everything below it goes through one
 * struct files (engine/files.h), of which there is the local one; one
 * conformance test (engine_test.c) holds for each.
 *
 * engine_hold takes the place for this process alone (BUSY when another has
 * it); the place belongs to the engine until engine_release. `files` outlives
 * it. Calls block on the disk and are made on the store thread; nothing
 * suspends a fiber. Errors are those of db.h and blob.h. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/blob.h"
#include "engine/query.h"

struct engine;

result engine_hold(struct files *files, struct engine **out) NODISCARD;
void engine_release(struct engine **e); /* after its databases and bodies were closed */

/* o->files is set by the engine. */
result engine_open_db(struct engine *e, struct db_options *o, struct db **out) NODISCARD;

result engine_put_body(struct engine *e, str body, struct blob_key *out) NODISCARD;
result engine_open_body(struct engine *e, const struct blob_key *key, struct blob **out) NODISCARD;
result engine_delete_body(struct engine *e, const struct blob_key *key) NODISCARD;
result engine_sweep_bodies(struct engine *e, bool (*wanted)(void *ctx, str name), void *ctx) NODISCARD;

struct packer *engine_packer(struct engine *e); /* for values in rows */
void engine_trim(struct engine *e);             /* gives memory back */

#endif
