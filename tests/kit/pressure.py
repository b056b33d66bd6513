"""What others notice of an attack: how long a delivery and a login take meanwhile, and what the server grows to."""
import contextlib
import dataclasses
import os
import pathlib
import statistics
import tempfile
import threading
import time

from . import siege, wire

PAUSE_SECONDS = 0.1
PATIENCE_SECONDS = 10    # of an honest client, longer than it may have to wait, so that how long it was is known
LETTER = b'From: friend@elsewhere.example\r\nSubject: meanwhile\r\n\r\nhello\r\n'
KINDS = ('stall', 'trickle', 'storm')


@dataclasses.dataclass
class Target:
    """What is attacked, and what an honest client needs."""
    ports: dict
    user: str
    password: str
    processes: object         # a function: its processes now
    imap: str = 'imaps'
    folder: pathlib.Path = None    # on the disk that letters are kept on: how long its flushes take is measured beside it

    def deliver(self, timeout):
        with wire.Smtp(self.ports['smtp'], timeout=timeout) as smtp:
            answer = smtp.message('friend@elsewhere.example', [self.user], LETTER)
        if answer.code != 250:
            raise ConnectionError(str(answer))

    def login(self, timeout):
        with wire.Imap(self.ports[self.imap], tls=self.imap == 'imaps', timeout=timeout) as imap:
            imap.login(self.user, self.password)


class Watch:
    """The private memory of all processes and the open descriptors of each, and a flush of the disk, at their most."""

    def __init__(self, target):
        self.target, self.over = target, threading.Event()
        self.kib = self.files = self.flush = 0
        self.threads = [threading.Thread(target=self.run)]
        if target.folder:
            self.threads.append(threading.Thread(target=self.write))

    def write(self):
        """A letter is on the disk before it is acknowledged: what other programs do there is not the server's doing."""
        with tempfile.TemporaryFile(dir=self.target.folder) as file:
            while not self.over.wait(0.05):
                os.pwrite(file.fileno(), os.urandom(4096), 0)
                begun = time.monotonic()
                os.fdatasync(file.fileno())
                self.flush = max(self.flush, time.monotonic() - begun)

    def run(self):
        while not self.over.wait(0.2):
            kib = 0
            for process in self.target.processes():
                with contextlib.suppress(OSError):
                    kib += process.private_kib()
                    self.files = max(self.files, len(os.listdir(f'/proc/{process.pid}/fd')))
            self.kib = max(self.kib, kib)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *problem):
        self.over.set()
        for thread in self.threads:
            thread.join()


def waits_of_the_kernel():
    """How often this machine turned a connection away because nobody accepted it, and asked again for one: each a second."""
    names, values = [line.split() for line in pathlib.Path('/proc/net/netstat').read_text().splitlines()
                     if line.startswith('TcpExt:')][:2]
    return [int(values[names.index(name)]) for name in ('ListenOverflows', 'TCPSynRetrans')]


def timed(act, seconds):
    """Seconds that it took, again and again, for so long."""
    took, failed, until = [], 0, time.monotonic() + seconds
    while time.monotonic() < until:
        begun = time.monotonic()
        try:
            act(timeout=PATIENCE_SECONDS)
        except (OSError, wire.Closed, AssertionError, ValueError):
            failed += 1
        took.append(time.monotonic() - begun)
        time.sleep(PAUSE_SECONDS)
    return took, failed


def attacked(target, kind, one, many, seconds, settle=2):
    """A row of the table: what honest clients saw while it was attacked, and what became of the attackers."""
    row, before = {'kind': kind}, waits_of_the_kernel()
    with Watch(target) as watch, siege.besieged([target.ports['smtp'], target.ports[target.imap]], kind, one, many) as siege_:
        time.sleep(settle)
        for name in ('deliver', 'login'):
            took, failed = timed(getattr(target, name), seconds / 2)
            row[name] = {'median': statistics.median(took), 'most': max(took), 'times': len(took), 'failed': failed}
    return {**row, 'mib': watch.kib / 1024, 'files': watch.files, 'flush': watch.flush, 'siege': dict(siege_),
            'kernel': [now - then for now, then in zip(waits_of_the_kernel(), before)]}
