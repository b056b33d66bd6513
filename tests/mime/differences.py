"""Where this mail system reads a message otherwise than GMime, Python or mail-parser do, on purpose.

Each class is a function from a Case (compare.py) to whether the case belongs to
it; its first paragraph names the sentence of the RFC, or the reason. A case
belongs to the first class that takes it. test_mime.py fails for a difference
in no class, and for a class in which nothing falls any more.
"""
import base64
import hashlib
import quopri
import re

from . import python_oracle
from .compare import mailboxes

CLASSES = []
LISTS = ('from', 'sender', 'reply_to', 'to', 'cc', 'bcc')
WHOLE = {'message/rfc822', 'message/global'}
MSG_ID = re.compile(rb'\s*<[^\s<>@"()]+@[^\s<>@"():]+[^\s<>@"():.]>\s*(\([^()]*\)\s*)*')
ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
ADDR_SPEC = re.compile(rf'({ATEXT}(\.{ATEXT})*)(@({ATEXT}(\.{ATEXT})*|\[[^\[\]\\]*\]))?')


def differs(fields, *oracles):
    """Registers a class for these fields and oracles (GMime and Python when none is named)."""
    def register(test):
        CLASSES.append((test.__name__, fields.split(), oracles or ('gmime', 'python'), test))
        return test
    return register


def class_of(case):
    for name, fields, oracles, test in CLASSES:
        if case.field in fields and case.oracle in oracles and test(case):
            return name
    return None


def is_digest_of(digest, octets):
    return digest == {'size': len(octets), 'sha256': hashlib.sha256(octets).hexdigest()}


# Structure.

def pruned(nodes):
    """Without what stands below a message/* that is no message."""
    out, cut = [], None
    for depth, kind in nodes:
        if cut is not None and depth > cut:
            continue
        cut = depth if kind.startswith('message/') and kind not in WHOLE else None
        out.append((depth, kind))
    return out


@differs('structure', 'python')
def only_messages_have_structure(case):
    """RFC 9051 7.5.2 gives a nested structure to message/rfc822 and message/global alone. Other message types
    (delivery-status, external-body, partial) are leaves; Python parses fields or a message in them."""
    return case.theirs != pruned(case.theirs) and case.ours == pruned(case.theirs)


@differs('structure')
def encoded_message(case):
    """RFC 2046 5.2.1: "No encoding other than '7bit', '8bit', or 'binary' is permitted for the body of a
    'message/rfc822' entity." An encoded one is application/octet-stream here; the others show a message."""
    return any(p['opaque'] and p['encoding'] in ('base64', 'quoted-printable') for p in case.all['parts'])


@differs('structure')
def multipart_without_parts(case):
    """RFC 2046 5.1: "the body must then contain one or more body parts"; RFC 9051's grammar has no way to print
    a multipart without any ("body-type-mpart = 1*body"). It is text here; the others show an empty multipart."""
    opaque = iter([p['opaque'] for p in case.all['parts']])
    ours = [(depth, 'empty') if next(opaque) else (depth, kind) for depth, kind in case.ours]
    theirs = case.theirs + [(-1, '')]
    empty = [(one[0], 'empty') if one[1].startswith('multipart/') and after[0] <= one[0] else one
             for one, after in zip(theirs, theirs[1:])]
    return ours == empty


@differs('structure', 'gmime')
def no_field_at_all(case):
    """RFC 5322 3.5: what stands before the first empty line is the header section, whatever it is. GMime makes no
    message of a text without any field."""
    return case.theirs == []


@differs('structure', 'gmime')
def type_without_subtype(case):
    """RFC 2045 5.2: the default text/plain "is also suggested if ... a syntactically invalid Content-Type header
    field is encountered". GMime says application/octet-stream."""
    value = re.search(rb'(?im)^content-type:\s*([^\s;/]+)\s*(;|$)', case.octets)
    return value is not None and (0, 'application/octet-stream') in case.theirs


