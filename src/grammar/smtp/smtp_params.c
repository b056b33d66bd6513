#include "grammar/smtp/smtp_part.h"
#include "grammar/smtp/xtext.h"
#include "grammar/text/timestamp.h"

/* A value being read: the parameter's name for the fault, and the bytes behind "=" (p is NULL without one). */
struct value {
	str name;
	str text;
};

static result bad_value(struct smtp_parser *p, const struct value *v)
{
	return smtp_refuse(p, FAULT(501, "5.5.4", "the parameter's value is malformed"), v->name);
}

static bool has_control(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (str_at(s, i) < 32 || s.p[i] == 127)
			return true;
	return false;
}

/* --- MAIL --- */

/* RFC 1870 permits 20 digits; more than fits is as good as the largest number. */
static result param_size(struct smtp_parser *p, const struct value *v, struct smtp_command *out)
{
	uint64_t n;
	if (v->text.n == 0 || v->text.n > 20)
		return bad_value(p, v);
	for (size_t i = 0; i < v->text.n; i++)
		if (!ascii_digit(str_at(v->text, i)))
			return bad_value(p, v);
	out->mail.size = str_to_u64(v->text, &n) ? n : UINT64_MAX;
	return OK;
}

static result param_body(struct smtp_parser *p, const struct value *v, struct smtp_command *out)
{
	if (str_ieq(v->text, STR("7BIT")))
		out->mail.body = SMTP_BODY_7BIT;
	else if (str_ieq(v->text, STR("8BITMIME")))
		out->mail.body = SMTP_BODY_8BITMIME;
	else if (!str_ieq(v->text, STR("BINARYMIME")))
		return bad_value(p, v);
	else if (!(p->offered & SMTP_P_BINARYMIME))
		return smtp_refuse(p, FAULT(504, "5.5.4", "this parameter is not offered here"),
				   STR("BODY=BINARYMIME"));
	else
		out->mail.body = SMTP_BODY_BINARYMIME;
	return OK;
}

static result param_flag(struct smtp_parser *p, const struct value *v, struct smtp_command *out)
{
	(void)out;
	return v->text.p ? bad_value(p, v) : OK;
}

static result param_ret(struct smtp_parser *p, const struct value *v, struct smtp_command *out)
{
	if (str_ieq(v->text, STR("FULL")))
		out->mail.ret = SMTP_RET_FULL;
	else if (str_ieq(v->text, STR("HDRS")))
		out->mail.ret = SMTP_RET_HDRS;
	else
		return bad_value(p, v);
	return OK;
}

/* xtext whose meaning has no control characters: it will stand in header fields. */
static result decode(struct smtp_parser *p, const struct value *v, str coded, str *out)
{
	result r = xtext_decode(coded, p->arena, out);
	if (failed(r))
		return smtp_refuse_because(p, r, FAULT(501, "5.5.4", NULL), v->name);
	return has_control(*out) || !str_is_utf8(*out) ? bad_value(p, v) : OK;
}

static result param_envid(struct smtp_parser *p, const struct value *v, struct smtp_command *out)
{
	if (v->text.n == 0 || v->text.n > SMTP_ENVID_MAX)
		return bad_value(p, v);
	TRY(decode(p, v, v->text, &out->mail.envid));
	return str_is_ascii(out->mail.envid) ? OK : bad_value(p, v);
}

static result param_auth(struct smtp_parser *p, const struct value *v, struct smtp_command *out)
{
	str plain;
	if (v->text.n == 0)
		return bad_value(p, v);
	if (str_eq(v->text, STR("<>")))
		return OK;
	TRY(decode(p, v, v->text, &plain));
	result r = mailbox_parse(plain, p->arena, &out->mail.auth);
	return failed(r) ? smtp_refuse_because(p, r, FAULT(501, "5.5.4", NULL), v->name) : OK;
}

/* One to nine digits. */
static bool seconds_of(str text, uint32_t *out)
{
	return str_to_u32(text, out) && text.n <= 9;
}

