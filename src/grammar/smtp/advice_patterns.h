/* Which answers mean what: PATTERN(meaning, code, status, host, words).
 *
 * code: 4 or 5: any of that class; 0: any, also none. status: its first numbers, "x" for any class; with * at the end,
 * how it begins. host: how it ends. words: any of these, separated by |. NULL: any.
 *
 * The first that fits counts: providers' own answers, then words that name a
 * cause, then the bare status, then the bare code. */
#define GOOGLE ".google.com"
#define MICROSOFT ".outlook.com"
#define YAHOO ".yahoodns.net"
#define APPLE ".icloud.com"

/* Gmail: https://support.google.com/a/answer/3726730 */
PATTERN(GMAIL_IPV6, 0, NULL, GOOGLE, "ipv6 sending guidelines|IPv6 addresses must have")
PATTERN(NO_PTR, 0, "x.7.25", NULL, NULL)
PATTERN(UNPROVEN, 0, "x.7.26", GOOGLE, NULL)
PATTERN(SPF, 0, "x.7.27", GOOGLE, NULL)
PATTERN(GMAIL_REPUTATION, 0, "x.7.28", GOOGLE, NULL)
PATTERN(WANTS_TLS, 0, "x.7.29", GOOGLE, NULL)
PATTERN(DKIM, 0, "x.7.30", GOOGLE, NULL)
PATTERN(DMARC, 0, "x.7.32", GOOGLE, NULL)
PATTERN(DMARC, 0, "x.7.40", GOOGLE, NULL)
PATTERN(GMAIL_REPUTATION, 0, NULL, GOOGLE, "low reputation|unusual rate of unsolicited|likely unsolicited|"
	"suspicious due "
	"to")
