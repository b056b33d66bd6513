/* The meanings: MEANING(number, identifier, word, fault, what it means, what to do).
 * Numbers stand in queues: a row may be reworded, never renumbered. */
MEANING(1, MAILBOX_FULL, "mailbox-full", RECIPIENT, "The recipient's mailbox is full.",
	"Tell them by another way, and send the message again when they have made room.")
MEANING(2, UNKNOWN_USER, "unknown-user", SENDER, "There is no mailbox of that name at the recipient's server.",
	"Look for a misspelling in the address, or ask the recipient for the right one.")
MEANING(3, MAILBOX_DISABLED, "mailbox-disabled", RECIPIENT, "The recipient's mailbox is switched off or not in use.",
	"Reach them by another way; they have to have it switched on again.")
MEANING(4, TOO_LARGE, "too-large", SENDER, "The message is larger than the recipient's server takes.",
	"Send it without its attachments, or in parts, or put the files where they can be fetched.")
MEANING(5, GREYLISTED, "greylisted", NOBODY, "The recipient's server asks every new sender to try once more later.",
	"Nothing needs to be done: it is tried again by itself and arrives with some delay.")
MEANING(6, TOO_FAST, "too-fast", HERE, "The recipient's server takes only so much mail from here in a time.",
	"Nothing needs to be done: sending slows down and goes on. If it lasts, look whether somebody sends very much.")
MEANING(7, RECIPIENT_BUSY, "recipient-busy", RECIPIENT, "The recipient gets more mail than their server allows just "
	"now.",
	"Nothing needs to be done; if the message comes back in the end, send it again some hours later.")
MEANING(8, SPF, "spf", HERE, "The sender's domain does not name this server as one of its own (SPF).",
	"The domain's administrator adds this server to its SPF record: postern domain records shows it.")
MEANING(9, DKIM, "dkim", HERE, "The message's signature (DKIM) is missing or was found wrong.",
	"The administrator compares the DKIM records in DNS with postern domain records.")
MEANING(10, DMARC, "dmarc", HERE, "The sender's domain wants mail refused that does not prove where it is from "
	"(DMARC).",
	"Send from an address of this server's own domains; the administrator looks at their SPF and DKIM records.")
MEANING(11, UNPROVEN, "unproven-sender", HERE, "The recipient's server takes only mail whose sender is proven (SPF or "
	"DKIM).",
	"The administrator publishes the records that postern domain records shows, and waits until they are seen.")
MEANING(12, NO_PTR, "no-reverse-name", HERE, "This server's address has no name in DNS (PTR), or one that does not "
	"lead back.",
	"The administrator has the provider set the address's reverse name to this server's host name.")
MEANING(13, HELO, "greeting-name", HERE, "The name by which this server greets was refused.",
	"The administrator sets hostname to a name that leads to this server's address.")
MEANING(14, BLOCKED, "blocked-address", HERE, "The recipient's server refuses mail from this server's address.",
	"The administrator looks the address up in the block lists that the answer names, mends the cause and asks for "
	"removal.")
MEANING(15, SPAMHAUS, "spamhaus", HERE, "This server's address or domain is on a list of Spamhaus.",
	"The administrator looks it up at https://check.spamhaus.org, mends the cause and asks for removal there.")
MEANING(16, DYNAMIC_ADDRESS, "dynamic-address", HERE,
	"This server's address is listed as one of homes and dial-up, from which mail is refused.",
	"The administrator asks at https://check.spamhaus.org for removal from the PBL, or sends by a provider (postern "
	"route add).")
MEANING(17, LIST_UNREACHABLE, "list-misused", THERE,
	"The recipient's server asks a block list in a way that the list refuses, and takes that for a listing.",
	"Their administrator has to mend it; reach the recipient by another way until then.")
MEANING(18, MICROSOFT_BLOCKED, "microsoft-blocked", HERE, "Microsoft refuses mail from this server's address.",
	"The administrator asks for mitigation at https://olcsupport.office.com and joins SNDS to see the address's "
	"standing.")