static result param_hold_for(struct smtp_parser *p, const struct value *v, struct smtp_command *out)
{
	if (!seconds_of(v->text, &out->mail.hold_for) || (out->mail.given & SMTP_P_HOLDUNTIL))
		return bad_value(p, v);
	return OK;
}

static result param_hold_until(struct smtp_parser *p, const struct value *v, struct smtp_command *out)
{
	static const int64_t last = 253402300799; /* second of the year 9999 */
	int64_t *at = &out->mail.hold_until;
	if (!timestamp_parse(v->text, at) || *at < 0 || *at > last || (out->mail.given & SMTP_P_HOLDFOR))
		return bad_value(p, v);
	return OK;
}

/* "BY=600;R", "BY=-10;NT". To return what is late already makes no sense (RFC 2852 4). */
static result param_by(struct smtp_parser *p, const struct value *v, struct smtp_command *out)
{
	size_t semicolon = str_chr(v->text, ';');
	str seconds = str_sub(v->text, 0, semicolon), mode = str_skip(v->text, semicolon == STR_NONE ? 0 : semicolon + 1);
	bool minus = str_starts(seconds, STR("-"));
	uint32_t n;
	if (minus || str_starts(seconds, STR("+")))
		seconds = str_skip(seconds, 1);
	if (semicolon == STR_NONE || !seconds_of(seconds, &n))
		return bad_value(p, v);
	struct smtp_mail *m = &out->mail;
	m->by = minus ? -(int64_t)n : (int64_t)n;
	m->by_return = str_istarts(mode, STR("R"));
	m->by_trace = mode.n == 2 && ascii_lower(str_at(mode, 1)) == 't';
	bool known = m->by_return ? m->by > 0 : str_istarts(mode, STR("N"));
	return known && mode.n == 1u + m->by_trace ? OK : bad_value(p, v);
}

/* --- RCPT --- */

static unsigned notify_bit(str word)
{
	if (str_ieq(word, STR("NEVER")))
		return SMTP_NOTIFY_NEVER;
	if (str_ieq(word, STR("SUCCESS")))
		return SMTP_NOTIFY_SUCCESS;
	if (str_ieq(word, STR("FAILURE")))
		return SMTP_NOTIFY_FAILURE;
	return str_ieq(word, STR("DELAY")) ? SMTP_NOTIFY_DELAY : 0;
}

static result param_notify(struct smtp_parser *p, const struct value *v, struct smtp_command *out)
{
	unsigned all = 0;
	str rest = v->text;
	for (bool more = true; more;) {
		size_t comma = str_chr(rest, ',');
		unsigned bit = notify_bit(str_sub(rest, 0, comma));
		if (bit == 0)
			return bad_value(p, v);
		all |= bit;
		more = comma != STR_NONE;
		rest = more ? str_skip(rest, comma + 1) : rest;
	}
	if ((all & SMTP_NOTIFY_NEVER) && all != SMTP_NOTIFY_NEVER)
		return bad_value(p, v);
	out->rcpt.notify = all;
	return OK;
}

static bool is_type(str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_alpha(str_at(s, i)) && !ascii_digit(str_at(s, i)) && s.p[i] != '-')
			return false;
	return s.n > 0;
}

static result param_orcpt(struct smtp_parser *p, const struct value *v, struct smtp_command *out)
{
	size_t semicolon = str_chr(v->text, ';');
	str type = str_sub(v->text, 0, semicolon), coded = str_skip(v->text, semicolon == STR_NONE ? 0 : semicolon + 1);
	if (semicolon == STR_NONE || v->text.n > SMTP_ORCPT_MAX || !is_type(type) || coded.n == 0)
		return bad_value(p, v);
	out->rcpt.orcpt_type = type;
	if (!str_ieq(type, STR("utf-8")))
		return decode(p, v, coded, &out->rcpt.orcpt);
	if (!p->smtputf8 && !str_is_ascii(coded))
		return smtp_refuse(p,
				   FAULT(553, "5.6.7",
					 "a value with other than ASCII characters needs SMTPUTF8 in the "
					 "MAIL command"),
				   v->name);
	result r = utf8_addr_decode(coded, p->arena, &out->rcpt.orcpt);
	if (failed(r))
		return smtp_refuse_because(p, r, FAULT(501, "5.5.4", NULL), v->name);
	return has_control(out->rcpt.orcpt) ? bad_value(p, v) : OK;
}

