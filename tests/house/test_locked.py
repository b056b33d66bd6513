"""Locked accounts through the real server: letters while the owner is away, what opens, kill -9 in every state."""
import base64
import contextlib
import json
import os
import random
import re
import signal
import threading
import time

import pytest

from kit import daemon, memory, wait, wire

PASSWORD, OTHER = 'four easy words', 'five other easy words'
GRACE = 'lock-grace = 300ms\nretry-time = 100ms\n'
ROUNDS = int(os.environ.get('POSTERN_KILLS', 4))
SEED = 20261122
KEEPERS = ('account', 'auth', 'vault', 'queue', 'watch', 'supervisor', 'posternd')


@pytest.fixture(scope='module')
def one(tmp_path_factory):
    folder = tmp_path_factory.mktemp('locked')
    certificate = daemon.certify(tmp_path_factory.mktemp('certificate'))
    file = daemon.write(folder, certificate, more=f'{GRACE}password-memory = 8388608\n')[0]
    with daemon.Daemon(file) as running:
        running.ready()
        assert running.command('domain', 'add', 'example.org').returncode == 0
        yield running


@pytest.fixture
def anna(one, request):
    """A new account, under the policy server."""
    address = f'a{abs(hash(request.node.name)) % 10**8}@example.org'
    done = one.command('account', 'add', address, '--password-stdin', octets=PASSWORD.encode() + b'\n')
    assert done.returncode == 0, done.stderr
    return address


def policy(one, account, which, octets=b''):
    done = one.command('--json', 'account', 'policy', which, '--account', account,
                       *(['--password-stdin'] if octets else []), octets=octets)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def lock(one, account):
    said = policy(one, account, 'locked', PASSWORD.encode() + b'\n')
    assert not said['waits']
    shut(one, account)
    return said['recovery_key']


def shown(one, account):
    return json.loads(one.command('--json', 'account', 'show', account).stdout)


def shut(one, account):
    wait.until(lambda: shown(one, account)['shut'], 'the account is not shut after its last session')


def secret(one, account, name):
    done = one.command('--json', 'account', 'app-password', 'add', name, '--account', account)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)['secret']


@contextlib.contextmanager
def session(one):
    with wire.Imap(one.ports['imap']) as imap:
        imap.command('STARTTLS')
        imap.start_tls()
        yield imap


def login(one, account, password):
    """What the server answers; the session ends."""
    with session(one) as imap:
        answer = imap.command(f'LOGIN {account} "{password}"')
        return f'{answer.status} {answer.text.decode()}'


def letter(number, text=b'hello'):
    return b'Subject: n%d.\r\nFrom: a@a.example\r\n\r\n%b\r\n' % (number, text)


def send(one, account, number, text=b'hello'):
    with wire.Smtp(one.ports['smtp']) as smtp:
        return smtp.message('a@a.example', [account], letter(number, text)).code == 250


def numbers(one, account, password=PASSWORD):
    """The letters in the INBOX, in their order."""
    with session(one) as imap:
        imap.login(account, password)
        count = imap.select()
        if not count:
            return []
        headers = imap.bodies(item='BODY.PEEK[HEADER]').values()
        return [int(re.search(rb'n(\d+)\.', octets).group(1)) for octets in headers]


def process(one, account):
    number = shown(one, account)['row']['account']
    return next((p for p in one.rooms() if p.room == 'account' and p.number == number), None)


def files(one):
    return {path: path.read_bytes() for path in one.file.parent.rglob('*') if path.is_file()}


def forms(octets):
    wide = octets.decode('latin-1').encode('utf-16-le')
    return {'as it is': octets, 'base64': base64.b64encode(octets)[:-4], 'UTF-16': wide}


def test_letters_wait_sealed_and_are_merged_in_order(one, anna):
    assert policy(one, anna, 'locked')['waits']
    assert send(one, anna, 0)
    assert numbers(one, anna) == [0]    # from this login on it is locked
    shut(one, anna)
    folder = one.file.parent / 'accounts' / str(shown(one, anna)['row']['account'])
    mailbox = (folder / 'mail.db').read_bytes()
    known = base64.b64encode(os.urandom(30))
    for n in range(1, 21):
        assert send(one, anna, n, known if n % 5 else base64.encodebytes(os.urandom(400000)).replace(b'\n', b'\r\n'))
    assert shown(one, anna)['waiting'] == 20
    assert (folder / 'mail.db').read_bytes() == mailbox, 'the database was touched while its owner was away'
    for path, octets in files(one).items():
        assert not [name for name, form in forms(known).items() if form in octets], path
    assert numbers(one, anna) == list(range(21))
    assert shown(one, anna)['waiting'] == 0
    assert not list(folder.glob('arrivals-*'))
    shut(one, anna)
    if os.geteuid() == 0:    # only root reads the memory of other processes
        rooms = [p for p in one.rooms() if p.room in KEEPERS]
        assert {p.room for p in rooms} >= {'account', 'auth', 'vault', 'queue', 'watch'}
        assert not [p.room for p in rooms if memory.searched(p.pid, forms(known))]


