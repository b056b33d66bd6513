/* Whatever a server says to EHLO: more lines never take an offer back but by
 * saying a number anew, and the first line never offers. */
#include "grammar/smtp/smtp_offer.h"

#include "base/fail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str all = str_of((const char *)data, size);
	struct smtp_offer whole, part, first;
	smtp_offer_read(all, &whole);
	size_t cut = str_rchr(all, '\n');
	smtp_offer_read(str_sub(all, 0, cut), &part);
	must((whole.has & part.has) == part.has);
	smtp_offer_read(str_sub(all, 0, str_chr(all, '\n')), &first);
	must(first.has == 0 && first.size == 0 && first.rcpt_max == 0);
	must(whole.size == 0 || smtp_offers(&whole, SMTP_CAN_SIZE));
	must(whole.by_min == 0 || smtp_offers(&whole, SMTP_CAN_DELIVERBY));
	return 0;
}