/* --- the one table of parameters, also of those not offered --- */

struct param {
	str name;
	enum smtp_verb verb;
	unsigned bit; /* 0: never offered, listed so that the refusal can say so */
	result (*parse)(struct smtp_parser *p, const struct value *v, struct smtp_command *out);
};

static const struct param params[] = {
	{STR_INIT("SIZE"), SMTP_MAIL, SMTP_P_SIZE, param_size},		    /* RFC 1870 */
	{STR_INIT("BODY"), SMTP_MAIL, SMTP_P_BODY, param_body},		    /* RFC 6152, 3030 */
	{STR_INIT("SMTPUTF8"), SMTP_MAIL, SMTP_P_SMTPUTF8, param_flag}, /* RFC 6531 */
	{STR_INIT("RET"), SMTP_MAIL, SMTP_P_RET, param_ret},		    /* RFC 3461 */
	{STR_INIT("ENVID"), SMTP_MAIL, SMTP_P_ENVID, param_envid},
	{STR_INIT("AUTH"), SMTP_MAIL, SMTP_P_AUTH, param_auth},	      /* RFC 4954 */
	{STR_INIT("NOTIFY"), SMTP_RCPT, SMTP_P_NOTIFY, param_notify}, /* RFC 3461 */
	{STR_INIT("ORCPT"), SMTP_RCPT, SMTP_P_ORCPT, param_orcpt},    /* RFC 3461, 6533 */
	{STR_INIT("REQUIRETLS"), SMTP_MAIL, SMTP_P_REQUIRETLS, param_flag}, /* RFC 8689 */
	{STR_INIT("HOLDFOR"), SMTP_MAIL, SMTP_P_HOLDFOR, param_hold_for},   /* RFC 4865 */
	{STR_INIT("HOLDUNTIL"), SMTP_MAIL, SMTP_P_HOLDUNTIL, param_hold_until},
	{STR_INIT("BY"), SMTP_MAIL, SMTP_P_BY, param_by},	      /* RFC 2852 */
	{STR_INIT("MT-PRIORITY"), SMTP_MAIL, 0, NULL},		      /* RFC 6710 */
	{STR_INIT("MTRK"), SMTP_MAIL, 0, NULL},	   /* RFC 3885 */
	{STR_INIT("CONPERM"), SMTP_MAIL, 0, NULL}, /* RFC 4141 */
	{STR_INIT("CONNEG"), SMTP_RCPT, 0, NULL},
	{STR_INIT("RRVS"), SMTP_RCPT, 0, NULL},	     /* RFC 7293 */
	{STR_INIT("TRANSID"), SMTP_MAIL, 0, NULL},   /* RFC 1845 */
	{STR_INIT("SUBMITTER"), SMTP_MAIL, 0, NULL}, /* RFC 4405 */
};

static const struct param *find_param(str name, enum smtp_verb verb)
{
	for (size_t i = 0; i < sizeof params / sizeof params[0]; i++)
		if (params[i].verb == verb && str_ieq(params[i].name, name))
			return &params[i];
	return NULL;
}

