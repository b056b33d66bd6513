"""What the sample data says about its messages: NNN.json beside NNN.eml, as Stalwart's mail-parser printed it.

Those files are dumps of a Rust structure: parts in a list, a header value as
{"Text": ...}, {"Address": ...}, {"DateTime": ...}, {"ContentType": ...}. Told
here like describe.c tells it, as far as it says the same things.
"""
import datetime

from . import python_oracle

DEFAULTS = {'Text': 'text/plain', 'Html': 'text/html', 'Multipart': 'multipart/mixed', 'Message': 'message/rfc822'}


def value(part, name):
    """The first field's value."""
    return next((h['value'] for h in part['headers'] if h['name'] == name), None)


def of_kind(found, kind):
    return found.get(kind) if isinstance(found, dict) else None


def type_of(part):
    content = of_kind(value(part, 'content_type'), 'ContentType')
    if content and content['c_subtype']:
        return f'{content["c_type"]}/{content["c_subtype"]}'.lower()
    kind = part['body'] if isinstance(part['body'], str) else next(iter(part['body']))
    return DEFAULTS.get(kind, 'text/plain')


def charset_of(part):
    content = of_kind(value(part, 'content_type'), 'ContentType') or {}
    return next((a['value'] for a in content.get('attributes') or [] if a['name'] == 'charset'), None)


def describe_part(message, index, depth):
    part = message['parts'][index]
    kind, body = next(iter(part['body'].items()))
    disposition = of_kind(value(part, 'content_disposition'), 'ContentType') or {}
    encoding = next(iter(texts(value(part, 'content_transfer_encoding'))), '')
    told = {'depth': depth, 'type': type_of(part), 'charset': charset_of(part), 'encoding': encoding.lower(),
            'disposition': disposition.get('c_type'), 'body': body}
    yield told
    if kind == 'Multipart':
        for child in body:
            yield from describe_part(message, child, depth + 1)
    elif kind == 'Message':
        yield from describe_part(body, 0, depth + 1)
    elif kind in ('Text', 'Html'):
        told['text'] = python_oracle.digest(body.encode('utf-8'))
    else:
        told['decoded'] = python_oracle.digest(bytes(body))


def addresses(found):
    found = of_kind(found, 'Address')
    if not found:
        return []
    if 'List' in found:
        return [mailbox(a) for a in found['List']]
    out = []
    for group in found['Group']:
        members = [mailbox(a) for a in group['addresses']]
        named = group['name'] is not None
        out += [{'group': group['name']}] + members + [{'group': None}] if named else members
    return out


def mailbox(address):
    return {'name': address['name'], 'address': address['address'] or ''}


def date(found):
    found = of_kind(found, 'DateTime')
    if not found:
        return None
    zone = (found['tz_hour'] * 60 + found['tz_minute']) * (-1 if found['tz_before_gmt'] else 1)
    parts = (found[k] for k in ('year', 'month', 'day', 'hour', 'minute', 'second'))
    try:
        local = datetime.datetime(*parts, tzinfo=datetime.timezone.utc)
    except ValueError:
        return None
    return {'seconds': int(local.timestamp()) - zone * 60, 'zone': zone}


def texts(found):
    if isinstance(found, dict):
        return found.get('TextList') or ([found['Text']] if 'Text' in found else [])
    return []


def describe(message):
    root = message['parts'][0]
    told = {'parts': list(describe_part(message, 0, 0))}
    told['subject'] = next(iter(texts(value(root, 'subject'))), None)
    told['date'] = date(value(root, 'date'))
    told['message_id'] = next(iter(texts(value(root, 'message_id'))), None)
    told['in_reply_to'] = texts(value(root, 'in_reply_to'))
    told['references'] = texts(value(root, 'references'))
    for name in ('from', 'sender', 'reply_to', 'to', 'cc', 'bcc'):
        told[name] = addresses(value(root, name))
    return told


def content(expected):
    """A Content-Type by itself, as what describe.c tells of a part."""
    if not expected or not expected['c_subtype']:
        kind = 'text/plain'
    else:
        kind = f'{expected["c_type"]}/{expected["c_subtype"]}'.lower()
    named = dict(a for a in (expected or {}).get('attributes') or [])
    told = {'name': named.get('name'), 'charset': named.get('charset')}
    # A multipart of nothing is text to us.
    return told if kind.startswith('multipart/') else {**told, 'type': kind}


def fragment(member, expected):
    """What the files of single header values expect."""
    if member == 'from':
        return addresses({'Address': expected})
    if member == 'date':
        return date({'DateTime': expected})
    if member == 'parts':
        return content(expected)
    return expected if member == 'subject' else expected or []
