/* Where an address is: its country and its network (autonomous system), from
 * MaxMind DB files that the operator gave, read by libmaxminddb.
 *
 * The supervisor hands each file over as sealed memory (memfd.h), so that a file
 * that is overwritten or cut short meanwhile hurts nobody, and a new one can be
 * taken up inside the jail (which permits openat). places_take opens what it is
 * given and keeps nothing of the descriptors. A damaged database tells nothing,
 * or something wrong, about addresses; it never reaches outside its own octets. One
 * that was made to end its reader, with data nested a hundred thousand deep, can:
 * whoever may replace the file is trusted so far.
 * Nothing suspends; a look-up takes a few microseconds. */
#ifndef RUN_PLACES_H
#define RUN_PLACES_H

#include "run/net.h"

enum { PLACES_FILE_MAX = 512 << 20, PLACES_COUNTRY = 2 };

struct places;

struct place {
	char country[PLACES_COUNTRY + 1]; /* ISO 3166-1 alpha-2, capitals; "": not known */
	uint32_t asn;                     /* 0: not known */
	bool located;                     /* the database of countries is one of cities as well: degrees, north and east */
	double latitude, longitude;
	net_cidr network;                 /* the largest around the address of which the database says the same; a single
	                                   * address where it says nothing */
};

/* Opens the databases behind the descriptors, which stay the caller's (-1: there is none), and then puts them in the
 * place of *at, which is NULL at first; on failure *at stays. Without any, *at becomes NULL. INPUT: no such database;
 * PEER: no sealed memory; MEMORY. */
result places_take(struct places **at, int countries, int networks) NODISCARD;
void places_free(struct places **at);

/* False when nothing is known of it (*out says so too). Without databases (NULL) nothing is. */
bool places_find(const struct places *p, const net_addr *a, struct place *out);
/* Two letters as a country's code is written, whatever their case; *out in capitals. */
bool places_country_of(str text, char out[PLACES_COUNTRY + 1]);

#endif
