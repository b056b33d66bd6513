"""The collation of SEARCH, i;unicode-casemap (RFC 5051), against Python's tables of Unicode, character by character."""
import ctypes
import re
import subprocess
import sys
import unicodedata

import pytest

from kit import paths
from mime import compare

PROGRAM = paths.BUILD / 'tests' / 'mime' / 'mime_fold'
BATCH = 5000


def title(text):
    """The simple titlecase mapping of every character; None where Python only has a longer one."""
    out = [c.title() for c in text]
    return ''.join(out) if all(len(c) == 1 for c in out) else None


def expected(character):
    """RFC 5051 2: titlecase, then decompose; and titlecase what came out (fold.h)."""
    once = title(character)
    return once and title(unicodedata.normalize('NFKD', once))


def assigned():
    for code in range(0x20, sys.maxunicode + 1):
        if unicodedata.category(chr(code)) not in ('Cn', 'Cs', 'Co', 'Cc'):
            yield chr(code)


@pytest.fixture(scope='module')
def fold():
    if not PROGRAM.exists():
        pytest.fail(f'{PROGRAM} is not there: make build')
    with compare.Describer(PROGRAM) as program:
        yield lambda text: program.describe(text.encode())


def test_every_character(fold):
    wanted = [(c, expected(c)) for c in assigned()]
    known = [(c, want) for c, want in wanted if want is not None]
    assert len(known) > 140000 and len(wanted) - len(known) < 120
    wrong = []
    for at in range(0, len(known), BATCH):
        some = known[at:at + BATCH]
        got = fold('\n'.join(c for c, _ in some)).split('\n')
        wrong += [(hex(ord(c)), want, have) for (c, want), have in zip(some, got, strict=True) if want != have]
    assert not wrong, f'{len(wrong)} characters, the first of them: {wrong[:20]}'


@pytest.mark.parametrize('one, other', [
    ('Straße', 'STRAßE'), ('é', 'e\u0301'), ('ÉCOLE', 'école'), ('ﬁnd', 'FIND'), ('ｆｕｌｌ', 'full'), ('Å', '\u212b'),
    ('ΣΊΣΥΦΟΣ', 'σίσυφος'), ('привет', 'ПРИВЕТ'), ('2⁵', '25'), ('ı', 'i'), ('a\r\nb', 'a\nb'), ('ǆ', 'ǅ'), ('가', '\u1100\u1161')])
def test_the_same_to_a_searcher(fold, one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize('one, other', [('e', 'é'), ('ß', 'ss'), ('ø', 'o'), ('ж', 'з')])
def test_not_the_same(fold, one, other):
    assert fold(one) != fold(other)


def test_the_versions_the_documents_name():
    """The room that folds has ICU linked in no other version, with Unicode's tables as docs/mime.md says."""
    icu, unicode = re.search(r'by ICU (\d+), Unicode ([\d.]+):', (paths.ROOT / 'docs/mime.md').read_text()).groups()
    linked = subprocess.run(['ldd', paths.BUILD / 'postern-inspect'], capture_output=True, text=True, check=True).stdout
    found, file = re.search(r'libicuuc\.so\.(\d+) => (\S+)', linked).groups()
    version = (ctypes.c_uint8 * 4)()
    ctypes.CDLL(file)[f'u_getUnicodeVersion_{found}'](version)
    assert (found, f'{version[0]}.{version[1]}') == (icu, unicode)
