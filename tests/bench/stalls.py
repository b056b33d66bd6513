"""The stalls section: deliveries while thousands of connections say nothing, beside Postfix; and how many of them one
address may have."""
import contextlib
import json
import selectors
import socket
import subprocess
import time

import measure
import peer_postfix
from kit import server as kit_server

STALLED = 2000
SOURCES = 40                # loopback addresses they come from
SETTLE_SECONDS = 10         # for all of them to get as far as the server lets them
MESSAGES, CONNECTIONS = {'Postern': 6000}, 10
PEER_MESSAGES = 600
ANNOUNCED, OTHER = '192.0.2.7', '192.0.2.8'
IP_BIND_ADDRESS_NO_PORT = 24    # of <netinet/in.h>; Python 3.11 does not name it
EHLO = b'EHLO stalled.example\r\n'


class Postern(kit_server.Server):
    name = 'Postern'


Postfix = peer_postfix.PostfixDovecot


def pieces(number, recipient):
    """What one says, each piece after a whole reply; then nothing more. Half stop after EHLO, half within DATA."""
    if number % 2:
        return [EHLO, b'']
    return [EHLO, b'MAIL FROM:<stalled@load.example>\r\n', b'RCPT TO:<%s>\r\n' % recipient.encode(), b'DATA\r\n',
            b'Subject: stalled\r\n\r\nhalf a li']


class One:
    """A connection that gets as far as it may."""

    def __init__(self, number, port, recipient):
        self.left, self.heard = pieces(number, recipient), b''
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        self.socket.bind((f'127.1.{number % SOURCES}.1', 0))
        with contextlib.suppress(BlockingIOError):
            self.socket.connect(('127.0.0.1', port))

    def hear(self):
        """False when there is nothing more to hear."""
        try:
            said = self.socket.recv(4096)
        except OSError:
            return False
        self.heard += said
        whole = self.heard.endswith(b'\r\n') and self.heard.rsplit(b'\r\n', 2)[-2][3:4] == b' '
        if whole:
            self.heard = b''
            self.socket.sendall(self.left.pop(0))
        return bool(said) and bool(self.left)


@contextlib.contextmanager
def stalled(port, recipient, count):
    """So many silent connections; how many of them got where they stop."""
    measure.allow_files(count + 500)
    everyone = []
    with selectors.DefaultSelector() as selector:
        deadline = time.monotonic() + SETTLE_SECONDS
        for number in range(count):
            everyone.append(One(number, port, recipient))
            selector.register(everyone[-1].socket, selectors.EVENT_READ, everyone[-1])
            hear_all(selector, 0)
        while selector.get_map() and time.monotonic() < deadline:
            hear_all(selector, 0.1)
    yield sum(not one.left for one in everyone)
    for one in everyone:
        one.socket.close()


def hear_all(selector, seconds):
    for key, _ in selector.select(seconds):
        if not key.data.hear():
            selector.unregister(key.fileobj)


def deliver(server, share):
    """What `load` can deliver in its time."""
    messages = max(int(MESSAGES.get(server.name, PEER_MESSAGES) * share), CONNECTIONS)
    argv = [measure.LOAD, '--port', server.ports['smtp'], '--connections', CONNECTIONS, '--messages', messages, '--users',
            len(server.users), '--seconds', measure.LOAD_SECONDS]
    started = time.monotonic()
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
    seconds = time.monotonic() - started
    said = json.loads(done.stdout)
    return {'messages': said['messages'], 'rate': said['messages'] / seconds, 'p50': said['p50_ms'], 'p99': said['p99_ms'],
            'errors': said['errors'], 'first_error': said['first_error']}


def run(servers, options, tell):
    """name of server -> {'alone': [...], 'beside': [...], 'reached': [...]}, in turns."""
    found = {}
    count = int(STALLED * options.share)
    for turn in range(options.rounds):
        for server in servers:
            tell(f'  round {turn + 1} of {options.rounds}: {server.name}: deliveries while {count} connections say nothing ...')
            mine = found.setdefault(server.name, {'stalled': count, 'alone': [], 'beside': [], 'reached': []})
            mine['alone'].append(deliver(server, options.share))
            with stalled(server.ports['smtp'], server.users[0], count) as reached:
                mine['reached'].append(reached)
                mine['beside'].append(deliver(server, options.share))
    return found


# One address.

def announced(port, address):
    """A connection that a proxy announces (PROXY protocol, version 2) as coming from that address."""
    header = (b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c' + socket.inet_aton(address) + socket.inet_aton('192.0.2.1')
              + (40000).to_bytes(2, 'big') + (25).to_bytes(2, 'big'))
    one = socket.create_connection(('127.0.0.1', port), timeout=10)
    one.sendall(header)
    return one, one.recv(4096).decode()


def from_one_address(server, count):
    """How many of so many connections from one address are let in, what the others hear, what somebody else hears."""
    port, kept, refusal = server.ports['smtp'], [], ''
    measure.allow_files(count + 500)
    for _ in range(count):
        one, said = announced(port, ANNOUNCED)
        if said.startswith('220'):
            kept.append(one)
        else:
            refusal = said.strip()
            one.close()
    other, said = announced(port, OTHER)
    for one in (*kept, other):
        one.close()
    return {'count': count, 'let_in': len(kept), 'refusal': refusal, 'other': said.strip()}


def table(found, one, tell):
    tell('\nMessages of 4 KiB accepted a second on 10 connections, and ms from MAIL to 250 (median, 99th of 100)')
    for name, mine in found.items():
        for state, title in (('alone', 'alone'), ('beside', f'beside {mine["stalled"]} that stall')):
            line = ''.join(f'{measure.middle(mine[state], key):10,.1f}' for key in ('rate', 'p50', 'p99'))
            tell(f'  {name:20}{title:26}{line}')
        tell(f'  {name:20}of those that stall {min(mine["reached"])} were served until they fell silent')
    tell(f'From one address {one["let_in"]} of {one["count"]} are let in; the others: {one["refusal"]}')
