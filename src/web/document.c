/* Prints docs/admin-api.md from the table of endpoints (not installed). */
#include <stdio.h>

#include "web/endpoints.h"

static const char intro[] =
	"# The administration API\n\n"
	"Made from the table in `src/web/endpoints.c` and from `src/talk/web-*.talk`; `make check` compares.\n\n"
	"HTTP/1.1. A request is `POST /v1/NAME` with one JSON object of at most 64 KiB, an answer one JSON object.\n"
	"Members that a request does not have are refused; those marked * must be there, the others have the value\n"
	"0, false, empty.\n\n"
	"A refusal is `{\"error\": sentence, \"kind\": word, \"trace\": id}`: input or limit 400, not logged in 401,\n"
	"denied 403, absent 404, exists or conflict 409, a room that is not there 502 to 504, no room on the disk\n"
	"507. What changes something is in the audit log as `admin.asked` before it is done and as `admin.act`\n"
	"before it is answered, with who asked: a user id, or account and address; where that cannot be written it\n"
	"is refused.\n\n"
	"## On the machine\n\n"
	"The local socket `admin.sock` in the server's directory serves root, the server's own user, and the user\n"
	"ids in the option `administrators`; users with an account here (`local-users`) may ask what says so, and\n"
	"everybody else gets 403. Nobody logs in: the kernel says whose process it is. `postern` uses it.\n\n"
	"    curl --unix-socket admin.sock http://localhost/v1/domain-add -d '{\"name\":\"example.org\"}'\n\n"
	"## Over the network\n\n"
	"HTTPS on the addresses of `listen-https` (none, unless it is set), for clients from the networks in\n"
	"`administration-from` (loopback, unless it is set); others get 403, and nothing that they send is read. An\n"
	"account that is an administrator's and has a second factor may ask everything; any other account what says\n"
	"so, about itself:\n\n"
	"    postern account administrator on anna@example.org\n"
	"    postern account second-factor totp --account anna@example.org\n\n"
	"`login` takes the account's address, its own password, and a code of the second factor or a recovery code,\n"
	"each good once. Administrators and accounts of a domain that demands it cannot log in without a second\n"
	"factor; others need a code when they have one. What it answers as `token` is shown with each request:\n\n"
	"    curl --cacert ca.pem https://mail.example.org/v1/login \\\n"
	"        -d '{\"user\":\"anna@example.org\",\"password\":\"...\",\"code\":\"123456\"}'\n"
	"    curl --cacert ca.pem https://mail.example.org/v1/status -H 'Authorization: Bearer TOKEN' -d '{}'\n"
	"    curl --cacert ca.pem https://mail.example.org/v1/logout -H 'Authorization: Bearer TOKEN' -d '{}'\n\n"
	"A session ends at `logout`, after 15 minutes without a request and 12 hours in all, when auth's process is\n"
	"replaced, and when the account's password or second factor changes or it is disabled, contained, reset or\n"
	"erased. Each request is measured anew: whether the account still is an administrator's, and its rules for\n"
	"`admin` (networks, countries, hours). A refused login takes longer the more there were, and ends the\n"
	"connection; bans and limits hold as for mail. There are no cookies, so a page of somebody else's can make\n"
	"a browser do nothing here; answers are not to be kept, nor shown as pages. In the audit log:\n"
	"`login.accepted` and `login.refused` with protocol `admin`, `login.ended` with the reason, `admin.refused`\n"
	"for who came from elsewhere or asked for what is not theirs.\n";

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
	if (e->whom == FOR_OWNERS)
		puts("\nAny account may ask it, about itself.");
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
