/* Answers a request to the administration API: finds its endpoint, checks it,
 * passes it to the room whose business it is, prints what that answers. */
#ifndef WEB_API_H
#define WEB_API_H

#include "web/http.h"

enum {
	API_ARENA = 4 << 20,  /* memory of one request */
	API_SECRET_ANSWER = 16384, /* room for an answer that holds a secret */
	API_CALL_MS = 60000,  /* a room that has not answered by then is given up */
};

/* q->status and q->answer are set. Suspends. */
void api_answer(struct http_request *q);

#endif
