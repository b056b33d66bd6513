/* A room for room_test alone: it answers ping, calls another room when it
 * starts, and says what it does. */
#include "talk/room.h"
#include "talk/test/asker_teller.h"

#include <stdio.h>
#include <unistd.h>

static char greeting[100];

static result prepare(const struct supervisor_room_begin *b)
{
	if (b->settings.n == 0)
		return failure(FAIL_INPUT, "the setting greeting is missing");
	str value = b->settings.p[0].value;
	snprintf(greeting, sizeof greeting, "%.*s %llu", STR_ARG(value), (unsigned long long)b->number);
	return OK;
}

static result jail(bool best_effort, buf *lacks)
{
	if (!best_effort)
		return failure(FAIL_DENIED, "this machine has no jail for tests");
	buf_put(lacks, STR("everything"));
	return OK;
}

static result start(void)
{
	AUTO_ARENA arena a = arena_new(4096);
	struct channel *c, *again;
	struct asker_teller_pong pong;
	TRY(room_connect(&asker_teller_as_asker_kind, "other", 5, &c));
	TRY(asker_teller_ping_call(c, NULL, &(struct asker_teller_ping){.payload = STR("start")}, &a, &pong));
	TRY(room_connect(&asker_teller_as_asker_kind, "other", 5, &again));
	must(c == again && str_eq(pong.payload, STR("start")));
	result r = room_connect(&asker_teller_as_asker_kind, "forbidden", 0, &again);
	must(r.kind == FAIL_DENIED);
	log_event(EV_ACCOUNT_OPENED, NULL);
	return OK;
}

static result ping(struct arrival *in, struct asker_teller_ping *m, struct asker_teller_pong *answer)
{
	const struct room_visitor *v = in->ctx;
	answer->payload = v->number == 9 ? str_from(greeting) : m->payload;
	if (str_eq(m->payload, STR("idle")))
		room_idle();
	return OK;
}

static result ask_back(struct arrival *in, struct asker_teller_ask_back *m, struct asker_teller_pong_back *answer)
{
	(void)in;
	answer->depth = m->depth + 1;
	return OK;
}

static void other_ended(void)
{
	log_event(EV_TLS_FAILED, NULL);
}

static void listener(str protocol, str address, int fd)
{
	log_event(EV_CONNECT, NULL, F_STR("protocol", protocol), F_STR("address", address));
	close(fd);
}

static void left(struct room_visitor *v)
{
	log_event(EV_DISCONNECT, NULL, F_U64("number", v->number));
}

static void stop(void)
{
	log_event(EV_ACCOUNT_SHUT, NULL, F_U64("visitors", room_visitors()));
}

int main(void)
{
	static const struct asker_teller_as_teller handlers = {.ping = ping};
	static const struct room_door doors[] = {{&asker_teller_as_teller_kind, &handlers, left}};
	static const struct asker_teller_as_asker hears = {.ask_back = ask_back};
	static const struct room_ear ears[] = {{&asker_teller_as_asker_kind, &hears, other_ended}};
	static const struct room room = {.ears = ears, .ears_n = 1,
					 .prepare = prepare, .jail = jail, .start = start, .listener = listener,
					 .stop = stop, .doors = doors, .doors_n = 1};
	return room_main(&room);
}
