#include "auth/common.h"

#include "base/buf.h"

enum { BARE_MAX = 64 }; /* octets: what is longer is no word with decoration */

/* A password of up to three of these is one that everybody takes. */
static const char *const words[] = {
	"administrator", "administration", "admin", "password", "passwort", "passwd", "passwords", "motdepasse",
	"contrasena", "senha", "wachtwoord", "qwertyuiop", "qwerty", "qwertz", "qwertzuiop", "azerty", "azertyuiop",
	"asdfghjkl", "asdfgh", "asdf", "zxcvbnm", "zxcvbn", "yxcvbnm", "qazwsxedc", "qazwsx", "wsx", "edc", "rfv",
	"abcdefghij", "abcdefgh", "abcdef", "abcd", "abc", "letmein", "welcome", "willkommen", "bienvenue",
	"iloveyou", "ihateyou", "loveyou", "lovely", "love", "princess", "sunshine", "football", "fussball",
	"baseball", "basketball", "hockey", "soccer", "superman", "batman", "spiderman", "pokemon", "starwars",
	"matrix", "dragon", "monkey", "master", "shadow", "michael", "jordan", "jennifer", "jessica", "ashley",
	"daniel", "thomas", "charlie", "andrea", "nicole", "michelle", "maggie", "robert", "george", "harley",
	"hunter", "ranger", "buster", "tigger", "ginger", "pepper", "cookie", "cheese", "chocolate", "banana",
	"orange", "purple", "flower", "butterfly", "summer", "winter", "spring", "autumn", "sommer", "hallo", "hello",
	"bonjour", "computer", "internet", "server", "mailserver", "mail", "email", "postmaster", "webmaster", "root",
	"toor", "user", "guest", "test", "testing", "tester", "demo", "default", "changeme", "change", "changeit",
	"secret", "geheim", "secure", "security", "login", "access", "system", "office", "company", "business",
	"private", "trustno", "whatever", "nothing", "freedom", "liverpool", "chelsea", "arsenal", "barcelona",
	"bayern", "schalke", "borussia", "juventus", "america", "deutschland", "germany", "london", "berlin", "paris",
	"mustang", "ferrari", "porsche", "mercedes", "corvette", "yamaha", "jesus", "christ", "heaven", "angel",
	"angels", "babygirl", "baby", "family", "friends", "forever", "schatz", "liebe", "correcthorsebatterystaple",
	"please", "fuckyou", "fuck", "you", "me", "my", "the", "is", "a", "i",
};

/* Letters that digits and signs stand for. */
static char letter_of(unsigned char c)
{
	static const char from[] = "0134578@$!", to[] = "oieastbasi";
	const char *at = c ? strchr(from, c) : NULL;
	return at ? to[at - from] : (char)ascii_lower(c);
}

static bool is_decoration(unsigned char c)
{
	return !ascii_alpha(c) && c < 0x80;
}

/* Is it made of these words alone? The text is short, and so is the list. */
static bool is_of_words(str text, int depth)
{
	if (text.n == 0)
		return true;
	for (size_t i = 0; depth > 0 && i < sizeof words / sizeof *words; i++)
		if (str_starts(text, str_from(words[i])) && is_of_words(str_skip(text, strlen(words[i])), depth - 1))
			return true;
	return false;
}

static bool bare_is_common(str text, bool digits_are_letters)
{
	enum { WORDS = 3 };
	char bare[BARE_MAX];
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		char c = digits_are_letters ? letter_of(str_at(text, i)) : (char)ascii_lower(str_at(text, i));
		if (!is_decoration((unsigned char)c))
			bare[n++] = c;
	}
	return is_of_words(str_of(bare, n), WORDS);
}

/* What remains when the decoration at both ends is gone. */
static str core_of(str p)
{
	while (p.n > 0 && is_decoration(str_at(p, 0)))
		p = str_skip(p, 1);
	while (p.n > 0 && is_decoration(str_at(p, p.n - 1)))
		p = str_sub(p, 0, p.n - 1);
	return p;
}

/* "121212", "passpass1passpass1": a piece of at most a third, or of half, again and again. */
static bool repeats(str p)
{
	for (size_t piece = 1; piece <= 4 && piece * 2 <= p.n; piece++)
		if (memcmp(p.p, p.p + piece, p.n - piece) == 0)
			return true;
	return false;
}

/* Each octet one more or less than the one before, but for a few steps: "0123456789", "abcdefabcdef". */
static bool climbs(str p)
{
	size_t odd = 0;
	for (size_t i = 1; i < p.n; i++) {
		int step = str_at(p, i) - str_at(p, i - 1);
		odd += step != 1 && step != -1 && step != 0;
	}
	return odd <= p.n / 6;
}

bool common_password(str password)
{
	if (password.n == 0 || password.n > BARE_MAX)
		return password.n == 0;
	return repeats(password) || climbs(password) || bare_is_common(core_of(password), true) ||
	       bare_is_common(password, false);
}
