#include "base/log_read.h"

bool log_read(str record, struct log_record *out)
{
	cursor c = cursor_on(record);
	out->event = cursor_u16(&c);
	str trace = cursor_take(&c, sizeof out->trace.b);
	if (c.bad || out->event >= LOG_EVENTS)
		return false;
	memcpy(out->trace.b, trace.p, trace.n);
	out->fields = c;
	return true;
}

bool log_next(struct log_record *r, struct log_value *out)
{
	cursor *c = &r->fields;
	if (c->bad || cursor_done(c))
		return false;
	out->name = cursor_take(c, cursor_u8(c));
	int type = cursor_next(c);
	out->type = type < 0 ? 0 : (char)type;
	out->text = (str){NULL, 0};
	out->number = 0;
	if (type == 's')
		out->text = cursor_take(c, cursor_u16(c));
	else if (type == 'u' || type == 'i')
		out->number = cursor_u64(c);
	else
		c->bad = true;
	return !c->bad;
}
