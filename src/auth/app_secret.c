#include "auth/app_secret.h"

#include "run/random.h"

/* log2(24) * 28 = 128.4 bits. */
#define ALPHABET STR("abcdefghijkmnpqrstuvwxyz")

void app_secret_make(char letters[APP_SECRET_LETTERS])
{
	for (size_t i = 0; i < APP_SECRET_LETTERS; i++)
		letters[i] = ALPHABET.p[random_below((uint32_t)ALPHABET.n)];
}

void app_secret_group(const char letters[APP_SECRET_LETTERS], char text[APP_SECRET_TEXT])
{
	for (size_t i = 0, at = 0; i < APP_SECRET_LETTERS; i++) {
		if (i > 0 && i % APP_SECRET_GROUP == 0)
			text[at++] = '-';
		text[at++] = letters[i];
	}
}

bool app_secret_read(str typed, char letters[APP_SECRET_LETTERS])
{
	size_t n = 0;
	for (size_t i = 0; i < typed.n; i++) {
		char c = (char)ascii_lower(str_at(typed, i));
		if (c == '-' || c == ' ')
			continue;
		if (n == APP_SECRET_LETTERS || str_chr(ALPHABET, c) == STR_NONE)
			return false;
		letters[n++] = c;
	}
	return n == APP_SECRET_LETTERS;
}
