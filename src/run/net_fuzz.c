/* Addresses and networks: whatever parses prints back to the same value, and a
 * network holds its own address. */
#include "run/net.h"
#include "run/sandbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const net_addr *a)
{
	AUTO_BUF buf out = buf_new(NET_TEXT_MAX + 16);
	net_addr again;
	net_put(&out, a);
	must(!failed(buf_result(&out)) && !failed(net_parse(buf_str(&out), &again)));
	must(net_same_host(a, &again) && a->port == again.port);
	buf_clear(&out);
	net_put_ip(&out, a);
	must(!failed(net_parse_ip(buf_str(&out), &again)) && net_same_host(a, &again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str text = str_of((const char *)data, size);
	net_addr a;
	net_cidr c;
	struct sandbox_report r;
	if (!failed(net_parse(text, &a)) || !failed(net_parse_ip(text, &a)))
		round_trip(&a);
	if (!failed(net_parse_cidr(text, &c))) {
		memcpy(a.ip, c.ip, sizeof(a.ip));
		must(c.bits <= 128 && net_in(&a, &c));
	}
	if (sandbox_read_report(text, &r))
		must(r.room.p >= text.p && r.call.p + r.call.n <= text.p + text.n && r.room.p + r.room.n <= r.call.p);
	return 0;
}
