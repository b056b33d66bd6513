#include "talk/test/pair_check.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

static uint64_t seed = 88172645463325252ULL;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Often an edge, now and then something between. */
static size_t some_length(size_t max)
{
	uint64_t r = next_random();
	if (r % 4 == 0)
		return 0;
	if (r % 4 == 1 && max <= 1000)
		return max;
	return (size_t)(next_random() % ((max < 300 ? max : 300) + 1));
}

static str some_bytes(arena *a, size_t n)
{
	char *p = arena_alloc(a, n);
	must(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)(next_random() >> 24);
	return str_of(p, n);
}

static struct body some_body(arena *a, size_t max)
{
	uint64_t r = next_random() % 8;
	if (r == 0 && max > TALK_INLINE_MAX)
		return body_of(some_bytes(a, TALK_INLINE_MAX + 1));
	return body_of(some_bytes(a, some_length(max)));
}

static void fill_field(const struct talk_field *f, arena *a, void *p)
{
	uint64_t v = next_random();
	uint32_t one_of = (uint32_t)(v % (f->max ? f->max : 1));
	bool yes = v % 2;
	int fd = -1;
	str s;
	struct body b;
	struct talk_list l;
	switch (f->type) {
	case TALK_U8:
	case TALK_U16:
	case TALK_U32:
	case TALK_U64:
	case TALK_I64: memcpy(p, &v, f->size); return;
	case TALK_BOOL: memcpy(p, &yes, sizeof yes); return;
	case TALK_ID:
	case TALK_BYTES: s = some_bytes(a, f->size); memcpy(p, s.p, s.n); return;
	case TALK_STR: s = some_bytes(a, some_length(f->max)); memcpy(p, &s, sizeof s); return;
	case TALK_ENUM: memcpy(p, &one_of, sizeof one_of); return;
	case TALK_BODY: b = some_body(a, f->max); memcpy(p, &b, sizeof b); return;
	case TALK_FD:
		if (!f->optional || yes)
			fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		memcpy(p, &fd, sizeof fd);
		return;
	case TALK_RECORD: pair_fill(f->record, a, p); return;
	case TALK_LIST:
		l.n = next_random() % 3 == 0 && f->max <= 50 ? f->max : next_random() % 4 % (f->max + 1);
		l.p = arena_array(a, l.n, f->element->size);
		for (size_t i = 0; i < l.n; i++)
			fill_field(f->element, a, (char *)(uintptr_t)l.p + i * f->element->size);
		memcpy(p, &l, sizeof l);
		return;
	}
}

void pair_fill(const struct talk_shape *s, arena *a, void *m)
{
	memset(m, 0, s->size);
	for (size_t i = 0; i < s->n; i++)
		fill_field(&s->fields[i], a, (char *)m + s->fields[i].offset);
}

struct talk_in pair_in(const struct talk_out *out, str octets, arena *a)
{
	struct talk_in in = {.at = cursor_on(octets), .arena = a, .fds_n = out->fds_n};
	for (size_t i = 0; i < out->fds_n; i++)
		in.fds[i] = fcntl(out->fds[i], F_DUPFD_CLOEXEC, 3);
	return in;
}

size_t pair_open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;
	must(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

void pair_fuzz(const struct talk_pair *pair, str data)
{
	if (data.n == 0)
		return;
	const struct talk_shape *s = pair->messages[1 + str_at(data, 0) % pair->n].shape;
	AUTO_ARENA arena a = arena_new(8 << 20);
	AUTO_BUF buf again = buf_new(TALK_PACKET_MAX), line = buf_new(1 << 20);
	struct talk_out out = talk_out_new();
	struct talk_in in = {.at = cursor_on(str_skip(data, 1)), .arena = &a, .fds_n = s->fds};
	void *m = arena_alloc(&a, s->size);
	for (size_t i = 0; i < in.fds_n; i++)
		in.fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (str_at(data, 0) & 0x80) {
		talk_in_close(&in);
		in.fds_n = in.fds_taken = 0;
	}
	if (!failed(talk_decode(s, &in, m))) {
		must(!failed(talk_encode(s, m, &out)) && out.fds_n == in.fds_n);
		talk_out_flatten(&out, &again);
		must(str_eq(buf_str(&again), str_skip(data, 1)));
		talk_print(s, m, &line);
		talk_release(s, m);
	}
	talk_in_close(&in);
	talk_out_free(&out);
}
