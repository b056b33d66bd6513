/* Properties: the end is where a plain search for CRLF.CRLF finds it; chunking
 * changes nothing; the decoded size, the counts and the offset of the first
 * stray agree with a plain reading; a normalised message has no stray left;
 * decode(stuff(x)) = x up to the last line's CRLF. */
#include "grammar/smtp/smtp_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct plain {
	size_t end; /* wire bytes up to and with the end of data */
	uint64_t crs, lfs, first;
	bool done;
};

static struct plain read_plainly(str in)
{
	struct plain p = {.end = in.n};
	size_t at = str_find(in, STR("\r\n.\r\n"));
	if (str_starts(in, STR(".\r\n"))) {
		p.end = 3;
		p.done = true;
	} else if (at != STR_NONE) {
		p.end = at + 5;
		p.done = true;
	}
	for (size_t i = p.end; i-- > 0;) {
		bool cr = in.p[i] == '\r' && (i + 1 == p.end || in.p[i + 1] != '\n') && i + 1 < p.end;
		bool lf = in.p[i] == '\n' && (i == 0 || in.p[i - 1] != '\r');
		p.crs += cr;
		p.lfs += lf;
		if (cr || lf)
			p.first = i;
	}
	return p;
}

static struct smtp_data decode(enum smtp_data_policy policy, str in, size_t step, buf *out)
{
	struct smtp_data d = smtp_data_new(policy);
	for (size_t i = 0; i < in.n && d.state != SMTP_DATA_DONE; i += step) {
		str chunk = str_sub(in, i, step);
		size_t taken = smtp_data_feed(&d, chunk, out);
		must(taken == chunk.n || d.state == SMTP_DATA_DONE);
	}
	return d;
}

static void check_decoder(str in, size_t step)
{
	struct plain p = read_plainly(in);
	AUTO_BUF buf a = buf_new(1 << 22), b = buf_new(1 << 22), n = buf_new(1 << 22);
	struct smtp_data d = decode(SMTP_DATA_REJECT, in, step, &a);
	struct smtp_data e = decode(SMTP_DATA_REJECT, in, in.n + 1, &b);
	must(str_eq(buf_str(&a), buf_str(&b)) && d.size == a.n && e.size == a.n);
	must(d.consumed == p.end && (d.state == SMTP_DATA_DONE) == p.done);
	/* A run of CRs at the very end is not judged until its next byte comes. */
	if (d.state != SMTP_DATA_CR)
		must(d.bare_crs == p.crs && d.bare_lfs == p.lfs && (!smtp_data_bare(&d) || d.first_bare == p.first));
	struct smtp_data f = decode(SMTP_DATA_NORMALISE, in, step, &n);
	must(f.consumed == p.end && f.size == n.n);
	must(f.bare_crs == d.bare_crs && f.bare_lfs == d.bare_lfs);
	if (f.state == SMTP_DATA_DONE) {
		struct smtp_stuffer s = {0};
		buf_clear(&b);
		smtp_data_stuff(&s, buf_str(&n), &b);
		must(!s.bare && !s.within_line);
	}
}

static void check_printer(str in, size_t step)
{
	AUTO_BUF buf wire = buf_new(1 << 22), back = buf_new(1 << 22);
	struct smtp_stuffer s = {0};
	for (size_t i = 0; i < in.n; i += step)
		smtp_data_stuff(&s, str_sub(in, i, step), &wire);
	bool within = s.within_line;
	smtp_data_stuff_finish(&s, &wire);
	struct smtp_data d = decode(SMTP_DATA_REJECT, buf_str(&wire), step, &back);
	must(d.state == SMTP_DATA_DONE && d.consumed == wire.n);
	must(smtp_data_bare(&d) == s.bare);
	must(str_starts(buf_str(&back), in) && back.n == in.n + (within ? 2 : 0));
}

/* With lf_dots: whoever takes LF alone for a line's end sees the end at the end, and the same message. */
static void check_lf_printer(str in, size_t step)
{
	AUTO_BUF buf wire = buf_new(1 << 22), back = buf_new(1 << 22);
	struct smtp_stuffer s = {.lf_dots = true};
	for (size_t i = 0; i < in.n; i += step)
		smtp_data_stuff(&s, str_sub(in, i, step), &wire);
	bool within = s.within_line;
	smtp_data_stuff_finish(&s, &wire);
	str rest = buf_str(&wire);
	while (!str_eq(rest, STR(".\r\n"))) {
		size_t end = str_chr(rest, '\n');
		must(end != STR_NONE);
		str line = str_sub(rest, 0, end + 1);
		must(!str_eq(line, STR(".\n")) && !str_eq(line, STR(".\r\n")));
		buf_put(&back, str_skip(line, str_starts(line, STR("."))));
		rest = str_skip(rest, end + 1);
	}
	must(str_starts(buf_str(&back), in) && back.n == in.n + (within ? 2 : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	str in = str_of((const char *)data + 1, size - 1);
	size_t step = data[0] % 23 + 1;
	check_decoder(in, step);
	check_printer(in, step);
	check_lf_printer(in, step);
	return 0;
}
