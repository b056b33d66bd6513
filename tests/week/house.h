/* A house in one process for a week of simulated time: some accounts' stores,
 * the queue, who writes to them, who reads, and what goes wrong.
 *
 * The driver takes one event of the agenda after the other. What an event begins
 * runs on fibers, several at once; when nothing moves any more (house_settle),
 * who died is started again and the model is compared with the stores. */
#ifndef WEEK_HOUSE_H
#define WEEK_HOUSE_H

#include "account/store/check.h"
#include "account/store/fetch.h"
#include "engine/files_sim.h"
#include "model.h"
#include "run/fiber.h"
#include "talk/channel.h"

enum {
	ACCOUNTS = 5,
	PROGRAMS = 3, /* of one owner, each with a view at most */
};

/* A mail program with a mailbox open: knows what its view told. */
struct program {
	struct account *account;
	struct view *view;
	unsigned box;
	uint32_t *uids;
	uint64_t *flags;
	size_t n, cap;
	bool pulled; /* in this turn: its view is to be compared */
	bool gone;   /* it was told that the mailbox is no more */
	bool idle;   /* the fiber pulls by itself */
	struct fiber *fiber;
};

struct account {
	unsigned number;
	struct sim *sim;
	struct store *store; /* NULL: no process */
	struct actor owner, courier, administrator;
	struct channel *near, *far; /* from the queue */
	bool ending;         /* the process has to be started again */
	bool away;           /* it does not start */
	bool full;           /* its disk, from some write on */
	bool flaky;          /* an operation of its disk fails, or has failed since the process began */
	bool acting;         /* a session is at work */
	unsigned busy;       /* deliveries under way */
	bool touched;        /* in this turn */
	bool mailed;         /* letters came, and nobody has looked since */
	uint64_t troubled;   /* house time: it could not take letters, last */
	struct program programs[PROGRAMS];
	/* the model */
	struct folder boxes[NAMES];
	uint64_t octets, quota, quota_asked;
	uint32_t former[NAMES]; /* the highest UIDVALIDITY under a name */
	uint32_t highest;    /* UIDVALIDITY so far */
	uint32_t *news;      /* letters in the INBOX whose uids are not known yet */
	size_t news_n, news_cap;
	struct effect *doubts; /* asked for, and nobody can say whether they hold */
	size_t doubts_n, doubts_cap;
};

struct week {
	uint64_t seed, random, digest, started;
	size_t days;
	unsigned pace; /* 1: an ordinary house */
	bool tells;    /* every line */
	struct sim *disk;   /* the queue's */
	struct sim *victim; /* when it stops, the whole machine does */
	bool calm;     /* nothing goes wrong any more */
	int64_t skew;  /* of the wall clock, in all */
	uint64_t troubled; /* house time: the queue or the clock, last; UINT64_MAX while it is */
	arena turn;
	struct account accounts[ACCOUNTS];
	struct letter_row *letters;
	size_t letters_n, letters_cap;
	size_t tasks;  /* fibers that events began */
	struct {
		size_t acts, kept, held, resent, crashes, kills, full, refused, deaths, audits, checked, doubts;
	} count;
};
extern struct week week;

/* house.c */
void house_open(void);
void house_close(void);
void house_settle(void); /* until nothing moves, all is up again and compared */
bool house_is_dark(void); /* the power is off */
void account_ends(struct account *a); /* its process: from here on nobody reaches it */
void account_leaves(struct account *a); /* and is not started again before account_restart */
void account_restart(struct account *a);

/* judge.c */
uint64_t flags_of(const struct view *v, uint64_t flags);
void judge_turn(struct account *a);  /* counters, what arrived, programs */
void judge_opened(struct account *a); /* settles the doubts */
void judge_whole(struct account *a, bool bytes);
void judge_promises(bool over);      /* over: the queue is empty */

/* programs.c */
void program_enter(struct program *p, unsigned box);
void program_leave(struct program *p);
void program_pull(struct program *p, bool expunge);
void program_expect(struct program *p);
void program_idle(struct program *p);

/* mail.c, owners.c, luck.c: who begins what; each plans its next event by itself */
void mail_begin(void);
void mail_end(void);
void owners_begin(void);
void luck_begin(void);
result account_take(struct account *a, uint32_t letter) NODISCARD;

/* holding.c: the queue */
void holding_open(struct sim *sim);
void holding_close(void);
bool holding_ending(void);
uint64_t holding_moves(void);        /* changes with what it does */
void holding_cut(struct account *a); /* its channel ends */
result holding_keep(uint32_t letter, uint32_t deaths) NODISCARD;
void holding_administrate(bool all); /* looks through what is in quarantine */
size_t holding_audit(void);          /* marks what it holds; how many there are */
bool holding_has(uint32_t letter);   /* at the last audit */

#endif