@differs('structure', 'python')
def folded_boundary(case):
    """RFC 5322 2.2.3: a folded field is unfolded before it is looked at, inside quotes too. Python keeps the line end
    in the boundary."""
    return re.search(rb'(?i)boundary="[^"\r\n]*\r?\n[^"]*"', case.octets) is not None


@differs('structure charset')
def semicolon_forgotten(case):
    """Content-Type: text/plain charset=x, without the semicolon, is read as meant."""
    return re.search(rb'(?im)^content-type:\s*text/plain\s+charset=', case.header()) is not None


@differs('structure subject date ' + ' '.join(LISTS))
def byte_order_mark(case):
    """A byte order mark before the first field is an editor's and stepped over; with it the others lose the field
    or all."""
    return case.octets.startswith(b'\xef\xbb\xbf')


def line_that_is_no_field(case):
    for part in case.all['parts']:
        block = case.octets[part['header_at']:part['body_at']]
        for line in re.split(rb'\r?\n', block):
            if line and not re.match(rb'[ \t]|[!-9;-~]+[ \t]*:|From ', line):
                return True
    return False


@differs('structure subject date decoded text message_id ' + ' '.join(LISTS))
def a_line_that_is_no_field(case):
    """RFC 5322 2.1: the body "is separated from the header section by an empty line". A line in the header that is
    no field is stepped over; Python takes it for the begin of the body, GMime drops what follows."""
    return line_that_is_no_field(case)


# Decoded parts.

@differs('encoding', 'gmime')
def encoding_of_a_multipart(case):
    """A multipart's encoding is told as its field says; GMime tells none."""
    return case.part['type'].startswith(('multipart/', 'message/')) and case.theirs is None


@differs('decoded')
def blanks_before_a_line_end(case):
    """RFC 2045 6.7 (3): "when decoding a Quoted-Printable body, any trailing white space on a line must be deleted,
    as it will necessarily have been added by intermediate transport agents." The others keep it."""
    body = re.sub(rb'[ \t]+(?=\r?\n|\Z)', b'', case.body())
    return case.part['encoding'] == 'quoted-printable' and is_digest_of(case.ours, quopri.decodestring(body))


def lenient(body):
    """Quoted-printable, what is no escape kept."""
    body = re.sub(rb'[ \t]+(?=\r?\n|\Z)', b'', body)
    return re.sub(rb'=(?:\r?\n|\Z|([0-9A-Fa-f]{2}))',
                  lambda m: bytes.fromhex(m.group(1).decode()) if m.group(1) else b'', body)


@differs('decoded')
def equals_sign_alone(case):
    """RFC 2045 6.7: for a "=" that is neither an escape nor a soft break, "a reasonable approach by a robust
    implementation might be to include the '=' character and the following character in the decoded data without any
    transformation". The others drop some of them."""
    bad = re.search(rb'=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[ \t]*\Z)', case.body())
    return case.part['encoding'] == 'quoted-printable' and bad is not None and \
        is_digest_of(case.ours, lenient(case.body()))


@differs('decoded')
def uuencode_stays_text(case):
    """uuencode is in no RFC; x-uuencode is served and searched as it stands. The others decode it."""
    return re.search(rb'(?im)^content-transfer-encoding:\s*(x-)?uu', case.header()) is not None


def every_start(body):
    """Base64 that starts anew behind padding, foreign octets stepped over."""
    out = b''
    for run in re.split(b'=+', re.sub(rb'[^A-Za-z0-9+/=]', b'', body)):
        run = run[:-1] if len(run) % 4 == 1 else run
        out += base64.b64decode(run + b'=' * (-len(run) % 4))
    return out


@differs('decoded')
def base64_behind_padding(case):
    """RFC 2045 6.8: "=" "may be taken as evidence that the end of the data has been reached". Here decoding goes on
    with a new start, so that bodies glued from several encoders are whole; the others stop, or go on out of step."""
    body = case.body().rstrip()
    glued = case.part['encoding'] == 'base64' and b'=' in body.rstrip(b'=')
    return glued and is_digest_of(case.ours, every_start(body))


