#include "grammar/text/http.h"

static bool is_method(str word)
{
	for (size_t i = 0; i < word.n; i++)
		if (str_at(word, i) < 'A' || str_at(word, i) > 'Z')
			return false;
	return word.n > 0 && word.n <= HTTP_METHOD_MAX;
}

bool http_is_request(str line)
{
	size_t first = str_chr(line, ' '), last = str_rchr(line, ' ');
	if (first == STR_NONE || last == first)
		return false;
	str version = str_skip(line, last + 1);
	return is_method(str_sub(line, 0, first)) && version.n == 8 && str_starts(version, STR("HTTP/")) &&
	       ascii_digit(str_at(version, 5)) && str_at(version, 6) == '.' && ascii_digit(str_at(version, 7));
}
