#include "grammar/text/html_entities.h"
#include "grammar/html_entities_table.h"

static uint32_t look_up(str name)
{
	size_t low = 0, high = HTML_ENTITIES;
	while (low < high) {
		size_t middle = (low + high) / 2;
		size_t from = html_starts[middle];
		int order = str_cmp(str_of(html_names + from, html_starts[middle + 1] - from), name);
		if (order == 0)
			return html_codes[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

uint32_t html_entity(str name)
{
	return look_up(name) & ~HTML_OLD;
}

uint32_t html_old_entity(str text, size_t *n)
{
	for (size_t length = text.n < HTML_OLD_MAX ? text.n : HTML_OLD_MAX; length > 1; length--) {
		uint32_t code = look_up(str_sub(text, 0, length));
		if (code & HTML_OLD) {
			*n = length;
			return code & ~HTML_OLD;
		}
	}
	return 0;
}
