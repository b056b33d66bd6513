#include "account/letters.h"

#include "grammar/mime/facts.h"

static result stored_form(const struct facts *f, arena *m, str *out)
{
	AUTO_BUF buf b = buf_new(FACTS_ENCODED_MAX);
	facts_stored_encode(f, &b);
	TRY(buf_result(&b));
	*out = arena_dup(m, buf_str(&b));
	return arena_result(m);
}

result letter_of(str encoded, str message, arena *m, struct letter *out)
{
	struct facts f;
	str parts;
	TRY(facts_decode(encoded, message.n, m, &f));
	TRY(stored_form(&f, m, &parts));
	*out = (struct letter){
		.body = message,
		.header_size = f.parts.parts[0].header_n,
		.envelope = f.envelope,
		.structure = f.structure,
		.basic = f.body,
		.parts = parts,
		.search = f.search_text,
	};
	return OK;
}
