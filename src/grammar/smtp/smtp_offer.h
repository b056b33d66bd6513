/* What a server offers in its answer to EHLO or LHLO (RFC 5321 section 4.1.1.1),
 * as far as a client of ours has use for it.
 *
 * The text is that of smtp_reply_read: lines joined by LF, the first one the
 * greeting. Unknown keywords, and known ones with arguments that do not parse,
 * are passed over, as RFC 5321 wants: what is not understood is not offered.
 * SIZE (RFC 1870), DELIVERBY (RFC 2852), LIMITS (RFC 9422) and AUTH (RFC 4954,
 * also the old "AUTH=") have arguments. Nothing is owned, fails or suspends. */
#ifndef GRAMMAR_SMTP_OFFER_H
#define GRAMMAR_SMTP_OFFER_H

#include "base/str.h"

enum smtp_extension {
	SMTP_CAN_PIPELINING = 1,     /* RFC 2920 */
	SMTP_CAN_8BITMIME = 2,     /* RFC 6152 */
	SMTP_CAN_SIZE = 4,
	SMTP_CAN_STARTTLS = 8,     /* RFC 3207 */
	SMTP_CAN_CHUNKING = 16,     /* RFC 3030 */
	SMTP_CAN_BINARYMIME = 32,     /* RFC 3030 */
	SMTP_CAN_SMTPUTF8 = 64,     /* RFC 6531 */
	SMTP_CAN_DSN = 128,     /* RFC 3461 */
	SMTP_CAN_ENHANCED = 256,     /* RFC 2034 */
	SMTP_CAN_REQUIRETLS = 512,    /* RFC 8689 */
	SMTP_CAN_DELIVERBY = 1024,
	SMTP_CAN_AUTH_PLAIN = 2048,
	SMTP_CAN_AUTH_LOGIN = 4096,
};

struct smtp_offer {
	unsigned has;	      /* bits of smtp_extension */
	uint64_t size;	      /* octets at most; 0: not said */
	uint64_t by_min;      /* DELIVERBY: seconds at least; 0: not said */
	uint32_t mail_max;    /* LIMITS; 0: not said */
	uint32_t rcpt_max;
	uint32_t domain_max;  /* RCPTDOMAINMAX */
};

void smtp_offer_read(str text, struct smtp_offer *out);

static inline bool smtp_offers(const struct smtp_offer *o, unsigned extension)
{
	return (o->has & extension) == extension;
}

#endif
