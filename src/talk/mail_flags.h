/* What the client asked of a message beyond its addresses, in one number that
 * edge, queue and relay hand on. */
#ifndef TALK_MAIL_FLAGS_H
#define TALK_MAIL_FLAGS_H

enum mail_flag {
	MAIL_8BIT = 1,        /* BODY=8BITMIME, or octets above 127 (RFC 6152) */
	MAIL_BINARY = 2,      /* BODY=BINARYMIME (RFC 3030) */
	MAIL_UTF8 = 4,        /* SMTPUTF8 (RFC 6531): the addresses or the header need it */
	MAIL_REQUIRETLS = 8,  /* RFC 8689 */
	MAIL_TLS_OPTIONAL = 16, /* "TLS-Required: No" in the header (RFC 8689 5) */
	MAIL_REPORT = 32,     /* written by this server: no report of it goes out */
	MAIL_FORWARDED = 64,  /* its sender was rewritten: no warning of delay */
};

#endif
