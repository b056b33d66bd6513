/* The one list of options. OPTION(identifier, name, type, default, min, max,
 * rooms, meaning). From it come the parser, `posternd --help`, docs/options.md
 * and what each room is told at its start. Types: TEXT, LIST (of texts), FILE_AT (a
 * path; the supervisor reads it and hands the rooms its content), YESNO, COUNT,
 * SIZE (octets; k, M, G), TIME (milliseconds; ms, s, m, h, d), CHOICE (meaning
 * begins with the words, separated by '|'). Where `max` is 0 there is none. A
 * default of "" means: not set. */
OPTION(OPT_HOSTNAME, "hostname", TEXT, "", 1, 255, R_EDGE | R_QUEUE | R_AUTH | R_RELAY,
	"the server's name in banners and Received fields; the system's name when not set")
OPTION(OPT_DIRECTORY, "directory", TEXT, "/var/lib/postern", 1, 4000, 0,
	"where everything is kept")
OPTION(OPT_LISTEN_SMTP, "listen-smtp", LIST, "", 0, 64, R_AUTH, "address:port for mail from other servers")
OPTION(OPT_LISTEN_SUBMISSION, "listen-submission", LIST, "", 0, 64, R_AUTH, "address:port for submission with STARTTLS")
OPTION(OPT_LISTEN_SUBMISSIONS, "listen-submissions", LIST, "", 0, 64, R_AUTH, "address:port for submission over TLS")
OPTION(OPT_LISTEN_IMAP, "listen-imap", LIST, "", 0, 64, R_AUTH, "address:port for IMAP with STARTTLS")
OPTION(OPT_LISTEN_IMAPS, "listen-imaps", LIST, "", 0, 64, R_AUTH, "address:port for IMAP over TLS")
OPTION(OPT_LISTEN_POP3, "listen-pop3", LIST, "", 0, 64, R_AUTH, "address:port for POP3 with STLS")
OPTION(OPT_LISTEN_POP3S, "listen-pop3s", LIST, "", 0, 64, R_AUTH, "address:port for POP3 over TLS")
OPTION(OPT_LISTEN_HTTPS, "listen-https", LIST, "", 0, 64, 0, "address:port for administration over HTTPS")
OPTION(OPT_LISTEN_LOCAL, "listen-local", TEXT, "submit.sock", 0, 107, 0,
	"Unix socket for programs of this machine (sendmail), below the directory unless it begins with /; empty: none")
OPTION(OPT_LOCAL_USERS, "local-users", LIST, "", 0, 320, R_AUTH,
	"\"user=address\": programs of this user of the machine (name or number) send from that account by sendmail")
OPTION(OPT_CERTIFICATE, "certificate", TEXT, "", 0, 4000, 0, "file with the certificate chain (PEM)")
OPTION(OPT_PRIVATE_KEY, "private-key", TEXT, "", 0, 4000, 0, "file with the certificate's private key (PEM)")
OPTION(OPT_MASTER_KEY, "master-key", CHOICE, "file", 0, 0, R_VAULT,
	"file|credential|passphrase  where the key of all keys is: keys/master.key; the service's credential "
	"postern.master-key; sealed by a passphrase, that of credential postern.passphrase or of `postern unlock`")
OPTION(OPT_CERTIFICATE_DIGEST, "certificate-digest", TEXT, "", 0, 64, R_AUTH,
	"SHA-256 of the certificate's public key, for its TLSA record; the server sets it itself")
OPTION(OPT_COUNTRY_DATABASE, "country-database", TEXT, "", 0, 4000, 0,
	"MaxMind DB file that says in which country an address is (such as GeoLite2-Country.mmdb), for rules by country "
	"and for noticing logins from new ones; taken up again when it is replaced")
OPTION(OPT_NETWORK_DATABASE, "network-database", TEXT, "", 0, 4000, 0,
	"MaxMind DB file that says to which network (autonomous system) an address belongs (such as GeoLite2-ASN.mmdb)")
OPTION(OPT_LOG, "log", CHOICE, "stderr", 0, 0, R_WATCH, "stderr|file  where event lines go; file: ledger/postern.log")
OPTION(OPT_LOG_LEVEL, "log-level", CHOICE, "info", 0, 0, R_WATCH,
	"debug|info|notice|warning|error  the least level that is written")
