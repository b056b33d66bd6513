#include "run/places.h"

#include <maxminddb.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "run/fiber.h"
#include "run/memfd.h"

struct database {
	MMDB_s db;
	bool open;
};

struct places {
	struct database countries, networks;
};

/* ---- opening ---- */

/* libmaxminddb opens by path alone; this one needs no folder, so a jail has it too. */
static result open_one(struct database *d, int fd, const char *sentence)
{
	char path[64];
	uint64_t size;
	if (fd < 0)
		return OK;
	TRY(memfd_check(fd, PLACES_FILE_MAX, &size));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int why = MMDB_open(path, MMDB_MODE_MMAP, &d->db);
	if (why == MMDB_OUT_OF_MEMORY_ERROR)
		return failure(FAIL_MEMORY, "out of memory");
	if (why == MMDB_FILE_OPEN_ERROR)
		return failure(FAIL_DENIED, "the database cannot be opened inside the room: /proc is missing");
	if (why != MMDB_SUCCESS)
		return failure(FAIL_INPUT, sentence);
	d->open = true;
	return OK;
}

static void close_one(struct database *d)
{
	if (d->open)
		MMDB_close(&d->db);
	d->open = false;
}

void places_free(struct places **at)
{
	struct places *p = *at;
	*at = NULL;
	if (!p)
		return;
	close_one(&p->countries);
	close_one(&p->networks);
	mem_free(p);
}

result places_take(struct places **at, int countries, int networks)
{
	struct places *p = NULL;
	if (countries >= 0 || networks >= 0) {
		p = mem_alloc(sizeof *p);
		if (!p)
			return failure(FAIL_MEMORY, "out of memory");
	}
	result r = p ? open_one(&p->countries, countries, "the country database is no whole MaxMind DB file") : OK;
	if (p && !failed(r))
		r = open_one(&p->networks, networks, "the network database is no whole MaxMind DB file");
	if (failed(r)) {
		places_free(&p);
		return r;
	}
	places_free(at);
	*at = p;
	return OK;
}

/* ---- looking up ---- */

/* Of the 128 bits that a net_cidr counts. Damage may make it say more than there are. */
static unsigned bits_of(const MMDB_s *db, const net_addr *a, uint16_t netmask)
{
	unsigned bits = net_is_v4(a) && db->metadata.ip_version == 4 ? netmask + 96U : netmask;
	if (net_is_v4(a) && bits < 96) /* IPv4 lies deep in a tree of IPv6 that says one thing of all of it */
		bits = 96;
	return bits > 128 ? 128 : bits;
}

static bool find_entry(const struct database *d, const net_addr *a, MMDB_entry_s *entry, unsigned *bits)
{
	int failed_by = 0;
	struct sockaddr_storage sys;
	if (!d->open)
		return false;
	net_to_system(a, &sys);
	MMDB_lookup_result_s r = MMDB_lookup_sockaddr(&d->db, (const struct sockaddr *)&sys, &failed_by);
	if (failed_by != MMDB_SUCCESS || !r.found_entry)
		return false;
	*entry = r.entry;
	*bits = bits_of(&d->db, a, r.netmask);
	return true;
}

bool places_country_of(str text, char out[PLACES_COUNTRY + 1])
{
	if (text.n != PLACES_COUNTRY || !ascii_alpha(str_at(text, 0)) || !ascii_alpha(str_at(text, 1)))
		return false;
	for (size_t i = 0; i < PLACES_COUNTRY; i++)
		out[i] = (char)ascii_upper(str_at(text, i));
	out[PLACES_COUNTRY] = '\0';
	return true;
}

/* Where the address is; else where it is registered. */
static bool country_in(MMDB_entry_s *entry, struct place *out)
{
	static const char *const names[] = {"country", "registered_country"};
	MMDB_entry_data_s data;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (MMDB_get_value(entry, &data, names[i], "iso_code", NULL) == MMDB_SUCCESS && data.has_data &&
		    data.type == MMDB_DATA_TYPE_UTF8_STRING &&
		    places_country_of(str_of(data.utf8_string, data.data_size), out->country))
			return true;
	return false;
}

static bool degrees_in(MMDB_entry_s *entry, const char *name, double *out)
{
	MMDB_entry_data_s data;
	if (MMDB_get_value(entry, &data, "location", name, NULL) != MMDB_SUCCESS || !data.has_data ||
	    data.type != MMDB_DATA_TYPE_DOUBLE || !(data.double_value >= -180 && data.double_value <= 180))
		return false;
	*out = data.double_value;
	return true;
}

static bool asn_in(MMDB_entry_s *entry, struct place *out)
{
	MMDB_entry_data_s data;
	if (MMDB_get_value(entry, &data, "autonomous_system_number", NULL) != MMDB_SUCCESS || !data.has_data ||
	    data.type != MMDB_DATA_TYPE_UINT32)
		return false;
	out->asn = data.uint32;
	return true;
}

struct search {
	const struct places *in;
	const net_addr *address;
	struct place *out;
};

static void search(void *arg)
{
	const struct search *s = arg;
	const struct places *p = s->in;
	const net_addr *a = s->address;
	struct place *out = s->out;
	MMDB_entry_s entry;
	unsigned bits;
	if (find_entry(&p->countries, a, &entry, &bits) && country_in(&entry, out)) {
		out->network = net_around(a, bits);
		out->located = degrees_in(&entry, "latitude", &out->latitude) &&
			       degrees_in(&entry, "longitude", &out->longitude);
	}
	if (find_entry(&p->networks, a, &entry, &bits)) {
		if (asn_in(&entry, out)) /* what belongs to one network is told by its database, where it knows */
			out->network = net_around(a, bits);
		if (!out->country[0] && country_in(&entry, out) && !out->asn)
			out->network = net_around(a, bits);
	}
}

/* The library walks nested data by recursion, as deep as the file says. */
bool places_find(const struct places *p, const net_addr *a, struct place *out)
{
	struct search s = {p, a, out};
	*out = (struct place){0};
	out->network = net_around(a, 128);
	if (p && fiber_self())
		fiber_on_loop_stack(search, &s);
	else if (p)
		search(&s);
	return out->country[0] || out->asn;
}
