#include "web/endpoints.h"

#include "talk/visitor_auth.h"
#include "talk/web_auth.h"
#include "talk/web_queue.h"
#include "talk/web_vault.h"
#include "talk/web_watch.h"
#include "web/own.h"

#define AUTH(N) BY_AUTH, WEB_AUTH_##N
#define QUEUE(N) BY_QUEUE, WEB_QUEUE_##N
#define WATCH(N) BY_WATCH, WEB_WATCH_##N
#define VAULT(N) BY_VAULT, WEB_VAULT_##N
#define WEB BY_WEB, 0

enum { CHECK_MS = 3660 * 1000 };

const struct endpoint endpoints[] = {
	{"login", WEB, "user password", false,
		"Begins a session over the network: `user` is the account's address, `password` its own (an app password is "
		"not taken), `code` of its second factor or a recovery code, each good once. The answer: `token` to show with "
		"each request, `lasts` at most so many seconds, `account`, `address`, and `administrator`: whether it may do "
		"all of this, or what owners may.",
		.own = own_login, .whom = FOR_STRANGERS, .takes = &visitor_auth_login_shape,
		.gives = &visitor_auth_logged_in_shape},
	{"logout", WEB, "", false, "Ends the session that the token stands for.", .own = own_logout, .whom = FOR_OWNERS},
	{"domain-add", AUTH(DOMAIN_ADD), "name", true, "Begins to receive mail for a domain."},
	{"domain-delete", AUTH(DOMAIN_DELETE), "name", true, "Ends it; refused while accounts are in it."},
	{"domain-catch-all", AUTH(DOMAIN_CATCH_ALL), "name", true,
		"Sets where mail for unknown addresses goes; without target it is refused."},
	{"domain-signing", AUTH(DOMAIN_SIGNING), "name signs", true,
		"Sets whether mail from a domain to other servers is signed (DKIM); it is, unless this says otherwise."},
	{"domain-list", AUTH(DOMAIN_LIST), "", false, "The domains, a page at a time; `after` is the last name seen."},
	{"account-add", AUTH(ACCOUNT_ADD), "address", true,
		"Makes an account, with a password or a hash made elsewhere: Argon2id, bcrypt, SHA512-CRYPT or PBKDF2; the "
		"first login makes it anew.", .check = own_check_account},
	{"account-list", AUTH(ACCOUNT_LIST), "", false,
		"The accounts, a page at a time; `after` is the last address seen."},
	{"account-show", AUTH(ACCOUNT_SHOW), "address", false, "One account: addresses, rights and usage."},
	{"account-check", AUTH(ACCOUNT_CHECK), "address", true,
		"Has the account's process look whether its mail is whole and its counts are right, and repair them if asked. "
		"All of its mail is read: that takes a minute for some ten GiB, an hour at most.", .within_ms = CHECK_MS},
	{"account-password", AUTH(ACCOUNT_PASSWORD), "address", true,
		"Sets a new password, or a hash made elsewhere; ends the sessions that the old one opened."},
	{"account-quota", AUTH(ACCOUNT_QUOTA), "address octets", true, "Sets the quota; 0: none."},
	{"account-admin", AUTH(ACCOUNT_ADMIN), "address administrator", true,
		"Makes its owner an administrator, who may ask for all of this over the network (with a second factor), and "
		"gets mail to postmaster@ and abuse@; or ends that."},
	{"account-disable", AUTH(ACCOUNT_DISABLE), "address disabled", true, "Disables or enables an account."},
	{"account-policy", AUTH(ACCOUNT_POLICY), "account policy", true,
		"Locks an account's mail, so that only its owner's secrets and a recovery key open it, or ends that. Without "
		"the owner's password at the owner's next login by it. The answer alone has the recovery key.",
		.within_ms = CHECK_MS},
	{"account-recover", AUTH(ACCOUNT_RECOVER), "account recovery_key password", true,
		"A new password for a locked account, by its recovery key."},
	{"account-delete", AUTH(ACCOUNT_DELETE), "address", true, "Erases an account: its key first, then its mail."},
	{"account-contain", AUTH(ACCOUNT_CONTAIN), "address", true,
		"Holds its mail to other servers, ends its logins and sessions, and tells its owner, as detectors do."},
	{"account-release", AUTH(ACCOUNT_RELEASE), "address", true, "Ends that, and what is held goes now."},
	{"account-reset", AUTH(ACCOUNT_RESET), "address password", true,
		"Sets a new password and revokes all app passwords and certificates; nothing more is held, and what is held "
		"waits for an administrator."},
	{"app-password-add", AUTH(APP_PASSWORD_ADD), "account name", true,
		"Makes a secret for one device or program; the answer alone has it. Without protocols, networks and expires "
		"(seconds since 1970) it is good for everything."},
	{"app-password-list", AUTH(APP_PASSWORD_LIST), "account", false,
		"An account's app passwords, with their last use: all that is known of them."},
	{"app-password-revoke", AUTH(APP_PASSWORD_REVOKE), "account name", true,
		"Ends an app password and the sessions that it opened."},
	{"certificate-add", AUTH(CERTIFICATE_ADD), "account name public", true,
		"A client certificate for that public key, by the server's own authority; logs in with SASL EXTERNAL. Without "
		"protocols and networks it is good for everything."},
	{"certificate-list", AUTH(CERTIFICATE_LIST), "account", false, "An account's certificates, with their last use."},
	{"certificate-revoke", AUTH(CERTIFICATE_REVOKE), "account name", true,
		"Ends a certificate, by its name, serial number or fingerprint, and the sessions that it opened."},
	{"second-factor-totp", AUTH(SECOND_FACTOR_TOTP), "account", true,
		"Turns codes by time on, or makes them anew; the answer alone has the secret and the recovery codes. Mail "
		"programs need app passwords from then on."},
	{"second-factor-off", AUTH(SECOND_FACTOR_OFF), "account", true, "Turns them off."},
	{"second-factor-show", AUTH(SECOND_FACTOR_SHOW), "account", false, "Whether an account has a second factor."},
	{"second-factor-check", AUTH(SECOND_FACTOR_CHECK), "account code", true,
		"Is that a code of now, or a recovery code? 403: no. Either is good once."},
	{"domain-second-factor", AUTH(DOMAIN_SECOND_FACTOR), "name demanded", true,
		"Demands a second factor of all accounts of a domain: their passwords alone open no mailbox."},
	{"rule-add", AUTH(RULE_ADD), "account", true,
		"Lets an account be used only from these networks, at these hours, or both; for all protocols or those named."},
	{"rule-list", AUTH(RULE_LIST), "account", false, "An account's rules."},
	{"rule-delete", AUTH(RULE_DELETE), "account rule", true, "Ends a rule."},
	{"send-as", AUTH(SEND_AS), "account address granted", true,
		"Grants or takes away the right to use a sender address."},
	{"alias-add", AUTH(ALIAS_ADD), "address targets", true, "Passes an address's mail on to others."},
	{"alias-delete", AUTH(ALIAS_DELETE), "address", true, "Deletes an alias; postmaster@ and abuse@ stay."},
	{"alias-list", AUTH(ALIAS_LIST), "", false, "The aliases, a page at a time; `after` is the last address seen."},
	{"account-of", AUTH(ACCOUNT_OF), "", false,
		"The account that an address belongs to, or, without one, a user of this machine (`local-users`)."},
	{"domain-records", AUTH(DOMAIN_RECORDS), "name", false,
		"Every DNS record that the domain needs, DKIM keys included."},
	{"domain-rotate", AUTH(DOMAIN_ROTATE), "name", true,
		"Makes the keys that follow the domain's DKIM keys; where they wait, looks whether DNS has them by now."},
	{"route-add", AUTH(ROUTE_ADD), "kind host", true,
		"Sends mail by recipient, domain or sender another way than to its MX; kind relayed: also takes it from "
		"others."},
	{"route-delete", AUTH(ROUTE_DELETE), "kind", true, "Ends a way that was added."},
	{"route-list", AUTH(ROUTE_LIST), "", false, "The ways, a page at a time; `after` is the last one seen."},
	{"queue-list", QUEUE(LIST), "", false,
		"What waits, for accounts here and for other servers, a page at a time; `after` is the last item seen."},
	{"queue-show", QUEUE(SHOW), "", false, "One message with its recipients, by `item` or `message`."},
	{"queue-retry", QUEUE(RETRY), "", true, "Tries what waits again at once: an item, or all that match."},
	{"queue-hold", QUEUE(HOLD), "", true, "Does not try it until it is released."},
	{"queue-release", QUEUE(RELEASE), "", true, "Tries it again at once, out of quarantine too."},
	{"queue-drop", QUEUE(DROP), "", true, "Drops it for good; nobody is told."},
	{"queue-flush", QUEUE(FLUSH), "", true, "Tries all that waits again at once, also where no server was reached."},
	{"queue-suppressed", QUEUE(SUPPRESSED), "", false,
		"Addresses that servers called unknown, a page at a time; `after` is the last one seen."},
	{"queue-lift", QUEUE(LIFT), "address", true, "Has mail to a suppressed address tried again."},
	{"queue-tls", QUEUE(TLS), "", false,
		"Sessions with other domains' servers that these were not told of yet, by day and domain, a page at a time; "
		"`after` is the last `report` seen."},
	{"queue-tls-tell", QUEUE(TLS_TELL), "", true,
		"Reports them to the domains now, today's too, where these ask for reports (RFC 8460)."},
	{"trace", WATCH(TRACE), "query", false,
		"A letter's story: by trace id or its first 8 digits, or the latest events of an address.",
		.dress = own_dress_traces},
	{"audit-show", WATCH(AUDIT_SHOW), "", false,
		"Records of the audit log, the newest first, of one account (`account`, or `address`) or of all; in `fields` "
		"null is what was forgotten. Users of the machine who have an account here get their own.",
		.own = own_audit_show, .whom = FOR_OWNERS},
	{"audit-checkpoint", WATCH(AUDIT_HEAD), "", false,
		"The newest head of the audit log with vault's signature, to be kept elsewhere (docs/audit.md).",
		.whom = FOR_OWNERS},
	{"ban-list", WATCH(BAN_LIST), "", false,
		"Networks whose clients are refused or slowed, a page at a time; `after` is the last network seen."},
	{"ban-add", WATCH(BAN_ADD), "network", true,
		"Refuses (`banned`) or slows (`tarpit`, `delay`) a network's clients, for so many seconds or for good."},
	{"ban-remove", WATCH(BAN_REMOVE), "network", true, "Ends that."},
	{"ban-why", WATCH(BAN_WHY), "address", false, "What holds for an address now, and why."},
	{"counters", WATCH(COUNTERS), "", false, "How often each event has happened since watch started."},
	/* no change that needs a witness before it is done: the witness waits for it (vault.unlocked is on record) */
	{"unlock", VAULT(UNLOCK), "passphrase", false, "Opens a vault that waits for its passphrase."},
	{"master-key", VAULT(STATE), "", false,
		"Where the master key is, whether the vault has it, and how many former ones still open what they sealed."},
	{"master-key-rotate", VAULT(ROTATE), "", true,
		"A new master key, at once; everything is sealed anew in the background."},
	{"master-key-passphrase", VAULT(REPHRASE), "passphrase next", true, "Another passphrase for the same key."},
	{"status", WEB, "", false,
		"Version, uptime in seconds, the processes, and the counters as an object of name and value.",
		.own = own_status},
};
const size_t endpoints_n = sizeof endpoints / sizeof endpoints[0];

const struct endpoint *endpoint_find(str name)
{
	for (size_t i = 0; i < endpoints_n; i++)
		if (str_eq(str_from(endpoints[i].name), name))
			return &endpoints[i];
	return NULL;
}

const struct channel_kind *backend_kind(enum backend b)
{
	static const struct channel_kind *const kinds[BACKENDS] = {
		[BY_AUTH] = &web_auth_as_web_kind, [BY_QUEUE] = &web_queue_as_web_kind, [BY_WATCH] = &web_watch_as_web_kind,
		[BY_VAULT] = &web_vault_as_web_kind};
	return kinds[b];
}

const char *backend_role(enum backend b)
{
	static const char *const roles[BACKENDS] = {
		[BY_AUTH] = "auth", [BY_QUEUE] = "queue", [BY_WATCH] = "watch", [BY_VAULT] = "vault", [BY_WEB] = "web"};
	return roles[b];
}

const struct talk_message *endpoint_message(const struct endpoint *e)
{
	const struct channel_kind *kind = backend_kind(e->backend);
	return kind ? &kind->pair->messages[e->number] : NULL;
}
