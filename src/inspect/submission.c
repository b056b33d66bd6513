#include "inspect/submission.h"

#include <unistd.h>

#include "grammar/mime/date.h"
#include "grammar/mime/header.h"
#include "run/memfd.h"
#include "talk/channel.h"

struct seen {
	bool date, id, hidden;
};

static bool is_hidden(const struct header_field *f)
{
	return f->id == HEADER_BCC || str_ieq(f->name, STR("Resent-Bcc"));
}

static struct seen look(str message)
{
	struct header_walk walk = {.text = message};
	struct header_field f;
	struct seen s = {0};
	while (header_next(&walk, &f)) {
		s.date |= f.id == HEADER_DATE;
		s.id |= f.id == HEADER_MESSAGE_ID;
		s.hidden |= is_hidden(&f);
	}
	return s;
}

static void put_missing(const struct submission *s, const struct seen *seen, buf *out)
{
	if (!seen->date) {
		buf_put(out, STR("Date: "));
		date_print(out, (struct date_time){.seconds = s->now});
		buf_put(out, STR("\r\n"));
	}
	if (!seen->id && s->message_id.n > 0) {
		buf_put(out, STR("Message-ID: <"));
		buf_put(out, s->message_id);
		buf_put(out, STR(">\r\n"));
	}
}

/* The header without what is hidden; lines that are no field stay. */
static void put_rest(str header, buf *out)
{
	struct header_walk walk = {.text = header};
	struct header_field f;
	size_t from = 0;
	while (header_next(&walk, &f)) {
		if (!is_hidden(&f))
			continue;
		size_t at = (size_t)(f.raw.p - header.p);
		buf_put(out, str_sub(header, from, at - from));
		from = at + f.raw.n;
	}
	buf_put(out, str_skip(header, from));
}

/* A first line that begins with white space would go on with a field put above it. */
static size_t below_stray_lines(str header)
{
	size_t at = 0;
	while (at < header.n && (header.p[at] == ' ' || header.p[at] == '\t'))
		at = line_end(header, at);
	return at;
}

static result in_memfd(str header, str body, struct body *out)
{
	int fd;
	TRY(memfd_create_empty("submission", &fd));
	result r = memfd_append(fd, header);
	if (!failed(r))
		r = memfd_append(fd, body);
	if (!failed(r))
		r = memfd_seal(fd);
	if (!failed(r))
		return body_map(fd, header.n + body.n, out);
	close(fd);
	return r;
}

static result join(str header, str body, arena *a, struct body *out)
{
	if (header.n + body.n > SUBMISSION_MAX)
		return failure(FAIL_LIMIT, "the message is too large");
	if (header.n + body.n > TALK_INLINE_MAX)
		return in_memfd(header, body, out);
	char *p = arena_alloc(a, header.n + body.n + 1);
	if (!p)
		return arena_result(a);
	memcpy(p, header.p, header.n);
	if (body.n > 0)
		memcpy(p + header.n, body.p, body.n);
	*out = body_of(str_of(p, header.n + body.n));
	return OK;
}

result submission_normalise(const struct submission *s, arena *a, bool *changed, struct body *out)
{
	AUTO_BUF buf b = buf_new(SUBMISSION_MAX);
	str header = str_sub(s->message, 0, header_length(s->message));
	struct seen seen = look(header);
	*changed = seen.hidden || !seen.date || (!seen.id && s->message_id.n > 0);
	if (!*changed)
		return OK;
	size_t stray = below_stray_lines(header);
	buf_put(&b, str_sub(header, 0, stray));
	put_missing(s, &seen, &b);
	put_rest(str_skip(header, stray), &b);
	TRY(buf_result(&b));
	return join(buf_str(&b), str_skip(s->message, header.n), a, out);
}
