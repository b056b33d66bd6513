/* Every bound and every number of the detectors. docs/detection.md has the same
 * table, and a test compares them. */
#ifndef WATCH_DETECT_LIMITS_H
#define WATCH_DETECT_LIMITS_H

enum detect_tables {
	SUSPECT_ADDRESSES = 32768, /* addresses remembered; those without a step go first */
	SUSPECT_NETWORKS = 16384,  /* networks (/24, /48) */
	SUSPECT_ASNS = 4096,       /* autonomous systems */
	PERSONS = 32768,           /* accounts with something to remember; the longest unused go first */
	HABITS = 65536,            /* pairs of account and address from which it logs in */
	HABITS_EACH = 32,          /* of one account */
	COUNTRIES_EACH = 8,        /* countries remembered of one account */
	DEVICES_EACH = 8,          /* ways to log in remembered of one account */
};

enum detect_times { /* milliseconds */
	DETECT_MINUTE = 60 * 1000,
	DETECT_HOUR = 60 * DETECT_MINUTE,
	NETWORK_HALF_LIFE = DETECT_HOUR,         /* of a network's points */
	PERSON_HALF_LIFE = 6 * DETECT_HOUR,      /* of an account's points */
	STEP_LASTS = 30 * DETECT_MINUTE,         /* delay and tarpit, unless points come in again */
	BAN_FIRST = 15 * DETECT_MINUTE,          /* the first ban; each further one is four times as long */
	BAN_LONGEST = 24 * DETECT_HOUR,          /* the longest */
	BAN_HALF_LIFE = 7 * 24 * DETECT_HOUR,    /* of how often a network was banned */
	FLUSH_MS = 2000,                         /* after which habits are written down */
};

enum detect_days {
	HABIT_RIPE_DAYS = 1,    /* from the first good login until an address counts as good to everybody */
	HABIT_STALE_DAYS = 60,  /* from the last good login until it no longer does */
	DORMANT_DAYS = 60,      /* without any login: an account sleeps */
};

/* The sums at which the next step begins. */
enum detect_steps {
	ADDRESS_DELAY = 8,      /* an address is slowed */
	ADDRESS_TARPIT = 16,    /* an address is slowed much */
	ADDRESS_BAN = 32,       /* an address is banned */
	NETWORK_DELAY = 32,     /* a network is slowed */
	NETWORK_TARPIT = 64,    /* a network is slowed much */
	NETWORK_BAN = 128,      /* a network is banned */
	NETWORK_ADDRESSES = 3,  /* addresses of a network that have to be at it before it has a step */
	ASN_ALARM = 400,        /* points of a system from which on charges from it count twice */
	ASN_NETWORKS = 8,       /* networks of a system that have to be at it before that */
	PERSON_NOTICE = 15,     /* owner and administrator are told */
	PERSON_HOLD = 40,       /* the account is contained */
};

enum detect_points {
	BRUTE_POINTS = 2,          /* brute-force: a wrong secret that was not tried before */
	BRUTE_SIEGE_POINTS = 6,    /* brute-force: the same while the account is besieged, */
	BRUTE_SIEGE_WRONG = 30,    /* brute-force: which is so many wrong secrets in an hour */
	BRUTE_SIEGE_NETWORKS = 5,  /* brute-force: from so many networks that it does not know */
	SPRAY_NAMES = 3,           /* spraying: names that the same wrong secret was tried with */
	SPRAY_POINTS = 3,          /* spraying: one more */
	SPRAY_MANY = 8,            /* spraying: so many names are many */
	SPRAY_MANY_POINTS = 8,     /* spraying: one more of many */
	STUFF_NAMES = 4,           /* stuffing: names from one source, each with a secret of its own */
	STUFF_POINTS = 4,          /* stuffing: one more */
	HIT_OTHERS = 8,            /* stolen-pair: points of stuffing and spraying of a source that tries pairs */
	HIT_POINTS = 40,           /* stolen-pair: a right secret from there, for the account */
	HIT_GUESSES = 12,          /* stolen-pair: points of guessing from which on a right secret is told of */
	PROBE_NAME_POINTS = 3,     /* probing: a login under a name that nobody has */
	PROBE_RELAY_POINTS = 5,    /* probing: mail to be relayed */
	HARVEST_FREE = 3,          /* harvesting: different unknown recipients in an hour that cost nothing */
	HARVEST_POINTS = 2,        /* harvesting: one more */
	ABUSE_POINTS = 8,          /* protocol-abuse: what no honest program does */
	GARBAGE_FREE = 5,          /* protocol-abuse: refused commands in an hour that cost nothing */
	GARBAGE_POINTS = 1,        /* protocol-abuse: one more */
	TLS_FREE = 30,             /* protocol-abuse: failed handshakes in an hour that cost nothing */
	TLS_POINTS = 1,            /* protocol-abuse: one more */
	SLOW_FREE = 3,             /* slow-client: connections in an hour that ran out of time and cost nothing */
	SLOW_POINTS = 2,           /* slow-client: one more */
	SLOW_OCTETS = 256,         /* slow-client: who has said so much was not silent */
	STORM_FREE = 120,          /* connection-storm: connections in a minute without mail or login */
	STORM_WORTH = 4,           /* connection-storm: connections that one message or login makes up for */
	STORM_POINTS = 1,          /* connection-storm: one more */
	TRAVEL_POINTS = 20,        /* impossible-travel: for the account */
	TRAVEL_KMH = 1000,         /* impossible-travel: faster than any journey */
	TRAVEL_KM = 500,           /* impossible-travel: what is nearer is the database's inexactness */
	TRAVEL_BLIND_HOURS = 1,    /* impossible-travel: another country within this, where positions are not known */
	COUNTRY_POINTS = 15,       /* newcomer: a new country */
	DEVICE_POINTS = 4,         /* newcomer: a new way to log in */
	NETWORK_POINTS = 2,        /* newcomer: a network it never came from */
	DORMANT_POINTS = 20,       /* dormant-account: for the account */
	RATE_LEAST = 20,           /* sending-rate: copies in an hour that are always usual */
	RATE_NEW_DAYS = 3,         /* sending-rate: while less is known of an account, */
	RATE_NEW_LEAST = 100,      /* sending-rate: so many are */
	RATE_TIMES = 8,            /* sending-rate: so often its busiest hours is unusual */
	RATE_POINTS = 25,          /* sending-rate: for that, and for each doubling */
	BOUNCE_LEAST = 10,         /* bounce-rate: failed recipients in a day, */
	BOUNCE_PART = 4,           /* bounce-rate: and at least one in so many */
	BOUNCE_POINTS = 25,        /* bounce-rate: for that, and for each doubling */
	FIRST_LEAST = 15,          /* first-recipients: first messages to somebody in an hour that are always usual */
	FIRST_NEW_LEAST = 60,      /* first-recipients: in the first RATE_NEW_DAYS so many are */
	FIRST_TIMES = 5,           /* first-recipients: so often its busiest hours is unusual */
	FIRST_POINTS = 15,         /* first-recipients: for that, and for each doubling */
	PLACES_LEAST = 5,          /* scattered-sending: networks that one account sends from in an hour */
	PLACES_POINTS = 20,        /* scattered-sending: for the account */
};

#endif
