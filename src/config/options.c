#include "config/options.h"
#include "base/mem.h"

static const struct option_row rows[] = {
#define OPTION(ID, NAME, TYPE, PRESET, MIN, MAX, ROOMS, MEANING) [ID] = {NAME, TYPE, PRESET, MIN, MAX, ROOMS, MEANING},
#include "config/options_table.h"
#undef OPTION
};

const struct option_row *option_row_of(enum option_id id)
{
	must((size_t)id < OPTIONS);
	return &rows[id];
}

bool option_find(str name, enum option_id *out)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		if (str_eq(str_from(rows[i].name), name)) {
			*out = (enum option_id)i;
			return true;
		}
	}
	return false;
}

enum { NAME_MAX_COMPARED = 40, NEAR = 3 };

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance; names are short. */
static size_t distance(str a, str b)
{
	size_t row[NAME_MAX_COMPARED + 1];
	if (a.n > NAME_MAX_COMPARED || b.n > NAME_MAX_COMPARED)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t change = diagonal + (a.p[i - 1] != b.p[j - 1]);
			diagonal = row[j];
			row[j] = smaller(smaller(row[j] + 1, row[j - 1] + 1), change);
		}
	}
	return row[b.n];
}

const char *option_nearest(str name)
{
	const char *best = NULL;
	size_t least = NEAR + 1;
	for (size_t i = 0; i < OPTIONS; i++) {
		size_t d = distance(name, str_from(rows[i].name));
		if (d < least) {
			least = d;
			best = rows[i].name;
		}
	}
	return best;
}

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit sizes[] = {{"", 1}, {"k", 1024}, {"K", 1024}, {"M", 1048576}, {"G", 1073741824}, {NULL, 0}};
static const struct unit times[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
static const struct unit counts[] = {{"", 1}, {NULL, 0}};

static bool number_with_unit(str s, const struct unit *units, uint64_t *out)
{
	size_t digits = 0;
	while (digits < s.n && ascii_digit(str_at(s, digits)))
		digits++;
	if (!str_to_u64(str_sub(s, 0, digits), out))
		return false;
	for (const struct unit *u = units; u->suffix; u++)
		if (str_eq(str_skip(s, digits), str_from(u->suffix)))
			return !__builtin_mul_overflow(*out, u->factor, out);
	return *out == 0 && digits == s.n;
}

static result check_range(const struct option_row *row, uint64_t n)
{
	if (n < row->min)
		return failure(FAIL_INPUT, "the value is below the option's least value; see `posternd --help`");
	if (row->max && n > row->max)
		return failure(FAIL_INPUT, "the value is above the option's largest value; see `posternd --help`");
	return OK;
}

static result parse_number(const struct option_row *row, str value, uint64_t *out)
{
	const struct unit *units = row->type == SIZE ? sizes : row->type == TIME ? times : counts;
	if (!number_with_unit(value, units, out)) {
		if (row->type == SIZE)
			return failure(
				FAIL_INPUT, "this is not a size: write a number, with k, M or G behind it if you like (50M)");
		if (row->type == TIME)
			return failure(FAIL_INPUT, "this is not a time: write a number with ms, s, m, h or d behind it (5m)");
		return failure(FAIL_INPUT, "this is not a number: write digits only");
	}
	return check_range(row, *out);
}

static result parse_yesno(str value, uint64_t *out)
{
	if (str_ieq(value, STR("yes")) || str_ieq(value, STR("true")) || str_ieq(value, STR("on")))
		*out = 1;
	else if (str_ieq(value, STR("no")) || str_ieq(value, STR("false")) || str_ieq(value, STR("off")))
		*out = 0;
	else
		return failure(FAIL_INPUT, "this is neither yes nor no: write yes or no");
	return OK;
}

static result parse_choice(const struct option_row *row, str value, uint64_t *out)
{
	str words = str_from(row->meaning);
	words = str_sub(words, 0, str_chr(words, ' '));
	for (uint64_t i = 0;; i++) {
		size_t bar = str_chr(words, '|');
		if (str_eq(str_sub(words, 0, bar), value)) {
			*out = i;
			return OK;
		}
		if (bar == STR_NONE)
			return failure(FAIL_INPUT, "this is not one of the option's words; see `posternd --help`");
		words = str_skip(words, bar + 1);
	}
}

static result parse_text(const struct option_row *row, str value)
{
	if (value.n == 0 && row->preset[0] == '\0')
		return OK;
	if (str_chr(value, '\0') != STR_NONE)
		return failure(FAIL_INPUT, "the value holds a NUL: remove it");
	return check_range(row, value.n);
}

static result parse_list(const struct option_row *row, str value)
{
	uint64_t n = 0;
	str member;
	while (options_next(&value, &member))
		n++;
	return check_range(row, n);
}

static result parse_value(const struct option_row *row, str value, uint64_t *number)
{
	switch (row->type) {
	case TEXT:
	case FILE_AT:
		return parse_text(row, value);
	case LIST:
		return parse_list(row, value);
	case YESNO:
		return parse_yesno(value, number);
	case CHOICE:
		return parse_choice(row, value, number);
	case COUNT:
	case SIZE:
	case TIME:
		return parse_number(row, value, number);
	}
	return failure(FAIL_INPUT, "unknown type of option");
}

result options_set(struct options *o, enum option_id id, str value)
{
	uint64_t number = 0;
	TRY(parse_value(option_row_of(id), value, &number));
	char *copy = mem_alloc(value.n + 1);
	if (!copy)
		return failure(FAIL_MEMORY, "out of memory");
	if (value.n)
		memcpy(copy, value.p, value.n);
	mem_free(o->text[id]);
	o->text[id] = copy;
	o->number[id] = number;
	return OK;
}

void options_init(struct options *o)
{
	*o = (struct options){0};
	for (size_t i = 0; i < OPTIONS; i++)
		must(!failed(parse_value(&rows[i], str_from(rows[i].preset), &o->number[i])));
}

void options_free(struct options *o)
{
	for (size_t i = 0; i < OPTIONS; i++)
		mem_free(o->text[i]);
	*o = (struct options){0};
}

str options_text(const struct options *o, enum option_id id)
{
	return str_from(o->text[id] ? o->text[id] : rows[id].preset);
}

uint64_t options_number(const struct options *o, enum option_id id)
{
	must(rows[id].type != TEXT && rows[id].type != LIST && rows[id].type != FILE_AT);
	return o->number[id];
}

bool options_yes(const struct options *o, enum option_id id)
{
	must(rows[id].type == YESNO);
	return o->number[id] != 0;
}

bool options_next(str *rest, str *member)
{
	if (rest->n == 0)
		return false;
	size_t end = str_chr(*rest, '\n');
	*member = str_sub(*rest, 0, end);
	*rest = end == STR_NONE ? (str){NULL, 0} : str_skip(*rest, end + 1);
	return true;
}
