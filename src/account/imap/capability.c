#include "account/imap/capability.h"
#include "account/imap/verbs.h"

static const struct {
	str name;
	bool offered;
} capabilities[] = {
#define CAPABILITY(NAME, OFFERED, WHY) {STR_INIT(NAME), (OFFERED)},
#include "account/imap/capabilities.h"
#undef CAPABILITY
};
enum { CAPABILITIES = sizeof capabilities / sizeof *capabilities };

void imap_put_capabilities(struct imap_session *s, buf *out)
{
	buf_put(out, STR("CAPABILITY"));
	for (size_t i = 0; i < CAPABILITIES; i++) {
		if (!capabilities[i].offered)
			continue;
		buf_putc(out, ' ');
		buf_put(out, capabilities[i].name);
	}
	buf_put(out, STR(" APPENDLIMIT=")); /* RFC 7889 */
	buf_put_u64(out, s->home->message_max);
}

result run_CAPABILITY(struct imap_session *s, struct imap_command *c)
{
	(void)c;
	buf_put(&s->out, STR("* "));
	imap_put_capabilities(s, &s->out);
	buf_put(&s->out, STR("\r\n"));
	return OK;
}
