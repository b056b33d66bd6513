"""Thousands of connections that mean no good, made by a process of their own:

    python3 siege.py PORTS KIND ONE MANY

ONE connections come from one network (127.66.0.0/24), MANY from networks of their own, four from each (127.100.0.0/16 and
further); they are spread over the PORTS. KIND is what they do: `stall` says half a command and nothing more, `trickle` says
an endless one, an octet at a time, `storm` comes and goes as fast as it can. Whoever is sent away comes again a second later.
On SIGTERM a line of JSON tells what became of them.
"""
import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import resource
import selectors
import signal
import socket
import subprocess
import sys
import time

IP_BIND_ADDRESS_NO_PORT = 24    # of <netinet/in.h>; Python 3.11 does not name it
AGAIN_SECONDS = 1
TRICKLE_SECONDS = 0.5
EACH_NETWORK = 4                # connections from each of the many
SPARE_FILES = 500
NICE = 10                       # who attacks has a machine of his own; here the server comes first


def source(number, one):
    """The address that connection comes from."""
    if number < one:
        return f'127.66.0.{1 + number % 250}'
    network = (number - one) // EACH_NETWORK
    return f'127.{100 + network // 250}.{network % 250}.{1 + number % EACH_NETWORK}'


@dataclasses.dataclass
class Attacker:
    """One place in the crowd; its connection is another each time it was sent away."""
    address: str
    port: int
    line: socket.socket = None
    served: bool = False
    said: bytes = b''


class Siege:
    def __init__(self, ports, kind, one, many):
        self.kind = kind
        self.everyone = [Attacker(source(n, one), ports[n % len(ports)]) for n in range(one + many)]
        self.waiting = collections.deque((0, a) for a in self.everyone)
        self.selector = selectors.DefaultSelector()
        self.counts = collections.Counter()
        self.over = False
        self.next_octet = 0

    def connect(self, a):
        a.line, a.served, a.said = socket.socket(), False, b''
        a.line.setblocking(False)
        a.line.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        a.line.bind((a.address, 0))
        with contextlib.suppress(BlockingIOError):
            a.line.connect(('127.0.0.1', a.port))
        self.counts['tried'] += 1
        self.selector.register(a.line, selectors.EVENT_READ, a)

    def leave(self, a, pause):
        self.selector.unregister(a.line)
        a.line.close()
        a.line = None
        self.waiting.append((time.monotonic() + pause, a))

    def hear(self, a):
        try:
            said = a.line.recv(4096)
        except OSError:
            said = b''
        if not said:
            self.counts['ended' if a.served else 'refused'] += 1
            self.leave(a, AGAIN_SECONDS)
            return
        a.said += said
        if a.served or not a.said.startswith((b'220', b'* OK', b'+OK')):
            return
        a.served = True
        self.counts['served'] += 1
        with contextlib.suppress(OSError):
            a.line.send(b'EHLO half-a-comm')
        if self.kind == 'storm':
            self.leave(a, 0)

    def trickle(self):
        if self.kind != 'trickle' or time.monotonic() < self.next_octet:
            return
        self.next_octet = time.monotonic() + TRICKLE_SECONDS
        for a in self.everyone:
            if a.served and a.line:
                with contextlib.suppress(OSError):
                    a.line.send(b'x')

    def turn(self):
        for _ in range(200):
            if not self.waiting or self.waiting[0][0] > time.monotonic():
                break
            self.connect(self.waiting.popleft()[1])
        for key, _ in self.selector.select(0.02):
            self.hear(key.data)
        self.trickle()

    def run(self):
        while not self.over:
            self.turn()
        now = sum(a.served and a.line is not None for a in self.everyone)
        print(json.dumps({**self.counts, 'inside': now}), flush=True)


def main():
    ports, kind, one, many = sys.argv[1:]
    count = int(one) + int(many) + SPARE_FILES
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(count, most)))
    os.nice(NICE)
    siege = Siege([int(p) for p in ports.split(',')], kind, int(one), int(many))
    signal.signal(signal.SIGTERM, lambda *_: setattr(siege, 'over', True))
    siege.run()


@contextlib.contextmanager
def besieged(ports, kind, one, many):
    """While the body runs; afterwards the dictionary that it got tells how the siege went."""
    argv = [sys.executable, pathlib.Path(__file__), ','.join(map(str, ports)), kind, str(one), str(many)]
    child, found = subprocess.Popen(argv, stdout=subprocess.PIPE), {}
    try:
        yield found
    finally:
        child.send_signal(signal.SIGTERM)
        said, _ = child.communicate(timeout=60)
        found.update(json.loads(said or '{}'))


if __name__ == '__main__':
    main()
