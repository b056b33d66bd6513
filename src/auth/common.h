/* Passwords that everybody takes, known by how they are made.
 *
 * The lists of leaked passwords are, above the least length asked here, a few
 * hundred words with decoration: digits and signs around them, letters as digits,
 * rows of the keyboard, the same thing twice. So a password is brought down to its
 * bare letters and compared with those words. Pure. */
#ifndef AUTH_COMMON_H
#define AUTH_COMMON_H

#include <stdbool.h>

#include "base/str.h"

bool common_password(str password);

#endif
