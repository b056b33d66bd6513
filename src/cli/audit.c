/* The audit log: whether it is whole, where it lies, what it says. */
#include <stdio.h>

#include "base/mem.h"
#include "cli/audit.h"
#include "cli/commands.h"
#include "cli/story.h"

enum { SMALL_FILE = 65536 };

/* ---- keys and checkpoints ---- */

static bool checkpoint_of(const json_t *v, struct audit_checkpoint *out)
{
	str time = text_of(v, "time");
	*out = (struct audit_checkpoint){.seq = (uint64_t)number_of(v, "seq")};
	if (time.n != AUDIT_TIME || number_of(v, "seq") < 1)
		return false;
	memcpy(out->time, time.p, AUDIT_TIME);
	return hex_read(text_of(v, "hash"), out->hash.b, sizeof out->hash.b) &&
	       hex_read(text_of(v, "key"), out->key, sizeof out->key) &&
	       hex_read(text_of(v, "signature"), out->signature, sizeof out->signature);
}

static bool load_json(const char *path, json_t **out)
{
	json_error_t e;
	*out = json_load_file(path, JSON_REJECT_DUPLICATES, &e);
	return *out != NULL;
}

/* The key in hexadecimal digits, or a file with them or with a checkpoint. */
static bool read_key(const char *given, unsigned char key[AUDIT_KEY])
{
	struct audit_checkpoint c;
	char text[2 * AUDIT_KEY + 2] = {0};
	json_t *v;
	if (hex_read(str_from(given), key, AUDIT_KEY))
		return true;
	if (load_json(given, &v)) {
		bool good = checkpoint_of(v, &c);
		json_decref(v);
		memcpy(key, c.key, AUDIT_KEY);
		return good;
	}
	FILE *f = fopen(given, "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	if (f)
		fclose(f);
	return hex_read(str_trim(str_of(text, n)), key, AUDIT_KEY);
}

/* ---- verify ---- */

struct verifying {
	struct call *call;
	struct audit_checkpoint now, kept; /* what the server says, what was kept elsewhere */
	bool has_kept;
	unsigned char key[AUDIT_KEY];
	struct audit_folder folder;
	struct audit_verdict verdict;
};

/* With --key nobody is asked. The server's answer is a checkpoint too: what is on the disk must reach it. */
static int find_key(struct verifying *v)
{
	const char *given = call_option(v->call, "key");
	json_t *answer;
	if (given && read_key(given, v->key))
		return STATUS_DONE;
	if (given)
		return complain(v->call, STATUS_USAGE, "usage",
				"--key is the log's public key: 64 hexadecimal digits, or a file with them or with a checkpoint");
	int status = ask_server(v->call, "audit-checkpoint", json_object(), &answer);
	if (status != STATUS_DONE)
		return status;
	bool good = checkpoint_of(answer, &v->now) && audit_checkpoint_signed(&v->now);
	json_decref(answer);
	if (!good)
		return complain(v->call, STATUS_NO, "damage", "the server's own checkpoint is not signed as it should be");
	memcpy(v->key, v->now.key, sizeof v->key);
	return STATUS_DONE;
}

static const char no_checkpoint[] = "that file holds no checkpoint of `postern audit checkpoint --json`";

static int read_kept(struct verifying *v)
{
	const char *path = call_option(v->call, "checkpoint");
	json_t *kept;
	if (!path)
		return STATUS_DONE;
	if (!load_json(path, &kept))
		return complain(v->call, STATUS_USAGE, "usage", no_checkpoint);
	v->has_kept = checkpoint_of(kept, &v->kept);
	json_decref(kept);
	if (!v->has_kept)
		return complain(v->call, STATUS_USAGE, "usage", no_checkpoint);
	if (!audit_checkpoint_signed(&v->kept) || memcmp(v->kept.key, v->key, AUDIT_KEY) != 0)
		return complain(v->call, STATUS_NO, "damage", "the checkpoint is not signed with this log's key");
	return STATUS_DONE;
}

static int find_folder(const struct call *c, buf *path, struct audit_folder *out)
{
	const char *given = call_option(c, "path");
	int status = STATUS_DONE;
	if (given)
		buf_put(path, str_from(given));
	else
		status = server_folder(c, path);
	buf_put(path, given ? STR("") : STR("/ledger/audit"));
	buf_putc(path, '\0');
	if (status != STATUS_DONE)
		return status;
	result r = buf_result(path);
	if (!failed(r))
		r = audit_folder_read(path->p, out);
	if (!failed(r) && out->n == 0)
		r = failure(FAIL_ABSENT, "there is no audit log there");
	return failed(r) ? complain(c, STATUS_UNREACHABLE, fail_name(r.kind), r.text) : STATUS_DONE;
}

static json_t *report_of(const struct verifying *v)
{
	const struct audit_chain *c = &v->verdict.chain;
	char head[2 * AUDIT_HASH + 1];
	AUTO_BUF buf hex = buf_new(sizeof head);
	hex_put(&hex, c->head.b, sizeof c->head.b);
	json_t *r = json_pack("{s:b, s:I, s:s%, s:I, s:I, s:I, s:I, s:I}", "whole", c->fault == AUDIT_WHOLE, "last",
			      (json_int_t)c->last, "head", hex.p, hex.n, "signed", (json_int_t)c->signed_to, "signatures",
			      (json_int_t)c->signatures, "files", (json_int_t)v->folder.n, "unfinished",
			      (json_int_t)c->unfinished, "clear", (json_int_t)v->verdict.clear);
	if (r && c->fault != AUDIT_WHOLE) {
		json_object_set_new(r, "fault", json_string(audit_fault_name(c->fault)));
		json_object_set_new(r, "file", json_string(v->verdict.file));
		json_object_set_new(r, "record", json_integer((json_int_t)c->at));
		json_object_set_new(r, "error", json_string(c->why));
	}
	return r;
}

static void print_report(const struct verifying *v)
{
	const struct audit_chain *c = &v->verdict.chain;
	if (c->fault != AUDIT_WHOLE) {
		printf("The audit log is broken: %s.\nFile:       %s\nRecord:     %llu\nWhat:       %s.\n",
		       audit_fault_name(c->fault), v->verdict.file, (unsigned long long)c->at, c->why);
		return;
	}
	printf("The audit log is whole: %llu records in %zu files, signed up to record %llu.\n",
	       (unsigned long long)c->last, v->folder.n, (unsigned long long)c->signed_to);
	if (c->unfinished > 0)
		printf("Crashes left %llu unfinished ends, which are sealed off; nothing was promised of them.\n",
		       (unsigned long long)c->unfinished);
	if (v->verdict.open_end > 0)
		puts("The last line is not finished: it is being written, or the server ended while it wrote it.");
	if (v->has_kept)
		printf("The checkpoint kept elsewhere (record %llu) is met.\n", (unsigned long long)v->kept.seq);
}

/* Two checkpoints can bind it: one kept elsewhere, and the running server's. */
static void check_against(struct verifying *v, const struct audit_checkpoint *kept, result *r)
{
	if (failed(*r) || v->verdict.chain.fault != AUDIT_WHOLE)
		return;
	uint64_t from = 0;
	const char *given = call_option(v->call, "from");
	if (given)
		(void)str_to_u64(str_from(given), &from);
	v->verdict = (struct audit_verdict){0};
	audit_chain_begin(&v->verdict.chain, v->key);
	v->verdict.chain.from = from;
	v->verdict.chain.kept = kept;
	*r = audit_folder_check(&v->folder, &v->verdict);
}

static int judge(struct verifying *v)
{
	result r = OK;
	check_against(v, v->now.seq > 0 ? &v->now : NULL, &r);
	if (v->has_kept)
		check_against(v, &v->kept, &r);
	if (failed(r))
		return complain(v->call, STATUS_UNREACHABLE, fail_name(r.kind), r.text);
	json_t *report = report_of(v);
	if (v->call->json)
		show_json(report);
	else
		print_report(v);
	json_decref(report);
	return v->verdict.chain.fault == AUDIT_WHOLE ? STATUS_DONE : STATUS_NO;
}

int run_audit_verify(struct call *c)
{
	struct verifying *v = mem_alloc(sizeof *v);
	AUTO_BUF buf path = buf_new(AUDIT_PATH_MAX / 2);
	uint64_t from;
	const char *given = call_option(c, "from");
	if (!v || (given && !str_to_u64(str_from(given), &from))) {
		mem_free(v);
		return complain(c, STATUS_USAGE, "usage", "--from is the number of a file's first record");
	}
	v->call = c;
	int status = find_key(v);
	if (status == STATUS_DONE)
		status = read_kept(v);
	if (status == STATUS_DONE)
		status = find_folder(c, &path, &v->folder);
	if (status == STATUS_DONE)
		status = judge(v);
	audit_folder_free(&v->folder);
	mem_free(v);
	return status;
}

/* ---- path ---- */

int run_audit_path(struct call *c)
{
	AUTO_BUF buf path = buf_new(AUDIT_PATH_MAX / 2);
	struct audit_folder f = {0};
	char one[AUDIT_PATH_MAX];
	int status = find_folder(c, &path, &f);
	if (status != STATUS_DONE)
		return status;
	json_t *files = json_array();
	for (size_t i = 0; i < f.n; i++) {
		audit_file_path(&f, AUDIT_CHAIN_FILE, f.names[i], one);
		json_array_append_new(files, json_string(one));
		if (!c->json)
			puts(one);
	}
	json_t *answer = json_pack("{s:s, s:o}", "folder", f.path, "files", files);
	if (c->json)
		show_json(answer);
	audit_folder_free(&f);
	return finish(STATUS_DONE, answer);
}

/* ---- checkpoint ---- */

int run_audit_checkpoint(struct call *c)
{
	json_t *answer;
	int status = ask_server(c, "audit-checkpoint", json_object(), &answer);
	if (status != STATUS_DONE)
		return status;
	if (c->json) {
		show_json(answer);
		return finish(status, answer);
	}
	AUTO_BUF buf seq = buf_new(32);
	buf_printf(&seq, "%lld", (long long)number_of(answer, "seq"));
	show_line("Record", buf_str(&seq));
	show_line("Time", text_of(answer, "time"));
	show_line("Hash", text_of(answer, "hash"));
	show_line("Key", text_of(answer, "key"));
	show_line("Signature", text_of(answer, "signature"));
	return finish(status, answer);
}

/* ---- show ---- */

static void put_row(struct table *t, const json_t *row)
{
	AUTO_BUF buf what = buf_new(TABLE_MAX), seq = buf_new(32);
	json_t *fields = json_deep_copy(json_object_get(row, "fields"));
	const char *name;
	json_t *v;
	void *next;
	json_object_foreach_safe(fields, next, name, v)
		if (json_is_null(v))
			json_object_set_new(fields, name, json_string("(forgotten)"));
	story_tell(&what, text_of(row, "event"), fields);
	json_decref(fields);
	buf_printf(&seq, "%lld", (long long)number_of(row, "seq"));
	table_cell(t, buf_str(&seq));
	table_cell(t, text_of(row, "time"));
	table_cell(t, text_of(row, "room"));
	table_cell(t, buf_str(&what));
}

/* All pages; the newest first, as the server gives them. */
static int fetch_records(struct call *c, json_t *rows, json_int_t most)
{
	json_int_t before = 0;
	const char *account = call_option(c, "account"), *since = call_option(c, "since");
	do {
		json_t *in = json_object(), *answer;
		if (account)
			json_object_set_new(in, "address", json_string(account));
		if (since)
			json_object_set_new(in, "since", json_string(since));
		if (before > 0)
			json_object_set_new(in, "before", json_integer(before));
		int status = ask_server(c, "audit-show", in, &answer);
		if (status != STATUS_DONE)
			return status;
		json_array_extend(rows, json_object_get(answer, "rows"));
		before = (json_int_t)number_of(answer, "next");
		json_decref(answer);
	} while (before > 0 && (json_int_t)json_array_size(rows) < most);
	while ((json_int_t)json_array_size(rows) > most)
		json_array_remove(rows, json_array_size(rows) - 1);
	return STATUS_DONE;
}

int run_audit_show(struct call *c)
{
	json_t *rows = json_array();
	uint64_t most = 200;
	const char *limit = call_option(c, "limit");
	if (limit && (!str_to_u64(str_from(limit), &most) || most == 0 || most > INT32_MAX)) {
		json_decref(rows);
		return complain(c, STATUS_USAGE, "usage", "--limit is how many records to show");
	}
	int status = fetch_records(c, rows, (json_int_t)most);
	if (status == STATUS_DONE && c->json) {
		json_t *answer = json_pack("{s:O}", "rows", rows);
		show_json(answer);
		json_decref(answer);
	} else if (status == STATUS_DONE) {
		struct table t = table_new("Record|Time|Room|What happened");
		for (size_t i = json_array_size(rows); i > 0; i--)
			put_row(&t, json_array_get(rows, i - 1));
		table_print(&t);
	}
	return finish(status, rows);
}
