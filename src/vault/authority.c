#include "vault/authority.h"

#include <fcntl.h>

#include "base/cursor.h"
#include "run/clock.h"
#include "run/files.h"
#include "run/secret.h"

enum { PLAIN_MAX = 2 + 2 * TLS_AUTHORITY_MAX, SEALED_MAX = PLAIN_MAX + 256 };

static const char file[] = "authority";
static const char purpose[] = "postern authority 1";

/* ---- the file ---- */

/* Views of `plain`, which does not move. */
static result read_plain(str plain, struct tls_authority *out)
{
	cursor c = cursor_on(plain);
	out->key = cursor_take(&c, cursor_u16(&c));
	out->certificate = cursor_rest(&c);
	return c.bad ? failure(FAIL_DAMAGE, "keys/authority holds no authority; restore the keys folder from a backup")
		     : OK;
}

static result load(const struct keys *k, buf *plain)
{
	AUTO_BUF buf sealed = buf_new(SEALED_MAX);
	if (!buf_reserve(plain, PLAIN_MAX))
		return buf_result(plain);
	TRY(file_read_at(AT_FDCWD, file, &sealed));
	return keys_unseal(k, str_from(purpose), buf_str(&sealed), plain);
}

static result store(const struct keys *k, str plain)
{
	AUTO_BUF buf sealed = buf_new(SEALED_MAX);
	TRY(keys_seal(k, str_from(purpose), plain, &sealed));
	return file_write_at(AT_FDCWD, file, buf_str(&sealed), 0600);
}

static result make(const struct keys *k, buf *plain)
{
	SECRET_BUF buf key = buf_new(TLS_AUTHORITY_MAX);
	AUTO_BUF buf certificate = buf_new(TLS_AUTHORITY_MAX);
	if (!buf_reserve(&key, TLS_AUTHORITY_MAX) || !buf_reserve(plain, PLAIN_MAX))
		return failure(FAIL_MEMORY, "out of memory");
	TRY(tls_authority_make(clock_wall_s(), &key, &certificate));
	buf_putc(plain, (char)(key.n & 0xff));
	buf_putc(plain, (char)(key.n >> 8));
	buf_put(plain, buf_str(&key));
	buf_put(plain, buf_str(&certificate));
	TRY(buf_result(plain));
	return store(k, buf_str(plain));
}

/* ---- the calls ---- */

result authority_certify(const struct keys *k, const struct tls_client_wish *w, struct authority_issued *out)
{
	SECRET_BUF buf plain = buf_new(PLAIN_MAX);
	struct tls_authority a;
	result r = load(k, &plain);
	if (r.kind == FAIL_ABSENT)
		r = make(k, &plain);
	TRY(r);
	TRY(read_plain(buf_str(&plain), &a));
	TRY(tls_certify(&a, w, &out->certificate));
	buf_put(&out->authority, a.certificate);
	return buf_result(&out->authority);
}

result authority_rewrap(const struct keys *k)
{
	SECRET_BUF buf plain = buf_new(PLAIN_MAX);
	result r = load(k, &plain);
	if (r.kind == FAIL_ABSENT)
		return OK;
	return failed(r) ? r : store(k, buf_str(&plain));
}
