"""docs/limits.md says what the code does: each value is that of its option or constant, each test is there."""
import functools
import re

import pytest

from kit import paths

PAGE = paths.ROOT / 'docs' / 'limits.md'
ROW = re.compile(r'\| (?P<what>[^|]+) \| [^|]+ \| (?P<value>[^|]+) \| `(?P<name>[^`]+)`(?: (?P<file>\S+))? \| (?P<test>\S+): '
                 r'(?P<case>\S+) \|')
UNITS = {'KiB': 1 << 10, 'MiB': 1 << 20, 'GiB': 1 << 30, 's': 1000, 'min': 60_000, 'h': 3_600_000}
OPTION_UNITS = {'k': 1 << 10, 'M': 1 << 20, 'G': 1 << 30, 'ms': 1, 's': 1000, 'm': 60_000, 'h': 3_600_000, 'd': 86_400_000}
IN_WORDS = {'transit-memory'}    # its default depends on the machine


def rows():
    return [m.groupdict() for m in map(ROW.fullmatch, PAGE.read_text().splitlines()) if m]


def test_each_row_is_read():
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith('| ') and not line.startswith('| limit')]
    assert len(rows()) == len(lines) > 50, [line for line in lines if not ROW.fullmatch(line)]


def number(text, units):
    found = re.search(r'([\d,]+) ?([a-zA-Z]*)', text)
    return int(found[1].replace(',', '')) * units.get(found[2], 1)


@functools.cache
def options():
    table = (paths.ROOT / 'src' / 'config' / 'options_table.h').read_text()
    return dict(re.findall(r'OPTION\(\w+, "([\w-]+)", \w+, "([^"]*)"', table))


def in_code(row):
    if not row['file']:
        return number(options()[row['name']], OPTION_UNITS)
    text = (paths.ROOT / row['file']).read_text()
    if row['name'].isdigit():
        assert row['name'] in text, row
        return int(row['name'])
    found = re.search(rf'\b{row["name"]} = ([\d <*]+)', text)
    assert found, f'{row["name"]} is not in {row["file"]}'
    return eval(found[1])    # digits and operators alone


@pytest.mark.parametrize('row', rows(), ids=lambda row: row['name'])
def test_the_code_has_the_value(row):
    if row['name'] not in IN_WORDS:
        assert in_code(row) == number(row['value'], UNITS), row


@pytest.mark.parametrize('row', rows(), ids=lambda row: row['name'])
def test_the_test_is_there(row):
    assert row['case'] in (paths.ROOT / row['test']).read_text(), row
