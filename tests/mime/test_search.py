"""SEARCH finds what Python's email package reads in real mail, and does not find what is not there."""
import html.entities
import random
import re

import pytest

from kit import corpus, paths
from mime import compare, python_oracle

PROGRAM = paths.BUILD / 'tests' / 'mime' / 'mime_search'
STEP = 1 if paths.SOAK else 10
ABSENT = 'zq\N{SNOWMAN}xj'


@pytest.fixture(scope='module')
def search():
    """search(needle, message): whether the stored text has it, and the message itself."""
    if not PROGRAM.exists():
        pytest.fail(f'{PROGRAM} is not there: make build')
    with compare.Describer(PROGRAM) as program:
        def ask(needle, message):
            told = program.describe(needle.encode('utf-8', 'replace') + b'\n' + message)
            assert told['stored'] in ('unsure', 'yes' if told['exact'] else 'no'), told
            return told['exact']
        yield ask


def pieces(told, chance):
    """A few stretches of what Python reads: subject, names, addresses, and lines of plain text."""
    out = [told['subject']] + [a['address'] for a in told['to'] if '=?' not in a['address']]
    if not told['blanks']:    # which are one in a name, but not in the field
        out += [a['name'] for a in told['from']]
    for part in told['parts']:
        if part['type'] == 'text/plain' and part.get('text'):
            text = python_oracle.to_text(part['octets'], part['charset'])
            lines = [line for line in text.split('\n') if line.strip()]
            out += chance.sample(lines, min(3, len(lines)))
    for text in filter(None, out):
        text = text.strip()[:60]
        if len(text) > 3 and '\ufffd' not in text and '  ' not in text and text.isprintable() and \
                len(text.upper()) == len(text):
            yield text


def test_what_python_reads_is_found(search):
    chance, asked, missed = random.Random(5), 0, []
    try:
        mails = corpus.messages()[::STEP]
    except corpus.Missing as missing:
        pytest.skip(str(missing))
    for name, octets in mails:
        told = python_oracle.describe(octets)
        told['blanks'] = re.search(rb'(?im)^from:.*\S\s\s+\S', octets)
        for piece in pieces(told, chance):
            asked += 1
            for needle in (piece, piece.upper(), piece[len(piece) // 3:]):
                if not search(needle, octets):
                    missed.append((name, needle))
        assert not search(ABSENT, octets), name
    assert asked > 3 * len(mails)
    assert not missed, f'{len(missed)} of {asked} not found, the first of them: {missed[:10]}'


def test_every_html_reference_is_found(search):
    """All of HTML's names that denote one character, in the middle of a word."""
    header = b'Content-Type: text/html; charset=us-ascii\r\n\r\n<p>'
    shown = {name: text for name, text in html.entities.html5.items() if len(text) == 1 and text.isprintable()}
    missed = [name for name, text in shown.items() if not search(f'ab{text}-c', header + f'ab&{name}-c'.encode())]
    assert len(shown) > 2000 and not missed, missed
