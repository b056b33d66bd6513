#include "queue/doors.h"

#include "queue/items.h"

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

static result on_list(struct arrival *in, struct web_queue_list *m, struct web_queue_items *answer)
{
	return items_list(&queue, m->after, in->arena, answer);
}

static result report(const struct arrival *in, const char *act, uint64_t item, result r)
{
	if (failed(r))
		log_event(EV_ADMIN_REFUSED, &in->trace, F_STR("act", str_from(act)), F_U64("item", item),
			  F_STR("why", str_from(r.text)));
	else
		log_event(EV_ADMIN, &in->trace, F_STR("act", str_from(act)), F_U64("item", item));
	return r;
}

static result on_release(struct arrival *in, struct web_queue_release *m, struct web_queue_done *answer)
{
	(void)answer;
	return report(in, "queue release", m->item, items_release(&queue, m->item));
}

static result on_drop(struct arrival *in, struct web_queue_drop *m, struct web_queue_done *answer)
{
	struct item gone = {0};
	(void)answer;
	result r = items_drop(&queue, m->item, &gone);
	if (!failed(r))
		log_event(EV_QUEUE_DROPPED, &gone.delivery, F_U64("item", m->item), F_U64("account", gone.account),
			  F_STR("why", STR("an administrator dropped it")));
	return report(in, "queue drop", m->item, r);
}

const struct edge_queue_as_queue edge_handlers = {.keep = on_keep};
const struct web_queue_as_queue web_handlers = {.list = on_list, .release = on_release, .drop = on_drop};