static result one_param(struct smtp_parser *p, const struct value *v, struct smtp_command *out)
{
	const struct param *param = find_param(v->name, out->verb);
	unsigned *given = out->verb == SMTP_MAIL ? &out->mail.given : &out->rcpt.given;
	if (!param)
		return smtp_refuse(p, FAULT(555, "5.5.4", "this parameter is not known here"), v->name);
	if (!(param->bit & p->offered))
		return smtp_refuse(p, FAULT(504, "5.5.4", "this parameter is not offered here"), v->name);
	if (*given & param->bit)
		return smtp_refuse(p, FAULT(501, "5.5.4", "the parameter is given twice"), v->name);
	*given |= param->bit;
	return param->parse(p, v, out);
}

result smtp_take_params(struct smtp_parser *p, cursor *c, struct smtp_command *out)
{
	for (;;) {
		if (cursor_while(c, smtp_is_blank).n > 1)
			out->lenient = true;
		str word = cursor_while(c, smtp_not_blank);
		if (word.n == 0)
			return OK;
		size_t equals = str_chr(word, '=');
		struct value v = {str_sub(word, 0, equals), {NULL, 0}};
		if (equals != STR_NONE)
			v.text = str_skip(word, equals + 1);
		TRY(one_param(p, &v, out));
	}
}

/* --- XCLIENT --- */

static const str x_names[SMTP_X_COUNT] = {
	[SMTP_X_NAME] = STR_INIT("NAME"),	  [SMTP_X_ADDR] = STR_INIT("ADDR"),
	[SMTP_X_PORT] = STR_INIT("PORT"),	  [SMTP_X_PROTO] = STR_INIT("PROTO"),
	[SMTP_X_HELO] = STR_INIT("HELO"),	  [SMTP_X_LOGIN] = STR_INIT("LOGIN"),
	[SMTP_X_DESTADDR] = STR_INIT("DESTADDR"), [SMTP_X_DESTPORT] = STR_INIT("DESTPORT"),
};

static bool x_address(str text, struct ip *out)
{
	return ip_parse(str_istarts(text, STR("IPV6:")) ? str_skip(text, 5) : text, out);
}

static bool x_port(str text, uint16_t *out)
{
	uint32_t n;
	if (!str_to_u32(text, &n) || n > UINT16_MAX)
		return false;
	*out = (uint16_t)n;
	return true;
}

static result one_attribute(struct smtp_parser *p, const struct value *v, struct smtp_xclient *x)
{
	size_t i = 0;
	while (i < SMTP_X_COUNT && !str_ieq(v->name, x_names[i]))
		i++;
	if (i == SMTP_X_COUNT)
		return smtp_refuse(p, FAULT(501, "5.5.4", "XCLIENT has no such attribute"), v->name);
	if (x->given & 1u << i)
		return smtp_refuse(p, FAULT(501, "5.5.4", "the attribute is given twice"), v->name);
	x->given |= 1u << i;
	TRY(decode(p, v, v->text, &x->value[i]));
	if (str_ieq(x->value[i], STR("[UNAVAILABLE]")) || str_ieq(x->value[i], STR("[TEMPUNAVAIL]"))) {
		x->unknown |= 1u << i;
		x->value[i].n = 0;
		return OK;
	}
	if ((i == SMTP_X_ADDR && !x_address(x->value[i], &x->addr)) ||
	    (i == SMTP_X_PORT && !x_port(x->value[i], &x->port)))
		return bad_value(p, v);
	return OK;
}

result smtp_take_xclient(struct smtp_parser *p, cursor *c, struct smtp_command *out)
{
	for (;;) {
		cursor_while(c, smtp_is_blank);
		str word = cursor_while(c, smtp_not_blank);
		size_t equals = str_chr(word, '=');
		if (word.n == 0)
			break;
		if (equals == STR_NONE)
			return smtp_refuse(p, FAULT(501, "5.5.4", "the form is XCLIENT name=value ..."), STR(""));
		struct value v = {str_sub(word, 0, equals), str_skip(word, equals + 1)};
		TRY(one_attribute(p, &v, &out->xclient));
	}
	return out->xclient.given ? OK
				  : smtp_refuse(p, FAULT(501, "5.5.4", "the form is XCLIENT name=value ..."), STR(""));
}