OPTION(OPT_TRACE_TIME, "trace-time", TIME, "14d", 60000, 0, R_WATCH, "how long a letter's story is kept")
OPTION(OPT_TRACE_SIZE, "trace-size", SIZE, "2G", 16777216, 0, R_WATCH,
	"octets of stories kept at most; the oldest are forgotten first")
OPTION(OPT_EXPORT, "export", LIST, "", 0, 2, R_WATCH,
	"eve, syslog: what other programs read of attacks, in ledger/eve.json (as Suricata's EVE) and ledger/syslog.log "
	"(RFC 5424)")
OPTION(OPT_AUDIT_PSEUDONYMISE, "audit-pseudonymise", TIME, "180d", 0, 0, R_WATCH,
	"age at which addresses and names in the audit log are replaced by seals that nobody can open; 0: never")
OPTION(OPT_MESSAGE_SIZE, "message-size", SIZE, "50M", 65536, 268435456, R_EDGE | R_ACCOUNT, "largest message accepted")
OPTION(OPT_RECIPIENTS, "recipients", COUNT, "1000", 100, 100000, R_EDGE, "recipients in one transaction")
OPTION(OPT_MESSAGES, "messages-per-connection", COUNT, "10000", 1, 0, R_EDGE, "messages in one SMTP connection")
OPTION(OPT_COMMANDS, "commands-per-connection", COUNT, "100000", 100, 0, R_EDGE, "SMTP commands in one connection")
OPTION(OPT_ERRORS, "errors-per-connection", COUNT, "20", 1, 0, R_EDGE,
	"refused commands before the connection is ended")
OPTION(OPT_CONNECTIONS, "connections", COUNT, "20000", 1, 30000, R_EDGE, "connections in one edge process")
OPTION(OPT_CONNECTIONS_EACH, "connections-per-address", COUNT, "200", 1, 0, R_EDGE,
	"connections in one edge process from one IPv4 address or IPv6 /64")
OPTION(OPT_CONNECTIONS_NETWORK, "connections-per-network", COUNT, "1000", 1, 0, R_EDGE,
	"connections in one edge process from one IPv4 /24 or IPv6 /48")
OPTION(OPT_MINUTE_EACH, "new-connections-per-address", COUNT, "600", 0, 0, R_EDGE,
	"new connections to one edge process in a minute from one IPv4 address or IPv6 /64; 0: no limit")
OPTION(OPT_MINUTE_NETWORK, "new-connections-per-network", COUNT, "3000", 0, 0, R_EDGE,
	"new connections to one edge process in a minute from one IPv4 /24 or IPv6 /48; 0: no limit")
OPTION(OPT_COMMAND_TIME, "command-time", TIME, "5m", 1000, 0, R_EDGE,
	"wait for an SMTP command or more data (RFC 5321 4.5.3.2)")
OPTION(OPT_MESSAGE_TIME, "message-time", TIME, "30m", 1000, 0, R_EDGE, "longest time for one message's data")
OPTION(OPT_COMMAND_CPU, "command-cpu-time", TIME, "60s", 0, 0, R_EDGE | R_ACCOUNT,
	"processor time that one IMAP, POP3 or SMTP command may take before it is refused; 0: no limit")
OPTION(OPT_LOGIN_TIME, "login-time", TIME, "1m", 1000, 0, R_EDGE, "longest time before login")
OPTION(OPT_IDLE_TIME, "idle-time", TIME, "30m", 60000, 0, R_EDGE | R_ACCOUNT,
	"wait for an IMAP or POP3 command (RFC 9051 5.4: at least 30 minutes, RFC 1939 3: at least 10)")
OPTION(OPT_HOPS, "hops", COUNT, "50", 10, 1000, R_EDGE, "Received fields before a message counts as looping")
OPTION(OPT_HOLD_LONGEST, "hold-longest", TIME, "60d", 0, 0, R_EDGE,
	"how far ahead a submission may ask to be sent (RFC 4865); 0: not offered")
OPTION(OPT_RECEIVED_HIDE, "received-hide-client", YESNO, "yes", 0, 0, R_EDGE,
	"the Received field of a submission does not tell from which address it came")
