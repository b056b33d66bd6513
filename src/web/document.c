/* Prints docs/admin-api.md from the table of endpoints (not installed). */
#include <stdio.h>

#include "web/endpoints.h"

static const char intro[] =
	"# The administration API\n\n"
	"Made from the table in `src/web/endpoints.c` and from `src/talk/web-*.talk`; `make check` compares.\n\n"
	"HTTP/1.1 on the local socket `admin.sock` in the server's directory, for root, the server's own user, and the\n"
	"user ids in the option `administrators`; users with an account here (`local-users`) may ask what says so, and\n"
	"everybody else gets 403. A request is `POST /v1/NAME` with one JSON object of at most 64 KiB, an answer one JSON\n"
	"object. Members that a request does not have are refused; those\n"
	"marked * must be there, the others have the value 0, false, empty.\n\n"
	"    curl --unix-socket admin.sock http://localhost/v1/domain-add -d '{\"name\":\"example.org\"}'\n\n"
	"A refusal is `{\"error\": sentence, \"kind\": word, \"trace\": id}`: input or limit 400, denied 403, absent 404,\n"
	"exists or conflict 409, a room that is not there 502 to 504, no room on the disk 507. What changes something is\n"
	"in the audit log as `admin.asked` before it is done and as `admin.act` before it is answered, with the user id\n"
	"of who asked; where that cannot be written it is refused.\n";

static const char *type_name(const struct talk_field *f)
{
	static const char *const names[] = {
		[TALK_U8] = "number",           [TALK_U16] = "number",  [TALK_U32] = "number",
		[TALK_U64] = "number",          [TALK_I64] = "number",  [TALK_BOOL] = "true or false",
		[TALK_ID] = "32 hexadecimal digits", [TALK_STR] = "text", [TALK_ENUM] = "word",
		[TALK_LIST] = "list",           [TALK_RECORD] = "object", [TALK_BYTES] = "hexadecimal digits",
		[TALK_BODY] = "",               [TALK_FD] = "",
	};
	return names[f->type];
}

static bool is_needed(const struct endpoint *e, const char *name)
{
	str rest = str_from(e->needs);
	while (rest.n > 0) {
		size_t end = str_chr(rest, ' ');
		if (str_eq(str_sub(rest, 0, end), str_from(name)))
			return true;
		rest = end == STR_NONE ? (str){0} : str_skip(rest, end + 1);
	}
	return false;
}

static void put_limit(const struct talk_field *f)
{
	if (f->type == TALK_STR)
		printf(", at most %u octets", f->max);
	for (size_t i = 0; f->type == TALK_ENUM && i < f->max; i++)
		printf("%s%s", i == 0 ? ": " : ", ", f->names[i]);
}

static void put_field(const char *indent, const struct talk_field *f, bool needed)
{
	printf("%s- `%s`%s: %s", indent, f->name, needed ? " *" : "", type_name(f));
	put_limit(f);
	if (f->type == TALK_LIST) {
		printf(" of at most %u: %s", f->max, type_name(f->element));
		put_limit(f->element);
	}
	putchar('\n');
	const struct talk_shape *inner = f->type == TALK_LIST ? f->element->record : f->record;
	for (size_t i = 0; inner && i < inner->n; i++)
		put_field("  ", &inner->fields[i], false);
}

static void put_shape(const char *title, const struct endpoint *e, const struct talk_shape *s)
{
	if (s->n == 0)
		return;
	printf("\n%s:\n\n", title);
	for (size_t i = 0; i < s->n; i++)
		put_field("", &s->fields[i], e && is_needed(e, s->fields[i].name));
}

static void put_endpoint(const struct endpoint *e)
{
	const struct talk_message *m = endpoint_message(e);
	printf("\n## %s\n\n%s", e->name, e->about);
	printf(e->backend == BY_WEB ? "\n" : " Answered by %s.\n", backend_role(e->backend));
	if (!m)
		return;
	put_shape("Request", e, m->shape);
	put_shape("Answer", NULL, backend_kind(e->backend)->pair->messages[m->answer].shape);
}

int main(void)
{
	fputs(intro, stdout);
	for (size_t i = 0; i < endpoints_n; i++)
		put_endpoint(&endpoints[i]);
	return 0;
}