@differs('decoded')
def base64_without_padding(case):
    """RFC 2045 6.8 wants padding; where it is missing the octets that the last characters hold are given out. GMime
    drops them, Python gives the text back undecoded."""
    return case.part['encoding'] == 'base64' and is_digest_of(case.ours, every_start(case.body()))


@differs('decoded')
def last_line_end(case):
    """RFC 2046 5.1.1: the line end before a delimiter line belongs to the delimiter. Without a delimiter behind it
    it is the body's; the others take it off."""
    body = case.body()
    shorter = [body[:-1], body[:-2]]
    return is_digest_of(case.ours, body) and any(is_digest_of(case.theirs, s) for s in shorter)


# Text.

def decoded_body(case):
    undo = {'base64': every_start, 'quoted-printable': lenient}
    return undo.get(case.part['encoding'], bytes)(case.body())


def text_by_python(case):
    """The text by Python's codecs is ours."""
    text = python_oracle.to_text(decoded_body(case), case.part['charset'])
    return text is not None and is_digest_of(case.ours, text.encode('utf-8', 'replace'))


def label(case):
    return (case.part['charset'] or '').strip('"\'').lower()


@differs('text', 'gmime')
def eight_bit_without_charset(case):
    """RFC 2046 4.1.2: the default is US-ASCII, in which no octet above 127 exists. Where one does, the text is
    UTF-8 as long as it is well formed, else windows-1252. GMime leaves the octets out or guesses otherwise."""
    return label(case) in python_oracle.ASCII and text_by_python(case)


@differs('text', 'gmime')
def latin1_is_windows_1252(case):
    """ISO-8859-1 is taken for windows-1252, its superset of characters, as the WHATWG's Encoding 4.2 has it:
    programs of Windows write its quotes and dashes under that name. GMime gives C1 controls."""
    return label(case) in ('iso-8859-1', 'latin1') and text_by_python(case)


@differs('text', 'gmime')
def charset_nobody_knows(case):
    """Text under a name that nobody knows ("default_charset", "unknown-8bit") is guessed like text without."""
    return python_oracle.to_text(b'\xa4@', label(case)) == python_oracle.guess(b'\xa4@') and text_by_python(case)


@differs('text subject')
def charset_known_by_us(case):
    """Names seen in Chinese mail, taken for what they mean."""
    return label(case) in ('chinesebig5', 'gb2312_charset')


@differs('text', 'gmime')
def octets_not_in_the_charset(case):
    """Octets that are not in the declared charset become U+FFFD; GMime takes another charset for the whole."""
    return python_oracle.to_text(decoded_body(case), label(case)) is None


@differs('text', 'python')
def big5_tables(case):
    """Tables of Big5 differ in a few characters: ICU's big5-hkscs is used, Python has others."""
    return label(case) == 'big5' and case.ours['size'] == case.theirs['size']


# Subject, names.

@differs('subject name', 'python')
def octets_in_an_encoded_word(case):
    """Octets above 127 inside an encoded word (RFC 2047 2 forbids them) are octets of its charset."""
    return '\ufffd' in (case.theirs or '') and '\ufffd' not in (case.ours or '')


@differs('subject')
def broken_encoded_word(case):
    """An encoded word whose octets are not in its charset shows U+FFFD for these; GMime a question mark, and
    Python's codec refuses the whole."""
    return '\ufffd' in (case.ours or '')


@differs('subject', 'gmime')
def iso_2022_jp_in_words(case):
    """RFC 2047 and 1468: encoded words in ISO-2022-JP, decoded to the end as Python does. GMime stops."""
    return b'=?iso-2022-jp?' in case.field_value().lower() and case.agreed('python') and \
        case.ours.startswith(case.theirs)


@differs('subject', 'gmime')
def latin1_word_is_windows_1252(case):
    """As latin1_is_windows_1252, in encoded words."""
    return b'=?iso-8859-1?' in case.field_value().lower() and case.agreed('python')