OPTION(OPT_BARE_NEWLINE, "bare-newline", CHOICE, "reject", 0, 0, R_EDGE, "reject|normalise  a bare CR or LF in DATA")
OPTION(OPT_PROXY_FROM, "proxy-from", LIST, "", 0, 64, R_EDGE, "networks whose connections begin with a PROXY v2 header")
OPTION(OPT_NEVER_BAN, "never-ban", LIST, "", 0, 64, R_EDGE | R_WATCH,
	"networks that are never refused or slowed, whatever is banned; not set: loopback")
OPTION(OPT_CONTAIN, "contain", YESNO, "yes", 0, 0, R_WATCH,
	"an account that somebody else seems to use is contained at once; no: owner and administrators are only told")
OPTION(OPT_TRANSIT, "transit-memory", SIZE, "0", 0, 0, R_EDGE,
	"octets of large messages in transit in one edge process; 0: a quarter of memory shared by all")
OPTION(OPT_QUOTA, "quota", SIZE, "10G", 0, 0, R_AUTH | R_ACCOUNT, "quota of a new account; 0: none")
OPTION(OPT_SEPARATOR, "subaddress-separator", TEXT, "+", 0, 1, R_AUTH, "user+tag reaches user; empty: no subaddresses")
OPTION(OPT_SEND_HOUR, "send-hour", COUNT, "500", 0, 0, R_AUTH,
	"messages that an account may send to addresses on other servers in an hour, each address counted; 0: no limit")
OPTION(OPT_SEND_DAY, "send-day", COUNT, "2000", 0, 0, R_AUTH, "the same in a day; 0: no limit")
OPTION(OPT_FIRST_HOUR, "first-hour", COUNT, "100", 0, 0, R_AUTH,
	"messages to addresses on other servers that the account has not written to before, in an hour; 0: no limit")
OPTION(OPT_FIRST_DAY, "first-day", COUNT, "400", 0, 0, R_AUTH, "the same in a day; 0: no limit")
OPTION(OPT_CLEAR_FROM, "login-without-tls", LIST, "", 0, 64, R_AUTH,
	"networks whose devices may log in on listen-submission without TLS, each from one address by an app password made "
	"for that (--without-tls); not set: none")
OPTION(OPT_PASSWORD_MEMORY, "password-memory", SIZE, "64M", 8388608, 1073741824, R_AUTH,
	"memory of one Argon2id hashing")
OPTION(OPT_PASSWORD_WORKERS, "password-workers", COUNT, "2", 1, 16, R_AUTH, "hashings at the same time")
OPTION(OPT_ACCOUNT_IDLE, "account-idle", TIME, "1m", 1000, 0, R_ACCOUNT,
	"an account's process ends after so long without work")
OPTION(OPT_LOCK_GRACE, "lock-grace", TIME, "10s", 100, 3600000, R_ACCOUNT,
	"a locked account forgets its owner's key so long after the last session")
OPTION(OPT_SESSIONS, "sessions-per-account", COUNT, "100", 1, 3000, R_ACCOUNT,
	"IMAP and POP3 sessions of one account at the same time; a phone opens ten")
OPTION(OPT_RETRY_TIME, "retry-time", TIME, "5s", 100, 0, R_QUEUE, "first wait before the queue tries an account again")
OPTION(OPT_DNS_FORWARD, "dns-forward", LIST, "", 0, 8, R_RESOLVE,
	"address:port of DNS servers that answer every look-up; \"none\": no look-up is made; "
	"not set: the domains' own servers are asked, from the root down")
OPTION(OPT_DNS_ANCHOR, "dns-anchor", FILE_AT, "", 0, 4000, R_RESOLVE,
	"file with DNSSEC trust anchors (DS or DNSKEY records); not set: the root's, of Debian's dns-root-data, "
	"or none with dns-forward: then nothing counts as validated")
OPTION(OPT_RELAY_ADDRESS, "relay-address", LIST, "", 0, 2, R_RELAY,
	"addresses of this machine that mail leaves from, at most one IPv4 and one IPv6; not set: the system chooses")
