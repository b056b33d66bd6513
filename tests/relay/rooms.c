/* rooms FOLDER [OPTION=VALUE | OPTION@FILE]...: starts the rooms resolve and
 * fetch as the supervisor does, jail included, and asks them what comes as lines
 * on standard input (a socket), all at once:
 *
 *   look NAME TYPE | get HOST PORT PATH OCTETS | post HOST PORT PATH TYPE BODY
 *
 * Each line is answered there by a line of JSON with its number ("n", from 0),
 * in the order in which they end. It ends with its input; the rooms' end in
 * disorder is its own with status 1. Tests only. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/options.h"
#include "run/files.h"
#include "run/loop.h"
#include "run/random.h"
#include "run/stream.h"
#include "talk/asker_fetch.h"
#include "talk/asker_resolve.h"
#include "talk/channel.h"
#include "talk/supervisor_room.h"

enum { FILE_SIZE_MAX = 65536, LINE_MAX_OCTETS = 4096, ANSWER_MAX = 4 << 20, WORDS = 6, SETTINGS = 32 };

struct room {
	const char *name;
	unsigned told; /* of enum option_rooms */
	pid_t pid;
	struct channel *channel;
};

static struct {
	const char *folder;
	struct room resolve, fetch;
	struct channel *asked_resolve, *asked_fetch;
	struct supervisor_room_setting settings[SETTINGS];
	enum option_id setting_ids[SETTINGS];
	size_t settings_n;
	struct supervisor_room_file files[2];
	enum option_id file_ids[2];
	size_t files_n;
	struct stream *io;
	struct gate ready, writing;
	unsigned ready_n, lines;
	bool busy;
	int status;
} self = {.resolve = {.name = "resolve", .told = R_RESOLVE}, .fetch = {.name = "fetch", .told = R_FETCH}};

static _Noreturn void give_up(const char *what, const char *why)
{
	fprintf(stderr, "rooms: %s: %s\n", what, why);
	exit(1);
}

static void check(const char *what, result r)
{
	if (failed(r))
		give_up(what, r.text);
}

/* ---- the supervisor's part ---- */

static void sockets(int fd[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
		give_up("socketpair", "refused");
}

static void on_ready(struct arrival *in, struct supervisor_room_ready *m)
{
	(void)in;
	if (m->jail.n > 0)
		fprintf(stderr, "rooms: the jail lacks %.*s\n", STR_ARG(m->jail));
	self.ready_n++;
	gate_wake_all(&self.ready);
}

static int lend(struct room *to, const char *pair, const char *role)
{
	int fd[2];
	sockets(fd);
	struct supervisor_room_channel m = {.pair = str_from(pair), .role = str_from(role), .socket = fd[1]};
	check(pair, supervisor_room_channel_send(to->channel, NULL, &m));
	close(fd[1]);
	return fd[0];
}

static result on_connect(struct arrival *in, struct supervisor_room_connect *m,
			 struct supervisor_room_connected *answer)
{
	(void)in;
	if (!str_eq(m->role, STR("resolve")))
		return failure(FAIL_ABSENT, "there is no such room here");
	answer->socket = lend(&self.resolve, "asker-resolve", "fetch");
	return OK;
}

static void on_ended(void *ctx, struct channel *c, result why)
{
	struct room *r = ctx;
	(void)c;
	fprintf(stderr, "rooms: %s ended: %s\n", r->name, why.text);
	self.status = 1;
	loop_end();
}

static void start(struct room *r)
{
	static const struct supervisor_room_as_supervisor handlers = {.ready = on_ready, .connect = on_connect};
	char path[4096];
	int fd[2];
	snprintf(path, sizeof path, "%s/postern-%s", self.folder, r->name);
	sockets(fd);
	r->pid = fork();
	if (r->pid == 0) {
		dup2(fcntl(fd[1], F_DUPFD_CLOEXEC, 10), 3);
		execl(path, path, NULL);
		_exit(99);
	}
	close(fd[1]);
	struct channel_options o = {.fd = fd[0], .peer = r->name, .ctx = r, .ended = on_ended};
	check(r->name, supervisor_room_open_as_supervisor(&o, &handlers, &r->channel));
	struct supervisor_room_setting settings[SETTINGS];
	struct supervisor_room_file files[2];
	struct supervisor_room_begin b = {.role = str_from(r->name), .settings = {settings, 0}, .files = {files, 0}};
	for (size_t i = 0; i < self.settings_n; i++)
		if (option_row_of(self.setting_ids[i])->rooms & r->told)
			settings[b.settings.n++] = self.settings[i];
	for (size_t i = 0; i < self.files_n; i++)
		if (option_row_of(self.file_ids[i])->rooms & r->told)
			files[b.files.n++] = self.files[i];
	check(r->name, supervisor_room_begin_send(r->channel, NULL, &b));
}

/* ---- asking ---- */

struct request {
	unsigned n;
	char line[LINE_MAX_OCTETS + 1];
	str word[WORDS];
};

static void put_json_text(buf *out, str text)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = str_at(text, i);
		if (c < ' ' || c == '"' || c == '\\' || c > 126)
			buf_printf(out, "\\u%04x", c);
		else
			buf_putc(out, (char)c);
	}
	buf_putc(out, '"');
}

