#include "talk/settings.h"

#include "base/mem.h"

result settings_read(const struct supervisor_room_begin *b, struct options *out)
{
	options_init(out);
	for (size_t i = 0; i < b->settings.n; i++) {
		const struct supervisor_room_setting *s = &b->settings.p[i];
		enum option_id id;
		if (!option_find(s->name, &id))
			return failure(FAIL_INPUT,
				"the supervisor told an option that this program does not know; install all programs of one version");
		TRY(options_set(out, id, s->value));
	}
	return OK;
}

str settings_file(const struct supervisor_room_begin *b, enum option_id id)
{
	str name = str_from(option_row_of(id)->name);
	for (size_t i = 0; i < b->files.n; i++)
		if (str_eq(b->files.p[i].name, name))
			return b->files.p[i].content;
	return (str){NULL, 0};
}

static result read_networks(str rest, struct networks *out)
{
	str text;
	*out = (struct networks){0};
	while (options_next(&rest, &text)) {
		net_cidr *p = mem_grow(out->p, (out->n + 1) * sizeof *p);
		if (!p)
			return failure(FAIL_MEMORY, "out of memory");
		out->p = p;
		TRY(net_parse_cidr(text, &p[out->n]));
		out->n++;
	}
	return OK;
}

result settings_networks(const struct options *o, enum option_id id, struct networks *out)
{
	return read_networks(options_text(o, id), out);
}

static result networks_or_loopback(const struct options *o, enum option_id id, struct networks *out)
{
	str set = options_text(o, id);
	return read_networks(set.n > 0 ? set : STR("127.0.0.0/8\n::1"), out);
}

result settings_never_ban(const struct options *o, struct networks *out)
{
	return networks_or_loopback(o, OPT_NEVER_BAN, out);
}

result settings_admin_from(const struct options *o, struct networks *out)
{
	return networks_or_loopback(o, OPT_ADMIN_FROM, out);
}
