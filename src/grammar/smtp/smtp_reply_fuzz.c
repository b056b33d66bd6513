/* Properties: any text prints as one well-formed reply of printable ASCII in
 * lines of at most 512 octets, which the reader accepts; the reader survives
 * any lines and gives only codes from 200 to 599. */
#include "grammar/smtp/smtp_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printer(str text, const char *status)
{
	AUTO_BUF buf out = buf_new(1 << 24), back = buf_new(1 << 24);
	struct smtp_reply r = {0};
	smtp_reply_print(&out, 451, status, text);
	for (str rest = buf_str(&out); rest.n > 0;) {
		size_t end = str_find(rest, STR("\r\n"));
		must(end != STR_NONE && end + 2 <= SMTP_REPLY_LINE_MAX && !r.done);
		for (size_t i = 0; i < end; i++)
			must(str_at(rest, i) >= 32 && str_at(rest, i) <= 126);
		if (r.lines == SMTP_REPLY_LINES_MAX)
			return;
		must(!failed(smtp_reply_read(&r, str_sub(rest, 0, end), &back)));
		must(!status || (r.status[0] == 4 && r.status[1] == 3));
		rest = str_skip(rest, end + 2);
	}
	must(r.done && r.code == 451);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_of((const char *)data, size);
	AUTO_BUF buf back = buf_new(1 << 24);
	struct smtp_reply r = {0};
	check_printer(text, NULL);
	check_printer(text, "4.3.0");
	while (text.n > 0 && !r.done) {
		size_t lf = str_chr(text, '\n');
		if (failed(smtp_reply_read(&r, str_sub(text, 0, lf), &back)))
			break;
		must(r.code >= 200 && r.code <= 599 && (r.status[0] == 0 || r.status[0] == r.code / 100));
		text = lf == STR_NONE ? STR("") : str_skip(text, lf + 1);
	}
	return 0;
}
