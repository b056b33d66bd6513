#include "load.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { LINE = 76, MESSAGE_MAX = 1 << 30 };

uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static const struct option OPTIONS[] = {
	{"host", required_argument, NULL, 'h'},
	{"domain", required_argument, NULL, 'd'},
	{"port", required_argument, NULL, 'p'},
	{"connections", required_argument, NULL, 'c'},
	{"messages", required_argument, NULL, 'm'},
	{"size", required_argument, NULL, 's'},
	{"recipients", required_argument, NULL, 'r'},
	{"users", required_argument, NULL, 'u'},
	{"per-connection", required_argument, NULL, 'k'},
	{"seconds", required_argument, NULL, 't'},
	{"starttls", no_argument, NULL, 'S'},
	{"login", required_argument, NULL, 'l'},
	{"password", required_argument, NULL, 'w'},
	{0},
};

static uint64_t *number_of(struct plan *plan, int option)
{
	switch (option) {
	case 'p': return &plan->port;
	case 'c': return &plan->connections;
	case 'm': return &plan->messages;
	case 's': return &plan->size;
	case 'r': return &plan->recipients;
	case 'u': return &plan->users;
	case 'k': return &plan->per_connection;
	case 't': return &plan->seconds;
	default: return NULL;
	}
}

static void usage(void)
{
	fputs("usage: load --port N [--host 127.0.0.1] [--domain example.test] [--connections 10] [--messages 1000]\n"
		"            [--size 4096] [--recipients 1] [--users 20] [--per-connection 0] [--seconds 60]\n"
		"            [--starttls] [--login ADDRESS --password P]\n", stderr);
	exit(2);
}

struct plan plan_from(int argc, char **argv)
{
	struct plan plan = {.host = STR("127.0.0.1"), .domain = STR("example.test"), .connections = 10,
		.messages = 1000, .size = 4096, .recipients = 1, .users = 20, .seconds = 60};
	int option;
	while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		uint64_t *number = number_of(&plan, option);
		if (option == 'h')
			plan.host = str_from(optarg);
		else if (option == 'd')
			plan.domain = str_from(optarg);
		else if (option == 'l')
			plan.login = str_from(optarg);
		else if (option == 'w')
			plan.password = str_from(optarg);
		else if (option == 'S')
			plan.starttls = true;
		else if (!number || !str_to_u64(str_from(optarg), number))
			usage();
	}
	bool sane = plan.port && plan.port < 65536 && plan.connections && plan.connections < 60000 && plan.users
		&& plan.recipients && plan.size < MESSAGE_MAX && plan.messages
		&& plan.messages < 100000000 && optind == argc;
	if (!sane)
		usage();
	return plan;
}

/* The same every time: xorshift with a fixed start. */
void plan_text(const struct plan *plan, buf *text)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint64_t x = 88172645463325252u;
	*text = buf_new(MESSAGE_MAX + 16);
	for (size_t column = 0; text->n < plan->size; column++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if (column == LINE) {
			buf_put(text, STR("\r\n"));
			column = 0;
		}
		buf_putc(text, alphabet[(x >> 20) & 63]);
	}
	buf_put(text, STR("\r\n.\r\n"));
	if (failed(buf_result(text)))
		abort();
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static double percentile_ms(const struct load *load, double part)
{
	if (load->done == 0)
		return 0;
	uint64_t at = (uint64_t)((double)(load->done - 1) * part);
	return (double)load->latency[at] / 1e6;
}

void load_report(struct load *load)
{
	struct rusage used;
	getrusage(RUSAGE_SELF, &used);
	double seconds = (double)(load->last - load->first) / 1e9;
	double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec)
		+ (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	qsort(load->latency, load->done, sizeof *load->latency, by_size);
	double rate = seconds > 0 ? (double)load->done / seconds : 0;
	printf("{\"messages\": %lu, \"errors\": %lu, \"seconds\": %.4f, \"rate\": %.1f, ", load->done, load->errors,
		seconds, rate);
	printf("\"p50_ms\": %.3f, \"p95_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f, ", percentile_ms(load, 0.5),
		percentile_ms(load, 0.95), percentile_ms(load, 0.99), percentile_ms(load, 1));
	printf("\"own_cpu\": %.3f, \"first_error\": \"%s\"}\n", cpu, load->first_error);
}
