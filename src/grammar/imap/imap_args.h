/* The parsers of arguments that imap_verbs.h names; for imap_command.c only.
 *
 * Each starts behind the verb and takes its own leading space. */
#ifndef GRAMMAR_IMAP_ARGS_H
#define GRAMMAR_IMAP_ARGS_H

#include "grammar/imap/imap_command.h"

typedef void imap_args(struct imap_lex *x, struct imap_command *c);

imap_args imap_args_none, imap_args_authenticate, imap_args_login, imap_args_enable, imap_args_id;
imap_args imap_args_select, imap_args_create, imap_args_rename, imap_args_mailbox;
imap_args imap_args_getquota, imap_args_setquota, imap_args_list, imap_args_lsub, imap_args_status;
imap_args imap_args_append, imap_args_expunge, imap_args_search, imap_args_fetch, imap_args_store;
imap_args imap_args_copy;

static inline str imap_mailbox_arg(struct imap_lex *x)
{
	imap_space(x);
	return imap_astring(x, "a mailbox name is expected here");
}

#endif
