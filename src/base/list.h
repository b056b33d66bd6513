/* Intrusive doubly linked list: the node lives inside its owner.
 *
 * A head is a node that points at itself when empty. Owns nothing. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev;
	struct list *next;
};

static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Puts `node` before `at`: list_insert(&head, n) appends. */
static inline void list_insert(struct list *at, struct list *node)
{
	node->prev = at->prev;
	node->next = at;
	at->prev->next = node;
	at->prev = node;
}

/* Takes the node out and leaves it empty, so that a second call does nothing. */
static inline void list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Puts all of `others`, in order, before `at`, and leaves `others` empty. */
static inline void list_join(struct list *at, struct list *others)
{
	if (list_empty(others))
		return;
	others->next->prev = at->prev;
	others->prev->next = at;
	at->prev->next = others->next;
	at->prev = others->prev;
	list_init(others);
}

#define LIST_OWNER(NODE, TYPE, MEMBER) ((TYPE *)(void *)((char *)(NODE) - offsetof(TYPE, MEMBER)))
#define LIST_EACH(NODE, HEAD) for (struct list *NODE = (HEAD)->next; NODE != (HEAD); NODE = NODE->next)
/* Safe when the loop removes or frees NODE itself. */
#define LIST_EACH_SAFE(NODE, HEAD)                                                                    \
	for (struct list *NODE = (HEAD)->next, *NODE##_next = NODE->next; NODE != (HEAD); \
	     NODE = NODE##_next, NODE##_next = NODE->next)

#endif