@differs('subject ' + ' '.join(LISTS), 'gmime')
def raw_octets_in_a_field(case):
    """RFC 6532 allows UTF-8 in a field; other octets above 127 are taken for the charset that the body declares,
    else windows-1252. GMime always takes the latter, and where it meets UTF-8 octets inside a word too."""
    return bool(re.search(rb'[\x80-\xff]', case.field_value())) and case.agreed('python')


@differs('name', 'gmime')
def backslash_in_a_name(case):
    """RFC 2045 5.1 takes a backslash in quotes for an escape; Windows' paths come unescaped, so before anything but
    a quote or a backslash it stands for itself."""
    return case.ours.replace('\\', '') == case.theirs


# Dates.

def date_is(case, pattern):
    return re.search(pattern, case.field_value()) is not None


@differs('date')
def years_counted_from_1900(case):
    """Years 0100 to 0199 come from programs that count from 1900 (RFC 5322 4.3 has three digits for these)."""
    return date_is(case, rb' 01\d\d ')


@differs('date')
def gmt_plus_hours(case):
    """"GMT+1" is one hour east, as "GMT+0100"; the others take it for GMT."""
    return date_is(case, rb'GMT[+-]\d')


@differs('date', 'python')
def comment_before_the_zone(case):
    """RFC 5322 4.3 permits comments between all tokens; Python does not see a zone behind one."""
    return date_is(case, rb'\([A-Z]+\) [+-]\d{4}')


@differs('date', 'python')
def zone_without_sign(case):
    """RFC 5322 3.3: a zone is a sign and four digits. "0530" and "01800" are none, and the time is taken as UTC."""
    return date_is(case, rb':\d\d \d{4,5}\s*$')


@differs('date', 'python')
def year_in_front(case):
    """"2002/09/14 Sat 02:29:32 CDT" has one meaning."""
    return date_is(case, rb'^\s*\d{4}/\d\d/\d\d') and case.theirs is None


@differs('date')
def twelve_hours(case):
    """"02:29:32 PM" is fourteen hours; the others do not look at the mark."""
    return date_is(case, rb':\d\d [AP]M')


# Ids.

@differs('message_id', 'gmime')
def no_message_id(case):
    """What is no msg-id (RFC 5322 3.6.4): of a broken one what stands between the last "<" and ">" counts, without
    blanks; without brackets one word with an "@"; anything else is none."""
    return not MSG_ID.fullmatch(case.field_value())


@differs('in_reply_to references', 'gmime')
def words_among_the_ids(case):
    """RFC 5322 4.5.4: In-Reply-To and References may hold phrases, which are ignored. GMime stops at one."""
    rest = re.sub(rb'<[^<>]*>', b'', case.field_value())
    return bool(rest.strip())


@differs('in_reply_to references', 'gmime')
def blanks_in_an_id(case):
    """RFC 5322 4.5.4 (obs-id-right) lets blanks stand inside an id; they do not count."""
    return bool(re.search(rb'<[^<>]*\s[^<>]*>', case.field_value()))


# Addresses. The lists hold {name, address}.

def addresses(list_):
    return [a['address'] for a in list_]


def without_quotes(list_):
    return [{**a, 'address': re.sub(r'\\(.)', r'\1', a['address'].replace('"', ''))} for a in mailboxes(list_)]


@differs(' '.join(LISTS))
def quotes_of_a_local_part(case):
    """RFC 9051 7.5.2: an address's mailbox is the "local-part after removing RFC 5322 quoting"."""
    return case.theirs != without_quotes(case.theirs) and without_quotes(case.theirs) == mailboxes(case.ours)


@differs(' '.join(LISTS))
def empty_address(case):
    """"<>" is shown as an address without text, so that From is not taken for absent."""
    return [a for a in case.ours if a.get('address') != ''] == case.theirs


def renamed(case, change):
    return [{**a, 'name': change(a.get('name') or '')} for a in case.theirs] == \
        [{**a, 'name': a.get('name') or ''} for a in case.ours]


def stripped(list_):
    return [{**a, 'name': (a.get('name') or '').strip() or None} for a in list_]


