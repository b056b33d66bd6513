/* Who the client is: AUTHENTICATE, LOGIN, ENABLE (RFC 5161), ID (RFC 2971). */
#include "grammar/imap/imap_args.h"

void imap_args_authenticate(struct imap_lex *x, struct imap_command *c)
{
	struct imap_auth auth = {0};
	imap_space(x);
	auth.mechanism = imap_atom(x, "the name of a SASL mechanism is expected here");
	auth.has_initial = imap_eat(x, ' ');
	if (auth.has_initial)
		auth.initial = imap_atom(x, "the initial response in base64, or \"=\", is expected here");
	if (str_eq(auth.initial, STR("=")))
		auth.initial.n = 0;
	c->auth = auth;
}

void imap_args_login(struct imap_lex *x, struct imap_command *c)
{
	struct imap_login login;
	imap_space(x);
	login.user = imap_astring(x, "a user name is expected here");
	imap_space(x);
	login.password = imap_astring(x, "a password is expected here");
	c->login = login;
}

void imap_args_enable(struct imap_lex *x, struct imap_command *c)
{
	struct imap_strs names = {0};
	imap_space(x);
	do
		imap_push(x, &names, imap_atom(x, "the name of a capability is expected here"));
	while (imap_eat(x, ' '));
	c->enable = names;
}

void imap_args_id(struct imap_lex *x, struct imap_command *c)
{
	struct imap_strs pairs = {0};
	imap_space(x);
	if (imap_eat_word(x, STR("NIL")))
		return;
	imap_char(x, '(', "NIL, or a list of fields and values in parentheses, is expected here");
	if (imap_eat(x, ')'))
		return;
	do {
		imap_push(x, &pairs, imap_string(x));
		imap_space(x);
		imap_push(x, &pairs, imap_nstring(x));
	} while (imap_another(x));
	c->id = pairs;
}
