/* The demo's directory: made, or one that a demo made before. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/demo/demo.h"
#include "run/files.h"
#include "run/random.h"

static const char config_name[] = "demo.conf", password_name[] = "demo-password";

/* ---- the directory ---- */

static result make_temporary(struct demo *d)
{
	const char *tmp = getenv("TMPDIR");
	char template[sizeof d->dir];
	int n = snprintf(template, sizeof template, "%s/postern-demo-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (n < 0 || (size_t)n >= sizeof template || !mkdtemp(template))
		return demo_trouble(d, FAIL_DISK, "no directory can be made below %s: %s; set TMPDIR or use --dir",
				    tmp && *tmp ? tmp : "/tmp", strerror(errno));
	d->temporary = true;
	d->is_new = true;
	return realpath(template, d->dir) ? OK : failure(FAIL_DISK, "the demo's directory cannot be found again");
}

static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;
	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return dir && n <= 2; /* itself and its parent */
}

static result open_given(struct demo *d, const char *path)
{
	char config[sizeof d->dir + 16];
	if (mkdir(path, 0711) < 0 && errno != EEXIST)
		return demo_trouble(d, FAIL_DISK, "%s cannot be made: %s", path, strerror(errno));
	if (!realpath(path, d->dir))
		return demo_trouble(d, FAIL_DISK, "%s cannot be used: %s", path, strerror(errno));
	must(demo_path(d, config_name, config, sizeof config));
	if (access(config, F_OK) == 0)
		return OK;
	d->is_new = true;
	if (is_empty(d->dir))
		return OK;
	return demo_trouble(d, FAIL_EXISTS, "%s is not empty and no demo made it; give --dir an empty or a new directory",
			    d->dir);
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *where)
{
	(void)s;
	(void)kind;
	(void)where;
	return remove(path);
}

void demo_home_close(struct demo *d)
{
	if (d->temporary && d->dir[0] && nftw(d->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
		fprintf(stderr, "postern demo: %s could not be removed; remove it by hand\n", d->dir);
}

/* ---- the password ---- */

static void make_password(struct demo *d)
{
	static const char hard[] = "bdfgklmnprstvz", soft[] = "aeiou";
	size_t n = 0;
	for (size_t i = 0; i < 12; i++) {
		if (i > 0 && i % 4 == 0)
			d->password[n++] = '-';
		d->password[n++] = i % 2 ? soft[random_below(sizeof soft - 1)] : hard[random_below(sizeof hard - 1)];
	}
	d->password[n] = '\0';
}

/* The accounts of an earlier demo keep its password. */
static result choose_password(struct demo *d)
{
	char path[sizeof d->dir + 16];
	AUTO_BUF buf old = buf_new(DEMO_PASSWORD_MAX + 1);
	must(demo_path(d, password_name, path, sizeof path));
	result r = file_load(path, &old);
	if (r.kind == FAIL_ABSENT && !d->password[0])
		make_password(d);
	if (r.kind == FAIL_ABSENT)
		return file_write_at(AT_FDCWD, path, str_from(d->password), 0600);
	TRY(r);
	if (d->password[0] && !str_eq(str_from(d->password), buf_str(&old)))
		return demo_trouble(d, FAIL_CONFLICT,
				    "the accounts in %s have another password; start without --password, or with another --dir",
				    d->dir);
	snprintf(d->password, sizeof d->password, "%.*s", STR_ARG(buf_str(&old)));
	return OK;
}

/* ---- the configuration ---- */

/* Single quotes: in double ones libconfuse would put in variables. */
static void put_setting(buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s = '", name);
	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			buf_putc(out, '\\');
		buf_putc(out, *value);
	}
	buf_put(out, STR("'\n"));
}

static void put_path(const struct demo *d, buf *out, const char *name, const char *file)
{
	char path[sizeof d->dir + 32];
	must(demo_path(d, file, path, sizeof path));
	put_setting(out, name, path);
}

static void put_world(const struct demo *d, buf *out)
{
	buf_printf(out, "dns-forward = { \"%s\" }\nrelay-private = yes\n", d->dns ? d->dns : "none");
	buf_printf(out, "relay-port = %u\nhttps-port = %u\n", d->relay_port, d->https_port);
	if (d->dns_anchor)
		put_setting(out, "dns-anchor", d->dns_anchor);
	if (d->tls_ca)
		put_setting(out, "fetch-ca", d->tls_ca);
}

/* What is there already needs no room: the demo starts on a full disk too. */
static result write_unless_there(const char *path, str text)
{
	AUTO_BUF buf old = buf_new(65536);
	if (!failed(file_load(path, &old)) && str_eq(buf_str(&old), text))
		return OK;
	return file_write_at(AT_FDCWD, path, text, 0600);
}

result demo_home_configure(struct demo *d, bool proxy)
{
	char path[sizeof d->dir + 16];
	AUTO_BUF buf out = buf_new(65536);
	buf_printf(&out, "# Written by `postern demo` at each start.\nhostname = mail.%s\n", d->domain);
	put_setting(&out, "directory", d->dir);
	put_path(d, &out, "certificate", "certificate.pem");
	put_path(d, &out, "private-key", "private-key.pem");
	for (size_t i = 0; i < demo_ports_n; i++)
		buf_printf(&out, "%s = { \"127.0.0.1:%u\" }\n", demo_ports[i].option, d->base + demo_ports[i].offset);
	buf_printf(&out, "edge-client-workers = %u\n", d->edges);
	buf_printf(&out, "log = file\npassword-memory = %u\ndemo = yes\n", (unsigned)DEMO_HASH_MEMORY);
	/* It is there to be tried out, and to be measured. */
	buf_put(&out, STR("send-hour = 0\nsend-day = 0\nfirst-hour = 0\nfirst-day = 0\nsessions-per-account = 1000\n"));
	buf_printf(&out, "local-users = { \"%u=user1@%s\" }\n", (unsigned)getuid(), d->domain);
	put_world(d, &out);
	/* With --proxy clients are whoever a test says, and it is attacks that are tried. */
	buf_put(&out, proxy ? STR("demo-proxy = yes\n") : STR("contain = no\n"));
	TRY(buf_result(&out));
	must(demo_path(d, config_name, path, sizeof path));
	return write_unless_there(path, buf_str(&out));
}

result demo_home_open(struct demo *d)
{
	TRY(d->call->dir ? open_given(d, d->call->dir) : make_temporary(d));
	TRY(choose_password(d));
	return demo_certificate(d);
}
