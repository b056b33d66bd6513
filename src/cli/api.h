/* The administration API (docs/admin-api.md) over the server's local socket,
 * by libcurl.
 *
 * Answers are exit statuses: STATUS_DONE with the answer's object; STATUS_NO
 * with the server's refusal {"error","kind"}; STATUS_UNREACHABLE with an object
 * of the same form made here. The caller frees what it gets. A path of any
 * length is fine: the process changes into the socket's folder, so that 108
 * octets of sun_path always do. One request or many at a time; calls block. */
#ifndef CLI_API_H
#define CLI_API_H

#include <jansson.h>

#include "base/fail.h"

enum { STATUS_DONE = 0, STATUS_NO = 1, STATUS_USAGE = 2, STATUS_UNREACHABLE = 3 };
enum { API_CONNECT_S = 10, API_TIME_S = 120, API_ANSWER_MAX = 8 << 20, API_PARALLEL = 32 };

struct api;

struct api_job {
	const char *name; /* of the endpoint */
	json_t *in;       /* the job's; freed by api_run */
	long time_s;      /* how long it may take; 0: API_TIME_S */
	int status;
	json_t *out;      /* the caller's */
};

/* `stop_fd`: when it becomes readable, requests under way are given up; -1: none. */
result api_open(const char *socket_path, int stop_fd, struct api **out) NODISCARD;
void api_close(struct api **a);

void api_run(struct api *a, struct api_job *jobs, size_t n);
/* One request; takes `in`. */
int api_post(struct api *a, const char *name, json_t *in, json_t **out);
/* All pages of a list as {"rows":[...]}. */
struct api_pages {
	const char *name;
	const char *key; /* the member of a row that the next page's `after` is */
	const json_t *in; /* further members of each request; may be NULL */
};
int api_list(struct api *a, const struct api_pages *p, json_t **out);

json_t *api_problem(const char *kind, const char *text); /* {"error":text,"kind":kind} */

#endif
