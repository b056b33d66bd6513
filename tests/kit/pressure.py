"""What others notice of an attack: how long a delivery and a login take meanwhile, and what the server grows to."""
import contextlib
import dataclasses
import os
import statistics
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

    def deliver(self, timeout):
        with wire.Smtp(self.ports['smtp'], timeout=timeout) as smtp:
            answer = smtp.message('friend@elsewhere.example', [self.user], LETTER)
        if answer.code != 250:
            raise ConnectionError(str(answer))

    def login(self, timeout):
        with wire.Imap(self.ports[self.imap], tls=self.imap == 'imaps', timeout=timeout) as imap:
            imap.login(self.user, self.password)


class Watch:
    """The private memory of all processes and the open descriptors of each, at their most."""

    def __init__(self, target):
        self.target, self.over = target, threading.Event()
        self.kib = self.files = 0
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(0.2):
            kib = 0
            for process in self.target.processes():
                with contextlib.suppress(OSError):
                    kib += process.private_kib()
                    self.files = max(self.files, len(os.listdir(f'/proc/{process.pid}/fd')))
            self.kib = max(self.kib, kib)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *problem):
        self.over.set()
        self.thread.join()


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
    row = {'kind': kind}
    with Watch(target) as watch, siege.besieged([target.ports['smtp'], target.ports[target.imap]], kind, one, many) as siege_:
        time.sleep(settle)
        for name in ('deliver', 'login'):
            took, failed = timed(getattr(target, name), seconds / 2)
            row[name] = {'median': statistics.median(took), 'most': max(took), 'times': len(took), 'failed': failed}
    return {**row, 'mib': watch.kib / 1024, 'files': watch.files, 'siege': dict(siege_)}
