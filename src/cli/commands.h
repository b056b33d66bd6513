/* The commands of `postern`: one table, from which come the dispatch, `postern
 * help` and the tests. Each function's result is the exit status. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/api.h"
#include "cli/call.h"
#include "cli/show.h"

extern const struct command commands[];
extern const size_t commands_n;

/* where.c: connects to the server that --dir, --socket or the configuration names. */
int connect_server(const struct call *c, struct api **out);
/* Appends the server's directory. */
int server_folder(const struct call *c, buf *out);
/* Posts, and shows what went wrong; *out is NULL unless done. Takes `in`. */
int ask_server(const struct call *c, const char *name, json_t *in, json_t **out);
/* The same, once more a moment later when the answer's "rows" are none. */
int ask_server_twice(const struct call *c, const char *name, json_t *in, json_t **out);
int list_server(const struct call *c, const struct api_pages *p, json_t **out);
/* app_password.c. Each value of an option, which may be given several times and hold commas. */
json_t *words_of(const struct call *c, const char *option);
/* The list's texts with commas between them; appends, and the view ends with the next write. */
str joined(const json_t *list, const char *none, buf *b);
/* A time in words: "90d" and its kin from now, a day's end, RFC 3339, or seconds since 1970. */
bool time_of_text(str text, int64_t now, int64_t *out);
/* Asks for the password, posts with it added, and wipes it. Takes `in`. */
int ask_with_password(const struct call *c, const char *endpoint, json_t *in, json_t **answer);
int complain(const struct call *c, int status, const char *kind, const char *text);
int finish(int status, json_t *answer); /* frees the answer */

int run_plain(struct call *c); /* endpoint, fields, fixed, said of the row */
int run_plain_of(struct call *c); /* the same, with the option --account as a member */
int run_account_add(struct call *c);
int run_account_list(struct call *c);
int run_account_show(struct call *c);
int run_account_check(struct call *c);
int run_account_password(struct call *c);
int run_account_contain(struct call *c);
int run_account_release(struct call *c);
int run_account_reset(struct call *c);
int run_account_quota(struct call *c);
int run_account_policy(struct call *c);
int run_account_recover(struct call *c);
int run_account_delete(struct call *c);
int run_app_password_add(struct call *c);
int run_app_password_list(struct call *c);
int run_certificate_add(struct call *c);
int run_certificate_list(struct call *c);
int run_second_factor_totp(struct call *c);
int run_second_factor_off(struct call *c);
int run_second_factor_show(struct call *c);
int run_second_factor_check(struct call *c);
int run_domain_second_factor(struct call *c);
int run_rule_add(struct call *c);
int run_rule_list(struct call *c);
int run_domain_list(struct call *c);
int run_domain_records(struct call *c);
int run_alias_list(struct call *c);
int run_route_add(struct call *c);
int run_route_list(struct call *c);
int run_queue_list(struct call *c);
int run_queue_show(struct call *c);
int run_queue_act(struct call *c); /* endpoint and `said` of the row */
int run_queue_suppressed(struct call *c);
int run_queue_tls(struct call *c);
int run_trace(struct call *c);
int run_audit_verify(struct call *c);
int run_audit_path(struct call *c);
int run_audit_checkpoint(struct call *c);
int run_audit_show(struct call *c);
int run_ban_list(struct call *c);
int run_ban_export(struct call *c);
int run_ban_add(struct call *c);
int run_ban_why(struct call *c);
int run_unlock(struct call *c);
int run_master_key(struct call *c);
int run_master_key_rotate(struct call *c);
int run_master_key_passphrase(struct call *c);
int run_status(struct call *c);
int run_pentest(struct call *c);
int run_demo(struct call *c);
int run_help(struct call *c);
int run_version(struct call *c);

#endif