@differs(' '.join(LISTS))
def blanks_at_the_ends_of_a_name(case):
    """RFC 5322 3.2.4: blanks inside quotes belong to the name; between quoted words of a phrase they are one. GMime
    takes them off at the ends, Python puts one where an empty quoted string stands."""
    return stripped(case.ours) == stripped(case.theirs)


@differs(' '.join(LISTS))
def blanks_between_words(case):
    """RFC 5322 3.2.2: runs of white space between tokens "are semantically interpreted as a single space"."""
    return renamed(case, lambda name: ' '.join(name.split()))


@differs(' '.join(LISTS), 'python')
def at_sign_in_a_name(case):
    """"a@b <c@d>": what stands before the bracket is the name, though it should be in quotes. Python makes two
    addresses of it, or (3.11.4 and later) gives up the field."""
    return any('@' in (a['name'] or '') for a in case.ours) and case.theirs in ([], split_names(case))


def split_names(case):
    return [{'name': None, 'address': x} for a in case.ours for x in ([a['name']] if '@' in (a['name'] or '') else []) +
            [a['address']]]


@differs(' '.join(LISTS))
def word_glued_to_a_quoted_one(case):
    """RFC 5322 4.4: words of a local part are joined by dots. Without one ("ban"ned@example.com) they are one word
    here; the others leave the address out, or keep the quotes."""
    return re.search(rb'"[^"]*"[^\s",;:<@.]+@', case.field_value()) is not None


@differs(' '.join(LISTS))
def text_behind_a_bracket(case):
    """"<a@b>c": what stands behind the bracket is no part of an address and is ignored; the others end there."""
    return re.search(rb'>[^\s,;<]', case.field_value()) is not None


@differs(' '.join(LISTS))
def colon_behind_an_address(case):
    """"a@b: <c@d>" is no group, whose name is a phrase (RFC 5322 3.4)."""
    return re.search(rb'@[^\s,;<>"]+:\s*<', case.field_value()) is not None


@differs(' '.join(LISTS), 'python')
def comment_beside_a_name(case):
    """RFC 5322 3.2.2: comments are no part of a phrase; one is the name only where there is no other. Python puts it
    behind the name, and takes parentheses inside it off."""
    return b'(' in case.field_value() and addresses(case.ours) == addresses(case.theirs) and case.agreed('gmime')


def is_no_address(address):
    return not ADDR_SPEC.fullmatch(address)


@differs(' '.join(LISTS))
def no_addr_spec(case):
    """What is no addr-spec (RFC 5322 3.4.1: 8-bit octets, blanks or brackets in the local part, two "@", a dot at the
    end) is shown as it stands, the last "@" before the domain. The others leave it out or cut it up."""
    ours = addresses(mailboxes(case.ours))
    sound = [a for a in ours if not is_no_address(a)]
    theirs = addresses(mailboxes(case.theirs))
    return len(sound) < len(ours) and (not theirs or all(a in theirs for a in sound))


# What the samples' own expectations have otherwise (mail_parser.py).

@differs('structure', 'mail-parser')
def sample_encoded_message(case):
    """As encoded_message: mail-parser decodes it and shows its parts."""
    return encoded_message(case)


@differs('structure', 'mail-parser')
def sample_multipart_without_parts(case):
    """Parts of type multipart without any part are text (multipart_without_parts); mail-parser gives such a multipart
    what follows as its part."""
    return any(p['opaque'] for p in case.all['parts'])


@differs('text subject ' + ' '.join(LISTS), 'mail-parser')
def sample_octets_unknown(case):
    """Octets above 127 of no known charset are windows-1252 here and U+FFFD in mail-parser."""
    theirs = case.other['body'] if case.field == 'text' else str(case.theirs)
    return '\ufffd' in theirs and (case.field == 'text' or '\ufffd' not in str(case.ours))


@differs(' '.join(LISTS), 'mail-parser')
def sample_word_without_domain(case):
    """"From: Whomever": RFC 5322 4.4 has no name without an address; it is a local part (as in ENVELOPE, with an
    empty host), for mail-parser a name."""
    return [a['address'] for a in case.ours] == [a['name'] for a in case.theirs]


