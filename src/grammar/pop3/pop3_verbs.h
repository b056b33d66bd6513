/* The one list of POP3 commands. VERB(identifier, name, states, arguments).
 * States: B before login (AUTHORIZATION), T after it (TRANSACTION; RFC 1939
 * sections 4 and 5). Arguments: the parsers of pop3.c. Included by pop3.[ch] and
 * by whoever keeps one handler per verb.
 *
 * Not offered: APOP needs passwords kept in clear; LAST was taken out of the
 * protocol; LANG (RFC 6856) has no second language to speak here; LOGIN-DELAY
 * (RFC 2449), because guessers are slowed down by other means. */
VERB(CAPA, "CAPA", B | T, none)         /* RFC 2449 */
VERB(STLS, "STLS", B, none)             /* RFC 2595 */
VERB(USER, "USER", B, text)
VERB(PASS, "PASS", B, text)
VERB(AUTH, "AUTH", B, auth)             /* RFC 1734, 5034 */
VERB(UTF8, "UTF8", B | T, none)         /* RFC 6856 */
VERB(STAT, "STAT", T, none)
VERB(LIST, "LIST", T, message_or_none)
VERB(UIDL, "UIDL", T, message_or_none)
VERB(RETR, "RETR", T, message)
VERB(TOP, "TOP", T, message_and_lines)
VERB(DELE, "DELE", T, message)
VERB(RSET, "RSET", T, none)
VERB(NOOP, "NOOP", T, none)
VERB(QUIT, "QUIT", B | T, none)