static void put_hex(buf *out, str octets)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < octets.n; i++)
		buf_printf(out, "%02x", str_at(octets, i));
	buf_putc(out, '"');
}

static void put_member(buf *out, const char *name, str text)
{
	buf_printf(out, ", \"%s\": ", name);
	put_json_text(out, text);
}

static result look(const struct request *q, arena *a, buf *out)
{
	struct asker_resolve_looked_up answer;
	uint32_t type = 0;
	if (!str_to_u32(q->word[2], &type))
		return failure(FAIL_INPUT, "no type");
	TRY(asker_resolve_look_up_call(self.asked_resolve, NULL,
		&(struct asker_resolve_look_up){.name = q->word[1], .type = (uint16_t)type}, a, &answer));
	put_member(out, "finding", str_from(asker_resolve_finding_names[answer.finding]));
	buf_printf(out, ", \"secure\": %s, \"ttl\": %u", answer.secure ? "true" : "false", answer.ttl);
	put_member(out, "canonical", answer.canonical);
	put_member(out, "why", answer.why);
	buf_put(out, STR(", \"records\": ["));
	for (size_t i = 0; i < answer.records.n; i++) {
		buf_put(out, i ? STR(", ") : STR(""));
		put_hex(out, answer.records.p[i]);
	}
	buf_putc(out, ']');
	asker_resolve_looked_up_release(&answer);
	return OK;
}

static result fetch(const struct request *q, arena *a, buf *out)
{
	struct asker_fetch_got answer;
	uint32_t port = 0, octets = 0;
	if (!str_to_u32(q->word[2], &port))
		return failure(FAIL_INPUT, "no port");
	if (str_eq(q->word[0], STR("get"))) {
		if (!str_to_u32(q->word[4], &octets))
			return failure(FAIL_INPUT, "no size");
		TRY(asker_fetch_get_call(self.asked_fetch, NULL, &(struct asker_fetch_get){.host = q->word[1],
			.port = (uint16_t)port, .path = q->word[3], .octets = octets}, a, &answer));
	} else {
		TRY(asker_fetch_post_call(self.asked_fetch, NULL, &(struct asker_fetch_post){.host = q->word[1],
			.port = (uint16_t)port, .path = q->word[3], .type = q->word[4],
			.message = body_of(q->word[5])}, a, &answer));
	}
	put_member(out, "finding", str_from(asker_fetch_finding_names[answer.finding]));
	buf_printf(out, ", \"status\": %u", answer.status);
	put_member(out, "type", answer.type);
	put_member(out, "why", answer.why);
	put_member(out, "body", answer.message.bytes);
	asker_fetch_got_release(&answer);
	return OK;
}

