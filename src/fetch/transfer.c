#include "fetch/transfer.h"
#include "fetch/engine.h"

#include "run/clock.h"

/* Requests that wait for a place, and limits; the engine knows neither. */
static struct {
	struct transfer_limits limits;
	size_t under_way, most;
	struct gate room;
} self;

result transfer_open(X509_STORE *trusted, struct transfer_limits limits)
{
	self.limits = limits;
	if (!self.limits.at_once)
		self.limits.at_once = TRANSFER_AT_ONCE;
	if (!self.limits.time_ms)
		self.limits.time_ms = TRANSFER_TIME_MS;
	self.most = 0;
	return engine_open(trusted);
}

result transfer_start(void)
{
	gate_init(&self.room);
	return engine_start();
}

void transfer_close(void)
{
	engine_close();
}

size_t transfer_most_at_once(void)
{
	return self.most;
}

void transfer_refuse(const char *why, struct asker_fetch_got *got)
{
	*got = (struct asker_fetch_got){.finding = ASKER_FETCH_FINDING_REFUSED, .why = str_from(why)};
}

static result enter(uint64_t until)
{
	while (self.under_way >= self.limits.at_once)
		TRY(gate_wait(&self.room, clock_left(until)));
	if (++self.under_way > self.most)
		self.most = self.under_way;
	return OK;
}

static void leave(void)
{
	self.under_way--;
	gate_wake_one(&self.room);
}

result transfer_run(const struct request *r, const char *addresses, arena *a, struct asker_fetch_got *got)
{
	uint64_t until = clock_mono_ms() + self.limits.time_ms;
	struct request bounded = *r;
	if (bounded.post)
		bounded.octets = TRANSFER_POSTED_MAX;
	if (bounded.octets > TRANSFER_BODY_MAX)
		bounded.octets = TRANSFER_BODY_MAX;
	result entered = enter(until);
	if (entered.kind == FAIL_TIMEOUT) {
		transfer_refuse("too many HTTPS requests were under way", got);
		return OK;
	}
	TRY(entered);
	result ran = engine_run(&(struct engine_wish){&bounded, addresses, clock_left(until)}, a, got);
	leave();
	return ran;
}
