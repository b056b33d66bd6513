"""A room that breaks its word is replaced, and nobody dies of it."""
import json
import shutil
import subprocess
import time

import pytest

from kit import paths, server, wire

PROGRAMS = ['postern', 'posternd', *(f'postern-{r}' for r in ('vault', 'watch', 'auth', 'inspect', 'queue', 'edge',
                                                              'web', 'account'))]


@pytest.fixture
def house_with(tmp_path, binaries, monkeypatch):
    """A folder of programs in which one room is a liar; servers start from there until it is put right."""
    def build(room, liar):
        folder = tmp_path / f'programs-{room}-{liar}'
        folder.mkdir()
        folder.chmod(0o755)
        for name in PROGRAMS:
            shutil.copy(binaries / name, folder / name)
        shutil.copy(binaries / 'tests' / 'house' / f'liar-{liar}', folder / f'postern-{room}')
        monkeypatch.setattr(paths, 'BUILD', folder)
    yield build


def log_events(one, name):
    log = one.directory / 'ledger' / 'postern.log'
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return [line for line in lines if line['event'] == name]


def wait_for(condition, seconds=15):
    deadline = time.monotonic() + seconds * paths.SLOWER
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError('it did not happen in time')


def postern(one, *words):
    done = subprocess.run([paths.BUILD / 'postern', '--dir', one.directory, '--json', *words],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_nonsense_closes_the_channel_and_replaces_the_speaker(house_with, new_server):
    house_with('inspect', 'nonsense')
    one = new_server(users=1)
    before = {p.room: p.pid for p in one.processes()}
    with wire.Smtp(one.ports['smtp']) as smtp:
        reply = smtp.message('a@sender.example', one.users, b'Subject: x\r\n\r\ny\r\n')
        assert reply.code == 451, reply
        # The same connection goes on: only the liar was replaced.
        assert smtp.command('NOOP').code == 250
    wait_for(lambda: log_events(one, 'room.nonsense'))
    after = wait_for(lambda: {p.room: p.pid for p in one.processes() if p.room == 'inspect'})
    assert after['inspect'] != before['inspect']
    for room in ('vault', 'watch', 'auth', 'queue', 'edge-mx', 'edge-client', 'web'):
        assert one.room(room)[0].pid == before[room], room


def test_a_letter_that_kills_its_account_goes_to_quarantine_and_can_be_released(house_with, new_server, tmp_path):
    good = paths.BUILD
    directory = tmp_path / 'mail'
    one = new_server(directory=directory, users=2)
    user = one.users[0]
    one.stop()

    house_with('account', 'dies')
    two = new_server(directory=directory, users=2)
    with wire.Smtp(two.ports['smtp']) as smtp:
        reply = smtp.message('a@sender.example', [user], b'Subject: heavy\r\n\r\nletter\r\n')
        assert reply.code == 250, reply
    items = wait_for(lambda: [i for i in postern(two, 'queue', 'list')['rows'] if i['state'] == 'quarantine'], 60)
    assert len(items) == 1 and items[0]['recipient'] == user
    wait_for(lambda: log_events(two, 'queue.quarantined'))
    two.stop()

    paths.BUILD = good
    three = new_server(directory=directory, users=2)
    with wire.Imap(three.ports['imap']) as imap:
        imap.login(user, three.password)
        assert imap.select('INBOX') == 0
    postern(three, 'queue', 'release', str(items[0]['item']))

    def arrived():
        with wire.Imap(three.ports['imap']) as imap:
            imap.login(user, three.password)
            return imap.select('INBOX')
    assert wait_for(arrived) == 1
    assert wait_for(lambda: not postern(three, 'queue', 'list')['rows'] or None) is True
    assert arrived() == 1