MEANING(19, MICROSOFT_BANNED, "microsoft-banned", HERE, "Microsoft 365 has put this server's address on its own block "
	"list.",
	"The administrator has it removed at https://sender.office.com.")
MEANING(20, GMAIL_REPUTATION, "gmail-reputation", HERE, "Gmail thinks little of mail from this address or domain at "
	"present.",
	"Send only what was asked for; the administrator looks at https://postmaster.google.com. It gets better by itself "
	"with time.")
MEANING(21, GMAIL_IPV6, "gmail-ipv6", HERE, "Gmail wants a reverse name (PTR) and SPF or DKIM for mail over IPv6.",
	"The administrator sets the reverse name of the IPv6 address and publishes what postern domain records shows.")
MEANING(22, YAHOO_DEFERRED, "yahoo-deferred", HERE, "Yahoo puts off mail from this address because of complaints or "
	"unusual traffic.",
	"Sending goes on more slowly by itself. If it lasts, the administrator writes at https://senders.yahooinc.com.")
MEANING(23, YAHOO_BLOCKED, "yahoo-blocked", HERE, "Yahoo refuses mail from this address or domain.",
	"The administrator looks at https://senders.yahooinc.com for the reason and asks there.")
MEANING(24, T_ONLINE, "t-online", HERE, "T-Online takes mail only from servers that it knows.",
	"The administrator writes to tosa@rx.t-online.de and names the server's address; a page with an imprint on its "
	"host name is wanted.")
MEANING(25, GMX, "gmx-webde", HERE, "GMX, web.de and mail.com refuse mail from this address.",
	"The administrator follows the link in the answer (https://postmaster.gmx.net) and mends what it names.")
MEANING(26, ICLOUD, "icloud", HERE, "Apple's iCloud refuses this message or this server for its policy.",
	"The administrator looks at https://support.apple.com/102322 and writes to icloudadmin@apple.com with the answer.")
MEANING(27, PROOFPOINT, "proofpoint", HERE, "Proofpoint, which filters for the recipient, blocks this server's "
	"address.",
	"The administrator asks for removal at https://ipcheck.proofpoint.com.")
MEANING(28, MIMECAST, "mimecast", THERE, "Mimecast, which filters for the recipient, refuses the message.",
	"The recipient's administrator may permit the sender; tell the recipient by another way.")
MEANING(29, BARRACUDA, "barracuda", HERE, "This server's address is on Barracuda's block list.",
	"The administrator asks for removal at https://www.barracudacentral.org/rbl/removal-request.")
MEANING(30, SPAMCOP, "spamcop", HERE, "This server's address is on SpamCop's block list.",
	"The administrator looks it up at https://www.spamcop.net/bl.shtml; a listing ends by itself when reports end.")
MEANING(31, SPAM, "taken-for-spam", SENDER, "The recipient's server takes the message for spam.",
	"Write it again in plain words with few links and without attachments, or ask the recipient to permit your "
	"address.")
MEANING(32, VIRUS, "virus", SENDER, "The recipient's server found something harmful in the message.",
	"Look at the attachments; if one was not put there by you, have your computer examined.")
MEANING(33, ATTACHMENT, "attachment", SENDER, "The recipient's server does not take attachments of this kind.",
	"Send the file in another form, or put it where it can be fetched.")
MEANING(34, WANTS_TLS, "wants-tls", HERE, "The recipient's server takes mail over TLS only.",
	"The administrator looks at the log: TLS was not agreed on, and the reason stands there.")
MEANING(35, TLS_UNVERIFIED, "tls-unverified", THERE,
	"The recipient's domain wants verified TLS (DANE or MTA-STS), and their server did not prove itself.",
	"Nothing was sent, to protect the message. Their administrator has to mend the certificate or the records.")
MEANING(36, RELAY_DENIED, "relaying-denied", THERE, "The server that DNS names for the address does not know its "
	"domain.",
	"Look for a misspelling in the domain; otherwise their administrator has to mend the MX record or the server.")
