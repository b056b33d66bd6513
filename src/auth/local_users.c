#include "auth/local_users.h"

#include <pwd.h>
#include <stdio.h>

#include "base/mem.h"

enum { USERS_MAX = 1000, NAME_MAX_OCTETS = 256 };

/* "33", "www-data" */
static bool uid_of(str user, uint32_t *out)
{
	char name[NAME_MAX_OCTETS];
	if (str_to_u32(user, out))
		return true;
	if (user.n == 0 || user.n >= sizeof name)
		return false;
	snprintf(name, sizeof name, "%.*s", STR_ARG(user));
	const struct passwd *p = getpwnam(name);
	if (p)
		*out = p->pw_uid;
	return p != NULL;
}

static result add(struct local_users *l, uint32_t uid, str address)
{
	if (hash_get_u64(&l->users, uid))
		return OK;
	char *copy = mem_alloc(address.n + 1);
	if (!copy)
		return failure(FAIL_MEMORY, "out of memory");
	memcpy(copy, address.p, address.n);
	result r = hash_put_u64(&l->users, uid, copy);
	if (failed(r))
		mem_free(copy);
	return r;
}

result local_users_read(struct local_users *l, str list)
{
	str rule;
	l->users = hash_new(USERS_MAX);
	while (options_next(&list, &rule)) {
		size_t equals = str_chr(rule, '=');
		uint32_t uid;
		if (equals != STR_NONE && uid_of(str_trim(str_sub(rule, 0, equals)), &uid))
			TRY(add(l, uid, str_trim(str_skip(rule, equals + 1))));
	}
	return OK;
}

void local_users_free(struct local_users *l)
{
	hash_free_values(&l->users);
}

str local_users_address(const struct local_users *l, uint32_t uid)
{
	const char *address = hash_get_u64(&l->users, uid);
	return address ? str_from(address) : (str){NULL, 0};
}

result local_users_login(struct auth *a, const void *channel, const struct edge_auth_local_login *m,
			 struct edge_auth_login_is *answer)
{
	str address = local_users_address(&a->local_users, m->uid);
	const struct book_account *who = address.n ? reach_login(&a->directory->book, address) : NULL;
	answer->session = -1;
	answer->verdict = EDGE_AUTH_LOGIN_VERDICT_REFUSED;
	if (!who)
		return OK;
	answer->verdict = EDGE_AUTH_LOGIN_VERDICT_DISABLED;
	if (who->disabled)
		return OK;
	TRY(tokens_give(&a->tokens, channel, (struct token_owner){.account = who->id}, &answer->token));
	answer->account = who->id;
	answer->address = who->entry->key;
	answer->verdict = EDGE_AUTH_LOGIN_VERDICT_ACCEPTED;
	return OK;
}
