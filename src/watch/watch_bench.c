/* What an event costs watch: at a steady rate, as edges and accounts send them,
 * with lines to a file and the ledger in a folder of its own.
 *
 *   watch_bench [MESSAGES-A-SECOND] [SECONDS]     default 6000 and 5, two events a message
 *
 * Prints the CPU time of the whole process (loop, log thread, store thread) an
 * event, and what was dropped. Without channels: a packet of 200 events more
 * costs the receive of one packet. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fail.h"
#include "run/clock.h"
#include "run/fiber.h"
#include "run/loop.h"
#include "run/random.h"
#include "watch/watch.h"

enum { TICK_MS = 10, PACKET_MAX = 60000, USERS = 2000 };

static unsigned rate = 6000, seconds = 5;

/* ---- packets, made by the real encoder ---- */

static struct {
	char p[PACKET_MAX];
	size_t n;
	const char *role;
	uint64_t events;
} packet;

static void hand_over(void)
{
	struct origin from = {.role = str_from(packet.role)};
	watch_take(&from, str_of(packet.p, packet.n));
	packet.n = 0;
}

static void into_packet(void *ctx, str record)
{
	(void)ctx;
	if (packet.n + 2 + record.n > sizeof packet.p)
		hand_over();
	packet.p[packet.n++] = (char)(record.n & 0xff);
	packet.p[packet.n++] = (char)(record.n >> 8);
	memcpy(packet.p + packet.n, record.p, record.n);
	packet.n += record.n;
	packet.events++;
}

static void one_message(bool at_edge, const trace_id *id)
{
	char to[64], from[64];
	int to_n = snprintf(to, sizeof to, "user%u@example.test", random_below(USERS));
	int from_n = snprintf(from, sizeof from, "sender%u@example.net", random_below(1 << 20));
	if (at_edge)
		log_event(EV_SMTP_ACCEPTED, id, F_STR("client", STR("127.0.0.1")), F_STR("helo", STR("mail.example.net")),
			  F_STR("from", str_of(from, (size_t)from_n)), F_STR("to", str_of(to, (size_t)to_n)),
			  F_U64("recipients", 1), F_U64("size", 4096), F_STR("user", STR("")), F_U64("tls", 1));
	else
		log_event(EV_DELIVERED, id, F_U64("account", 7), F_STR("recipient", str_of(to, (size_t)to_n)),
			  F_STR("mailbox", STR("INBOX")), F_U64("size", 4316));
}

static void feed_tick(unsigned messages)
{
	for (int side = 0; side < 2; side++) {
		packet.role = side == 0 ? "edge-mx" : "account";
		for (unsigned i = 0; i < messages; i++) {
			trace_id id;
			random_fill(&id, sizeof id);
			one_message(side == 0, &id);
		}
		hand_over();
	}
}

/* ---- the measurement ---- */

static double cpu_us(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void tell(double cpu, double encoding)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	struct web_watch_counters_are c;
	double n = (double)packet.events;
	printf("%.0f events in %u s: %.2f us CPU an event (making them here: %.2f us more)\n", n, seconds,
	       (cpu - encoding) / n, encoding / n);
	must(!failed(watch_counters(&a, &c)));
	for (size_t i = 0; i < c.rows.n; i++)
		if (str_starts(c.rows.p[i].name, STR("watch.")))
			printf("  %.*s %llu\n", STR_ARG(c.rows.p[i].name), (unsigned long long)c.rows.p[i].value);
}

static void nowhere(void *ctx, str record)
{
	(void)ctx;
	(void)record;
}

static double cost_of_encoding(unsigned messages, unsigned ticks)
{
	static const trace_id id;
	trace_id drawn;
	double before = cpu_us();
	log_set_sink(nowhere, NULL);
	for (unsigned i = 0; i < 2 * messages * ticks; i++) {
		random_fill(&drawn, sizeof drawn);
		one_message(i % 2 == 0, &id);
	}
	return cpu_us() - before;
}

static void measure(void *arg)
{
	static const unsigned char key[LEDGER_KEY] = "bench";
	unsigned ticks = seconds * 1000 / TICK_MS, messages = rate * TICK_MS / 1000;
	(void)arg;
	must(!failed(watch_start_with(key)));
	double encoding = cost_of_encoding(messages, ticks);
	log_set_sink(into_packet, NULL);
	double before = cpu_us();
	uint64_t start = clock_mono_ms();
	for (unsigned i = 0; i < ticks; i++) {
		uint64_t due = start + (uint64_t)i * TICK_MS, now = clock_mono_ms();
		if (now < due)
			must(!failed(fiber_sleep(due - now)));
		feed_tick(messages);
	}
	must(!failed(fiber_sleep(2 * LEDGER_EVERY_MS)));
	tell(cpu_us() - before, encoding);
	watch_stop();
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/watch-bench-XXXXXX";
	struct options o;
	uint32_t n;
	if (argc > 1 && str_to_u32(str_from(argv[1]), &n))
		rate = n;
	if (argc > 2 && str_to_u32(str_from(argv[2]), &n))
		seconds = n;
	must(mkdtemp(folder) && chdir(folder) == 0);
	options_init(&o);
	must(!failed(options_set(&o, OPT_LOG, STR("file"))));
	must(!failed(random_open()) && !failed(loop_open()) && !failed(watch_prepare(&o)));
	must(!failed(fiber_start(measure, NULL, "measure", NULL)));
	loop_run();
	loop_close();
	options_free(&o);
	static const char *const made[] = {"ledger.db", "ledger.db-wal", "postern.log"};
	for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
		unlink(made[i]);
	return rmdir(folder);
}
