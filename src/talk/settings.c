#include "talk/settings.h"

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