def test_a_session_that_stays_keeps_it_open(one, anna):
    lock(one, anna)
    with session(one) as imap:
        imap.login(anna, PASSWORD)
        imap.select()
        time.sleep(1)    # three times the grace
        assert not shown(one, anna)['shut']
        assert send(one, anna, 1)
        assert imap.status() == 1
    shut(one, anna)


def test_what_does_not_open_says_so(one, anna):
    lock(one, anna)
    late = secret(one, anna, 'late')
    said = login(one, anna, late)
    assert 'NO [AUTHENTICATIONFAILED] This account is locked, and this app password does not open it yet' in said
    assert shown(one, anna)['shut']
    refused = one.command('account', 'password', anna, '--password-stdin', octets=OTHER.encode() + b'\n')
    assert refused.returncode == 1 and b'recovery key' in refused.stderr
    refused = one.command('account', 'check', anna)
    assert refused.returncode == 1 and b'locked' in refused.stderr + refused.stdout
    assert one.command('account', 'quota', anna, '1k').returncode == 0    # also while it is shut
    assert send(one, anna, 1, b'x' * 2000)    # without SIZE the last one may overshoot
    with wire.Smtp(one.ports['smtp']) as smtp:
        assert smtp.envelope('a@a.example', [anna])[1].code == 452
    assert one.command('account', 'quota', anna, '10M').returncode == 0
    assert login(one, anna, PASSWORD).startswith('OK')
    shut(one, anna)
    assert login(one, anna, late).startswith('OK')
    assert shown(one, anna)['quota'] == 10 << 20


def test_the_recovery_key_opens_what_no_password_does(one, anna):
    key = lock(one, anna)
    assert send(one, anna, 1)
    wrong = one.command('account', 'recover', anna, '--password-stdin', octets=f'{key[::-1]}\n{OTHER}\n'.encode())
    assert wrong.returncode == 1, wrong.stderr
    right = one.command('account', 'recover', anna, '--password-stdin', octets=f'{key}\n{OTHER}\n'.encode())
    assert right.returncode == 0, right.stderr
    assert login(one, anna, PASSWORD).startswith('NO')
    assert numbers(one, anna, OTHER) == [1]
    shut(one, anna)
    assert send(one, anna, 2)
    number = str(shown(one, anna)['row']['account'])
    assert one.command('account', 'delete', anna, '--yes').returncode == 0
    assert not (one.file.parent / 'accounts' / number).exists()
    assert f'account-{number}' not in {path.name for path in (one.file.parent / 'keys' / 'wrapped').iterdir()}


def test_the_server_s_keys_open_it_again(one, anna):
    lock(one, anna)
    assert send(one, anna, 1)
    key = one.file.parent / 'keys' / 'wrapped' / f"account-{shown(one, anna)['row']['account']}"
    before = key.read_bytes()
    assert policy(one, anna, 'server')['waits']
    assert numbers(one, anna) == [1]
    assert shown(one, anna)['policy'] == 'server'
    assert key.read_bytes() != before
    process(one, anna).signal(signal.SIGKILL)
    assert numbers(one, anna) == [1]
    done = one.command('account', 'password', anna, '--password-stdin', octets=OTHER.encode() + b'\n')
    assert done.returncode == 0, done.stderr


class Postman(threading.Thread):
    """Sends letters one after the other, and again what was not acknowledged, as other servers do."""

    def __init__(self, one, account):
        super().__init__()
        self.one, self.account, self.kept, self.ending = one, account, 0, False

    def run(self):
        while not self.ending:
            with contextlib.suppress(OSError, wire.Closed, AssertionError):
                self.kept += send(self.one, self.account, self.kept + 1)


@pytest.mark.parametrize('room', ['account', 'auth', 'vault'])
def test_kill_9_loses_nothing_and_doubles_nothing(one, anna, room):
    """While letters arrive, while they are merged, while the policy changes."""
    rng = random.Random(SEED)
    postman = Postman(one, anna)
    postman.start()
    try:
        for n in range(ROUNDS):
            wanted = 'locked' if n % 4 < 2 else 'server'
            with contextlib.suppress(AssertionError):
                policy(one, anna, wanted, PASSWORD.encode() + b'\n' if n % 2 else b'')
            owner = threading.Thread(target=quietly, args=(one, anna))
            owner.start()
            time.sleep(rng.random() * 0.4)
            for victim in [p for p in one.rooms() if p.room == room]:
                victim.signal(signal.SIGKILL)
            owner.join()
    finally:
        postman.ending = True
        postman.join()
    one.ready()
    assert postman.kept > 0
    there = set(range(1, postman.kept + 1))    # some may have been given to the queue
    kept = wait.until(lambda: (seen := quietly(one, anna)) and set(seen) >= there and seen, 'a letter is missing')
    # What was kept without a 250 that reached its sender was sent again, as SMTP has it: at most one for each kill.
    assert len(kept) - len(set(kept)) <= ROUNDS


def quietly(one, account):
    """The owner looks; None where it is not possible just now."""
    with contextlib.suppress(OSError, wire.Closed, AssertionError):
        return numbers(one, account)