PATTERN(RECIPIENT_BUSY, 0, NULL, GOOGLE, "receiving mail too quickly|receiving mail at a rate|ReceivingRate")
PATTERN(MAILBOX_FULL, 0, NULL, GOOGLE, "OverQuota|over quota|out of storage")
PATTERN(MAILBOX_DISABLED, 0, NULL, GOOGLE, "DisabledUser|is disabled|inactive")
PATTERN(ATTACHMENT, 5, "5.7.0", GOOGLE, "content presents a potential security")
/* Outlook, Hotmail, Microsoft 365 */
PATTERN(MICROSOFT_BLOCKED, 0, NULL, MICROSOFT, "S3140|S3150|block list (S|part of their network is on our block")
PATTERN(TOO_FAST, 4, NULL, MICROSOFT, "S775|S4115|S3115|rate limited|exceeded the rate|AS7|4.7.650|4.7.500")
PATTERN(MICROSOFT_BANNED, 5, NULL, MICROSOFT, "banned sending IP|delist@|sender.office.com|5.7.511|5.7.606|5.7.708")
PATTERN(MICROSOFT_BLOCKED, 4, "4.7.650", NULL, NULL)
PATTERN(MAILBOX_FULL, 5, "5.2.2", MICROSOFT, NULL)
PATTERN(UNKNOWN_USER, 5, "5.5.0", MICROSOFT, "mailbox unavailable")
PATTERN(UNKNOWN_USER, 5, NULL, MICROSOFT, "RecipientNotFound|5.1.10|5.4.1")
PATTERN(DMARC, 5, "5.7.515", NULL, NULL)
PATTERN(DMARC, 5, "5.7.509", NULL, NULL)
PATTERN(UNPROVEN, 5, "5.7.23", NULL, NULL)
PATTERN(NOT_PERMITTED, 5, "5.7.12*", MICROSOFT, NULL)
PATTERN(NOT_PERMITTED, 5, "5.7.13*", MICROSOFT, NULL)
/* Yahoo and AOL: https://senders.yahooinc.com/smtp-error-codes/ */
PATTERN(YAHOO_DEFERRED, 4, NULL, YAHOO, "TSS0|TS0|user complaints|temporarily deferred")
PATTERN(TOO_FAST, 4, NULL, YAHOO, "IPTS|resources temporarily unavailable|Too many connections")
PATTERN(UNPROVEN, 5, "5.7.9", YAHOO, "authentication")
PATTERN(YAHOO_BLOCKED, 5, NULL, YAHOO, "BL21|BL23|TSS09|TSS11|not accepted for policy reasons|[PH01]|[IPTS")
PATTERN(MAILBOX_DISABLED, 5, NULL, YAHOO, "mailbox is disabled|This user doesn't have")
/* iCloud: https://support.apple.com/102322 */
PATTERN(ICLOUD, 0, NULL, APPLE, "[HM|[CS|local policy|blocked due to|rejected due to")
/* T-Online, GMX, web.de, mail.com */
PATTERN(T_ONLINE, 0, NULL, ".t-online.de", "tosa@|postmaster|IP=|None/bad reputation")
PATTERN(GMX, 0, NULL, ".gmx.net", "postmaster.gmx|policy|blacklist|Nemesis|reject")
PATTERN(GMX, 0, NULL, ".web.de", "postmaster.|policy|blacklist|Nemesis|reject")
PATTERN(GMX, 0, NULL, ".mail.com", "postmaster.|policy|blacklist|Nemesis|reject")
/* filters in front of others */
PATTERN(PROOFPOINT, 0, NULL, NULL, "ipcheck.proofpoint.com|support.proofpoint.com/dnsbl|Proofpoint Dynamic Reputation")
PATTERN(PROOFPOINT, 0, NULL, ".pphosted.com", "blocked|reputation")
PATTERN(GREYLISTED, 4, NULL, ".mimecast.com", "greylist|internal resources|temporarily")
PATTERN(MIMECAST, 0, NULL, ".mimecast.com", "policy|rejected|anti-spoofing|blacklist|Invalid Sender")
PATTERN(MIMECAST, 0, NULL, NULL, "community.mimecast.com")
PATTERN(BARRACUDA, 0, NULL, NULL, "barracudacentral|barracudanetworks.com/reputation|b.barracuda")
/* block lists */
PATTERN(LIST_UNREACHABLE, 0, NULL, NULL, "open resolver|public resolver|excessive number of queries|127.255.255.")
PATTERN(DYNAMIC_ADDRESS, 0, NULL, NULL, "pbl.spamhaus|pbl|dynamic ip|dynamic address|dial-up|dialup|residential")
PATTERN(LINKS, 0, NULL, NULL, "surbl|uribl|dbl.spamhaus|multi.surbl|blacklisted url|blocked url|listed url")
PATTERN(SPAMHAUS, 0, NULL, NULL, "spamhaus|sbl-xbl")
PATTERN(SPAMCOP, 0, NULL, NULL, "spamcop")
/* words that name the cause */
PATTERN(GREYLISTED, 4, NULL, NULL, "greylist|graylist|grey-list|gray-list|grey list|postgrey|first contact|come back "
	"later")
PATTERN(GREYLISTED, 4, "4.2.0", NULL, "try again later|please retry|deferred")
PATTERN(MAILBOX_FULL, 0, NULL, NULL, "mailbox full|mailbox is full|over quota|overquota|quota exceeded|quota limit|out "
	"of storage|exceeded storage|mailbox has exceeded|insufficient mailbox")
PATTERN(TOO_LARGE, 0, NULL, NULL, "size limit|message too large|message size|message is too big|exceeds fixed maximum|"
	"file too big")
PATTERN(DMARC, 0, NULL, NULL, "dmarc")
PATTERN(SPF, 0, NULL, NULL, "spf|not permitted to send|not authorized to send on behalf|designated mailer|as "
	"permitted sender")
PATTERN(DKIM, 0, NULL, NULL, "dkim")
PATTERN(NO_PTR, 0, NULL, NULL, "reverse dns|rdns|ptr record|reverse hostname|reverse lookup|reverse map|no ptr|fcrdns|"
	"cannot find your reverse|cannot find your hostname|ip name lookup failed")
PATTERN(HELO, 0, NULL, NULL, "helo|ehlo")
PATTERN(WANTS_TLS, 0, NULL, NULL, "must issue a starttls|starttls first|starttls is required|tls is required|"
	"tls required|"
	"requires tls|encryption required|encryption needed|session encryption|requires encryption")
PATTERN(SENDER_DOMAIN, 0, NULL, NULL, "domain of sender|sender address rejected: domain|sender domain must|"
	"domain not found|sender's domain|cannot resolve")
