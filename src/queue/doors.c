#include "queue/doors.h"

#include "queue/admin.h"
#include "queue/contain.h"
#include "queue/tls_days.h"

static result on_keep(struct arrival *in, struct edge_queue_keep *m, struct edge_queue_kept *answer)
{
	uint64_t item;
	(void)in;
	(void)answer;
	if (m->sealed.bytes.n == 0 || m->wrapped.n == 0)
		return failure(FAIL_INPUT, "an item without content or key could never be delivered");
	TRY(items_keep(&queue, m, &item));
	if (item > 0)
		log_event(m->deaths >= QUEUE_DEATHS ? EV_QUARANTINED : EV_QUEUED, &m->delivery, F_U64("item", item),
			  F_U64("account", m->account), F_STR("recipient", m->recipient), F_U64("size", m->size));
	return OK;
}

static result on_post(struct arrival *in, struct edge_queue_post *m, struct edge_queue_kept *answer)
{
	(void)answer;
	return mail_post(&queue, m, in->arena);
}

static result on_list(struct arrival *in, struct web_queue_list *m, struct web_queue_items *answer)
{
	return admin_list(&queue, m, in->arena, answer);
}

static result on_show(struct arrival *in, struct web_queue_show *m, struct web_queue_message_is *answer)
{
	return admin_show(&queue, m, in->arena, answer);
}

/* ---- what an administrator does ---- */

static result report(const struct arrival *in, const char *act, const struct choice *c, result r)
{
	if (failed(r))
		log_event(EV_ADMIN_REFUSED, &in->trace, F_STR("act", str_from(act)), F_U64("item", c->item),
			  F_STR("message", c->message), F_STR("sender", c->sender), F_STR("destination", c->destination),
			  F_STR("why", str_from(r.text)));
	else
		log_event(EV_ADMIN, &in->trace, F_STR("act", str_from(act)), F_U64("item", c->item),
			  F_STR("message", c->message), F_STR("sender", c->sender), F_STR("destination", c->destination));
	return r;
}

#define CHOICE(M) &(struct choice){(M)->item, (M)->message, (M)->sender, (M)->destination}

static result on_retry(struct arrival *in, struct web_queue_retry *m, struct web_queue_done *answer)
{
	const struct choice *c = CHOICE(m);
	return report(in, "queue retry", c, admin_act(&queue, c, ADMIN_RETRY, &answer->items));
}

static result on_hold(struct arrival *in, struct web_queue_hold *m, struct web_queue_done *answer)
{
	const struct choice *c = CHOICE(m);
	return report(in, "queue hold", c, admin_act(&queue, c, ADMIN_HOLD, &answer->items));
}

static result on_release(struct arrival *in, struct web_queue_release *m, struct web_queue_done *answer)
{
	const struct choice *c = CHOICE(m);
	return report(in, "queue release", c, admin_act(&queue, c, ADMIN_RELEASE, &answer->items));
}

static result on_drop(struct arrival *in, struct web_queue_drop *m, struct web_queue_done *answer)
{
	const struct choice *c = CHOICE(m);
	return report(in, "queue drop", c, admin_act(&queue, c, ADMIN_DROP, &answer->items));
}

static result on_flush(struct arrival *in, struct web_queue_flush *m, struct web_queue_done *answer)
{
	(void)m;
	return report(in, "queue flush", &(struct choice){0}, admin_flush(&queue, &answer->items));
}

static result on_suppressed(struct arrival *in, struct web_queue_suppressed *m, struct web_queue_suppressed_are *answer)
{
	return admin_suppressed(&queue, m->after, in->arena, answer);
}

static result on_lift(struct arrival *in, struct web_queue_lift *m, struct web_queue_done *answer)
{
	answer->items = 1;
	return report(in, "queue lift", &(struct choice){.destination = m->address}, admin_lift(&queue, m->address));
}

static result on_tls(struct arrival *in, struct web_queue_tls *m, struct web_queue_tls_are *answer)
{
	return tls_days_list(&queue, m->after, in->arena, answer);
}

static result on_tls_tell(struct arrival *in, struct web_queue_tls_tell *m, struct web_queue_done *answer)
{
	(void)m;
	return report(in, "queue tls-tell", &(struct choice){0}, tls_days_tell_now(&queue, &answer->items));
}

/* ---- accounts that are contained ---- */

static result on_contain(struct arrival *in, struct auth_queue_contain *m, struct auth_queue_contained *answer)
{
	(void)in;
	return contain_hold(&queue, m->account, &answer->recipients);
}

static result on_free(struct arrival *in, struct auth_queue_free *m, struct auth_queue_contained *answer)
{
	(void)in;
	return contain_free(&queue, m->account, m->release, &answer->recipients);
}

const struct auth_queue_as_queue contain_handlers = {.contain = on_contain, .free = on_free};
const struct edge_queue_as_queue edge_handlers = {.keep = on_keep, .post = on_post};
const struct web_queue_as_queue web_handlers = {.list = on_list, .show = on_show, .retry = on_retry, .hold = on_hold,
	.release = on_release, .drop = on_drop, .flush = on_flush, .suppressed = on_suppressed, .lift = on_lift,
	.tls = on_tls, .tls_tell = on_tls_tell};