OPTION(OPT_RELAY_PORT, "relay-port", COUNT, "25", 1, 65535, R_RELAY, "port of other domains' mail servers")
OPTION(OPT_RELAY_PRIVATE, "relay-private", YESNO, "no", 0, 0, R_RELAY | R_FETCH,
	"hosts of other domains may have private and loopback addresses")
OPTION(OPT_HTTPS_PORT, "https-port", COUNT, "443", 1, 65535, R_FETCH, "port of other domains' HTTPS servers (MTA-STS)")
OPTION(OPT_FETCH_CA, "fetch-ca", FILE_AT, "", 0, 4000, R_FETCH | R_RELAY,
	"file with certificate authorities (PEM) that are trusted for MTA-STS besides the system's")
OPTION(OPT_EXPIRE_TIME, "expire-time", TIME, "5d", 1000, 0, R_QUEUE | R_AUTH,
	"how long mail for other servers is tried before it is returned")
OPTION(OPT_DKIM_ROTATE, "dkim-rotate", TIME, "180d", 0, 0, R_AUTH,
	"age at which a domain's DKIM keys are followed by new ones; 0: never")
OPTION(OPT_RETRY_WORLD, "retry-world", TIME, "5m", 100, 0, R_QUEUE,
	"first wait before another server is tried again; each further one is twice as long")
OPTION(OPT_RETRY_WORLD_MOST, "retry-world-most", TIME, "4h", 100, 0, R_QUEUE, "longest such wait")
OPTION(OPT_DELAY_WARNING, "delay-warning", TIME, "4h", 0, 0, R_QUEUE,
	"after so long its sender is told that it is late; 0: never")
OPTION(OPT_SUPPRESS_TIME, "suppress-time", TIME, "30d", 0, 0, R_QUEUE,
	"mail to an address that servers called unknown three times is returned at once for so long; 0: never")
OPTION(OPT_TLS_REPORTS, "tls-reports", YESNO, "yes", 0, 0, R_QUEUE,
	"domains that ask for it are told each day how TLS with their servers went (RFC 8460)")
OPTION(OPT_WORLD_SESSIONS, "world-sessions", COUNT, "100", 1, 200, R_QUEUE, "messages that are sent to other"
	" servers at once")
OPTION(OPT_WORLD_SESSIONS_EACH, "world-sessions-each", COUNT, "20", 1, 200, R_QUEUE,
	"of them to one destination, if its answers allow it")
OPTION(OPT_EDGE_MX, "edge-mx-workers", COUNT, "1", 1, 64, 0, "processes that receive mail")
OPTION(OPT_EDGE_CLIENT, "edge-client-workers", COUNT, "1", 1, 64, 0, "processes that serve clients before login")
OPTION(OPT_INSPECT, "inspect-workers", COUNT, "1", 1, 64, 0, "processes that parse messages")
OPTION(OPT_RELAY, "relay-workers", COUNT, "1", 1, 64, R_QUEUE, "processes that send mail to other servers")
OPTION(OPT_INSPECT_MESSAGES, "inspect-messages", COUNT, "10000", 1, 0, R_INSPECT,
	"messages after which an inspect process is replaced")
OPTION(OPT_UID_BASE, "uid-base", COUNT, "1879048192", 1000, 4000000000, 0,
	"first of the user ids that rooms and accounts run as when started as root")
OPTION(OPT_ALLOW_UNJAILED, "allow-unjailed", YESNO, "no", 0, 0, 0,
	"start even where the machine has no Landlock or seccomp")
OPTION(OPT_ADMINS, "administrators", LIST, "", 0, 64, R_WEB,
	"user ids of this machine that may use the administration socket besides root and the server's own")
OPTION(OPT_ADMIN_FROM, "administration-from", LIST, "", 0, 64, R_WEB,
	"networks whose clients may administrate on listen-https, each with an account, its password and a second factor; "
	"not set: loopback")
OPTION(OPT_DEMO, "demo", YESNO, "no", 0, 0, R_EDGE | R_AUTH | R_WEB, "the demo's openings; never for real use")
OPTION(OPT_DEMO_PROXY, "demo-proxy", YESNO, "no", 0, 0, R_EDGE, "every port expects a PROXY v2 header (demo only)")
