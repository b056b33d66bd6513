/* Which fields our signatures cover. FIELD(name, sealed).
 *
 * Taken are the fields that say who, what, when and in which context (RFC 6376
 * section 5.4.1), those that say how the body is read, and those that RFC 8058
 * section 4 requires. Sealed ones are also covered where they are missing
 * ("oversigned"), so that nobody on the way can add one that a reader would
 * believe: a second From or Subject shown instead of the signed one, a
 * Content-Type that turns the text into another. Not sealed are those that
 * mailing lists and resenders rightly add (Sender, List-*, Resent-*). Not
 * covered is what changes on every way: Received, Return-Path, trace and
 * verdict fields. */
FIELD("From", true)
FIELD("Reply-To", true)
FIELD("Subject", true)
FIELD("Date", true)
FIELD("To", true)
FIELD("Cc", true)
FIELD("Message-ID", true)
FIELD("In-Reply-To", true)
FIELD("References", true)
FIELD("MIME-Version", true)
FIELD("Content-Type", true)
FIELD("Content-Transfer-Encoding", true)
FIELD("Sender", false)
FIELD("Content-Disposition", false)
FIELD("Content-ID", false)
FIELD("Content-Description", false)
FIELD("Content-Language", false)
FIELD("Resent-Date", false)
FIELD("Resent-From", false)
FIELD("Resent-Sender", false)
FIELD("Resent-To", false)
FIELD("Resent-Cc", false)
FIELD("Resent-Message-ID", false)
FIELD("List-Id", false)
FIELD("List-Help", false)
FIELD("List-Subscribe", false)
FIELD("List-Unsubscribe", false)
FIELD("List-Unsubscribe-Post", false)
FIELD("List-Post", false)
FIELD("List-Owner", false)
FIELD("List-Archive", false)
FIELD("Feedback-ID", false)
FIELD("Auto-Submitted", false)
FIELD("Autocrypt", false)
FIELD("Disposition-Notification-To", false)
FIELD("Importance", false)
FIELD("TLS-Required", false)