PATTERN(SENDER_REFUSED, 0, NULL, NULL, "sender address rejected|sender rejected|sender verify|sender verification|"
	"sender denied|invalid sender|callback|blacklisted sender|sender blocked")
PATTERN(VIRUS, 0, NULL, NULL, "virus|malware|infected|trojan")
PATTERN(ATTACHMENT, 0, NULL, NULL, "attachment|banned file|blocked file|executable|forbidden file")
PATTERN(LOOP, 0, NULL, NULL, "mail loop|too many hops|loops back|routing loop|hop count|loop detected")
PATTERN(RELAY_DENIED, 0, NULL, NULL, "relay access denied|relaying denied|relay not permitted|unable to relay|relaying "
	"not allowed|relay denied|not a relay|we do not relay|no relaying|isn't in my list of allowed")
PATTERN(MAILBOX_DISABLED, 0, NULL, NULL, "account disabled|mailbox disabled|account is disabled|account suspended|"
	"account has been|inactive|deactivated|mailbox unavailable or not local: disabled|not active|account locked")
PATTERN(UNKNOWN_USER, 5, NULL, NULL, "user unknown|unknown user|no such user|no such recipient|"
	"recipient unknown|unknown "
	"recipient|"
	"does not exist|doesn't exist|doesn't have an account|not found|no mailbox here|unknown address|invalid "
	"recipient|invalid mailbox|unrouteable|user not|recipient rejected|address rejected|unknown local|no mailbox|"
	"not a valid|unable to find|not our customer|requested action not taken: mailbox unavailable")
PATTERN(SPAM, 0, NULL, NULL, "spam|junk|content rejected|message content|unsolicited|bulk mail|looks like|rejected by "
	"content")
PATTERN(BLOCKED, 0, NULL, NULL, "blacklist|black list|blocklist|block list|blocked|dnsbl|rbl|reputation|listed|banned|"
	"denied by ip")
PATTERN(TOO_FAST, 4, NULL, NULL, "rate limit|too many connections|too many messages|too much mail|throttl|too fast|"
	"rate-limit|"
	"ratelimit|connection limit|exceeded the maximum|slow down|concurrent connections|too many sessions")
PATTERN(MANY_RECIPIENTS, 4, NULL, NULL, "too many recipients|recipient limit|too many rcpt")
PATTERN(NOT_PERMITTED, 5, NULL, NULL, "restricted|not allowed to post|members only|moderated|not authorized to send to|"
	"permitted senders|not allowed to send to")
PATTERN(MALFORMED, 5, NULL, NULL, "rfc 5322|rfc5322|rfc 2822|rfc2822|bare lf|bare cr|line too long|header missing|"
	"missing header|multiple from|message-id|malformed|mime")
PATTERN(THEIR_DISK, 4, NULL, NULL, "insufficient system storage|insufficient disk|no space left|insufficient system "
	"resources")
