/* A whole SMTP session before a client that says anything at all: every reply
 * is well formed, "Kept" is said exactly when something was kept, and afterwards
 * nothing is held any more (kit_close). The last octet says who is unwell. */
#include "edge/edge_kit.h"
#include "run/random.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { SUBMISSION = 1, DEMO = 2, UNABLE = 4, TINY = 8, GONE = 16, REFUSES = 32 };

static struct {
	unsigned how;
	str said;
} input;

static bool well_formed(str line)
{
	return line.n >= 4 && line.n <= 510 && line.p[0] >= '2' && line.p[0] <= '5' && ascii_digit(str_at(line, 1)) &&
	       ascii_digit(str_at(line, 2)) && (line.p[3] == ' ' || line.p[3] == '-');
}

static void session(struct kit *k)
{
	unsigned answered = 0;
	str line;
	kit_open(k, input.how & DEMO);
	must(!failed(options_set(&k->edge.options, OPT_MESSAGES, STR("20"))));
	k->edge.transit = budget_new(input.how & TINY ? 1 : 1 << 20);
	k->unable = input.how & UNABLE;
	k->gone = input.how & GONE ? KIT_ACCOUNT : 0;
	k->refuses = input.how & REFUSES ? KIT_QUEUE : 0;
	kit_begin(k, input.how & SUBMISSION ? CLIENT_SUBMISSION : CLIENT_SMTP);
	kit_say(k, input.said);
	shutdown(k->client, SHUT_WR);
	while (kit_hear(k, &line)) {
		must(well_formed(line));
		answered += str_starts(line, STR("250 2.0.0 Kept as "));
	}
	must(k->kept_n >= answered);
	must(answered || !k->kept_n || input.how & REFUSES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static bool ready;
	if (n == 0 || n > 30000)
		return 0;
	if (!ready)
		must(!failed(random_open()));
	ready = true;
	input.how = data[n - 1];
	input.said = str_of((const char *)data, n - 1);
	kit_run(session);
	return 0;
}
