#include "cli/story.h"

#include "cli/show.h"
#include "grammar/smtp/advice.h"

static const struct sentence {
	const char *event;
	const char *text;
} sentences[] = {
	{"smtp.accepted", "Taken from {client}[ ({helo})][, logged in as {user}]: from <{from}> to {to}"
		"[ and others ({recipients:more} recipients)][, {size:octets}]."},
	{"smtp.posted", "Taken for other servers[ from {client}][, logged in as {user}]: from <{from}>[ to {to}]"
		"[ ({recipients:more} recipients)][, {size:octets}]."},
	{"smtp.refused", "Refused[ to {client}][ ({helo})][, from <{from}>]:[ {code}][ {why}][ ({word})]."},
	{"delivery.kept", "Delivered[ to {recipient}][, into {mailbox}][ of account {account}][, {size:octets}]."},
	{"delivery.deferred", "Not delivered yet[ to {recipient}][, account {account}][: {why}]. It is tried again."},
	{"queue.kept", "Waits in the queue[ as item {item}][ for {recipient}][, account {account}]."},
	{"queue.delivered", "Delivered from the queue[ (item {item})][ to account {account}][ after {attempts} tries]."},
	{"queue.quarantined", "Put aside[ as item {item}][ for {recipient}][, to {to}], because it ended a process again "
		"and "
		"again[: {why}][{text}]. postern queue release tries it once more."},
	{"queue.dropped", "Dropped from the queue[ (item {item})][: {why}]."},
	{"queue.posted", "Waits in the queue for {to}[, on its way to {destination}][ by route {route}]"
		"[, not before {hold_until:time}]."},
	{"queue.suppressed", "Not tried: {to} was unknown to its server lately. The sender is told."},
	{"queue.rerouted", "Goes another way to {to} from now on[ (route {route})], because the routes were changed."},
	{"queue.released", "May go now[ (item {item})][: {why}]."},
	{"queue.held", "Held[ (item {item})][: {why}]. postern queue release lets it go."},
	{"relay.tried", "Offered to {destination}[, server {host}][ at {address}][, over {tls}][ ({verified:verified})]:"
		"[ {delivered} taken][ {later} to be tried again][ {failed} refused][. It said: {text}]"},
	{"mail.sent", "Handed over for {to}[ to {host}][ at {address}][ over {tls}][ ({verified:verified})][. It said: "
		"{code}]"
		"[ {text}]"},
	{"mail.deferred", "Not handed over yet for {to}[ (try {attempts})]; it is tried again.[ {advice:advice}]"
		"[ Server {host} said: {code}][ {status}][ {text}]"},
	{"mail.failed", "Cannot be delivered to {to}.[ {advice:advice}][ Server {host} said: {code}][ {status}][ {text}]"},
	{"mail.late", "Late[ for {recipients} recipients]: the sender is told that it goes on being tried."},
	{"mail.expired", "Given up[ for {recipients} recipients]: its time is over. The sender is told."},
	{"report.kept", "A report[ (\"{action}\")] about {to} was written[ for <{from}>]."},
	{"report.unwanted", "No report[ (\"{action}\")] about {to}: nobody wants one, or nobody reads there."},
	{"report.deferred", "A report cannot be written now[: {why}]. It is tried again."},
	{"relay.absent", "Mail for other servers waits: there is no relay now[: {why}]."},
	{"inspect.failed", "It could not be examined[: {why}]."},
	{"session.carried", "The session[ of {client}][ ({protocol})] reaches its account."},
	{"login.accepted", "Logged in[ as {user}][ from {client}][ ({protocol})][ by {mechanism}]"
		"[ with the app password \"{app}\"][ with the certificate \"{certificate}\"]."},
	{"login.refused", "A login[ as {user}][ from {client}][ ({protocol})][ by {mechanism}]"
		"[ with the app password \"{app}\"][ with the certificate \"{certificate}\"] was refused[: {verdict}]"
		"[ ({why})]."},
	{"login.ended", "A session in the administration of account {account} ended[: {why}]."},
	{"password.raised", "The password's hash of account {account} was made anew with today's parameters"
		"[: not yet, {why}]."},
	{"client.connected", "Connected[: {client}]."},
	{"client.disconnected", "Disconnected[: {client}][, {in:octets} came][, {out:octets} went]."},
	{"client.limited", "A limit was reached[ by {client}][ for {address}][: {why}][: {limit}]."},
	{"client.abuse", "What no honest program does: {what}[, by {client}][ ({protocol})]."},
	{"client.misspoke", "A command before login made no sense[, by {client}]."},
	{"attack.detected", "An attack[ ({detector})][ from {network}][: {why}]. It is answered by {measure}."},
	{"account.suspected", "Account {account} may be used by somebody else, or is tried by them[ ({detector})][: {why}]."
		" It is answered by {measure}."},
	{"send.first", "Account {account} wrote to {first} for the first time."},
	{"ban.added", "Network {network} is refused or slowed ({grade}) from now on[, until {until:time}][, by {by}]"
		"[: {why}]."},
	{"ban.removed", "Network {network} is no longer refused or slowed[, by {by}]."},
	{"ban.refused", "{connections} connections of {network} were closed at once, because it is banned."},
	{"account.contained", "Account {account} was contained, because somebody else seems to use it[, by {by}]"
		"[: {why}]. Its mail to other servers is held."},
	{"account.freed", "Account {account} is contained no longer[: {act}]."},
	{"notice.kept", "Account {account} was told[ by a letter][: {what}]."},
	{"notice.deferred", "Account {account} cannot be told now[: {why}]. It is tried again."},
	{"tls.failed", "TLS failed[ with {client}][: {why}]."},
	{"account.opened", "The process of account {account} began."},
	{"account.shut", "The process of account {account} ended."},
	{"store.damage", "Stored octets are not what was written[: {file}][{why}]."},
	{"store.full", "The disk is full[: {why}]."},
	{"mailbox.changed", "A session changed a mailbox[: {mailbox}][ of account {account}]."},
	{"room.started", "Room {role}[ {number}] began[, but could not {lacks}]."},
	{"room.ended", "Room {role}[ {number}] ended[: {why}][, signal {signal}]; another one begins."},
	{"room.nonsense", "A room spoke nonsense[: {role}][ {peer}][: {why}]; its channel was closed."},
	{"room.dropped", "{events} events were lost[: {why}]."},
	{"places.taken", "The databases of countries and networks were taken up."},
	{"places.refused", "A database of countries or networks cannot be used[: {file}][: {why}]."},
	{"dns.found", "DNS: {name} found[ ({type})]."},
	{"dns.none", "DNS: there is no {name}[ ({type})]."},
	{"dns.bogus", "DNS: what was said of {name} is signed wrongly[: {why}]."},
	{"dns.failed", "DNS: nobody answered about {name}[: {why}]."},
	{"fetch.done", "Fetched[ from {host}][: {status}]."},
	{"fetch.refused", "Could not be fetched[ from {host}][: {why}]."},
	{"dkim.key", "The signing key[ {selector}][ of {domain}][: {what}]."},
	{"dkim.trouble", "No signing keys could be made or turned[ for {domain}][: {why}]. It is tried again in an hour."},
	{"tls.reported", "A report about TLS[ with {domain}] was sent[ to {to}]."},
	{"tls.unreported", "A report about TLS[ with {domain}] could not be sent[ to {to}][: {why}]."},
	{"delivery.sealed", "Kept for account {account}[ ({recipient})], sealed until its owner logs in."},
	{"lock.opened", "Account {account} was opened by its owner's key[; {waiting} messages had arrived]."},
	{"lock.shut", "Account {account} was shut; nothing has its owner's key any more."},
	{"lock.changed", "Account {account} is under the policy {policy} from now on."},
	{"arrivals.deferred", "What arrived at account {account} cannot be put into mailboxes now[: {why}]. It is tried "
		"again."},
	{"arrivals.damaged", "{letters} messages that arrived at account {account} do not open."},
	{"arrivals.torn", "What was written last at account {account} does not open, in {places} places: it was cut off "
		"before it was accepted, or damaged since."},
	{"key.given", "The vault gave {role}[ {number}] its own key[ ({state})]."},
	{"key.refused", "The vault refused {role}[ {number}] {asked}."},
	{"key.changed", "The vault: {act}[ {key}][ for {domain}][, account {account}]."},
	{"audit.begin", "A file of the audit log begins[; {unfinished:octets} before it were left unfinished]."},
	{"audit.checkpoint", "The vault signed the audit log up to here."},
	{"audit.gap", "{records} records of the audit log found no room and are lost."},
	{"audit.broken", "Signed records of the audit log were gone: the vault signed up to {signed}, it ends at {last}."},
	{"audit.pseudonymised", "The addresses in {files} old files of the audit log were forgotten."},
	{"audit.trouble", "The audit log cannot be written or signed now[: {why}]. It is tried again."},
	{"admin.asked", "An administrator[ (user {uid})][ ({user}][ from {client})] is about to do: {act}[ {target}]"
		"[, account {account}]."},
	{"vault.locked", "The vault waits for its passphrase."},
	{"vault.unlocked", "The vault has its passphrase."},
	{"vault.rewrapped", "Every key is sealed by the new master key."},
	{"vault.rewrap-failed", "Not every key could be sealed by the new master key[: {why}]. It is tried again at the "
		"next start."},
	{"admin.act", "An administrator[ ({user}][ from {client})] did: {act}[ {what}][ {target}][, item {item}]"
		"[, account {account}]."},
	{"admin.refused", "Somebody[ ({user})][ from {client}] was refused by the administration[: {act}][ {what}]"
		"[: {why}]."},
};
enum { SENTENCES = sizeof sentences / sizeof *sentences };

