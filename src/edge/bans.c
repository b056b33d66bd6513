#include "edge/bans.h"

#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "grammar/text/timestamp.h"
#include "run/clock.h"

struct refused {
	net_cidr network;
	uint64_t n;
};

result bans_read(struct bans *b, int fd)
{
	struct ban_window *next;
	if (fd < 0)
		return OK;
	result r = ban_window_open(fd, &next);
	close(fd);
	TRY(r);
	ban_window_close(&b->window);
	b->window = next;
	return OK;
}

enum ban_grade bans_look(const struct bans *b, const net_addr *a, struct ban_row *out)
{
	if (!ban_window_find(b->window, a, clock_wall_ms(), out) || net_in_any(a, b->never.p, b->never.n))
		return BAN_NONE;
	return out->grade;
}

void bans_put_sentence(buf *out, const struct ban_row *row)
{
	buf_put(out, STR("Connections from your network are refused"));
	if (row->until) {
		buf_put(out, STR(" until "));
		timestamp_print(out, row->until / 1000);
	}
	buf_put(out, STR(", because attacks came from it; the administrator of this server can say why"));
}

uint64_t bans_pause(enum ban_grade grade)
{
	return grade == BAN_TARPIT ? BANS_TARPIT_MS : grade == BAN_DELAY ? BANS_DELAY_MS : 0;
}

void bans_await(const struct bans *b)
{
	enum { LOOK_MS = 10 };
	for (uint64_t until = clock_mono_ms() + BANS_WAIT_MS; !b->window && clock_left(until) > 0;)
		if (failed(fiber_sleep(LOOK_MS)))
			return;
}

/* ---- how many were refused ---- */

static void tell_one(const net_cidr *network, uint64_t n)
{
	AUTO_BUF buf text = buf_new(NET_TEXT_MAX);
	if (network)
		net_put_cidr(&text, network);
	log_event(EV_BAN_REFUSED, NULL, F_STR("network", network ? buf_str(&text) : STR("others")),
		  F_U64("connections", n));
}

static void forget(struct bans *b, bool tell)
{
	size_t at = 0;
	str key;
	void *value;
	while (hash_each(&b->tally, &at, &key, &value)) {
		const struct refused *r = value;
		if (tell)
			tell_one(&r->network, r->n);
		mem_free(value);
	}
	hash_free(&b->tally);
	if (tell && b->others > 0)
		tell_one(NULL, b->others);
	b->others = 0;
}

static void tell(void *arg)
{
	struct bans *b = arg;
	result r = fiber_sleep(BANS_TELL_MS);
	(void)r; /* cancelled: what was counted is told now */
	b->telling = false;
	forget(b, true);
}

void bans_count(struct bans *b, const struct ban_row *row)
{
	const net_cidr network = row->network;
	b->tally.max = BANS_TALLY;
	struct refused *r = hash_get(&b->tally, net_cidr_key(&network));
	if (!r) {
		r = mem_alloc(sizeof *r);
		if (r)
			*r = (struct refused){.network = network};
		if (r && failed(hash_put(&b->tally, net_cidr_key(&network), r))) {
			mem_free(r);
			r = NULL;
		}
	}
	if (r)
		r->n++;
	else
		b->others++;
	if (!b->telling)
		b->telling = !failed(fiber_start(tell, b, "bans", NULL));
}

void bans_free(struct bans *b)
{
	forget(b, false);
	ban_window_close(&b->window);
	mem_free(b->never.p);
	b->never = (struct networks){0};
}
