/* Every bound and every number of the detectors. docs/detection.md has the same
 * as a table; a test reads both. Points are 256ths in code and whole here. */
#ifndef WATCH_DETECT_LIMITS_H
#define WATCH_DETECT_LIMITS_H

enum detect_tables {
	SUSPECT_ADDRESSES = 32768, /* rows; a flood of addresses pushes out those without a step first */
	SUSPECT_NETWORKS = 16384,
	SUSPECT_ASNS = 4096,
	PERSONS = 32768,           /* accounts with something to remember; the longest unused go first */
	HABITS = 65536,            /* (account, address) pairs, */
	HABITS_EACH = 32,          /* of one account */
	COUNTRIES_EACH = 8,        /* of one account */
	DEVICES_EACH = 8,
};

enum detect_times { /* milliseconds */
	DETECT_MINUTE = 60 * 1000,
	DETECT_HOUR = 60 * DETECT_MINUTE,
	NETWORK_HALF_LIFE = DETECT_HOUR,     /* of a network's points */
	PERSON_HALF_LIFE = 6 * DETECT_HOUR,  /* of an account's */
	STEP_LASTS = 30 * DETECT_MINUTE,     /* delay and tarpit, unless points come in again */
	BAN_FIRST = 15 * DETECT_MINUTE,      /* each further ban of the same network is four times as long, */
	BAN_LONGEST = 24 * DETECT_HOUR,      /* at most this; forgotten like points, with a half-life of a week */
	BAN_HALF_LIFE = 7 * 24 * DETECT_HOUR,
	FLUSH_MS = 5000,                     /* habits go to the disk so often */
};

enum detect_days {
	HABIT_RIPE_DAYS = 1,    /* from the first good login until an address counts as good to everybody */
	HABIT_STALE_DAYS = 60,  /* after the last */
	DORMANT_DAYS = 60,      /* without any login */
};

/* The sums at which the next step begins: delay, tarpit, ban; notice, hold. */
enum detect_steps {
	ADDRESS_DELAY = 8, ADDRESS_TARPIT = 16, ADDRESS_BAN = 32,
	NETWORK_DELAY = 32, NETWORK_TARPIT = 64, NETWORK_BAN = 128,
	NETWORK_ADDRESSES = 3,  /* addresses of a /24 or /48 that have to be at it before it has a step */
	ASN_ALARM = 400,        /* from here on its networks' sums count twice */
	ASN_NETWORKS = 8,
	PERSON_NOTICE = 15, PERSON_HOLD = 40,
};

enum detect_points {
	BRUTE_POINTS = 2,          /* a wrong secret that was not tried before; */
	BRUTE_SIEGE_POINTS = 6,    /* when the account is under siege: */
	BRUTE_SIEGE_WRONG = 30,    /* so many wrong secrets in an hour, */
	BRUTE_SIEGE_NETWORKS = 5,  /* from so many networks that it does not know */
	SPRAY_NAMES = 3,           /* names that the same wrong secret was tried with */
	SPRAY_POINTS = 3,
	SPRAY_MANY = 8,
	SPRAY_MANY_POINTS = 8,
	STUFF_NAMES = 4,           /* names from one source, each with a secret of its own */
	STUFF_POINTS = 4,
	HIT_OTHERS = 8,            /* points of stuffing and spraying of a source from which a right secret comes then: */
	HIT_POINTS = 40,           /* for the account */
	HIT_GUESSES = 12,          /* points of guessing at this one account: its owner is told */
	HARVEST_FREE = 3,          /* different unknown recipients in an hour */
	HARVEST_POINTS = 2,
	PROBE_NAME_POINTS = 3,     /* a login under a name that nobody has */
	PROBE_RELAY_POINTS = 5,
	ABUSE_POINTS = 8,          /* what no honest program does */
	GARBAGE_FREE = 5,          /* refused syntax in an hour */
	GARBAGE_POINTS = 1,
	TLS_FREE = 30,             /* failed handshakes in an hour */
	TLS_POINTS = 1,
	SLOW_FREE = 3,             /* connections in an hour that said next to nothing until their time was over */
	SLOW_POINTS = 2,
	SLOW_OCTETS = 256,
	STORM_FREE = 120,          /* connections in a minute without mail or login */
	STORM_POINTS = 1,
	TRAVEL_POINTS = 20,
	TRAVEL_KMH = 1000,         /* faster than any journey */
	TRAVEL_KM = 500,           /* nearer ones are the database's inexactness */
	TRAVEL_BLIND_HOURS = 1,    /* another country within this, where the database has no positions */
	COUNTRY_POINTS = 15,
	DEVICE_POINTS = 4,
	NETWORK_POINTS = 2,        /* a network it never came from */
	DORMANT_POINTS = 20,
	RATE_LEAST = 20,           /* copies in an hour that are always usual */
	RATE_NEW_DAYS = 3,         /* while less is known of an account, */
	RATE_NEW_LEAST = 100,      /* so many */
	RATE_TIMES = 8,            /* the busiest hour of the learned days */
	RATE_POINTS = 25,
	BOUNCE_LEAST = 10,         /* failed recipients in a day, */
	BOUNCE_PART = 4,           /* and at least one in so many */
	BOUNCE_POINTS = 25,
	FIRST_LEAST = 15,          /* first messages to somebody in an hour that are always usual */
	FIRST_TIMES = 5,
	FIRST_POINTS = 15,
	PLACES_LEAST = 5,          /* networks that one account sends from in an hour */
	PLACES_POINTS = 20,
};

#endif
