"""A program in a terminal of its own, seen as a person sees it: keys go in, the screen is looked at.

Nothing here waits for a time to pass: `see` reads what the program writes until
the screen shows what is looked for.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from . import paths

pyte = pytest.importorskip('pyte', reason='python3-pyte is not installed')

ROWS, COLUMNS = 40, 110
ENTER, ESCAPE = '\r', '\x1b'


def control(letter):
    return chr(ord(letter.upper()) & 0x1f)


class Terminal:
    """Runs argv; ends it when the block is left, if it has not ended."""

    def __init__(self, argv, environment, cwd):
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        self.mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', ROWS, COLUMNS, 0, 0))
        self.child = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd, start_new_session=True,
                                      preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
                                      env={'PATH': '/usr/sbin:/usr/bin:/bin', 'TERM': 'linux', 'LANG': 'C.UTF-8',
                                           'HOME': str(cwd), **environment})
        os.close(theirs)

    def text(self):
        """The screen's lines; the second cell of a wide character is no character."""
        return '\n'.join(''.join(cell.data for cell in map(row.__getitem__, range(COLUMNS))).rstrip()
                         for row in map(self.screen.buffer.__getitem__, range(ROWS)))

    def _read(self, seconds):
        """False when the program has ended and all it wrote was read."""
        if not select.select([self.mine], [], [], max(seconds, 0))[0]:
            return True
        try:
            octets = os.read(self.mine, 65536)
        except OSError:
            return False
        self.stream.feed(octets)
        return bool(octets)

    def see(self, pattern, patience=3 * paths.PATIENCE):
        """Waits until the screen matches; gives the match."""
        deadline = time.monotonic() + patience
        while not (found := re.search(pattern, self.text())):
            if time.monotonic() > deadline or not self._read(deadline - time.monotonic()):
                raise AssertionError(f'never saw {pattern!r}; the screen is\n{self.text()}')
        return found

    def keys(self, text):
        octets = text.encode()
        while octets:
            octets = octets[os.write(self.mine, octets):]

    def do(self, keys, pattern):
        """Keys, and what must be seen because of them."""
        self.keys(keys)
        return self.see(pattern)

    def ends(self):
        """Waits until the program has ended; its status must be 0."""
        deadline = time.monotonic() + paths.PATIENCE
        while self._read(deadline - time.monotonic()):
            assert time.monotonic() < deadline, f'does not end; the screen is\n{self.text()}'
        assert self.child.wait(paths.PATIENCE) == 0, f'status {self.child.returncode}\n{self.text()}'

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
        os.close(self.mine)
