/* What a parser gives is within its limits, and a name reads as itself when it is written again. */
#include "base/buf.h"
#include "grammar/dns/rdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_name(buf *out, str name)
{
	while (name.n > 0) {
		str label = str_sub(name, 0, str_chr(name, '.'));
		buf_putc(out, (char)label.n);
		buf_put(out, label);
		name = str_skip(name, label.n + 1);
	}
	buf_putc(out, '\0');
}

static void name_twice(str rdata, arena *a)
{
	AUTO_BUF buf wire = buf_new(DNS_NAME_MAX);
	str name, again;
	if (failed(rdata_name(rdata, a, &name)))
		return;
	write_name(&wire, name);
	must(!wire.broken && wire.n == rdata.n && str_ieq(buf_str(&wire), rdata));
	must(!failed(rdata_name(buf_str(&wire), a, &again)) && str_eq(name, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA arena a = arena_new(1 << 20);
	str rdata = str_of((const char *)data, size);
	struct rdata_mx mx;
	struct rdata_tlsa tlsa;
	unsigned char ip[16];
	str text;
	name_twice(rdata, &a);
	must(failed(rdata_mx(rdata, &a, &mx)) || mx.host.n <= DNS_NAME_MAX - 2);
	must(failed(rdata_txt(rdata, &a, &text)) || text.n < size);
	must(failed(rdata_tlsa(rdata, &tlsa)) || tlsa.data.n == size - 3);
	must(failed(rdata_ip(rdata, ip)) == (size != 4 && size != 16));
	return 0;
}
