"""Reads thousands of real mails and sample messages as this mail system, GMime and Python's email package do.

Every difference is in a class of differences.py, and every class still occurs.
"""
import collections
import json
import re

import pytest

from kit import corpus, paths
from mime import compare, differences, mail_parser, python_oracle

PROGRAMS = paths.BUILD / 'tests' / 'mime'
SHOWN = 40


def samples():
    """(name, octets) of the messages among the sample data."""
    for folder in ('mime-stalwart', 'mime-mimekit'):
        for file in sorted((paths.DATA / folder).rglob('*')):
            if file.is_file() and is_mail(file):
                yield str(file.relative_to(paths.DATA)), file.read_bytes()


def is_mail(file):
    text = file.suffix == '.txt' and file.parent.name == 'messages' and not file.name.startswith('body.')
    return text or file.suffix in ('.eml', '.msg') or 'maildir' in file.parts


def mails():
    try:
        return corpus.messages()
    except corpus.Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope='module')
def programs():
    if not (PROGRAMS / 'mime_describe_gmime').exists():
        pytest.skip('GMime is not installed (libgmime-3.0-dev)')
    with compare.Describer(PROGRAMS / 'mime_describe') as ours, \
            compare.Describer(PROGRAMS / 'mime_describe_gmime') as gmime:
        yield ours, gmime


def by_python(octets):
    try:
        return python_oracle.describe(octets)
    except RecursionError:    # thousands of encoded words in one field
        return None


def cases_of(programs, messages):
    ours, gmime = programs
    for name, octets in messages:
        oracles = {'gmime': gmime.describe(octets), 'python': by_python(octets)}
        told = ours.describe(octets)
        consistent(octets, told)
        yield from compare.all_differences(name, octets, told, {k: v for k, v in oracles.items() if v})


def consistent(octets, told):
    """What no oracle tells: offsets, sizes and lines."""
    assert told['size'] == len(octets)
    for part in told['parts']:
        body = octets[part['body_at']:part['body_at'] + part['size']]
        assert len(body) == part['size'] and part['header_at'] <= part['body_at']
        assert body.count(b'\n') == part['lines']


def sorted_out(cases):
    """Cases by class; the last key, None, are those in no class."""
    found = collections.defaultdict(list)
    for case in cases:
        found[differences.class_of(case)].append(case)
    return found


def check(cases, oracles):
    """No difference without a class, no class without a difference."""
    found = sorted_out(cases)
    unknown = found.pop(None, [])
    shown = '\n'.join(map(str, unknown[:SHOWN]))
    assert not unknown, f'{len(unknown)} differences in no class of differences.py, the first of them:\n{shown}'
    for name, members in sorted(found.items()):
        print(f'{name}: {len(members)}')
    gone = [name for name, _, of, _ in differences.CLASSES if name not in found and set(of) & set(oracles)]
    assert not gone, f'classes of differences.py in which nothing falls any more: {gone}'


def test_every_difference_has_its_reason(programs, data):
    check(cases_of(programs, list(samples()) + mails()), ('gmime', 'python'))


def expectations():
    """(name, octets, what mail-parser tells); the samples have one for each kind of line end."""
    for file in sorted((paths.DATA / 'mime-stalwart').rglob('*.eml')):
        octets = file.read_bytes()
        crlf = re.sub(rb'(?<!\r)\n', b'\r\n', octets)
        for suffix, text in (('.json', octets.replace(b'\r', b'')), ('.crlf.json', crlf)):
            told = json.loads(file.with_suffix(suffix).read_text())
            yield f'{file.parent.name}/{file.stem}{suffix}', text, mail_parser.describe(told)


def test_the_samples_own_expectations(programs, data):
    def cases():
        for name, octets, theirs in expectations():
            told = programs[0].describe(octets)
            yield from compare.all_differences(name, octets, told, {'mail-parser': theirs})

    check(cases(), ('mail-parser',))


# What files of single header values say: (file, field, the member of describe.c's that tells it).
FIELDS = (('address', 'From', 'from'), ('date', 'Date', 'date'), ('id', 'References', 'references'),
          ('unstructured', 'Subject', 'subject'), ('content_type', 'Content-Type', 'parts'))


def fragments():
    """(name, octets of a message with that field, member, what mail-parser reads in it)."""
    for file, field, member in FIELDS:
        values = json.loads((paths.DATA / 'mime-stalwart' / 'resources' / f'{file}.json').read_text())
        for number, value in enumerate(values):
            text = value['header'] if file != 'date' else value['header'].rpartition(';')[2]
            octets = f'{field}: {text}'.encode() + (b'\n' if text.endswith('\n') else b'\n\n')
            yield f'{file}.json {number}', octets, member, mail_parser.fragment(member, value['expected'])


def test_the_samples_header_values(programs, data):
    def cases():
        for name, octets, member, theirs in fragments():
            told = programs[0].describe(octets)
            if member == 'parts':
                theirs = [{**told['parts'][0], **theirs}, *told['parts'][1:]]
            yield from compare.all_differences(name, octets, told, {'mail-parser value': {**told, member: theirs}})

    check(cases(), ('mail-parser value',))
