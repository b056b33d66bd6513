#include "grammar/audit/audit_chain.h"

#include <sodium.h>
#include <stdio.h>

const char *audit_fault_name(enum audit_fault fault)
{
	static const char *const names[] = {
		[AUDIT_WHOLE] = "whole", [AUDIT_CHANGED] = "changed", [AUDIT_CUT] = "cut", [AUDIT_REORDERED] = "reordered",
		[AUDIT_INSERTED] = "inserted", [AUDIT_FORGED] = "signature wrong", [AUDIT_CLEARED] = "clear value changed"};
	return names[fault];
}

/* ---- signatures ---- */

struct audit_statement audit_statement_of(uint64_t seq, const char time[AUDIT_TIME], const struct audit_hash *hash)
{
	struct audit_statement s;
	char digits[2 * AUDIT_HASH + 1];
	sodium_bin2hex(digits, sizeof digits, hash->b, sizeof hash->b);
	int n = snprintf(s.p, sizeof s.p, "postern audit checkpoint\n%llu\n%.*s\n%s\n", (unsigned long long)seq, AUDIT_TIME,
			 time, digits);
	must(n > 0 && (size_t)n < sizeof s.p);
	s.n = (size_t)n;
	return s;
}

bool audit_checkpoint_signed(const struct audit_checkpoint *c)
{
	struct audit_statement s = audit_statement_of(c->seq, c->time, &c->hash);
	return crypto_sign_verify_detached(c->signature, (const unsigned char *)s.p, s.n, c->key) == 0;
}

/* A checkpoint in the chain is of the record before it. */
static bool checkpoint_of(const struct audit_line *l, struct audit_checkpoint *out)
{
	struct audit_value key, signature;
	if (!audit_field_find(l->fields, STR("key"), &key) || !audit_field_find(l->fields, STR("signature"), &signature))
		return false;
	*out = (struct audit_checkpoint){.seq = l->seq - 1, .hash = l->prev};
	memcpy(out->time, l->time.p, AUDIT_TIME);
	return key.type == 's' && signature.type == 's' && hex_read(key.text, out->key, sizeof out->key) &&
	       hex_read(signature.text, out->signature, sizeof out->signature);
}

/* ---- one record ---- */

static bool blame(struct audit_chain *c, enum audit_fault fault, uint64_t at, const char *why)
{
	if (c->fault == AUDIT_WHOLE) {
		c->fault = fault;
		c->at = at;
		c->why = why;
	}
	return false;
}

/* A fault that no crash explains. */
static bool accuse(struct audit_chain *c, enum audit_fault fault, uint64_t at, const char *why)
{
	blame(c, fault, at, why);
	c->final = true;
	return false;
}

static bool same(const struct audit_hash *a, const struct audit_hash *b)
{
	return memcmp(a->b, b->b, sizeof a->b) == 0;
}

/* A crash is the reason when the next file begins where the chain stopped fitting, and names what it left. */
static bool is_forgiven(const struct audit_chain *c, const struct audit_line *l)
{
	struct audit_value n, hash;
	struct audit_hash rest;
	if (c->final || !c->begins || l->seq != c->last + 1 || !same(&l->prev, &c->head))
		return false;
	return audit_field_find(l->fields, STR("unfinished"), &n) && audit_field_find(l->fields, STR("remains"), &hash) &&
	       n.type == 'u' && n.number == c->rest && hash.type == 's' && hex_read(hash.text, rest.b, sizeof rest) &&
	       same(&rest, &c->rest_hash);
}

/* Behind a fault only the record that should have come is still looked for: is it gone, or elsewhere? */
static bool look_for_the_missing(struct audit_chain *c, const struct audit_line *l)
{
	if (c->fault == AUDIT_CUT && !c->final && l->seq == c->last + 1 && same(&l->prev, &c->head)) {
		c->fault = AUDIT_REORDERED;
		c->why = "the record stands further on, behind ones that follow it";
		c->final = true;
	}
	return false;
}

static bool check_place(struct audit_chain *c, const struct audit_line *l)
{
	if (l->seq > c->last + 1)
		return blame(c, AUDIT_CUT, c->last + 1, "the record is missing");
	if (l->seq <= c->last)
		return blame(c, AUDIT_INSERTED, l->seq, "a record of this number stood here already");
	if (!same(&l->prev, &c->head))
		return blame(c, AUDIT_CHANGED, c->last,
			     "the record that follows was written after another one than this");
	return true;
}

