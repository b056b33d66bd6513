/* The watch room: hears what all the others did. */
#include "talk/room.h"
#include "talk/room_watch.h"
#include "talk/settings.h"
#include "watch/watch.h"

static void on_events(struct arrival *in, struct room_watch_events *m)
{
	const struct room_visitor *v = in->ctx;
	struct origin from = {.role = str_from(v->role), .number = v->number};
	watch_take(&from, m->records);
}

static result on_attest(struct arrival *in, struct room_watch_attest *m, struct room_watch_attested *answer)
{
	const struct room_visitor *v = in->ctx;
	struct origin from = {.role = str_from(v->role), .number = v->number};
	(void)answer;
	return watch_attest(&from, m->record);
}

/* Who guesses at logins learns nothing by it: auth alone asks. */
static result on_habit(struct arrival *in, struct room_watch_habit *m, struct room_watch_habit_is *answer)
{
	const struct room_visitor *v = in->ctx;
	if (!str_eq(str_from(v->role), STR("auth")))
		return failure(FAIL_DENIED, "that is for auth to ask");
	answer->usual = watch_knows_habit(m->account, m->client);
	return OK;
}

static result on_audit_show(struct arrival *in, struct web_watch_audit_show *m, struct web_watch_audit_records *answer)
{
	return watch_audit_show(m, in->arena, answer);
}

static result on_audit_head(struct arrival *in, struct web_watch_audit_head *m, struct web_watch_audit_head_is *answer)
{
	(void)m;
	return watch_audit_head(in->arena, answer);
}

static result on_trace(struct arrival *in, struct web_watch_trace *m, struct web_watch_traces *answer)
{
	return watch_find(m->query, in->arena, answer);
}

static result on_counters(struct arrival *in, struct web_watch_counters *m, struct web_watch_counters_are *answer)
{
	(void)m;
	return watch_counters(in->arena, answer);
}

static result on_ban_list(struct arrival *in, struct web_watch_ban_list *m, struct web_watch_bans *answer)
{
	return watch_ban_list(m->after, in->arena, answer);
}

static result on_ban_add(struct arrival *in, struct web_watch_ban_add *m, struct web_watch_ban_done *answer)
{
	(void)in;
	(void)answer;
	return watch_ban_add(m);
}

static result on_ban_remove(struct arrival *in, struct web_watch_ban_remove *m, struct web_watch_ban_done *answer)
{
	(void)in;
	(void)answer;
	return watch_ban_remove(m->network);
}

static result on_ban_why(struct arrival *in, struct web_watch_ban_why *m, struct web_watch_ban_is *answer)
{
	return watch_ban_why(m->address, in->arena, answer);
}

static result prepare(const struct supervisor_room_begin *b)
{
	struct options o;
	TRY(settings_read(b, &o));
	result r = watch_prepare(&o);
	options_free(&o);
	return r;
}

static result on_places(int countries, int networks)
{
	return places_take(&watch_places, countries, networks);
}

static const struct room_watch_as_watch for_rooms = {.events = on_events, .attest = on_attest, .habit = on_habit};
static const struct web_watch_as_watch for_web = {
	.trace = on_trace, .counters = on_counters, .audit_show = on_audit_show, .audit_head = on_audit_head,
	.ban_list = on_ban_list, .ban_add = on_ban_add, .ban_remove = on_ban_remove, .ban_why = on_ban_why};
static const struct room_door doors[] = {
	{.kind = &room_watch_as_watch_kind, .handlers = &for_rooms},
	{.kind = &web_watch_as_watch_kind, .handlers = &for_web},
};
static const struct sandbox_call *const tables[] = {sandbox_files, NULL};
static const struct sandbox sandbox = {.room = "watch", .tables = tables};
static const struct room room = {.prepare = prepare, .sandbox = &sandbox, .own_folder = true, .bans = watch_page,
				 .start = watch_start, .places = on_places, .stop = watch_stop,
				 .doors = doors, .doors_n = sizeof doors / sizeof doors[0], .keeps_log = true};

int main(void)
{
	return room_main(&room);
}
