/* `postern account check`: are the accounts whole? */
#include <stdio.h>

#include "cli/commands.h"

enum { CHECK_TIME_S = 3700 }; /* all of an account's mail is read */

struct checks {
	const struct call *call;
	struct api *api;
	json_t *rows; /* what was found, for --json */
	bool repair;
	bool sound;   /* so far: nothing is left to repair */
};

static bool is_repaired(const json_t *finding)
{
	return json_is_true(json_object_get(finding, "repaired"));
}

static size_t left_of(const json_t *answer)
{
	size_t i, left = (size_t)number_of(answer, "more");
	json_t *one;
	json_array_foreach(json_object_get(answer, "findings"), i, one)
		left += !is_repaired(one);
	return left;
}

/* ---- for people ---- */

static void show_findings(const json_t *answer)
{
	AUTO_BUF buf b = buf_new(TABLE_MAX);
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(answer, "findings"), i, one) {
		buf_clear(&b);
		str sentence = clean(&b, text_of(one, "sentence"));
		printf("  %.*s%s\n", STR_ARG(sentence), is_repaired(one) ? " Repaired." : "");
	}
	if (number_of(answer, "more") > 0)
		printf("  And %lld more that are not shown; check again when these are repaired.\n",
		       (long long)number_of(answer, "more"));
}

static void show_checked(const struct checks *k, const char *address, const json_t *answer)
{
	AUTO_BUF buf size = buf_new(64);
	size_t n = json_array_size(json_object_get(answer, "findings")), left = left_of(answer);
	str octets = put_size(&size, (uint64_t)number_of(answer, "octets"));
	printf("%s: %lld messages, %.*s: ", address, (long long)number_of(answer, "messages"), STR_ARG(octets));
	if (n == 0)
		puts("all is well.");
	else if (left == 0)
		printf("all is well now; %zu %s repaired.\n", n, n == 1 ? "thing was" : "things were");
	else
		printf("%zu %s not right%s.\n", left, left == 1 ? "thing is" : "things are",
		       k->repair ? " and cannot be repaired here" : "; --repair mends what can be mended");
	show_findings(answer);
}

/* ---- one account ---- */

static void keep_row(struct checks *k, const char *address, int status, json_t *answer)
{
	json_object_set_new(answer, "address", json_string(address));
	json_object_set_new(answer, "sound", json_boolean(status == STATUS_DONE && left_of(answer) == 0));
	json_array_append(k->rows, answer);
}

static int check_one(struct checks *k, const char *address)
{
	struct api_job job = {.name = "account-check", .time_s = CHECK_TIME_S,
		.in = json_pack("{s:s, s:b}", "address", address, "repair", k->repair)};
	if (!job.in)
		return complain(k->call, STATUS_USAGE, "usage", "an address is UTF-8 text");
	api_run(k->api, &job, 1);
	if (job.status != STATUS_DONE || left_of(job.out) > 0)
		k->sound = false;
	if (k->call->json) {
		keep_row(k, address, job.status, job.out);
	} else if (job.status == STATUS_DONE) {
		show_checked(k, address, job.out);
	} else {
		fflush(stdout);
		fprintf(stderr, "%s could not be checked.\n", address);
		show_problem(job.out);
	}
	json_decref(job.out);
	return job.status;
}

/* One after the other: a check reads all of an account. */
static int check_all(struct checks *k)
{
	json_t *listed, *row;
	size_t i;
	int status = api_list(k->api, &(struct api_pages){.name = "account-list", .key = "address"}, &listed);
	if (status != STATUS_DONE)
		return complain(k->call, status, "unreachable", json_string_value(json_object_get(listed, "error")));
	json_array_foreach(json_object_get(listed, "rows"), i, row) {
		int one = check_one(k, json_string_value(json_object_get(row, "address")));
		if (one == STATUS_UNREACHABLE)
			status = one;
	}
	return finish(status, listed);
}

int run_account_check(struct call *c)
{
	struct checks k = {.call = c, .repair = call_option(c, "repair") != NULL, .sound = true};
	bool all = call_option(c, "all") != NULL;
	if (all == (c->n > 0))
		return complain(c, STATUS_USAGE, "usage", "name one account, or all with --all");
	int status = connect_server(c, &k.api);
	if (status != STATUS_DONE)
		return status;
	k.rows = json_array();
	status = all ? check_all(&k) : check_one(&k, c->words[0]);
	api_close(&k.api);
	if (c->json && json_array_size(k.rows) > 0) {
		json_t *out = json_pack("{s:b, s:O}", "sound", k.sound, "accounts", k.rows);
		show_json(out);
		json_decref(out);
	}
	json_decref(k.rows);
	return status == STATUS_DONE && !k.sound ? STATUS_NO : status;
}
