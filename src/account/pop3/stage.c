/* The protocol of the stage: POP3, with letters of which only the octets matter. A
 * message of DELIVER has 50 octets and twice its name, STAGE_TRACE included. */
#include "account/stage.h"

static void letter(str message, arena *m, struct letter *out)
{
	size_t header = str_find(message, STR("\r\n\r\n"));
	(void)m;
	*out = (struct letter){
		.trace = STR(STAGE_TRACE),
		.body = message,
		.header_size = header == STR_NONE ? message.n : header + 4,
		.envelope = STR("NIL"),
		.structure = STR("NIL"),
		.basic = STR("NIL"),
		.parts = STR("parts"),
		.search = STR(""),
	};
}

static void small(buf *out, str name)
{
	buf_printf(out, "Subject: %.*s\r\n\r\n%.*s\r\n", STR_ARG(name), STR_ARG(name));
}

static void open_home(struct stage *t)
{
	t->pop3.owner = t->kit->owner;
	t->pop3.idle_ms = 60000;
	pop3_home_init(&t->pop3);
}

static void close_home(struct stage *t)
{
	pop3_sessions_stop(&t->pop3);
	assert_true(list_empty(&t->pop3.sessions));
}

static void run(struct stage *t, int socket)
{
	pop3_session_run(&t->pop3, socket, 0);
}

/* The greeting counts the messages: dialogues hear it. */
static void greeted(struct stage *t, size_t who)
{
	(void)t;
	(void)who;
}

const struct stage_protocol stage_protocol = {open_home, close_home, run, greeted, letter, small};
