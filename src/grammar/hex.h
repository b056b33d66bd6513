/* Hexadecimal digits, as several encodings of mail write bytes. */
#ifndef GRAMMAR_HEX_H
#define GRAMMAR_HEX_H

#define HEX_DIGITS "0123456789ABCDEF"

/* The value of a digit in either case, -1 for anything else (also for a cursor's -1). */
static inline int hex_value(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

#endif
