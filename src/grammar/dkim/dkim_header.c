#include "grammar/dkim/dkim_header.h"

#include "grammar/mime/header.h"

enum { NAME_MAX_SIGNED = HEADER_NAME_MAX };

struct dkim_field {
	str raw;
	const struct dkim_field *above; /* the next one of that name */
};

struct dkim_group {
	const struct dkim_field *lowest;
	const struct dkim_field *next; /* of the round */
	uint64_t round;
	uint32_t n;
};

struct lower_name {
	char p[NAME_MAX_SIGNED];
	size_t n;
};

/* False: longer than any name of a field. */
static bool lower(str name, struct lower_name *out)
{
	if (name.n > sizeof out->p)
		return false;
	for (size_t i = 0; i < name.n; i++)
		out->p[i] = (char)ascii_lower(str_at(name, i));
	out->n = name.n;
	return true;
}

static struct dkim_group *group_of(const struct dkim_header *h, str name)
{
	struct lower_name l;
	return lower(name, &l) ? hash_get(&h->by_name, str_of(l.p, l.n)) : NULL;
}

static result group_made(struct dkim_header *h, str name, struct dkim_group **out)
{
	struct lower_name l;
	must(lower(name, &l));
	*out = hash_get(&h->by_name, str_of(l.p, l.n));
	if (*out)
		return OK;
	*out = arena_alloc(h->mem, sizeof **out);
	return *out ? hash_put(&h->by_name, str_of(l.p, l.n), *out) : arena_result(h->mem);
}

static result add(struct dkim_header *h, const struct header_field *from)
{
	struct dkim_group *g;
	struct dkim_field *f = &h->fields[h->n];
	TRY(group_made(h, from->name, &g));
	f->raw = from->raw;
	f->above = g->lowest;
	g->lowest = f;
	g->n++;
	h->n++;
	return OK;
}

static uint32_t count_fields(str text)
{
	struct header_walk walk = {.text = text};
	struct header_field f;
	uint32_t n = 0;
	while (n < DKIM_FIELDS_MAX && header_next(&walk, &f))
		n++;
	return n;
}

/* A field behind a byte order mark has, for others, another name. */
static result add_all(str text, struct dkim_header *h)
{
	struct header_walk walk = {.text = text};
	struct header_field f;
	for (uint32_t i = 0; i < DKIM_FIELDS_MAX && header_next(&walk, &f); i++)
		if (f.raw.p == f.name.p)
			TRY(add(h, &f));
	return OK;
}

result dkim_header_open(str text, arena *a, struct dkim_header *out)
{
	struct dkim_header h = {.by_name = hash_new(DKIM_FIELDS_MAX), .mem = a};
	uint32_t n = count_fields(text);
	h.fields = arena_array(a, n + 1, sizeof *h.fields);
	result r = h.fields ? add_all(text, &h) : arena_result(a);
	if (failed(r))
		hash_free(&h.by_name);
	else
		*out = h;
	return r;
}

void dkim_header_close(struct dkim_header *h)
{
	hash_free(&h->by_name);
}

static const struct {
	str name;
	bool sealed;
} covered[] = {
#define FIELD(NAME, SEALED) {STR_INIT(NAME), SEALED},
#include "grammar/dkim/dkim_fields.h"
#undef FIELD
};

void dkim_header_names(const struct dkim_header *h, buf *out)
{
	for (size_t i = 0; i < sizeof covered / sizeof *covered; i++) {
		const struct dkim_group *g = group_of(h, covered[i].name);
		uint32_t n = g ? g->n : 0;
		n = (n < DKIM_REPEATS_MAX ? n : DKIM_REPEATS_MAX) + covered[i].sealed;
		while (n-- > 0) {
			buf_put(out, out->n > 0 ? STR(":") : STR(""));
			buf_put(out, covered[i].name);
		}
	}
}

static const struct dkim_field *take(struct dkim_header *h, str name)
{
	struct dkim_group *g = group_of(h, name);
	if (!g)
		return NULL;
	if (g->round != h->round) {
		g->round = h->round;
		g->next = g->lowest;
	}
	const struct dkim_field *f = g->next;
	g->next = f ? f->above : NULL;
	return f;
}

void dkim_header_hash(struct dkim_header *h, const struct dkim_covered *c, struct dkim_sink to)
{
	str rest = c->names, name;
	h->round++;
	while (dkim_word_next(&rest, &name)) {
		const struct dkim_field *f = take(h, name);
		if (!f)
			continue;
		dkim_field(c->canon, f->raw, to);
		to.put(to.ctx, STR("\r\n"));
	}
	dkim_field(c->canon, c->own, to);
}
