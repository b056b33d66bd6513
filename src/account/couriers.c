/* Letters that edges and the queue bring. An answer goes out after the commit,
 * never before; a letter that cannot be taken is answered with words, whatever
 * a neighbour says about it. */
#include <sodium.h>

#include "account/account.h"
#include "account/letters.h"
#include "account/opening.h"
#include "talk/auth_account.h"
#include "talk/courier_account.h"
#include "talk/item.h"
#include "talk/principal_vault.h"
#include "talk/room.h"

enum { TEXT_MAX = COURIER_ACCOUNT_DELIVERED_TEXT_MAX };

/* Nobody is at home: as the account was when it was shut, and what came since. */
static result shut_may_take(uint64_t size, uint64_t *headroom)
{
	uint64_t octets, quota;
	opening_noted(&octets, &quota);
	*headroom = !quota ? UINT64_MAX : octets < quota ? quota - octets : 0;
	if (quota && size > quota)
		return failure(FAIL_LIMIT, "the message is larger than the mailbox's quota");
	return size > *headroom || *headroom == 0 ? failure(FAIL_FULL, "the mailbox is over its quota") : OK;
}

static result may_take(uint64_t size, uint64_t *headroom)
{
	const struct actor courier = account_as(ACTOR_COURIER);
	if (account.store)
		return store_may_take(&courier, size, headroom);
	return account.arrivals ? shut_may_take(size, headroom) : failure(FAIL_BUSY, "the account is being closed");
}

static result on_may_take(struct arrival *in, struct courier_account_may_take *m,
	struct courier_account_may_take_is *answer)
{
	(void)in;
	answer->verdict = COURIER_ACCOUNT_TAKE_VERDICT_YES;
	result r = may_take(m->size, &answer->headroom);
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

static void log_kept(const struct arrival *in, const struct item *i, const struct arrived *done, bool sealed)
{
	if (sealed)
		log_event(EV_ARRIVED, &in->trace, F_U64("account", room_number()), F_STR("recipient", i->recipient),
			F_U64("size", i->trace.n + i->message.n));
	else if (!done->duplicate)
		log_event(EV_DELIVERED, &in->trace, F_U64("account", room_number()), F_STR("recipient", i->recipient),
			F_STR("mailbox", STR("INBOX")), F_U64("size", i->trace.n + i->message.n));
}

/* Whether it is a repeat only the merge will know. */
static result keep_sealed(const trace_id *delivery, const struct item *i, struct arrived *done)
{
	TRY(arrivals_add(account.arrivals, delivery, i));
	*done = (struct arrived){.duplicate = false};
	result r = shut_may_take(0, &done->headroom);
	(void)r; /* the headroom was asked for alone */
	return OK;
}

/* Keeps one; `done` is written when OK. */
static result keep(const trace_id *delivery, const struct item *i, struct arrived *done, bool *sealed)
{
	const struct actor courier = account_as(ACTOR_COURIER);
	AUTO_ARENA arena m = arena_new(ACCOUNT_FACTS_ARENA);
	struct letter letter;
	if (!account.store && !account.arrivals)
		return failure(FAIL_BUSY, "the account is being closed");
	TRY(letter_of(i->facts, i->message, &m, &letter));
	*sealed = account.arrivals && !account.merged;
	if (*sealed)
		return keep_sealed(delivery, i, done);
	letter.trace = i->trace;
	const struct incoming what = {.delivery = *delivery, .received = i->received, .letter = &letter};
	return message_deliver(&courier, &what, done);
}

static result deliver(struct arrival *in, const trace_id *delivery, const struct item *i,
	struct courier_account_delivered *answer)
{
	struct arrived done;
	bool sealed = false;
	result r = opening_await_change();
	account.deliveries++;
	if (!failed(r))
		r = keep(delivery, i, &done, &sealed);
	account.deliveries--;
	idle_stir();
	if (failed(r)) {
		answer_unable(r, answer);
		log_event(EV_DELIVERY_DEFERRED, &in->trace, F_U64("account", room_number()),
			F_STR("why", str_from(r.text)));
	} else {
		answer_kept(&done, answer);
		log_kept(in, i, &done, sealed);
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

/* ---- what the server itself writes ---- */

result account_on_letter(struct arrival *in, struct auth_account_letter *m, struct auth_account_letter_kept *answer)
{
	AUTO_ARENA arena facts = arena_new(ACCOUNT_FACTS_ARENA);
	struct body message = body_of(m->message);
	struct item i = {.received = m->received, .recipient = m->recipient, .trace = STR("Return-Path: <>\r\n"),
		.message = m->message};
	struct courier_account_delivered is = {0};
	(void)answer;
	TRY(account_facts(&message, &facts, &i.facts));
	TRY(deliver(in, &m->delivery, &i, &is));
	return is.verdict == COURIER_ACCOUNT_DELIVER_VERDICT_UNABLE
		? failure(FAIL_BUSY, "the letter cannot be kept now") : OK;
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