static const struct sentence *find(str event)
{
	for (size_t i = 0; i < SENTENCES; i++)
		if (str_eq(str_from(sentences[i].event), event))
			return &sentences[i];
	return NULL;
}

bool story_knows(str event)
{
	return find(event) != NULL;
}

/* ---- a value in words ---- */

static bool put_verified(buf *out, str how)
{
	static const struct {
		str name;
		const char *words;
	} all[] = {
		{STR_INIT("nobody"), NULL}, {STR_INIT("opportunistic"), "not proved"}, {STR_INIT("pkix"), "proved by "
			"certificate"},
		{STR_INIT("sts"), "proved by MTA-STS"}, {STR_INIT("dane"), "proved by DANE"}};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (str_eq(all[i].name, how)) {
			buf_put(out, str_from(all[i].words));
			return all[i].words != NULL;
		}
	}
	buf_put(out, how);
	return how.n > 0;
}

static bool put_number(buf *out, str form, json_int_t n)
{
	const struct advice *a;
	if (str_eq(form, STR("more")) && n < 2)
		return false;
	if (str_eq(form, STR("octets")))
		put_size(out, (uint64_t)n);
	else if (str_eq(form, STR("time")))
		put_time(out, n);
	else if (!str_eq(form, STR("advice")))
		buf_printf(out, "%lld", (long long)n);
	else if ((a = advice_at((uint16_t)(n > 0 && n < ADVICE_MAX ? n : 0))))
		buf_put(out, str_from(a->meaning));
	else
		return false;
	return n != 0;
}

