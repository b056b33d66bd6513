/* The form of an app password: 28 random letters, at least 128 bits, shown as
 * seven groups of four: "cxtm-whaf-...".
 *
 * Lower case only, and neither "l" nor "o", which look like digits. What people
 * type may have capitals, blanks and hyphens, or none. A SCRAM client computes
 * with the text as it stands, so both forms that people paste, with and
 * without hyphens, are stored (app_passwords.h). Nothing suspends. */
#ifndef AUTH_APP_SECRET_H
#define AUTH_APP_SECRET_H

#include <stdbool.h>

#include "base/str.h"

enum { APP_SECRET_LETTERS = 28, APP_SECRET_GROUP = 4, APP_SECRET_TEXT = APP_SECRET_LETTERS + 6 };

void app_secret_make(char letters[APP_SECRET_LETTERS]);
void app_secret_group(const char letters[APP_SECRET_LETTERS], char text[APP_SECRET_TEXT]);
/* False: it has not that form, so it is no app password. */
bool app_secret_read(str typed, char letters[APP_SECRET_LETTERS]);

#endif
