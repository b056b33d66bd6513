#include "talk/room_core.h"

#include <uv.h>

#include "run/loop.h"
#include "talk/room_watch.h"

enum { RECORDS_MAX = ROOM_WATCH_EVENTS_RECORDS_MAX, AGAIN_MS = 500, FINISH_MS = 1000, FINISH_STEP_MS = 5 };

/* Records on their way to watch, each behind its length. While watch is away or
 * behind they are kept up to one packet's worth; more are dropped and counted. */
static struct {
	buf records;
	uint64_t dropped;
	uv_timer_t timer;
	bool connecting;
	bool in_vain; /* the last handing over failed */
} news;

static void flush(void);

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
	flush();
}

static void flush_in(uint64_t ms)
{
	if (!uv_is_active((const uv_handle_t *)&news.timer) || uv_timer_get_due_in(&news.timer) > ms)
		uv_timer_start(&news.timer, on_timer, ms, 0);
}

static result hand_over(struct channel *watch)
{
	struct room_watch_events m = {.records = buf_str(&news.records)};
	result r = room_watch_events_offer(watch, NULL, &m);
	if (failed(r))
		return r;
	buf_clear(&news.records);
	uint64_t dropped = news.dropped;
	news.dropped = 0;
	if (dropped > 0)
		log_event(EV_ROOM_DROPPED, NULL, F_U64("events", dropped));
	return OK;
}

static void connect_and_flush(void *arg)
{
	struct channel *watch;
	(void)arg;
	result r = room_connect(&room_watch_as_room_kind, "watch", ROOM_ANY, &watch);
	if (!failed(r) && news.records.n > 0)
		r = hand_over(watch);
	news.connecting = false;
	news.in_vain = failed(r);
	if (failed(r) && !loop_ending())
		flush_in(AGAIN_MS);
}

/* Finding the channel may suspend, so it happens on a fiber of its own. */
static void flush(void)
{
	if (news.connecting || news.records.n == 0)
		return;
	news.connecting = !failed(fiber_start(connect_and_flush, NULL, "log", NULL));
}

static void sink(void *ctx, str record)
{
	(void)ctx;
	if (news.records.n + 2 + record.n > RECORDS_MAX || !buf_reserve(&news.records, 2 + record.n)) {
		news.records.broken = FAIL_NONE;
		news.dropped++;
		return;
	}
	buf_putc(&news.records, (char)(record.n & 0xff));
	buf_putc(&news.records, (char)(record.n >> 8));
	buf_put(&news.records, record);
	unsigned event = (unsigned char)record.p[0] | (unsigned)(unsigned char)record.p[1] << 8;
	const struct log_meaning *meaning = log_meaning_of(event);
	if (news.records.n >= ROOM_LOG_PACKET || meaning->level >= LOG_ERROR)
		flush();
	else
		flush_in(meaning->prompt ? ROOM_LOG_PROMPT_MS : ROOM_LOG_MS);
}

void room_log_open(void)
{
	news.records = buf_new(RECORDS_MAX);
	must(uv_timer_init(loop_uv(), &news.timer) == 0);
	log_set_sink(sink, NULL);
}

void room_log_finish(void)
{
	for (int waited = 0; news.records.n > 0 && waited < FINISH_MS; waited += FINISH_STEP_MS) {
		flush();
		if (failed(fiber_sleep(FINISH_STEP_MS)))
			return;
		if (news.in_vain && !channel_is_open(room_supervisor()))
			return; /* nobody is left who could bring watch back */
	}
}

void room_log_close(void)
{
	log_set_sink(NULL, NULL);
	uv_close((uv_handle_t *)&news.timer, NULL);
	buf_free(&news.records);
}

/* Repeating one that was kept after all puts a second record into the log, which says the same and harms nobody. */
result room_attest_fields(enum log_name event, const trace_id *trace, const struct log_field *fields)
{
	struct log_octets o;
	result r;
	log_encode(event, trace, fields, &o);
	const struct room_watch_attest m = {.record = str_of(o.p, o.n)};
	unsigned tried = 0;
	do {
		AUTO_ARENA arena a = arena_new(4096);
		struct room_watch_attested is;
		struct channel *watch;
		const struct asking how = {.trace = trace, .arena = &a, .timeout_ms = ROOM_ATTEST_MS};
		r = room_connect(&room_watch_as_room_kind, "watch", ROOM_ANY, &watch);
		if (!failed(r))
			r = room_watch_attest_call_within(watch, &how, &m, &is);
		if (failed(r)) /* the refusal's sentence ends with the arena */
			r = failure(r.kind, "the audit log cannot be written now, so nothing was changed; postern status and"
				" posternd's log say why");
	} while (failed(r) && room_ask_again(r, ++tried));
	return r;
}
