#include "grammar/mime/content_join.h"

struct raw_param raw_param_of(str name, str value)
{
	struct raw_param p = {.name = name, .value = value, .section = -1};
	size_t star = str_chr(name, '*');
	if (star == STR_NONE || star == 0)
		return p;
	str tail = str_skip(name, star + 1);
	bool extended = tail.n == 0 || tail.p[tail.n - 1] == '*';
	if (tail.n > 0 && extended)
		tail.n--;
	uint32_t section;
	if (tail.n > 0) {
		if (!str_to_u32(tail, &section) || section > CONTENT_SECTION_MAX)
			return p;
		p.section = (int)section;
	}
	p.name = str_sub(name, 0, star);
	p.extended = extended;
	return p;
}

static bool same(const struct raw_param *a, const struct raw_param *b)
{
	return b->section >= 0 && str_ieq(a->name, b->name);
}

struct raw_params {
	const struct raw_param *raw;
	size_t n;
};

static const struct raw_param *section_of(struct raw_params all, const struct raw_param *of, int section)
{
	for (size_t i = 0; i < all.n; i++)
		if (all.raw[i].section == section && same(of, &all.raw[i]))
			return &all.raw[i];
	return NULL;
}

/* attribute-char (RFC 2231 7), and '%' and ''' as they mean something here. */
static bool stays(unsigned char c)
{
	return c > 32 && c < 127 && !strchr("*'%()<>@,;:\\\"/[]?=", c);
}

static size_t put_section(char *to, const struct raw_param *p, bool extended)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;
	for (size_t i = 0; i < p->value.n; i++) {
		unsigned char c = str_at(p->value, i);
		if (!extended || p->extended || stays(c)) {
			to[n++] = (char)c;
			continue;
		}
		to[n++] = '%';
		to[n++] = hex[c >> 4];
		to[n++] = hex[c & 15];
	}
	return n;
}

static result join(struct raw_params all, const struct raw_param *first, arena *a, struct content_param *out)
{
	size_t max = 2;
	bool extended = false;
	const struct raw_param *p;
	int sections = 0;
	for (; (p = section_of(all, first, sections)); sections++) {
		extended |= p->extended;
		max += 3 * p->value.n;
	}
	char *to = arena_alloc(a, max);
	size_t length = 0;
	if (!to)
		return arena_result(a);
	/* An extended value names its charset first; empty when section 0 was plain. */
	if (extended && !section_of(all, first, 0)->extended) {
		memcpy(to, "''", 2);
		length = 2;
	}
	for (int i = 0; i < sections; i++)
		length += put_section(to + length, section_of(all, first, i), extended);
	*out = (struct content_param){first->name, str_sub(str_of(to, length), 0, CONTENT_VALUE_MAX), extended};
	return OK;
}

/* The first of its name among the continuations stands for all of them. */
static bool is_later_section(const struct raw_param *raw, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (same(&raw[i], &raw[k]))
			return true;
	return false;
}

result params_join(const struct raw_param *raw, size_t n, arena *a, struct content_params *out)
{
	struct content_param *list = arena_array(a, n, sizeof *list);
	struct raw_params all = {raw, n};
	uint32_t count = 0;
	if (!list)
		return arena_result(a);
	for (size_t i = 0; i < n; i++) {
		if (raw[i].section < 0)
			list[count++] = (struct content_param){raw[i].name, raw[i].value, raw[i].extended};
		else if (!is_later_section(raw, i) && section_of(all, &raw[i], 0))
			TRY(join(all, &raw[i], a, &list[count++]));
	}
	*out = (struct content_params){list, count};
	return OK;
}