/* False: there is nothing to say. */
static bool put_value(buf *out, str placeholder, const json_t *fields)
{
	size_t colon = str_chr(placeholder, ':');
	str name = str_sub(placeholder, 0, colon), form = colon == STR_NONE ? (str){0} : str_skip(placeholder, colon + 1);
	const json_t *v = json_object_getn(fields, name.p, name.n);
	if (json_is_integer(v))
		return put_number(out, form, json_integer_value(v));
	if (!json_is_string(v))
		return false;
	str text = str_of(json_string_value(v), json_string_length(v));
	if (str_eq(form, STR("verified")))
		return put_verified(out, text);
	buf_put(out, text);
	return text.n > 0;
}

/* ---- a template ---- */

/* Up to `end`; false when a value was missing. */
static bool put_piece(buf *out, str piece, const json_t *fields)
{
	bool whole = true;
	while (piece.n > 0) {
		size_t open = str_chr(piece, '{');
		buf_put(out, str_sub(piece, 0, open));
		if (open == STR_NONE)
			return whole;
		piece = str_skip(piece, open + 1);
		size_t close = str_chr(piece, '}');
		whole &= put_value(out, str_sub(piece, 0, close), fields);
		piece = str_skip(piece, close == STR_NONE ? piece.n : close + 1);
	}
	return whole;
}

static void put_sentence(buf *out, str text, const json_t *fields)
{
	while (text.n > 0) {
		size_t open = str_chr(text, '[');
		put_piece(out, str_sub(text, 0, open), fields);
		if (open == STR_NONE)
			return;
		text = str_skip(text, open + 1);
		size_t close = str_chr(text, ']'), before = out->n;
		if (!put_piece(out, str_sub(text, 0, close), fields))
			out->n = before;
		text = str_skip(text, close == STR_NONE ? text.n : close + 1);
	}
}

static void put_fields(buf *out, const json_t *fields)
{
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)fields, name, v) {
		size_t before = out->n;
		buf_put(out, STR(", "));
		buf_put(out, str_from(name));
		buf_putc(out, ' ');
		if (!put_value(out, str_from(name), fields))
			out->n = before;
	}
}

void story_tell(buf *out, str event, const json_t *fields)
{
	const struct sentence *s = find(event);
	if (s) {
		put_sentence(out, str_from(s->text), fields);
		return;
	}
	buf_put(out, event);
	put_fields(out, fields);
}
