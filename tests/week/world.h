/* Mail to the world, as the queue meets it: a relay and an auth of this house,
 * what owners send, and whether each addressee was reached or reported. */
#ifndef WEEK_WORLD_H
#define WEEK_WORLD_H

#include "house.h"
#include "talk/edge_queue.h"
#include "talk/web_queue.h"

result world_relay(struct channel **out) NODISCARD; /* for struct queue_world */
result world_auth(struct channel **out) NODISCARD;
void world_open(void);
void world_close(void); /* their processes are not reached any more */
uint64_t world_moves(void);
struct channel *holding_edge(void);

void world_begin(void);
void world_calm(void); /* all servers are there and well */
void world_end(void);
void world_clock_steps(void); /* before it is set */

void world_told(uint32_t letter); /* it has arrived, and perhaps is a report */
void world_audit(void);           /* the rows of one look at the queue follow */
void world_see(const struct web_queue_item_row *row);
void world_judge(void);

#endif
