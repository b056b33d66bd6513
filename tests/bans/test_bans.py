"""Bans at every door of a server as operators run it, with clients of several loopback addresses."""
import json
import signal
import socket
import ssl
import time

import pytest

from kit import daemon, paths, server, wait

DOORS = ('smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s', 'https')
SOON = 0.1 * paths.SLOWER    # seconds until a banned client knows
BAD, GOOD = '127.0.9.9', '127.0.7.7'
MORE = '''never-ban = {{ "127.0.0.1" }}
listen-submissions = {{ "127.0.0.1:{submissions}" }}
listen-imaps = {{ "127.0.0.1:{imaps}" }}
listen-pop3 = {{ "127.0.0.1:{pop3}" }}
listen-pop3s = {{ "127.0.0.1:{pop3s}" }}
listen-https = {{ "127.0.0.1:{https}" }}
'''


@pytest.fixture(scope='module')
def file(binaries, tmp_path_factory):
    folder = tmp_path_factory.mktemp('bans')
    base = server.free_port_base()
    certificate = daemon.certify(tmp_path_factory.mktemp('certificate'))
    return daemon.write(folder, certificate, more=MORE.format(**{n: base + o for n, o in server.OFFSETS.items()}))[0]


@pytest.fixture(scope='module')
def house(file):
    with daemon.Daemon(file) as one:
        yield one.ready()


def ask(house, *words):
    done = house.command('--json', 'ban', *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def serves(house, door, source):
    """Whether the door does: its greeting, or what it answers to a request. What it says, where it does not."""
    with socket.socket() as s:
        s.settimeout(paths.PATIENCE)
        s.bind((source, 0))
        s.connect(('127.0.0.1', house.ports[door]))
        try:
            if door in ('submissions', 'imaps', 'pop3s', 'https'):
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                s = context.wrap_socket(s)
            if door == 'https':
                s.sendall(b'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
            said = s.recv(1000)
        except OSError:    # an end in the middle of a handshake is one, too
            return False, b''
    return said.startswith((b'220', b'* OK', b'+OK', b'HTTP/1.1 405')), said


def all_doors(house, source):
    return {door: serves(house, door, source)[0] for door in DOORS}


def restarted(house, room):
    before = {p.pid for p in house.rooms() if p.room == room}
    for process in [p for p in house.rooms() if p.room == room]:
        process.signal(signal.SIGKILL)
    wait.until(lambda: {p.pid for p in house.rooms() if p.room == room} - before, f'there is no new {room}')


def test_a_banned_address_is_turned_away_at_every_door(house):
    assert all(all_doors(house, BAD).values())
    ask(house, 'add', BAD, '--reason', 'a test')
    began = time.monotonic()
    assert not any(all_doors(house, BAD).values())
    assert time.monotonic() - began < SOON * len(DOORS)
    assert all(all_doors(house, GOOD).values()), 'the others are served'
    assert b'421 4.7.0 Connections from your network are refused' in serves(house, 'smtp', BAD)[1]
    assert serves(house, 'imap', BAD)[1].startswith(b'* BYE')
    assert serves(house, 'pop3', BAD)[1].startswith(b'-ERR')
    row, = ask(house, 'list')['rows']
    assert (row['network'], row['grade'], row['reason'], row['by'], row['until']) == (
        BAD, 'banned', 'a test', 'administrator', 0)
    assert house.command('ban', 'why', BAD).returncode == 0
    assert house.command('ban', 'why', GOOD).returncode == 1
    ask(house, 'remove', BAD)
    assert all(all_doors(house, BAD).values())
    assert house.command('ban', 'remove', BAD).returncode == 1


def test_a_ban_ends_by_its_time(house):
    ask(house, 'add', '127.0.9.0/24', '--for', '2s')
    assert not serves(house, 'smtp', BAD)[0]
    wait.until(lambda: serves(house, 'smtp', BAD)[0], 'it is not let in again', 10)


def test_an_address_that_is_never_banned_comes_in_whatever_is_banned(house):
    assert house.command('ban', 'add', '127.0.0.1').returncode == 1
    ask(house, 'add', '127.0.0.0/8', '--for', '10m')
    assert not serves(house, 'imap', GOOD)[0]
    assert all(all_doors(house, '127.0.0.1').values())
    ask(house, 'remove', '127.0.0.0/8')


def test_who_is_slowed_is_served_later(house):
    ask(house, 'add', BAD, '--grade', 'delay')
    began = time.monotonic()
    assert serves(house, 'smtp', BAD)[0]
    assert time.monotonic() - began > 1.5
    ask(house, 'remove', BAD)


def test_an_open_connection_of_a_banned_network_logs_in_no_more(house):
    with socket.socket() as s:
        s.bind((BAD, 0))
        s.settimeout(3 * paths.PATIENCE)
        s.connect(('127.0.0.1', house.ports['submissions']))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with context.wrap_socket(s) as secure:
            secure.recv(1000)
            ask(house, 'add', BAD)
            secure.sendall(b'EHLO x\r\nAUTH PLAIN AGFAYi50ZXN0AHg=\r\n')
            said = b''
            while b'535' not in said:
                said += secure.recv(1000)
    assert b'Logins from this network are refused' in said
    ask(house, 'remove', BAD)


def test_bans_outlive_the_rooms_and_the_server(file, house):
    ask(house, 'add', BAD, '--reason', 'kept')
    restarted(house, 'watch')
    assert not serves(house, 'smtp', BAD)[0], 'while watch is away'
    wait.until(lambda: house.command('ban', 'why', BAD).returncode == 0, 'the new watch does not know')
    assert not serves(house, 'imap', BAD)[0]
    restarted(house, 'edge-mx')
    assert not serves(house, 'smtp', BAD)[0]
    ask(house, 'add', GOOD)    # the page of the new watch is what edges read
    assert not any(all_doors(house, GOOD).values())
    ask(house, 'remove', GOOD)
    house.__exit__()
    with house:
        assert not wait.until(lambda: greeted(house, BAD), 'nobody listens')[0], 'the very first connection'
        house.ready()
        assert [row['reason'] for row in ask(house, 'list')['rows']] == ['kept']
        ask(house, 'remove', BAD)
        assert serves(house, 'smtp', BAD)[0]
    house.__enter__().ready()


def greeted(house, source):
    try:
        return serves(house, 'smtp', source)
    except ConnectionRefusedError:
        return None


def test_the_audit_log_has_them(house):
    ask(house, 'add', BAD)
    ask(house, 'remove', BAD)
    lines = [json.loads(line)['record'] for line in
             wait.until(lambda: sorted((house.file.parent / 'ledger' / 'audit').glob('audit-*')))[-1].read_text().splitlines()]
    assert {'ban.added', 'ban.removed', 'admin.asked', 'admin.act'} <= {line['event'] for line in lines}
