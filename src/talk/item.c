#include "talk/item.h"
#include "base/cursor.h"

#include <sodium.h>

enum { NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES };

static void put_number(buf *out, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		buf_putc(out, (char)(n >> (8 * i) & 0xff));
}

static void put_field(buf *out, str s)
{
	put_number(out, s.n);
	buf_put(out, s);
}

static str take_field(cursor *c)
{
	uint64_t n = cursor_u64(c);
	return cursor_take(c, n > cursor_left(c) ? SIZE_MAX : (size_t)n);
}

void item_put_head(const struct item *i, buf *out)
{
	put_number(out, (uint64_t)i->received);
	put_field(out, i->sender);
	put_field(out, i->recipient);
	put_field(out, i->trace);
	put_field(out, i->facts);
	put_number(out, i->message.n);
}

/* The nonce, then the plain bytes, then room for the tag: sealed in place. */
static result lay_out(const struct item *i, buf *out)
{
	unsigned char nonce[NONCE];
	static const char tag[TAG];
	randombytes_buf(nonce, sizeof nonce);
	buf_put(out, str_of((const char *)nonce, sizeof nonce));
	item_put_head(i, out);
	buf_put(out, i->message);
	buf_put(out, str_of(tag, sizeof tag));
	return buf_result(out);
}

result item_seal(const struct item *i, const trace_id *delivery, const unsigned char key[ITEM_KEY], buf *out)
{
	unsigned long long n;
	TRY(lay_out(i, out));
	unsigned char *p = (unsigned char *)out->p;
	size_t plain = out->n - NONCE - TAG;
	crypto_aead_xchacha20poly1305_ietf_encrypt(
		p + NONCE, &n, p + NONCE, plain, delivery->b, sizeof delivery->b, NULL, p, key);
	must(n == plain + TAG);
	return OK;
}

result item_read(str plain, struct item *out)
{
	cursor c = cursor_on(plain);
	struct item i = {.received = (int64_t)cursor_u64(&c)};
	i.sender = take_field(&c);
	i.recipient = take_field(&c);
	i.trace = take_field(&c);
	i.facts = take_field(&c);
	i.message = take_field(&c);
	if (c.bad || !cursor_done(&c))
		return failure(FAIL_DAMAGE, "a queued message does not have its fields");
	*out = i;
	return OK;
}

result item_open(str sealed, const trace_id *delivery, const unsigned char key[ITEM_KEY], buf *plain, struct item *out)
{
	unsigned long long n;
	if (sealed.n < NONCE + TAG)
		return failure(FAIL_DAMAGE, "a queued message is too short");
	if (!buf_reserve(plain, sealed.n))
		return buf_result(plain);
	const unsigned char *p = (const unsigned char *)sealed.p;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)plain->p, &n, NULL, p + NONCE, sealed.n - NONCE,
						       delivery->b, sizeof delivery->b, p, key) != 0)
		return failure(FAIL_DAMAGE, "a queued message does not authenticate");
	plain->n = (size_t)n;
	return item_read(buf_str(plain), out);
}