@differs('text', 'mail-parser')
def sample_base64_behind_padding(case):
    """As base64_behind_padding; and RFC 2045 6.8: characters outside the alphabet "must be ignored by decoding
    software", where mail-parser stops."""
    body = case.body().strip()
    odd = re.search(rb'[^A-Za-z0-9+/=\s]', body) or b'=' in body.rstrip(b'=')
    return case.part['encoding'] == 'base64' and bool(odd) and text_or_broken(case)


def text_or_broken(case):
    return python_oracle.to_text(decoded_body(case), label(case)) is None or text_by_python(case)


@differs('text', 'mail-parser')
def sample_delimiter_in_mid_line(case):
    """RFC 2046 5.1.1: "Boundary delimiters must not appear within the encapsulated material", and are lines;
    mail-parser ends a part at one behind other text too."""
    return re.search(rb'[^\r\n]--1--', case.body()) is not None


@differs('text', 'mail-parser')
def sample_half_a_character(case):
    """UTF-16 whose last octet is alone (line ends were converted in it) ends with U+FFFD."""
    return label(case).startswith('utf-16') and case.part['size'] % 2 == 1


# What its files of single header values have otherwise.

@differs('from', 'mail-parser value')
def value_comments(case):
    """RFC 5322 3.2.2: comments are no part of a name or a group's name; mail-parser puts all of them behind it."""
    return b'(' in case.octets


@differs('from', 'mail-parser value')
def value_route(case):
    """RFC 5322 4.4: a route ("@node.test:") is no part of the address, nor are blanks around dots; mail-parser keeps
    both."""
    return b'<@' in case.octets


@differs('from', 'mail-parser value')
def value_name_behind(case):
    """As text_behind_a_bracket; mail-parser takes it for the name."""
    return text_behind_a_bracket(case) or re.search(rb'> \S', case.octets) is not None


@differs('date', 'mail-parser value')
def value_of_numbers(case):
    """RFC 5322 3.3: months have names. Numbers in day, month, year's order have two meanings and are refused."""
    return case.ours is None and re.search(rb'(?i)[a-z]{3}', case.octets[5:].split(b'(')[0]) is None


@differs('date', 'mail-parser value')
def value_comment_left_open(case):
    """A comment that is not closed runs to the end of the field; the day before it is read, mail-parser reads none."""
    return case.theirs is None and re.search(rb'\([^)]*(\([^)]*\)[^)]*)*\n(?![ \t])', case.octets) is not None


@differs('references', 'mail-parser value')
def value_no_msg_id(case):
    """RFC 5322 4.5.4: words outside of "<" and ">" are phrases and ignored; blanks in an id do not count."""
    return not MSG_ID.fullmatch(case.octets.partition(b':')[2].strip())


@differs('subject', 'mail-parser value')
def value_blanks(case):
    """RFC 5322 2.2.3: unfolding removes the line end and keeps the blanks behind it; RFC 2047 6.2: blanks go only
    between two encoded words. mail-parser makes runs at folds one blank, and puts one where a word touches text."""
    return ''.join((case.ours or '').split()) == ''.join((case.theirs or '').split())


@differs('name', 'mail-parser value')
def value_words_in_quotes(case):
    """RFC 2047 6.2: blanks between neighbouring encoded words are not shown, also in quotes, where words should not
    stand."""
    return ''.join((case.ours or '').split()) == ''.join((case.theirs or '').split()) and '=?' in case.octets.decode()


@differs('name', 'mail-parser value')
def value_open_quotes(case):
    """Blanks at the end of a field are no part of it, also behind a quote that stays open."""
    return not case.ours and not case.theirs.strip()


@differs('name charset', 'mail-parser value')
def value_without_type(case):
    """RFC 2045 5.2: a Content-Type without type or subtype is text/plain; its parameters are read all the same."""
    return case.theirs is None and re.match(rb'Content-Type:\s*[^\s;/]*\s*/?\s*[^\s;/]*\s*;', case.octets) is not None
