/* Properties: the header lies within the input and its limit; a shorter piece
 * of an accepted input asks for more and never for too much; what is printed
 * reads the same. */
#include "grammar/smtp/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str in = str_of((const char *)data, size);
	AUTO_BUF buf b = buf_new(200);
	struct proxy_header h, again;
	size_t need;
	if (failed(proxy_parse(in, &h, &need)))
		return 0;
	if (need > 0) {
		must(in.n + need <= PROXY_HEADER_MAX);
		return 0;
	}
	must(h.size >= PROXY_FIXED && h.size <= in.n && h.size <= PROXY_HEADER_MAX);
	for (size_t n = 0; n < h.size; n++) {
		must(!failed(proxy_parse(str_sub(in, 0, n), &again, &need)));
		must(need > 0 && n + need <= h.size);
	}
	proxy_print(&b, &h);
	must(!failed(proxy_parse(buf_str(&b), &again, &need)) && need == 0 && again.kind == h.kind);
	must(ip_eq(&h.source, &again.source) && ip_eq(&h.destination, &again.destination));
	must(h.source_port == again.source_port && h.destination_port == again.destination_port);
	return 0;
}
