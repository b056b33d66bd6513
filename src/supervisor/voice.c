#include "supervisor/voice.h"
#include "base/log_read.h"
#include "run/net.h"
#include "supervisor/opening.h"
#include "talk/room_watch.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { VOICE_AGAIN_MS = 1000 };

/* One supervisor, one voice. */
static struct {
	struct house *house;
	struct channel *watch;
	bool opening;
} voice;

static void print_value(const struct log_value *v)
{
	fprintf(stderr, " %.*s=", STR_ARG(v->name));
	if (v->type == 's')
		fprintf(stderr, "\"%.*s\"", STR_ARG(v->text));
	else
		fprintf(stderr, "%lld", (long long)v->number);
}

/* Settled news (a room is up) would only be noise before the server is. */
static void to_stderr(void *ctx, str record)
{
	struct log_record r;
	struct log_value v;
	(void)ctx;
	if (!log_read(record, &r) || log_meaning_of(r.event)->level < LOG_NOTICE)
		return;
	fprintf(stderr, "postern: %s:", log_meaning_of(r.event)->name);
	while (log_next(&r, &v))
		print_value(&v);
	fputc('\n', stderr);
}

void voice_stderr(void)
{
	log_set_sink(to_stderr, NULL);
}

static void reopen(void *arg)
{
	(void)arg;
	do
		voice_open(voice.house);
	while (!voice.watch && !voice.house->ending && !failed(fiber_sleep(VOICE_AGAIN_MS)));
	voice.opening = false;
}

static void on_watch_ended(void *ctx, struct channel *c, result why)
{
	(void)ctx;
	(void)c;
	(void)why;
	channel_close(&voice.watch);
	voice_stderr();
	if (!voice.house->ending && !voice.opening)
		voice.opening = !failed(fiber_start(reopen, NULL, "voice", NULL));
}

static void to_watch(void *ctx, str record)
{
	char packet[2 + LOG_RECORD_MAX];
	packet[0] = (char)(record.n & 0xff);
	packet[1] = (char)(record.n >> 8);
	memcpy(packet + 2, record.p, record.n);
	struct room_watch_events m = {.records = str_of(packet, 2 + record.n)};
	if (!voice.watch || failed(room_watch_events_offer(voice.watch, NULL, &m)))
		to_stderr(ctx, record);
}

void voice_open(struct house *h)
{
	struct process *watch;
	int ends[2];
	voice.house = h;
	if (voice.watch || failed(house_find(h, ROLE_WATCH, 0, &watch)))
		return;
	if (!failed(net_pair(SOCK_SEQPACKET, ends))) {
		struct visitor v = {.pair = "room-watch", .role = "supervisor", .fd = ends[1]};
		struct channel_options o = {.fd = ends[0], .peer = "watch 0", .ended = on_watch_ended};
		result r = opening_visitor(watch, &v);
		close(ends[1]);
		if (failed(r))
			close(ends[0]);
		else if (!failed(room_watch_open_as_room(&o, NULL, &voice.watch)))
			log_set_sink(to_watch, NULL);
	}
	house_release(watch);
}

void voice_close(void)
{
	voice_stderr();
	channel_close(&voice.watch);
}
