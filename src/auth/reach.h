/* Look-ups in the address book: who receives here, who logs in, who may send
 * as whom.
 *
 * An address is found exactly, then without its subaddress (user+tag reaches
 * user), then as its domain's catch-all. Aliases are followed over at most
 * REACH_DEPTH steps and REACH_ENTRIES addresses, each once, so that loops end;
 * what is wider answers REACH_TOO_WIDE rather than being cut. postmaster@ and
 * abuse@ lead to the domain's administrators, else to all, else to the oldest
 * account, unless they were pointed elsewhere; "postmaster" alone (RFC 5321
 * 4.5.1) is the first domain's. Memory comes from the arena; nothing suspends
 * or fails otherwise. */
#ifndef AUTH_REACH_H
#define AUTH_REACH_H

#include "auth/address.h"
#include "auth/book.h"

enum { REACH_ACCOUNTS_MAX = 100, REACH_OUTSIDE_MAX = 100, REACH_DEPTH = 10, REACH_ENTRIES = 500 };

enum reach_verdict {
	REACH_RECEIVED,
	REACH_UNKNOWN,
	REACH_DISABLED,  /* all accounts that it leads to are disabled */
	REACH_ELSEWHERE, /* the domain is not ours */
	REACH_TOO_WIDE,
	REACH_NOBODY,    /* postmaster@ where there is no account yet */
};

struct reach {
	enum reach_verdict verdict;
	uint64_t accounts[REACH_ACCOUNTS_MAX];
	size_t n;
	str outside[REACH_OUTSIDE_MAX]; /* addresses elsewhere; the book's, until it changes */
	size_t outside_n;
};

/* The rule for subaddresses: '\0' for none. */
struct reach_rule {
	char separator;
};

void reach_recipient(struct book *b, struct reach_rule rule, str address, struct reach *out);
/* The accounts that an entry leads to. */
void reach_entry(struct book *b, struct book_entry *e, struct reach *out);
/* Whom a login by this name concerns: an account's address or an alias of that
 * one account; neither subaddress nor catch-all. NULL when nobody. */
struct book_account *reach_login(struct book *b, str user);
/* An empty address is the null reverse-path, which every owner may use; "@domain"
 * asks for any address there, of the account itself or granted to it. */
bool reach_may_send(struct book *b, struct reach_rule rule, const struct book_account *who, str address);
/* Would a target lead back to the alias? */
bool reach_leads_to(struct book *b, struct book_entry *from, const struct book_entry *to);

#endif