MEANING(37, SENDER_REFUSED, "sender-refused", SENDER, "The recipient's server does not accept the sender's address.",
	"Send from another address; the administrator looks whether mail to the sender's address arrives from outside.")
MEANING(38, NO_DOMAIN, "no-such-domain", SENDER, "The domain in the recipient's address does not exist.",
	"Look for a misspelling behind the @.")
MEANING(39, NO_MAIL_DOMAIN, "takes-no-mail", SENDER, "The domain in the recipient's address says that it takes no "
	"mail (null MX).",
	"Look for a misspelling behind the @, or reach the recipient by another way.")
MEANING(40, UNREACHABLE, "unreachable", THERE, "No mail server of the recipient's domain could be reached.",
	"It is tried again for some days. If it lasts, look for a misspelling behind the @, or tell the recipient by "
	"another way.")
MEANING(41, POLICY, "policy", THERE, "The recipient's server refuses the message for a rule of its own.",
	"Read its answer below; the recipient or their administrator can say more.")
MEANING(42, LOOP, "loop", THERE, "The message went round in a circle between servers.",
	"Who administers the forwarding of that address has to mend it.")
MEANING(43, NO_UTF8, "no-international-addresses", THERE,
	"The recipient's server does not take addresses or headers in other than English letters (SMTPUTF8).",
	"Use an address in plain letters for you and for the recipient, where there is one.")
MEANING(44, NO_8BIT, "no-8bit", THERE, "The recipient's server takes only mail of 7-bit text, and this one has more.",
	"Send it again with a mail program that encodes its text (quoted-printable or base64).")
MEANING(45, NO_REQUIRETLS, "no-requiretls", THERE,
	"You asked that the message travels over verified TLS only, and the recipient's server does not promise that.",
	"Send it again without that demand, if it may be, or by another way.")
MEANING(46, MANY_RECIPIENTS, "many-recipients", NOBODY, "The recipient's server takes only so many recipients at once.",
	"Nothing needs to be done: the others follow by themselves.")
MEANING(47, THEIR_DISK, "their-disk", THERE, "The recipient's server has no room left on its disk.",
	"Nothing needs to be done: it is tried again by itself. If it lasts, their administrator has to look.")
MEANING(48, THEIR_TROUBLE, "their-trouble", THERE, "The recipient's server has some trouble at present.",
	"Nothing needs to be done: it is tried again by itself.")
MEANING(49, NOT_PERMITTED, "not-permitted", RECIPIENT, "The recipient takes mail only from certain senders.",
	"Ask the recipient, or who runs that list or group, to permit your address.")
MEANING(50, MALFORMED, "malformed", SENDER, "The recipient's server finds the message's form wrong.",
	"Send it with another mail program, or tell those who write the one you used what the answer says.")
MEANING(51, GAVE_UP, "gave-up", THERE, "It was tried again and again until the time was over.",
	"Send it again later, or reach the recipient by another way.")
MEANING(52, LOGIN_REFUSED, "login-refused", HERE, "The server that passes this server's mail on refused its login.",
	"The administrator looks at user and password of the route (postern route list).")
MEANING(53, LINKS, "links", SENDER, "The message names a web address or a domain that is on a block list.",
	"Leave the link out, or ask why it is listed.")
MEANING(54, SENDER_DOMAIN, "sender-domain", HERE, "The recipient's server does not find the sender's domain in DNS.",
	"The administrator looks whether the domain has MX and address records that are seen from outside.")
MEANING(55, FAILED, "failed", THERE, "The recipient's server refused the message.",
	"Read its answer below; the recipient or their administrator can say more.")
MEANING(56, ROUTE_GONE, "route-gone", HERE, "The way on which this mail should have gone is not configured any more.",
	"The administrator looks at postern route list.")
MEANING(57, TIME_ASKED, "time-asked", NOBODY, "The message could not be delivered within the time that was asked for.",
	"Send it again with more time.")