static void say(const buf *out)
{
	while (self.busy)
		check("writing", gate_wait(&self.writing, FIBER_FOREVER));
	self.busy = true;
	check("writing", stream_write(self.io, buf_str(out)));
	check("writing", stream_flush(self.io));
	self.busy = false;
	gate_wake_one(&self.writing);
}

static void answer_one(void *arg)
{
	struct request *q = arg;
	AUTO_ARENA arena a = arena_new(ANSWER_MAX);
	AUTO_BUF buf out = buf_new(ANSWER_MAX);
	buf_printf(&out, "{\"n\": %u", q->n);
	result r = str_eq(q->word[0], STR("look")) ? look(q, &a, &out) : fetch(q, &a, &out);
	if (failed(r))
		put_member(&out, "refused", str_from(r.text));
	buf_put(&out, STR("}\n"));
	check("answer", buf_result(&out));
	say(&out);
	mem_free(q);
}

static void begin_request(str line)
{
	struct request *q = mem_alloc(sizeof *q);
	if (!q || line.n > LINE_MAX_OCTETS)
		give_up("a line", "too long");
	q->n = self.lines++;
	memcpy(q->line, line.p, line.n);
	str rest = str_of(q->line, line.n);
	for (size_t i = 0; i < WORDS && rest.n > 0; i++) {
		q->word[i] = i == WORDS - 1 ? rest : str_sub(rest, 0, str_chr(rest, ' '));
		rest = str_skip(rest, q->word[i].n + 1);
	}
	check("a request", fiber_start(answer_one, q, "request", NULL));
}

/* ---- life ---- */

static void live(void *arg)
{
	(void)arg;
	str line;
	start(&self.resolve);
	start(&self.fetch);
	while (self.ready_n < 2)
		if (failed(gate_wait(&self.ready, FIBER_FOREVER)))
			return;
	struct channel_options o = {.fd = lend(&self.resolve, "asker-resolve", "relay"), .peer = "resolve"};
	check("resolve", asker_resolve_open_as_asker(&o, NULL, &self.asked_resolve));
	o = (struct channel_options){.fd = lend(&self.fetch, "asker-fetch", "relay"), .peer = "fetch"};
	check("fetch", asker_fetch_open_as_asker(&o, NULL, &self.asked_fetch));
	check("standard input", stream_open(dup(0), &self.io));
	while (!failed(stream_read_line(self.io, LINE_MAX_OCTETS, LINE_ANY, &line)))
		begin_request(line);
	loop_end();
}

static void read_argument(char *argument)
{
	static char content[2][FILE_SIZE_MAX];
	size_t n = strcspn(argument, "=@");
	enum option_id id;
	if (!option_find(str_of(argument, n), &id))
		give_up(argument, "no such option");
	str value = str_from(argument + n + 1);
	if (argument[n] == '=') {
		self.setting_ids[self.settings_n] = id;
		self.settings[self.settings_n++] = (struct supervisor_room_setting){str_of(argument, n), value};
		return;
	}
	AUTO_BUF buf file = buf_new(FILE_SIZE_MAX);
	check(argument, file_load(value.p, &file));
	memcpy(content[self.files_n], file.p, file.n);
	self.file_ids[self.files_n] = id;
	str held = str_of(content[self.files_n], file.n);
	self.files[self.files_n++] = (struct supervisor_room_file){str_of(argument, n), held};
}

int main(int argc, char **argv)
{
	self.folder = argv[1];
	for (int i = 2; i < argc; i++)
		read_argument(argv[i]);
	check("randomness", random_open());
	check("loop", loop_open());
	gate_init(&self.ready);
	gate_init(&self.writing);
	check("life", fiber_start(live, NULL, "life", NULL));
	loop_run();
	/* The rooms end with their channels. */
	channel_close(&self.asked_resolve);
	channel_close(&self.asked_fetch);
	channel_close(&self.resolve.channel);
	channel_close(&self.fetch.channel);
	stream_free(&self.io);
	loop_close();
	waitpid(self.resolve.pid, NULL, 0);
	waitpid(self.fetch.pid, NULL, 0);
	return self.status;
}
