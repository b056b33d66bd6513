/* Properties: whatever a client says, the printed block is one Received field
 * of lines of at most 998 octets, folded and free of stray CR, LF and controls. */
#include "grammar/smtp/trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_block(str block)
{
	bool first = true;
	while (block.n > 0) {
		size_t end = str_find(block, STR("\r\n"));
		must(end != STR_NONE && end > 0 && end <= 998);
		must(first ? str_starts(block, STR("Received: ")) : block.p[0] == '\t');
		for (size_t i = first ? 0 : 1; i < end; i++)
			must(str_at(block, i) >= 32 && block.p[i] != 127);
		block = str_skip(block, end + 2);
		first = false;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 4)
		return 0;
	str in = str_of((const char *)data + 3, size - 3);
	size_t a = data[0] % (in.n + 1), b = data[1] % (in.n + 1);
	AUTO_ARENA arena memory = arena_new(1 << 16);
	AUTO_BUF buf out = buf_new(1 << 20);
	struct mailbox m = {0};
	cursor c = cursor_on(in);
	bool known = !failed(mailbox_take_path(&c, &memory, &m));
	struct trace_received t = {
		.helo = str_sub(in, 0, a),
		.rdns = str_skip(in, b),
		.by = STR("mx.example"),
		.id = str_skip(in, a),
		.tls = str_sub(in, 0, b),
		.with = data[2],
		.recipient = known ? &m : NULL,
		.ip = {.n = data[2] & 128 ? 4 : 16},
	};
	trace_print_received(&out, &t);
	check_block(buf_str(&out));
	must(trace_count_by(in, STR("mx.test")) <= in.n / 9);
	return 0;
}
