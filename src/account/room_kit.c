#include "account/room_kit.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "account/account.h"
#include "grammar/mime/facts.h"
#include "grammar/text/charset.h"
#include "run/net.h"
#include "talk/principal_vault.h"
#include "talk/room.h"

const unsigned char item_key[ITEM_KEY] = "the key of one queue item";

struct account account;

struct room_kit t;

struct actor account_as(enum actor_kind kind)
{
	return (struct actor){account.store, kind};
}

/* Of inspect.c, which no letter of these tests needs. */
result account_facts(struct body *message, arena *m, str *facts)
{
	(void)message;
	(void)m;
	(void)facts;
	return failure(FAIL_BUSY, "there is no inspect here");
}

/* ---- in place of the supervisor and the vault */

result room_connect(const struct channel_kind *kind, const char *role, uint64_t number, struct channel **out)
{
	(void)number;
	if (kind != &principal_vault_as_principal_kind || !str_eq(str_from(role), STR("vault")))
		return failure(FAIL_BUSY, "there is no such room here");
	*out = t.vault;
	return OK;
}

uint64_t room_number(void)
{
	return 42;
}

bool room_stopping(void)
{
	return t.stopping;
}

void room_idle(void)
{
	t.idle++;
}

void room_give_up(result why)
{
	(void)why;
	abort();
}

static result on_unwrap(struct arrival *in, struct principal_vault_unwrap *m, struct principal_vault_own_key_is *answer)
{
	(void)in;
	if (!str_eq(m->wrapped, STR("wrapping")))
		return failure(FAIL_DAMAGE, "that was wrapped for somebody else");
	memcpy(answer->key, item_key, sizeof answer->key);
	return OK;
}

/* ---- life */

void find_facts(void *arg)
{
	struct facts f;
	struct charsets *cs = charsets_new();
	AUTO_BUF buf encoded = buf_new(FACTS_ENCODED_MAX);
	arena m = arena_new(FACTS_ARENA_MAX);
	(void)arg;
	assert_ok(facts_of(STR(ROOM_MAIL), &(struct facts_wants){cs, true}, &m, &f));
	facts_encode(&f, &encoded);
	t.facts = arena_dup(&t.m, buf_str(&encoded));
	arena_free(&m);
	charsets_free(&cs);
}

static void open_doors(void)
{
	static const struct principal_vault_as_vault vault_handlers = {.unwrap = on_unwrap};
	int c[2], a[2], v[2];
	assert_ok(net_pair(SOCK_SEQPACKET, c));
	assert_ok(net_pair(SOCK_SEQPACKET, a));
	assert_ok(net_pair(SOCK_SEQPACKET, v));
	struct channel_options o[] = {
		{.fd = c[0], .peer = "account 42"}, {.fd = c[1], .peer = "edge-mx 0"}, {.fd = a[0], .peer = "account 42"},
		{.fd = a[1], .peer = "auth 0"},     {.fd = v[0], .peer = "vault 0"},   {.fd = v[1], .peer = "account 42"},
	};
	assert_ok(courier_account_open_as_courier(&o[0], NULL, &t.courier));
	assert_ok(courier_account_open_as_account(&o[1], &courier_handlers, &t.courier_far));
	assert_ok(auth_account_open_as_auth(&o[2], NULL, &t.auth));
	assert_ok(auth_account_open_as_account(&o[3], &auth_handlers, &t.auth_far));
	assert_ok(principal_vault_open_as_principal(&o[4], NULL, &t.vault));
	assert_ok(principal_vault_open_as_vault(&o[5], &vault_handlers, &t.vault_far));
}

static void close_doors(void)
{
	struct channel **all[] = {&t.courier, &t.courier_far, &t.auth, &t.auth_far, &t.vault, &t.vault_far};
	assert_ok(channel_drain(t.courier_far, 10000));
	assert_ok(channel_drain(t.auth_far, 10000));
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		channel_close(all[i]);
}

static void (*body)(void);

static void in_room(struct kit *k)
{
	t.kit = k;
	t.m = arena_new(64 * 1024 * 1024);
	options_init(&account.options);
	gate_init(&account.opened);
	account.store = k->store;
	imap_home_init(&account.imap);
	account.imap.owner = k->owner;
	account.imap.idle_ms = 60000;
	account.imap.message_max = 1024 * 1024;
	pop3_home_init(&account.pop3);
	account.pop3.owner = k->owner;
	account.pop3.idle_ms = 60000;
	fiber_on_loop_stack(find_facts, NULL);
	open_doors();
	body();
	imap_sessions_stop(&account.imap);
	pop3_sessions_stop(&account.pop3);
	close_doors();
	options_free(&account.options);
	arena_free(&t.m);
	account.store = NULL;
}

void run_in_room(void (*fn)(void))
{
	body = fn;
	kit_run(in_room);
}

/* ---- letters */

struct courier_account_delivered deliver(unsigned char id, str facts)
{
	struct courier_account_deliver m = {
		.delivery = {{id}},
		.sender = STR("a@example.net"),
		.recipient = STR("user@example.test"),
		.received = 1700000000,
		.trace = STR("Return-Path: <a@example.net>\r\n"),
		.facts = body_of(facts),
		.message = body_of(STR(ROOM_MAIL)),
	};
	struct courier_account_delivered is;
	assert_ok(courier_account_deliver_call(t.courier, NULL, &m, &t.m, &is));
	return is;
}
