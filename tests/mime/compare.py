"""Differences between two descriptions of a message: what describe.c tells, and an oracle."""
import dataclasses
import json
import re
import subprocess
import typing

LISTS = ('from', 'sender', 'reply_to', 'to', 'cc', 'bcc')


@dataclasses.dataclass
class Case:
    """One difference."""
    message: str          # its name
    octets: bytes
    oracle: str
    field: str            # structure, charset, decoded, text, subject, from, ...
    ours: typing.Any
    theirs: typing.Any
    part: typing.Any = None    # what we tell about the part
    other: typing.Any = None   # what the oracle tells about it
    all: typing.Any = None     # all we tell
    others: typing.Any = None  # all the oracle tells
    peers: typing.Any = None   # what all oracles tell, by name

    def body(self):
        return self.octets[self.part['body_at']:self.part['body_at'] + self.part['size']]

    def header(self):
        return self.octets[self.part['header_at']:self.part['body_at']]

    def field_value(self):
        """The octets of the message's fields of that name, as they stand."""
        name = {'cc': 'cc', 'to': 'to'}.get(self.field, self.field).replace('_', '-').encode()
        block = self.octets[:self.all['parts'][0]['body_at']]
        return b'\n'.join(re.findall(rb'(?im)^' + name + rb'[ \t]*:((?:[^\n]*\n[ \t])*[^\n]*)', block))

    def agreed(self, oracle):
        """Another oracle tells what we tell."""
        other = self.peers.get(oracle)
        return other is not None and not any(d.field == self.field and same_part(d, self) for d in other)

    def __str__(self):
        return f'{self.message}: {self.oracle}: {self.field}: ours {self.ours!r:.300} theirs {self.theirs!r:.300}'


def same_part(one, other):
    return not one.part or not other.part or one.part['header_at'] == other.part['header_at']


class Describer:
    """One of the describing programs, fed message by message."""

    def __init__(self, program):
        self.child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.child.stdin.close()
        self.child.wait(10)
        self.child.stdout.close()

    def describe(self, octets):
        self.child.stdin.write(b'%d\n' % len(octets) + octets)
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        assert line, f'{self.child.args[0]} ended with status {self.child.wait(10)}'
        return json.loads(line)


def lower(text):
    return text.lower() if isinstance(text, str) else text


def encoding(name):
    """Only the encodings that change bytes matter."""
    return name if name in ('base64', 'quoted-printable') else None


def mailboxes(addresses):
    return [a for a in addresses if 'group' not in a]


def plain_name(address):
    """An absent name and an empty one are the same to a reader."""
    return {**address, 'name': address.get('name') or None} if 'group' not in address else address


def of_parts(case, ours, theirs):
    for part, other in zip(ours['parts'], theirs['parts']):
        pairs = [('charset', lower(part['charset']), lower(other['charset'])),
                 ('disposition', lower(part['disposition']), lower(other['disposition'])),
                 ('encoding', encoding(part['encoding']), encoding(other['encoding']))]
        if 'name' in other and (part['name'] or other['name']):
            pairs.append(('name', part['name'], other['name']))
        for key in ('decoded', 'text'):
            if key in part and other.get(key):
                pairs.append((key, part[key], other[key]))
            if key in part and other.get(key) and part[key] != other[key]:
                break    # the text of other octets is another text
        for field, mine, yours in pairs:
            if mine != yours:
                yield dataclasses.replace(case, field=field, ours=mine, theirs=yours, part=part, other=other)


def tree(description):
    return [(p['depth'], p['type']) for p in description['parts']]


def all_differences(name, octets, ours, oracles):
    """Every difference of one message from each oracle's description, as Cases."""
    found = {oracle: list(differences(name, octets, oracle, ours, theirs)) for oracle, theirs in oracles.items()}
    for cases in found.values():
        for case in cases:
            case.peers = found
            yield case


def differences(name, octets, oracle, ours, theirs):
    case = Case(name, octets, oracle, 'structure', tree(ours), tree(theirs), ours['parts'][0],
                all=ours, others=theirs)
    if case.ours != case.theirs:
        yield case
    else:
        yield from of_parts(case, ours, theirs)
    for field in ('subject', 'date', 'message_id', 'in_reply_to', 'references'):
        if field in theirs and ours[field] != theirs[field]:
            yield dataclasses.replace(case, field=field, ours=ours[field], theirs=theirs[field])
    for field in LISTS:
        if field not in theirs:
            continue
        flat = mailboxes if oracle == 'python' else list
        mine = [plain_name(a) for a in flat(ours[field])]
        yours = [plain_name(a) for a in theirs[field]]
        if mine != yours:
            yield dataclasses.replace(case, field=field, ours=mine, theirs=yours)
