#include "supervisor/opening.h"
#include "supervisor/broker.h"
#include "run/secret.h"
#include "supervisor/check.h"
#include "supervisor/credentials.h"
#include "talk/ban_page.h"

#include <stdio.h>
#include <unistd.h>

result opening_channel(struct process *p, int fd, void (*ended)(void *, struct channel *, result))
{
	char peer[64];
	snprintf(peer, sizeof peer, "%s %llu", role_row_of(p->role)->name, (unsigned long long)p->number);
	struct channel_options o = {.fd = fd, .peer = peer, .ctx = p, .ended = ended};
	return supervisor_room_open_as_supervisor(&o, &broker_handlers, &p->channel);
}

static size_t settings_for(const struct house *h, enum role role, struct supervisor_room_setting out[OPTIONS])
{
	size_t n = 0;
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_row *row = option_row_of((enum option_id)i);
		if (!(row->rooms & role_row_of(role)->settings) || !h->options->text[i] || row->type == FILE_AT)
			continue;
		out[n++] = (struct supervisor_room_setting){str_from(row->name), str_from(h->options->text[i])};
	}
	return n;
}

/* Read anew for each process, so that a changed file counts from the next start on. */
struct files {
	size_t n;
	struct supervisor_room_file row[OPTIONS];
	buf content[OPTIONS];
	str master, former; /* of the vault's keys */
};

static void files_free(struct files *f)
{
	for (size_t i = 0; i < f->n; i++)
		buf_free(&f->content[i]);
}

static result add_file(struct files *f, const struct option_row *row, str path)
{
	size_t i = f->n++;
	f->content[i] = buf_new(CHECK_FILE_MAX);
	TRY(check_file(path, &f->content[i]));
	f->row[i] = (struct supervisor_room_file){str_from(row->name), buf_str(&f->content[i])};
	return OK;
}

static result read_files(const struct house *h, enum role role, struct files *f)
{
	f->n = 0;
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option_row *row = option_row_of((enum option_id)i);
		str path = options_text(h->options, (enum option_id)i);
		if (row->type == FILE_AT && (row->rooms & role_row_of(role)->settings) && path.n > 0)
			TRY(add_file(f, row, path));
	}
	return OK;
}

/* A watch gets a page of its own: what its predecessor was writing when it ended is in nobody's way. */
static result choose_bans(struct house *h, enum bans_part part, struct supervisor_room_begin *m)
{
	m->bans = part == BANS_READ ? h->bans : -1;
	if (part != BANS_WRITE)
		return OK;
	if (h->next_bans >= 0)
		close(h->next_bans);
	h->next_bans = -1;
	TRY(ban_page_make(&h->next_bans));
	m->bans = h->next_bans;
	return OK;
}

static result send_told(struct process *p, const struct files *files)
{
	struct house *h = p->house;
	const struct role_row *row = role_row_of(p->role);
	struct supervisor_room_setting settings[OPTIONS];
	struct supervisor_room_begin m = {
		.role = str_from(row->name),
		.number = p->number,
		.jail = h->best_effort ? SUPERVISOR_ROOM_JAIL_POLICY_BEST_EFFORT : SUPERVISOR_ROOM_JAIL_POLICY_STRICT,
	};
	TRY(choose_bans(h, row->bans, &m));
	m.settings.p = settings;
	m.settings.n = settings_for(h, p->role, settings);
	if (row->tls == TLS_CERTIFICATE)
		m.certificate = buf_str(&h->certificate);
	else if (row->tls == TLS_KEY)
		m.private_key = buf_str(&h->private_key);
	m.places = row->places && databases_any(&h->databases);
	m.master = files->master;
	m.former = files->former;
	m.files.p = files->row;
	m.files.n = files->n;
	return supervisor_room_begin_send(p->channel, NULL, &m);
}

static result send_begin(struct process *p)
{
	struct files files;
	SECRET_BUF buf master = buf_new(CREDENTIAL_MAX), former = buf_new(CREDENTIAL_MAX);
	result r = read_files(p->house, p->role, &files);
	files.master = files.former = (str){0};
	if (!failed(r) && p->role == ROLE_VAULT) {
		r = credentials_read(p->house->options, &master, &former);
		files.master = buf_str(&master);
		files.former = buf_str(&former);
	}
	if (!failed(r))
		r = send_told(p, &files);
	files_free(&files);
	return r;
}

result opening_places(struct process *p)
{
	const struct databases *d = &p->house->databases;
	if (!role_row_of(p->role)->places || !databases_any(d))
		return OK;
	struct supervisor_room_places m = {.countries = d->of[0].fd, .networks = d->of[1].fd};
	if (!p->channel)
		return failure(FAIL_CLOSED, "the room has just ended");
	return supervisor_room_places_send(p->channel, NULL, &m);
}

result opening_begin(struct process *p)
{
	const struct listeners *l = &p->house->listeners;
	TRY(send_begin(p));
	TRY(opening_places(p));
	for (size_t i = 0; i < l->n; i++) {
		if (l->p[i].role != p->role || l->p[i].worker != p->number)
			continue;
		if (!p->channel)
			return failure(FAIL_CLOSED, "the room ended while it was started");
		struct supervisor_room_listener m = {.protocol = str_from(l->p[i].protocol),
						     .address = str_from(l->p[i].address), .socket = l->p[i].fd};
		TRY(supervisor_room_listener_send(p->channel, NULL, &m));
	}
	return OK;
}

result opening_bans(struct process *p)
{
	struct supervisor_room_bans m = {.page = p->house->bans};
	if (!p->channel)
		return failure(FAIL_CLOSED, "the room has just ended");
	return supervisor_room_bans_send(p->channel, NULL, &m);
}

result opening_stop(struct process *p)
{
	struct supervisor_room_stop m = {0};
	return supervisor_room_stop_offer(p->channel, NULL, &m);
}

result opening_visitor(struct process *p, const struct visitor *v)
{
	struct supervisor_room_channel m = {.pair = str_from(v->pair), .role = str_from(v->role),
					    .number = v->number, .socket = v->fd};
	if (!p->channel)
		return failure(FAIL_CLOSED, "the room has just ended");
	return supervisor_room_channel_send(p->channel, NULL, &m);
}