PATTERN(LOGIN_REFUSED, 530, NULL, NULL, NULL)
PATTERN(LOGIN_REFUSED, 535, NULL, NULL, NULL)
/* the status alone (RFC 3463, RFC 5248, RFC 7372, RFC 7505, RFC 8689) */
PATTERN(NO_MAIL_DOMAIN, 0, "x.1.10", NULL, NULL)
PATTERN(SENDER_DOMAIN, 0, "x.7.27", NULL, NULL)
PATTERN(UNKNOWN_USER, 5, "5.1.1", NULL, NULL)
PATTERN(UNKNOWN_USER, 5, "5.1.3", NULL, NULL)
PATTERN(UNKNOWN_USER, 5, "5.1.6", NULL, NULL)
PATTERN(UNKNOWN_USER, 0, "5.1.1", NULL, NULL)
PATTERN(NO_DOMAIN, 0, "x.1.2", NULL, NULL)
PATTERN(NO_DOMAIN, 0, "5.4.4", NULL, NULL)
PATTERN(SENDER_REFUSED, 0, "x.1.7", NULL, NULL)
PATTERN(SENDER_DOMAIN, 0, "x.1.8", NULL, NULL)
PATTERN(MAILBOX_DISABLED, 0, "x.2.1", NULL, NULL)
PATTERN(MAILBOX_FULL, 0, "x.2.2", NULL, NULL)
PATTERN(TOO_LARGE, 0, "x.2.3", NULL, NULL)
PATTERN(THEIR_DISK, 0, "x.3.1", NULL, NULL)
PATTERN(TOO_LARGE, 0, "x.3.4", NULL, NULL)
PATTERN(UNREACHABLE, 0, "x.4.1", NULL, NULL)
PATTERN(UNREACHABLE, 0, "x.4.2", NULL, NULL)
PATTERN(UNREACHABLE, 0, "x.4.3", NULL, NULL)
PATTERN(UNREACHABLE, 0, "x.4.4", NULL, NULL)
PATTERN(LOOP, 0, "x.4.6", NULL, NULL)
PATTERN(TIME_ASKED, 0, "5.4.7", NULL, "by-time|deliverby|wanted it delivered|time is over")
PATTERN(GAVE_UP, 0, "x.4.7", NULL, NULL)
PATTERN(MANY_RECIPIENTS, 0, "x.5.3", NULL, NULL)
PATTERN(TIME_ASKED, 0, "x.3.3", NULL, "DELIVERBY")
PATTERN(NO_8BIT, 0, "x.6.1", NULL, NULL)
PATTERN(NO_8BIT, 0, "x.6.3", NULL, NULL)
PATTERN(NO_UTF8, 0, "x.6.7", NULL, NULL)
PATTERN(NO_UTF8, 0, "x.6.9", NULL, NULL)
PATTERN(MALFORMED, 0, "x.6.0", NULL, NULL)
PATTERN(ROUTE_GONE, 0, "x.3.5", NULL, NULL)
PATTERN(NO_REQUIRETLS, 0, "x.7.10", NULL, "which the sender requires")
PATTERN(WANTS_TLS, 4, "x.7.10", NULL, NULL)
PATTERN(WANTS_TLS, 5, "x.7.10", NULL, NULL)
PATTERN(TLS_UNVERIFIED, 0, "x.7.10", NULL, NULL)
PATTERN(TLS_UNVERIFIED, 0, "x.7.5", NULL, NULL)
PATTERN(LOGIN_REFUSED, 0, "x.7.8", NULL, NULL)
PATTERN(LOGIN_REFUSED, 0, "x.7.9", NULL, NULL)
PATTERN(DKIM, 0, "x.7.20", NULL, NULL)
PATTERN(DKIM, 0, "x.7.21", NULL, NULL)
PATTERN(DKIM, 0, "x.7.22", NULL, NULL)
PATTERN(SPF, 0, "x.7.23", NULL, NULL)
PATTERN(SPF, 0, "x.7.24", NULL, NULL)
PATTERN(UNPROVEN, 0, "x.7.26", NULL, NULL)
PATTERN(NO_REQUIRETLS, 0, "x.7.30", NULL, NULL)
PATTERN(NOT_PERMITTED, 0, "x.7.2", NULL, NULL)
PATTERN(POLICY, 0, "x.7", NULL, NULL)
PATTERN(THEIR_TROUBLE, 0, "4.3", NULL, NULL)
/* the code alone (RFC 5321 4.2.3) */
PATTERN(THEIR_TROUBLE, 421, NULL, NULL, NULL)
PATTERN(THEIR_DISK, 452, NULL, NULL, NULL)
PATTERN(TOO_LARGE, 552, NULL, NULL, NULL)
PATTERN(NO_MAIL_DOMAIN, 521, NULL, NULL, NULL)
PATTERN(NO_MAIL_DOMAIN, 556, NULL, NULL, NULL)
PATTERN(UNKNOWN_USER, 553, NULL, NULL, NULL)
PATTERN(UNKNOWN_USER, 551, NULL, NULL, NULL)
PATTERN(THEIR_TROUBLE, 4, NULL, NULL, NULL)
PATTERN(FAILED, 5, NULL, NULL, NULL)
PATTERN(UNREACHABLE, 0, "4", NULL, NULL)
PATTERN(FAILED, 0, "5", NULL, NULL)

#undef GOOGLE
#undef MICROSOFT
#undef YAHOO
#undef APPLE