static bool check_signature(struct audit_chain *c, const struct audit_line *l)
{
	struct audit_checkpoint p;
	if (!checkpoint_of(l, &p) || !audit_checkpoint_signed(&p))
		return accuse(c, AUDIT_FORGED, l->seq, "its signature is not of what stands before it");
	if (memcmp(p.key, c->key, AUDIT_KEY) != 0)
		return accuse(c, AUDIT_FORGED, l->seq, "it is signed with another key than the vault's");
	c->signed_to = p.seq;
	c->signatures++;
	return true;
}

static bool check_meaning(struct audit_chain *c, const struct audit_line *l)
{
	bool begins = str_eq(l->event, STR("audit.begin"));
	if (c->begins != begins)
		return blame(c, begins ? AUDIT_INSERTED : AUDIT_CUT, l->seq,
			     begins ? "a file's first record stands inside of one" : "the file's first records are missing");
	return str_eq(l->event, STR("audit.checkpoint")) ? check_signature(c, l) : true;
}

static bool meet(struct audit_chain *c, const struct audit_line *l)
{
	if (!c->kept || l->seq != c->kept->seq)
		return true;
	c->met = true;
	if (same(&l->hash, &c->kept->hash))
		return true;
	return accuse(c, AUDIT_CHANGED, l->seq, "the checkpoint that was kept elsewhere is of another record: history was"
		" written anew");
}

static bool take(struct audit_chain *c, const struct audit_line *l)
{
	if (c->begins && c->file != l->seq)
		return accuse(c, AUDIT_REORDERED, l->seq, "the file's name says that another record is its first");
	if (c->from > 1 && c->begins && l->seq == c->from) {
		c->last = l->seq - 1;
		c->head = l->prev;
	}
	if (!check_place(c, l) || !check_meaning(c, l) || !meet(c, l))
		return false;
	c->last = l->seq;
	c->head = l->hash;
	c->begins = false;
	return true;
}

/* ---- the calls ---- */

void audit_chain_begin(struct audit_chain *c, const unsigned char key[AUDIT_KEY])
{
	*c = (struct audit_chain){.key = key};
}

void audit_chain_file(struct audit_chain *c, uint64_t first)
{
	c->begins = true;
	c->file = first;
}

bool audit_chain_line(struct audit_chain *c, str line)
{
	struct audit_line l;
	if (!str_ends(line, STR("\n")))
		return blame(c, AUDIT_CHANGED, c->last + 1, "what stands in its place has no end");
	if (!audit_line_read(str_sub(line, 0, line.n - 1), &l))
		return blame(c, AUDIT_CHANGED, c->last + 1, "what stands in its place is no record");
	struct audit_hash h = audit_hash_of(l.record);
	if (c->fault != AUDIT_WHOLE && is_forgiven(c, &l)) {
		c->fault = AUDIT_WHOLE;
		c->at = c->rest = 0;
		c->why = NULL;
		c->unfinished++;
	}
	if (c->fault != AUDIT_WHOLE)
		return look_for_the_missing(c, &l);
	if (!same(&h, &l.hash))
		return blame(c, AUDIT_CHANGED, l.seq, "its content is not what its hash says");
	return take(c, &l);
}

void audit_chain_rest(struct audit_chain *c, uint64_t octets, const struct audit_hash *hash)
{
	c->final = c->final || c->rest > 0; /* two files in a row that do not fit */
	c->rest = octets;
	c->rest_hash = *hash;
}

bool audit_chain_end(struct audit_chain *c)
{
	if (c->fault == AUDIT_WHOLE && c->kept && !c->met && c->kept->seq > c->last)
		return blame(c, AUDIT_CUT, c->last + 1, "the log ends before the checkpoint that was kept elsewhere");
	if (c->fault == AUDIT_WHOLE && c->kept && !c->met)
		return blame(c, AUDIT_CUT, c->kept->seq, "the record of the checkpoint that was kept elsewhere is not there");
	return c->fault == AUDIT_WHOLE;
}
