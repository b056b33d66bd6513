/* Letters that edges and the queue bring. An answer goes out after the commit,
 * never before; a letter that cannot be taken is answered with words, whatever
 * a neighbour says about it. */
#include <sodium.h>

#include "account/account.h"
#include "account/letters.h"
#include "talk/courier_account.h"
#include "talk/item.h"
#include "talk/principal_vault.h"
#include "talk/room.h"

enum { TEXT_MAX = COURIER_ACCOUNT_DELIVERED_TEXT_MAX };

static result on_may_take(struct arrival *in, struct courier_account_may_take *m,
	struct courier_account_may_take_is *answer)
{
	const struct actor courier = account_as(ACTOR_COURIER);
	(void)in;
	if (!account.store)
		return failure(FAIL_BUSY, "the account is being closed");
	answer->verdict = COURIER_ACCOUNT_TAKE_VERDICT_YES;
	result r = store_may_take(&courier, m->size, &answer->headroom);
	if (r.kind == FAIL_FULL)
		answer->verdict = COURIER_ACCOUNT_TAKE_VERDICT_OVER_QUOTA;
	else if (r.kind != FAIL_LIMIT)
		TRY(r);
	if (r.kind == FAIL_LIMIT || m->size > options_number(&account.options, OPT_MESSAGE_SIZE))
		answer->verdict = COURIER_ACCOUNT_TAKE_VERDICT_TOO_LARGE;
	return OK;
}

static void answer_unable(result why, struct courier_account_delivered *answer)
{
	*answer = (struct courier_account_delivered){
		.verdict = COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE,
		.text = str_sub(str_from(why.text), 0, TEXT_MAX),
	};
}

static void answer_kept(const struct arrived *done, struct courier_account_delivered *answer)
{
	answer->verdict = done->duplicate ? COURIER_ACCOUNT_DELIVER_VERDICT_DUPLICATE
					  : COURIER_ACCOUNT_DELIVER_VERDICT_KEPT;
	answer->headroom = done->headroom;
}

static void log_kept(const struct arrival *in, const struct item *i, const struct arrived *done)
{
	if (!done->duplicate)
		log_event(EV_DELIVERED, &in->trace, F_U64("account", room_number()), F_STR("recipient", i->recipient),
			F_STR("mailbox", STR("INBOX")), F_U64("size", i->trace.n + i->message.n));
}

/* Keeps one; `done` is written when OK. */
static result keep(const trace_id *delivery, const struct item *i, struct arrived *done)
{
	const struct actor courier = account_as(ACTOR_COURIER);
	AUTO_ARENA arena m = arena_new(ACCOUNT_FACTS_ARENA);
	struct letter letter;
	if (!account.store)
		return failure(FAIL_BUSY, "the account is being closed");
	TRY(letter_of(i->facts, i->message, &m, &letter));
	letter.trace = i->trace;
	const struct incoming what = {.delivery = *delivery, .received = i->received, .letter = &letter};
	return message_deliver(&courier, &what, done);
}

static result deliver(struct arrival *in, const trace_id *delivery, const struct item *i,
	struct courier_account_delivered *answer)
{
	struct arrived done;
	account.deliveries++;
	result r = keep(delivery, i, &done);
	account.deliveries--;
	idle_stir();
	if (failed(r)) {
		answer_unable(r, answer);
		log_event(EV_DELIVERY_DEFERRED, &in->trace, F_U64("account", room_number()),
			F_STR("why", str_from(r.text)));
	} else {
		answer_kept(&done, answer);
		log_kept(in, i, &done);
	}
	return OK;
}

static result on_deliver(struct arrival *in, struct courier_account_deliver *m,
	struct courier_account_delivered *answer)
{
	const struct item i = {
		.received = m->received,
		.sender = m->sender,
		.recipient = m->recipient,
		.trace = m->trace,
		.facts = m->facts.bytes,
		.message = m->message.bytes,
	};
	return deliver(in, &m->delivery, &i, answer);
}

/* ---- what the queue held */

static result unwrap(str wrapped, arena *a, unsigned char key[ITEM_KEY])
{
	struct principal_vault_unwrap q = {.wrapped = wrapped};
	struct principal_vault_own_key_is is;
	const struct asking how = {.arena = a, .timeout_ms = ACCOUNT_VAULT_MS};
	struct channel *vault;
	TRY(room_connect(&principal_vault_as_principal_kind, "vault", 0, &vault));
	TRY(principal_vault_unwrap_call_within(vault, &how, &q, &is));
	memcpy(key, is.key, ITEM_KEY);
	sodium_memzero(is.key, sizeof is.key);
	return OK;
}

static result open_item(struct arrival *in, const struct courier_account_deliver_sealed *m, buf *plain,
	struct item *out)
{
	unsigned char key[ITEM_KEY];
	TRY(unwrap(m->wrapped, in->arena, key));
	result r = item_open(m->sealed.bytes, &m->delivery, key, plain, out);
	sodium_memzero(key, sizeof key);
	return r;
}

static result on_deliver_sealed(struct arrival *in, struct courier_account_deliver_sealed *m,
	struct courier_account_delivered *answer)
{
	AUTO_BUF buf plain = buf_new(COURIER_ACCOUNT_DELIVER_SEALED_SEALED_MAX);
	struct item i;
	result r = open_item(in, m, &plain, &i);
	if (!failed(r))
		return deliver(in, &m->delivery, &i, answer);
	answer_unable(r, answer);
	return OK;
}

const struct courier_account_as_account courier_handlers = {
	.may_take = on_may_take,
	.deliver = on_deliver,
	.deliver_sealed = on_deliver_sealed,
};
