#include "auth/scope.h"

#include "run/net.h"

static bool protocol_of(str word, unsigned *bit)
{
	for (unsigned i = 0; i < SCOPE_PROTOCOLS; i++) {
		if (str_ieq(word, str_from(edge_auth_protocol_names[i]))) {
			*bit = 1u << i;
			return true;
		}
	}
	return false;
}

static result read_networks(const struct scope_words *w, arena *a, str *out)
{
	AUTO_BUF buf text = buf_new(SCOPE_NETWORKS * (SCOPE_NETWORK_TEXT + 1));
	net_cidr c;
	if (w->networks_n > SCOPE_NETWORKS)
		return failure(FAIL_LIMIT, "at most 16 networks may be named; name larger ones");
	for (size_t i = 0; i < w->networks_n; i++) {
		if (w->networks[i].n > SCOPE_NETWORK_TEXT || failed(net_parse_cidr(w->networks[i], &c)))
			return failure(FAIL_INPUT, "a network is written 192.0.2.0/24, 2001:db8::/32, or as one address");
		buf_put(&text, i ? STR(" ") : STR(""));
		buf_put(&text, w->networks[i]);
	}
	TRY(buf_result(&text));
	*out = arena_dup(a, buf_str(&text));
	return arena_result(a);
}

result scope_of_words(const struct scope_words *w, arena *a, struct scope *out)
{
	struct scope s = {0};
	for (size_t i = 0; i < w->protocols_n; i++) {
		unsigned bit;
		if (!protocol_of(w->protocols[i], &bit))
			return failure(FAIL_INPUT, "the protocols are smtp (sending), imap, pop3 and managesieve");
		s.protocols |= bit;
	}
	TRY(read_networks(w, a, &s.networks));
	*out = s;
	return OK;
}

result scope_protocols(const struct scope *s, arena *a, str **out, size_t *n)
{
	str *v = arena_array(a, SCOPE_PROTOCOLS, sizeof *v);
	if (!v)
		return arena_result(a);
	*n = 0;
	for (unsigned i = 0; i < SCOPE_PROTOCOLS; i++)
		if (s->protocols & 1u << i)
			v[(*n)++] = str_from(edge_auth_protocol_names[i]);
	*out = v;
	return OK;
}

static bool next_word(str *rest, str *word)
{
	if (rest->n == 0)
		return false;
	size_t end = str_chr(*rest, ' ');
	*word = str_sub(*rest, 0, end);
	*rest = end == STR_NONE ? (str){NULL, 0} : str_skip(*rest, end + 1);
	return true;
}

result scope_networks(const struct scope *s, arena *a, str **out, size_t *n)
{
	str *v = arena_array(a, SCOPE_NETWORKS, sizeof *v), rest = s->networks;
	if (!v)
		return arena_result(a);
	*n = 0;
	while (*n < SCOPE_NETWORKS && next_word(&rest, &v[*n]))
		(*n)++;
	*out = v;
	return OK;
}

bool scope_has_protocol(const struct scope *s, enum edge_auth_protocol p)
{
	return s->protocols == 0 || s->protocols & 1u << p;
}

bool scope_has_client(const struct scope *s, str client)
{
	str rest = s->networks, word;
	net_addr a;
	if (s->networks.n == 0)
		return true;
	if (failed(net_parse_ip(client, &a)))
		return false;
	while (next_word(&rest, &word)) {
		net_cidr c;
		if (!failed(net_parse_cidr(word, &c)) && net_in(&a, &c))
			return true;
	}
	return false;
}
