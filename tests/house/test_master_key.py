"""Where the master key comes from: a file, the service's credential, a passphrase; and its replacement."""
import json
import os
import signal

import pytest

from kit import daemon, paths, wait, wire

ONE, TWO = os.urandom(32), os.urandom(32)
PHRASE, NEXT = b'four words and a number 7\n', b'another five words entirely 8\n'
PASSWORD = 'four easy words'


@pytest.fixture(scope='module')
def certificate(tmp_path_factory):
    return daemon.certify(tmp_path_factory.mktemp('certificate'))


@pytest.fixture
def configured(tmp_path, certificate):
    return lambda source: daemon.write(tmp_path, certificate, more=f'master-key = {source}\npassword-memory = 8388608\n')[0]


def credentials(folder, **named):
    """As the service manager lays them out."""
    place = folder / 'credentials'
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    for name, octets in named.items():
        (place / f'postern.{name.replace("_", "-").replace("-former", ".former")}').write_bytes(octets)
    return {'CREDENTIALS_DIRECTORY': str(place)}


def settle(one):
    assert one.command('domain', 'add', 'example.org').returncode == 0
    done = one.command('account', 'add', 'anna@example.org', '--password-stdin', octets=PASSWORD.encode() + b'\n')
    assert done.returncode == 0, done.stderr


def deliver(one, expected):
    """Mail comes in and is read: every room has its key."""
    with wire.Smtp(one.ports['smtp']) as smtp:
        assert smtp.message('a@a.example', ['anna@example.org'], b'Subject: x\r\n\r\nx\r\n').code == 250
    with wire.Imap(one.ports['imap']) as imap:
        imap.command('STARTTLS')
        imap.start_tls()
        imap.login('anna@example.org', PASSWORD)
        assert imap.select() == expected


def shown(one):
    return json.loads(one.command('--json', 'master-key', 'show').stdout)


def keys_of(file):
    return {p.name for p in (file.parent / 'keys').iterdir()}


def sealed_anew(one):
    wait.until(lambda: not shown(one)['unfinished'], 'the keys are not sealed anew')


def test_a_file_s_key_is_replaced_and_everything_sealed_anew(configured):
    file = configured('file')
    with daemon.Daemon(file) as one:
        one.ready()
        settle(one)
        deliver(one, 1)
        before = (file.parent / 'keys/wrapped/account-1').read_bytes()
        assert one.command('master-key', 'rotate').returncode == 0
        sealed_anew(one)
        assert shown(one) == {'locked': False, 'source': 'file', 'keys': 2, 'unfinished': False}
        assert (file.parent / 'keys/wrapped/account-1').read_bytes() != before
        deliver(one, 2)
    with daemon.Daemon(file) as one:
        one.ready()
        deliver(one, 3)


def test_with_a_credential_nothing_of_the_key_is_in_the_folder(configured):
    file = configured('credential')
    with daemon.Daemon(file, **credentials(file.parent, master_key=ONE)) as one:
        one.ready()
        settle(one)
        deliver(one, 1)
        assert not keys_of(file) & {'master.key', 'master.sealed'}
        refused = one.command('master-key', 'rotate')
        assert refused.returncode == 1 and b'postern.master-key.former' in refused.stderr
        one.vault().signal(signal.SIGKILL)    # the next one has its credential again
        deliver(one, 2)
    with daemon.Daemon(file, **credentials(file.parent, master_key=TWO, master_key_former=ONE)) as one:
        one.ready()
        sealed_anew(one)
        deliver(one, 3)
    with daemon.Daemon(file, **credentials(file.parent, master_key=TWO.hex().encode() + b'\n')) as one:
        one.ready()
        deliver(one, 4)


def test_a_vault_without_its_passphrase_waits_and_clients_read_4xx(configured):
    file = configured('passphrase')
    with daemon.Daemon(file, **credentials(file.parent, passphrase=PHRASE)) as one:
        one.ready()
        settle(one)
        deliver(one, 1)
        assert 'master.key' not in keys_of(file)
    with daemon.Daemon(file) as one:
        wait.until(lambda: one.command('unlock', '--password-stdin', octets=b'not the one at all\n').returncode == 1,
                   'the wrong passphrase is not refused')
        assert shown(one)['locked']
        assert one.command('unlock', '--password-stdin', octets=PHRASE).returncode == 0
        one.ready()
        deliver(one, 2)
        assert one.command('master-key', 'passphrase', '--password-stdin', octets=PHRASE + NEXT).returncode == 0
        assert one.command('master-key', 'rotate', '--password-stdin', octets=NEXT).returncode == 0
        locked_in_the_middle(one)


def locked_in_the_middle(one):
    """The vault dies: those who have their keys go on, whoever needs one reads 4xx until somebody unlocks."""
    account = [p for p in one.rooms() if p.room == 'account']
    for process in (one.vault(), *account):
        process.signal(signal.SIGKILL)
    wait.until(lambda: shown_locked(one), 'the new vault is not locked')
    with wire.Smtp(one.ports['smtp']) as smtp:
        assert smtp.message('a@a.example', ['anna@example.org'], b'Subject: x\r\n\r\nx\r\n').code // 100 == 4
    assert one.command('unlock', '--password-stdin', octets=NEXT).returncode == 0
    deliver(one, 3)


def shown_locked(one):
    done = one.command('--json', 'master-key', 'show')
    return done.returncode == 0 and json.loads(done.stdout)['locked']
