/* Randomness, from libsodium's generator.
 *
 * random_open seeds it before the jail; afterwards no system call is needed
 * for most requests (the internal ChaCha20 generator). Nothing suspends. */
#ifndef RUN_RANDOM_H
#define RUN_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "base/fail.h"
#include "base/log.h"

result random_open(void) NODISCARD; /* also seeds base's hash tables; before the jail */
void random_fill(void *out, size_t n);
uint32_t random_below(uint32_t bound); /* uniform, 0 when bound is 0 */
uint64_t random_u64(void);
/* A fresh id: 48 bits of milliseconds, 80 random bits, like the UUID of RFC 9562 5.7;
 * ordered by time, so that an account finds a delivery by it. */
trace_id trace_new(void);
void random_seed_hash(void); /* gives base/hash.h a fresh key; only while no table holds entries */

/* Tests: from now on everything that libsodium draws follows from the seed. Gives
 * the hash tables their key anew, so no table may hold entries. */
void random_test_seed(uint64_t seed);

#endif
