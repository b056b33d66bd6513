"""SECURITY.md names tests: each is there. And it says of every room what it gives away."""
import re

import pytest

from kit import paths

PAGE = (paths.ROOT / 'SECURITY.md').read_text()
NAMED = re.findall(r'`((?:tests|src)/[\w/]+\.(?:py|c))(?:: (\w+))?`', PAGE)
ROLE = re.compile(r'\[ROLE_\w+\] = \{"([\w-]+)"')


@pytest.mark.parametrize('file,name', NAMED, ids=lambda value: value or 'whole')
def test_a_named_test_is_there(file, name):
    text = (paths.ROOT / file).read_text()
    assert name in text
    assert '_test.c' in file or 'def test_' in text


def test_every_room_has_its_row():
    rooms = ROLE.findall((paths.ROOT / 'src' / 'supervisor' / 'policy.c').read_text())
    table = PAGE[PAGE.index('## What a compromised process gives away'):]
    rows = {room for line in table.splitlines() if line.startswith('| ') for room in line.split('|')[1].strip().split(', ')}
    assert len(rooms) > 10 and set(rooms) <= rows, set(rooms) - rows


def test_rows_of_attackers_name_what_tries_them():
    table = PAGE[PAGE.index('### Who attacks'):PAGE.index('## What a compromised')]
    rows = [line for line in table.splitlines() if line.startswith('| ') and not line.startswith('| attacker')]
    assert len(rows) > 8
    assert [row for row in rows if '`tests/' not in row and '`src/' not in row] == [rows[-1]], 'only root is not tried'
