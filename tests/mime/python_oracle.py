"""What Python's email package reads in a message, told like describe.c tells it."""
import codecs
import email
import email.header
import email.policy
import email.utils
import hashlib
import re

# Labels used for a larger set (WHATWG Encoding, 4.2), and two from Chinese mail, in Python's names.
LARGER = {'iso-8859-1': 'cp1252', 'iso8859-1': 'cp1252', 'latin1': 'cp1252', 'windows-1252': 'cp1252',
          'gb2312': 'gb18030', 'gbk': 'gb18030', 'ks_c_5601-1987': 'cp949', 'euc-kr': 'cp949', 'shift_jis': 'cp932',
          'iso-8859-9': 'cp1254', 'big5': 'big5hkscs', 'iso-2022-jp': 'iso2022_jp_2',
          'chinesebig5': 'big5hkscs', 'gb2312_charset': 'gb18030'}
ASCII = ('', 'us-ascii', 'ascii')


def to_text(octets, charset):
    """By Python's codecs. None: nobody knows the charset, or the codec refuses the text."""
    label = (charset or '').strip().strip('"\'').lower()
    if label in ASCII:
        return guess(octets)
    try:
        codec = codecs.lookup(LARGER.get(label, label))
    except (LookupError, ValueError):
        return guess(octets)
    if codec.name == 'cp1252':
        return latin(octets)
    try:
        return octets.decode(codec.name)
    except (UnicodeError, LookupError, AssertionError):
        return None


def latin(octets):
    """windows-1252 with its five holes filled by the controls of the same number."""
    return ''.join(chr(o) if o in (0x81, 0x8d, 0x8f, 0x90, 0x9d) else bytes([o]).decode('cp1252') for o in octets)


def guess(octets):
    try:
        return octets.decode('utf-8')
    except UnicodeDecodeError:
        return latin(octets)


def digest(octets):
    return {'size': len(octets), 'sha256': hashlib.sha256(octets).hexdigest()}


def octets_of(value):
    return value.encode('utf-8', 'surrogateescape')


def unfolded(value):
    return re.sub(r'[\r\n]+', '', value)


def smuggled(chunk):
    """decode_header writes the 8-bit octets of its input as \\udcXX."""
    return re.sub(rb'\\udc([89a-f][0-9a-f])', lambda m: bytes.fromhex(m.group(1).decode()), chunk)


def decoded(value, declared=None):
    """Encoded words of a field's value, by email.header; raw 8-bit octets by the declared charset."""
    out = []
    for chunk, charset in email.header.decode_header(unfolded(value)):
        if isinstance(chunk, str):
            out.append(raw(chunk, declared))
        elif charset is None:
            out.append(raw(smuggled(chunk).decode('ascii', 'surrogateescape'), declared))
        else:
            text = to_text(smuggled(chunk), charset)
            out.append('\ufffd' if text is None else text)
    return ''.join(out)


def raw(text, declared=None):
    octets = octets_of(text)
    try:
        return octets.decode('utf-8')
    except UnicodeDecodeError:
        return (to_text(octets, declared) if declared else None) or latin(octets)


def fields(message, name):
    return [value for key, value in message.raw_items() if key.strip().lower() == name]


def first(message, name):
    return next(iter(fields(message, name)), None)


def addresses(message, name, declared):
    found = []
    for value in fields(message, name):
        for real, spec in email.utils.getaddresses([unfolded(value)]):
            if real or spec:
                found.append({'name': decoded(real, declared) if real else None, 'address': raw(spec)})
    return found


def date(message):
    value = first(message, 'date')
    parsed = email.utils.parsedate_tz(unfolded(value)) if value else None
    if not parsed:
        return None
    try:
        return {'seconds': email.utils.mktime_tz(parsed[:9] + (parsed[9] or 0,)), 'zone': (parsed[9] or 0) // 60}
    except (ValueError, OverflowError):
        return None


def parameter(part, name, header='content-type'):
    """A parameter's text, the forms of RFC 2231 and 2047 undone."""
    value = part.get_param(name, header=header)
    if value is None:
        return None
    if isinstance(value, tuple):
        charset, _, text = value
        return to_text(text.encode('latin1', 'replace'), charset or '')
    return decoded(value)


def describe_part(part, depth):
    told = {'depth': depth, 'type': part.get_content_type(), 'charset': parameter(part, 'charset')}
    told['disposition'] = part.get_content_disposition()
    told['name'] = parameter(part, 'filename', 'content-disposition') or parameter(part, 'name')
    told['encoding'] = str(part.get('content-transfer-encoding', '')).strip().lower()
    yield told
    if isinstance(part.get_payload(), list):
        for child in part.get_payload():
            yield from describe_part(child, depth + 1)
        return
    octets = part.get_payload(decode=True)
    told['decoded'] = digest(octets)
    told['octets'] = octets
    if part.get_content_maintype() == 'text':
        text = to_text(octets, told['charset'])
        told['text'] = text is not None and digest(text.encode('utf-8', 'replace'))


def describe(octets):
    message = email.message_from_bytes(octets, policy=email.policy.compat32)
    told = {'parts': list(describe_part(message, 0))}
    declared = told['parts'][0]['charset']
    subject = first(message, 'subject')
    told['subject'] = None if subject is None else decoded(subject.strip(), declared)
    told['date'] = date(message)
    for name in ('from', 'sender', 'reply-to', 'to', 'cc', 'bcc'):
        told[name.replace('-', '_')] = addresses(message, name, declared)
    return told
