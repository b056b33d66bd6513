#include "grammar/smtp/advice.h"

enum meaning {
	NONE,
#define MEANING(NUMBER, ID, NAME, FAULT, WHAT, REMEDY) ID = (NUMBER),
#include "grammar/smtp/advice_meanings.h"
#undef MEANING
};

static const struct advice meanings[ADVICE_MAX] = {
#define MEANING(NUMBER, ID, NAME, FAULT, WHAT, REMEDY) [NUMBER] = {NAME, WHAT, REMEDY, ADVICE_##FAULT},
#include "grammar/smtp/advice_meanings.h"
#undef MEANING
};

struct pattern {
	enum meaning means;
	uint16_t code;      /* 4 or 5: any of that class; 0: any, also none */
	const char *status; /* its first numbers, "x" for any class; with * at the end, how it begins; NULL: any */
	const char *host;   /* how it ends; NULL: any */
	const char *words;  /* any of these, separated by |; NULL: any text */
};

#define GOOGLE ".google.com"
#define MICROSOFT ".outlook.com"
#define YAHOO ".yahoodns.net"
#define APPLE ".icloud.com"

/* The first that fits counts: providers' own answers, then words that name a
 * cause, then the bare status, then the bare code. */
static const struct pattern patterns[] = {
	/* Gmail: https://support.google.com/a/answer/3726730 */
	{GMAIL_IPV6, 0, NULL, GOOGLE, "ipv6 sending guidelines|IPv6 addresses must have"},
	{NO_PTR, 0, "x.7.25", NULL, NULL},
	{UNPROVEN, 0, "x.7.26", GOOGLE, NULL},
	{SPF, 0, "x.7.27", GOOGLE, NULL},
	{GMAIL_REPUTATION, 0, "x.7.28", GOOGLE, NULL},
	{WANTS_TLS, 0, "x.7.29", GOOGLE, NULL},
	{DKIM, 0, "x.7.30", GOOGLE, NULL},
	{DMARC, 0, "x.7.32", GOOGLE, NULL},
	{DMARC, 0, "x.7.40", GOOGLE, NULL},
	{GMAIL_REPUTATION, 0, NULL, GOOGLE, "low reputation|unusual rate of unsolicited|likely unsolicited|suspicious due "
		"to"},
	{RECIPIENT_BUSY, 0, NULL, GOOGLE, "receiving mail too quickly|receiving mail at a rate|ReceivingRate"},
	{MAILBOX_FULL, 0, NULL, GOOGLE, "OverQuota|over quota|out of storage"},
	{MAILBOX_DISABLED, 0, NULL, GOOGLE, "DisabledUser|is disabled|inactive"},
	{ATTACHMENT, 5, "5.7.0", GOOGLE, "content presents a potential security"},
	/* Outlook, Hotmail, Microsoft 365 */
	{MICROSOFT_BLOCKED, 0, NULL, MICROSOFT, "S3140|S3150|block list (S|part of their network is on our block"},
	{TOO_FAST, 4, NULL, MICROSOFT, "S775|S4115|S3115|rate limited|exceeded the rate|AS7|4.7.650|4.7.500"},
	{MICROSOFT_BANNED, 5, NULL, MICROSOFT, "banned sending IP|delist@|sender.office.com|5.7.511|5.7.606|5.7.708"},
	{MICROSOFT_BLOCKED, 4, "4.7.650", NULL, NULL},
	{MAILBOX_FULL, 5, "5.2.2", MICROSOFT, NULL},
	{UNKNOWN_USER, 5, "5.5.0", MICROSOFT, "mailbox unavailable"},
	{UNKNOWN_USER, 5, NULL, MICROSOFT, "RecipientNotFound|5.1.10|5.4.1"},
	{DMARC, 5, "5.7.515", NULL, NULL},
	{DMARC, 5, "5.7.509", NULL, NULL},
	{UNPROVEN, 5, "5.7.23", NULL, NULL},
	{NOT_PERMITTED, 5, "5.7.12*", MICROSOFT, NULL},
	{NOT_PERMITTED, 5, "5.7.13*", MICROSOFT, NULL},
	/* Yahoo and AOL: https://senders.yahooinc.com/smtp-error-codes/ */
	{YAHOO_DEFERRED, 4, NULL, YAHOO, "TSS0|TS0|user complaints|temporarily deferred"},
	{TOO_FAST, 4, NULL, YAHOO, "IPTS|resources temporarily unavailable|Too many connections"},
	{UNPROVEN, 5, "5.7.9", YAHOO, "authentication"},
	{YAHOO_BLOCKED, 5, NULL, YAHOO, "BL21|BL23|TSS09|TSS11|not accepted for policy reasons|[PH01]|[IPTS"},
	{MAILBOX_DISABLED, 5, NULL, YAHOO, "mailbox is disabled|This user doesn't have"},
	/* iCloud: https://support.apple.com/102322 */
	{ICLOUD, 0, NULL, APPLE, "[HM|[CS|local policy|blocked due to|rejected due to"},
	/* T-Online, GMX, web.de, mail.com */
	{T_ONLINE, 0, NULL, ".t-online.de", "tosa@|postmaster|IP=|None/bad reputation"},
	{GMX, 0, NULL, ".gmx.net", "postmaster.gmx|policy|blacklist|Nemesis|reject"},
	{GMX, 0, NULL, ".web.de", "postmaster.|policy|blacklist|Nemesis|reject"},
	{GMX, 0, NULL, ".mail.com", "postmaster.|policy|blacklist|Nemesis|reject"},
	/* filters in front of others */
	{PROOFPOINT, 0, NULL, NULL, "ipcheck.proofpoint.com|support.proofpoint.com/dnsbl|Proofpoint Dynamic Reputation"},
	{PROOFPOINT, 0, NULL, ".pphosted.com", "blocked|reputation"},
	{GREYLISTED, 4, NULL, ".mimecast.com", "greylist|internal resources|temporarily"},
	{MIMECAST, 0, NULL, ".mimecast.com", "policy|rejected|anti-spoofing|blacklist|Invalid Sender"},
	{MIMECAST, 0, NULL, NULL, "community.mimecast.com"},
	{BARRACUDA, 0, NULL, NULL, "barracudacentral|barracudanetworks.com/reputation|b.barracuda"},
	/* block lists */
	{LIST_UNREACHABLE, 0, NULL, NULL, "open resolver|public resolver|excessive number of queries|127.255.255."},
	{DYNAMIC_ADDRESS, 0, NULL, NULL, "pbl.spamhaus|pbl|dynamic ip|dynamic address|dial-up|dialup|residential"},
	{LINKS, 0, NULL, NULL, "surbl|uribl|dbl.spamhaus|multi.surbl|blacklisted url|blocked url|listed url"},
	{SPAMHAUS, 0, NULL, NULL, "spamhaus|sbl-xbl"},
	{SPAMCOP, 0, NULL, NULL, "spamcop"},
	/* words that name the cause */
	{GREYLISTED, 4, NULL, NULL, "greylist|graylist|grey-list|gray-list|grey list|postgrey|first contact|come back "
		"later"},
	{GREYLISTED, 4, "4.2.0", NULL, "try again later|please retry|deferred"},
	{MAILBOX_FULL, 0, NULL, NULL, "mailbox full|mailbox is full|over quota|overquota|quota exceeded|quota limit|out "
		"of storage|exceeded storage|mailbox has exceeded|insufficient mailbox"},
	{TOO_LARGE, 0, NULL, NULL, "size limit|message too large|message size|message is too big|exceeds fixed maximum|"
		"file too big"},
	{DMARC, 0, NULL, NULL, "dmarc"},
	{SPF, 0, NULL, NULL, "spf|not permitted to send|not authorized to send on behalf|designated mailer|permitted "
		"sender"},
	{DKIM, 0, NULL, NULL, "dkim"},
	{NO_PTR, 0, NULL, NULL, "reverse dns|rdns|ptr record|reverse hostname|reverse lookup|reverse map|no ptr|fcrdns|"
		"cannot find your reverse|cannot find your hostname|ip name lookup failed"},
	{HELO, 0, NULL, NULL, "helo|ehlo"},
	{WANTS_TLS, 0, NULL, NULL, "must issue a starttls|starttls first|starttls is required|tls is required|tls required|"
		"requires tls|encryption required|encryption needed|session encryption|requires encryption"},
	{SENDER_DOMAIN, 0, NULL, NULL, "domain of sender|sender address rejected: domain|sender domain must|"
		"domain not found|sender's domain|cannot resolve"},
	{SENDER_REFUSED, 0, NULL, NULL, "sender address rejected|sender rejected|sender verify|sender verification|"
		"sender denied|invalid sender|callback|blacklisted sender|sender blocked"},
	{VIRUS, 0, NULL, NULL, "virus|malware|infected|trojan"},
	{ATTACHMENT, 0, NULL, NULL, "attachment|banned file|blocked file|executable|forbidden file"},
	{LOOP, 0, NULL, NULL, "mail loop|too many hops|loops back|routing loop|hop count|loop detected"},
	{RELAY_DENIED, 0, NULL, NULL, "relay access denied|relaying denied|relay not permitted|unable to relay|relaying "
		"not allowed|relay denied|not a relay|we do not relay|no relaying|isn't in my list of allowed"},
	{MAILBOX_DISABLED, 0, NULL, NULL, "account disabled|mailbox disabled|account is disabled|account suspended|"
		"account has been|inactive|deactivated|mailbox unavailable or not local: disabled|not active|account locked"},
	{UNKNOWN_USER, 5, NULL, NULL, "user unknown|unknown user|no such user|no such recipient|recipient unknown|unknown "
		"recipient|"
		"does not exist|doesn't exist|doesn't have an account|not found|no mailbox here|unknown address|invalid "
		"recipient|invalid mailbox|unrouteable|user not|recipient rejected|address rejected|unknown local|no mailbox|"
		"not a valid|unable to find|not our customer|requested action not taken: mailbox unavailable"},
	{SPAM, 0, NULL, NULL, "spam|junk|content rejected|message content|unsolicited|bulk mail|looks like|rejected by "
		"content"},
	{BLOCKED, 0, NULL, NULL, "blacklist|black list|blocklist|block list|blocked|dnsbl|rbl|reputation|listed|banned|"
		"denied by ip"},
	{TOO_FAST, 4, NULL, NULL, "rate limit|too many connections|too many messages|too much mail|throttl|too fast|"
		"rate-limit|"
		"ratelimit|connection limit|exceeded the maximum|slow down|concurrent connections|too many sessions"},
	{MANY_RECIPIENTS, 4, NULL, NULL, "too many recipients|recipient limit|too many rcpt"},
	{NOT_PERMITTED, 5, NULL, NULL, "restricted|not allowed to post|members only|moderated|not authorized to send to|"
		"permitted senders|not allowed to send to"},
	{MALFORMED, 5, NULL, NULL, "rfc 5322|rfc5322|rfc 2822|rfc2822|bare lf|bare cr|line too long|header missing|"
		"missing header|multiple from|message-id|malformed|mime"},
	{THEIR_DISK, 4, NULL, NULL, "insufficient system storage|insufficient disk|no space left|insufficient system "
		"resources"},
	{LOGIN_REFUSED, 530, NULL, NULL, NULL},
	{LOGIN_REFUSED, 535, NULL, NULL, NULL},
	/* the status alone (RFC 3463, RFC 5248, RFC 7372, RFC 7505, RFC 8689) */
	{NO_MAIL_DOMAIN, 0, "x.1.10", NULL, NULL},
	{SENDER_DOMAIN, 0, "x.7.27", NULL, NULL},
	{UNKNOWN_USER, 5, "5.1.1", NULL, NULL},
	{UNKNOWN_USER, 5, "5.1.3", NULL, NULL},
	{UNKNOWN_USER, 5, "5.1.6", NULL, NULL},
	{UNKNOWN_USER, 0, "5.1.1", NULL, NULL},
	{NO_DOMAIN, 0, "x.1.2", NULL, NULL},
	{NO_DOMAIN, 0, "5.4.4", NULL, NULL},
	{SENDER_REFUSED, 0, "x.1.7", NULL, NULL},
	{SENDER_DOMAIN, 0, "x.1.8", NULL, NULL},
	{MAILBOX_DISABLED, 0, "x.2.1", NULL, NULL},
	{MAILBOX_FULL, 0, "x.2.2", NULL, NULL},
	{TOO_LARGE, 0, "x.2.3", NULL, NULL},
	{THEIR_DISK, 0, "x.3.1", NULL, NULL},
	{TOO_LARGE, 0, "x.3.4", NULL, NULL},
	{UNREACHABLE, 0, "x.4.1", NULL, NULL},
	{UNREACHABLE, 0, "x.4.2", NULL, NULL},
	{UNREACHABLE, 0, "x.4.3", NULL, NULL},
	{UNREACHABLE, 0, "x.4.4", NULL, NULL},
	{LOOP, 0, "x.4.6", NULL, NULL},
	{TIME_ASKED, 0, "5.4.7", NULL, "by-time|deliverby|wanted it delivered|time is over"},
	{GAVE_UP, 0, "x.4.7", NULL, NULL},
	{MANY_RECIPIENTS, 0, "x.5.3", NULL, NULL},
	{TIME_ASKED, 0, "x.3.3", NULL, "DELIVERBY"},
	{NO_8BIT, 0, "x.6.1", NULL, NULL},
	{NO_8BIT, 0, "x.6.3", NULL, NULL},
	{NO_UTF8, 0, "x.6.7", NULL, NULL},
	{NO_UTF8, 0, "x.6.9", NULL, NULL},
	{MALFORMED, 0, "x.6.0", NULL, NULL},
	{ROUTE_GONE, 0, "x.3.5", NULL, NULL},
	{WANTS_TLS, 4, "x.7.10", NULL, NULL},
	{WANTS_TLS, 5, "x.7.10", NULL, NULL},
	{TLS_UNVERIFIED, 0, "x.7.10", NULL, NULL},
	{TLS_UNVERIFIED, 0, "x.7.5", NULL, NULL},
	{LOGIN_REFUSED, 0, "x.7.8", NULL, NULL},
	{LOGIN_REFUSED, 0, "x.7.9", NULL, NULL},
	{DKIM, 0, "x.7.20", NULL, NULL},
	{DKIM, 0, "x.7.21", NULL, NULL},
	{DKIM, 0, "x.7.22", NULL, NULL},
	{SPF, 0, "x.7.23", NULL, NULL},
	{SPF, 0, "x.7.24", NULL, NULL},
	{UNPROVEN, 0, "x.7.26", NULL, NULL},
	{NO_REQUIRETLS, 0, "x.7.30", NULL, NULL},
	{NOT_PERMITTED, 0, "x.7.2", NULL, NULL},
	{POLICY, 0, "x.7", NULL, NULL},
	{THEIR_TROUBLE, 0, "4.3", NULL, NULL},
	/* the code alone (RFC 5321 4.2.3) */
	{THEIR_TROUBLE, 421, NULL, NULL, NULL},
	{THEIR_DISK, 452, NULL, NULL, NULL},
	{TOO_LARGE, 552, NULL, NULL, NULL},
	{NO_MAIL_DOMAIN, 521, NULL, NULL, NULL},
	{NO_MAIL_DOMAIN, 556, NULL, NULL, NULL},
	{UNKNOWN_USER, 553, NULL, NULL, NULL},
	{UNKNOWN_USER, 551, NULL, NULL, NULL},
	{THEIR_TROUBLE, 4, NULL, NULL, NULL},
	{FAILED, 5, NULL, NULL, NULL},
	{UNREACHABLE, 0, "4", NULL, NULL},
	{FAILED, 0, "5", NULL, NULL},
};

