#include "account/store/core.h"

bool known_holds(const struct work *w)
{
	return w->store->known.any && w->store->known.stamp == db_stamp(w->db);
}

result known_account(struct work *w)
{
	const struct known *k = &w->store->known;
	bool here = known_holds(w);
	w->inbox = here && k->inbox ? k->box.id : 0;
	w->account = here ? k->account : (struct account_row){0};
	if (here)
		return OK;
	result r = account_get(w->db, &w->account);
	if (failed(r) && r.kind != FAIL_ABSENT)
		return r;
	unlisted_count_in_account(&w->store->lists.unlisted, &w->account);
	return OK;
}

/* Work that is unlisted changes no counts, whatever else it writes meanwhile. */
bool known_box(const struct work *w, uint64_t id, struct box_row *out)
{
	if (!id || !(w->unlisted || known_holds(w)) || w->store->known.box.id != id)
		return false;
	*out = w->store->known.box;
	return true;
}

/* Where names or mailboxes changed too the next one asks again. */
static bool only_counted(const struct work *w)
{
	for (size_t i = 0; i < w->effects.boxes_n; i++)
		if (w->effects.boxes[i].kind != BOX_COUNTED)
			return false;
	return w->boxes_n > 0;
}

void known_keep(struct work *w)
{
	struct known *k = &w->store->known;
	k->any = only_counted(w);
	if (!k->any)
		return;
	k->stamp = db_stamp(w->db);
	k->account = w->account;
	k->box = w->boxes[0].was; /* as it was written back */
	k->inbox = k->box.id == w->inbox;
	k->above = w->unlisted || w->listed == k->box.id;
}
