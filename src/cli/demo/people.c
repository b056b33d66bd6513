/* The demo's domains and accounts, made through the administration API. */
#include <sodium.h>
#include <stdio.h>

#include "base/mem.h"
#include "cli/demo/demo.h"
#include "cli/show.h"

static result refused(struct demo *d, const char *what, json_t *answer)
{
	str why = text_of(answer, "error");
	result r = demo_trouble(d, FAIL_DENIED, "%s: %.*s", what, STR_ARG(why));
	json_decref(answer);
	return r;
}

static result make_domain(struct demo *d, const char *name)
{
	json_t *answer;
	int status = api_post(d->api, "domain-add", json_pack("{s:s}", "name", name), &answer);
	if (status != STATUS_DONE && !str_eq(text_of(answer, "kind"), STR("exists")))
		return refused(d, name, answer);
	json_decref(answer);
	return OK;
}

/* A demo that was given its domain has no other: to it example.org may be somebody else's. */
static result make_domains(struct demo *d)
{
	TRY(make_domain(d, d->domain));
	return call_option(d->call, "domain") ? OK : make_domain(d, "example.org");
}

/* Hashed once: hashing the one password for each account would take minutes. */
static result hash_password(const struct demo *d, char hash[crypto_pwhash_STRBYTES])
{
	if (crypto_pwhash_str_alg(hash, d->password, strlen(d->password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
				  DEMO_HASH_MEMORY, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return failure(FAIL_MEMORY, "out of memory for hashing the password");
	return OK;
}

static json_t *account_request(const struct demo *d, unsigned number, const char *hash)
{
	char address[DEMO_DOMAIN_MAX + 32], name[64];
	snprintf(address, sizeof address, "user%u@%s", number, d->domain);
	snprintf(name, sizeof name, "User %u", number);
	return json_pack("{s:s, s:s, s:s, s:b}", "address", address, "name", name, "hash", hash, "admin", number == 1);
}

/* Addresses of accounts that are there from an earlier start. */
static result known_accounts(struct demo *d, json_t **out)
{
	json_t *answer, *row;
	size_t i;
	int status = api_list(d->api, &(struct api_pages){.name = "account-list", .key = "address"}, &answer);
	if (status != STATUS_DONE)
		return refused(d, "the accounts cannot be listed", answer);
	*out = json_object();
	json_array_foreach(json_object_get(answer, "rows"), i, row) {
		str address = text_of(row, "address");
		json_object_setn_new(*out, address.p, address.n, json_true());
	}
	json_decref(answer);
	return OK;
}

static result outcome(struct demo *d, struct api_job *jobs, size_t n)
{
	result r = OK;
	for (size_t i = 0; i < n; i++) {
		if (jobs[i].status != STATUS_DONE && !failed(r))
			r = refused(d, "an account cannot be made", json_incref(jobs[i].out));
		json_decref(jobs[i].out);
	}
	return r;
}

static size_t add_missing(struct demo *d, const json_t *known, const char *hash, struct api_job *jobs)
{
	size_t n = 0;
	for (unsigned number = 1; number <= d->users; number++) {
		json_t *in = account_request(d, number, hash);
		str address = text_of(in, "address");
		if (json_object_getn(known, address.p, address.n))
			json_decref(in);
		else
			jobs[n++] = (struct api_job){.name = "account-add", .in = in};
	}
	return n;
}

static result make_accounts(struct demo *d, const json_t *known)
{
	char hash[crypto_pwhash_STRBYTES];
	struct api_job AUTO_MEM *jobs = mem_array(d->users, sizeof *jobs);
	if (!jobs)
		return failure(FAIL_MEMORY, "out of memory");
	TRY(hash_password(d, hash));
	size_t n = add_missing(d, known, hash, jobs);
	/* The administrator first: the domains' postmaster@ and abuse@ are his. */
	size_t first = n > 0 ? 1 : 0;
	api_run(d->api, jobs, first);
	api_run(d->api, jobs + first, n - first);
	return outcome(d, jobs, n);
}

result demo_people(struct demo *d)
{
	json_t *known = NULL;
	TRY(make_domains(d));
	TRY(known_accounts(d, &known));
	result r = make_accounts(d, known);
	json_decref(known);
	return r;
}