static bool code_fits(uint16_t want, uint16_t code)
{
	return want == 0 || want == code || (want < 10 && want == code / 100);
}

/* "x.7.2" fits 5.7.2 and 4.7.2, not 5.7.26; "x.7" fits all of 5.7. */
static bool status_fits(const char *want, str status)
{
	str w = str_from(want);
	if (!want)
		return true;
	bool begins = str_ends(w, STR("*"));
	w.n -= begins;
	if (status.n < w.n || (w.p[0] != 'x' && w.p[0] != status.p[0]))
		return false;
	bool ends = status.n == w.n || status.p[w.n] == '.' || begins;
	return ends && str_eq(str_skip(str_sub(status, 0, w.n), 1), str_skip(w, 1));
}

static bool host_fits(const char *want, str host)
{
	if (!want)
		return true;
	if (str_ends(host, STR(".")))
		host.n--;
	return str_iends(host, str_from(want)) || str_ieq(host, str_from(want + 1));
}

/* Our own words name servers and domains, so they are looked at only where a status says what they are about. */
static bool words_fit(const struct pattern *p, const struct advice_reply *r)
{
	str rest = str_from(p->words);
	if (r->code == 0 && p->words && !p->status)
		return false;
	while (rest.n > 0) {
		size_t end = str_chr(rest, '|');
		if (str_ifind(r->text, str_sub(rest, 0, end)) != STR_NONE)
			return true;
		rest = end == STR_NONE ? str_sub(rest, 0, 0) : str_skip(rest, end + 1);
	}
	return !p->words;
}

uint16_t advice_find(const struct advice_reply *r)
{
	bool negative = r->code >= 400 || (r->code == 0 && r->status.n > 0 && r->status.p[0] >= '4');
	for (size_t i = 0; negative && i < sizeof patterns / sizeof *patterns; i++) {
		const struct pattern *p = &patterns[i];
		if (code_fits(p->code, r->code) && status_fits(p->status, r->status) && host_fits(p->host, r->host) &&
		    words_fit(p, r))
			return (uint16_t)p->means;
	}
	return NONE;
}

const struct advice *advice_at(uint16_t number)
{
	return number < ADVICE_MAX && meanings[number].name ? &meanings[number] : NULL;
}

const char *advice_fault_sentence(enum advice_fault f)
{
	switch (f) {
	case ADVICE_NOBODY:
		break;
	case ADVICE_SENDER:
		return "The cause is in the address or the message.";
	case ADVICE_RECIPIENT:
		return "The cause is at the recipient's mailbox.";
	case ADVICE_THERE:
		return "The cause is at the recipient's server.";
	case ADVICE_HERE:
		return "The cause is at this server, not at the recipient and not in your message.";
	}
	return "It is nobody's fault.";
}
