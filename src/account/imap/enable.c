#include "account/imap/verbs.h"

static const struct {
	str name;
	unsigned bits;
} switches[] = {
	{STR_INIT("CONDSTORE"), ENABLED_CONDSTORE},
	{STR_INIT("QRESYNC"), ENABLED_QRESYNC | ENABLED_CONDSTORE},
	{STR_INIT("IMAP4rev2"), ENABLED_REV2},
	{STR_INIT("UTF8=ACCEPT"), ENABLED_UTF8},
};
enum { SWITCHES = sizeof switches / sizeof *switches };

/* RFC 5161 3.1: what is unknown is ignored, what is on already is not told again. */
result run_ENABLE(struct imap_session *s, struct imap_command *c)
{
	unsigned before = s->enabled;
	buf names = buf_new(128);
	for (size_t i = 0; i < c->enable.n; i++) {
		for (size_t k = 0; k < SWITCHES; k++) {
			if (!str_ieq(c->enable.v[i], switches[k].name) || !(switches[k].bits & ~s->enabled))
				continue;
			if (switches[k].bits & ENABLED_CONDSTORE)
				imap_enable_condstore(s);
			s->enabled |= switches[k].bits;
			buf_putc(&names, ' ');
			buf_put(&names, switches[k].name);
		}
	}
	buf_put(&s->out, STR("* ENABLED"));
	buf_put(&s->out, buf_str(&names));
	buf_put(&s->out, STR("\r\n"));
	buf_free(&names);
	/* RFC 7162 3.1.2.3: numbers are told from now on as VANISHED, so what is due comes first. */
	return before == s->enabled ? OK : imap_send_if_long(s);
}
