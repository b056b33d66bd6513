"""A room that breaks its word is replaced, and nobody dies of it."""
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from kit import load, paths, server, wait, wire

PROGRAMS = ['postern', 'posternd', *(f'postern-{r}' for r in ('vault', 'watch', 'auth', 'inspect', 'queue', 'edge', 'web',
                                                              'resolve', 'relay', 'fetch', 'account'))]


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


def postern(one, *words):
    done = subprocess.run([paths.BUILD / 'postern', '--dir', one.directory, '--json', *words],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# What a client is told while a room lies: a letter, then an IMAP login of an account that is at work and of one that is
# not. 250 means kept, at the latest by the queue; 4 any 4xx; OK of LOGIN, or NO and its response code.
LATER = 'NO [UNAVAILABLE]'
WHILE_LYING = {
    'auth': (4, LATER, LATER),
    'inspect': (4, 'OK', 'OK'),
    'account': (250, LATER, LATER),
    'vault': (250, 'OK', LATER),
    'queue': (250, 'OK', 'OK'),
    'watch': (250, 'OK', 'OK'),
    'web': (250, 'OK', 'OK'),
}
PATIENT = 200    # seconds: more than anybody waits for a neighbour


@pytest.fixture
def house_with_switches(binaries, monkeypatch):
    """A folder of programs in which each room can be exchanged while the server runs."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='postern-house-', dir='/tmp'))    # the rooms' users may enter
    folder.chmod(0o755)
    for name in PROGRAMS:
        is_room = name.startswith('postern-')
        shutil.copy(binaries / name, folder / (f'{name}.good' if is_room else name))
        if is_room:
            shutil.copy(binaries / 'tests' / 'house' / 'switch', folder / name)
    monkeypatch.setattr(paths, 'BUILD', folder)
    yield folder
    shutil.rmtree(folder)


def put_in_place(one, liar, room):
    """The room's next processes are that liar, or none; the present ones end."""
    place = paths.BUILD / f'postern-{"edge" if room.startswith("edge") else room}.liar'
    place.unlink(missing_ok=True)
    if liar:
        shutil.copy(liar, place)
    for process in one.processes():
        if process.room == room:
            process.signal(signal.SIGKILL)


def letter(one, user, name):
    with wire.Smtp(one.ports['smtp'], timeout=PATIENT) as smtp:
        code = smtp.message('a@sender.example', [user], load.message(name, 500)).code
    return 4 if 400 <= code < 500 else code


def login(one, user):
    with wire.Imap(one.ports['imap'], timeout=PATIENT) as imap:
        answer = imap.command(f'LOGIN "{user}" "{one.password}"')
        return 'OK' if answer.ok else f'{answer.status} {answer.text.split()[0].decode()}'


def in_time(attempt):
    """What it comes to within some seconds: a room may be on its way back."""
    try:
        return attempt()
    except (OSError, wire.Closed):
        return None


def lies_and_is_put_right(one, room, liar):
    awake, asleep = one.users
    expected = WHILE_LYING[room]
    wait.until(lambda: in_time(lambda: login(one, awake)) == 'OK')
    for process in one.processes():
        if process.room == 'account' and process.number == 2:
            process.signal(signal.SIGKILL)
    put_in_place(one, liar, room)
    name = f'{room}-lies'.encode()
    time.sleep(0.3)
    told = letter(one, awake, name), login(one, awake), login(one, asleep)
    assert told == expected, f'while {room} lies: {told}'
    put_in_place(one, None, room)
    wait.until(lambda: in_time(lambda: login(one, asleep)) == 'OK', seconds=30)
    wait.until(lambda: in_time(lambda: letter(one, awake, name + b'-after')) == 250, seconds=30)
    return name if expected[0] == 250 else None


@pytest.fixture
def house_with_a_quick_pulse(tmp_path, binaries, monkeypatch):
    """A folder of programs whose supervisor asks every 200 ms whether the rooms are alive."""
    folder = tmp_path / 'programs'
    folder.mkdir()
    folder.chmod(0o755)
    for name in PROGRAMS:
        shutil.copy(binaries / name, folder / name)
    shutil.copy(binaries / 'tests' / 'house' / 'posternd', folder / 'posternd')
    monkeypatch.setattr(paths, 'BUILD', folder)


def test_a_room_that_hangs_is_replaced(house_with_a_quick_pulse, new_server):
    one = new_server(users=1)
    user = one.users[0]
    assert login(one, user) == 'OK'
    hung = [p for p in one.processes() if p.room in ('auth', 'account', 'inspect', 'edge-mx')]
    assert len(hung) >= 4
    for process in hung:
        process.signal(signal.SIGSTOP)
    wait.until(lambda: not {p.pid for p in hung} & {p.pid for p in one.processes()})
    told = sorted((p.room, 'it did not answer for a minute') for p in hung)
    wait.until(lambda: sorted((e['fields']['role'], e['fields']['why']) for e in log_events(one, 'room.ended')) == told)
    assert wait.until(lambda: in_time(lambda: login(one, user))) == 'OK'
    assert wait.until(lambda: in_time(lambda: letter(one, user, b'after'))) == 250


@pytest.mark.parametrize('liar', ['nonsense', pytest.param('dies', marks=pytest.mark.soak),
                                  pytest.param('mute', marks=pytest.mark.soak)])
def test_a_room_that_lies_makes_nobody_else_lie(binaries, house_with_switches, new_server, liar):
    one = new_server(users=2)
    kept = [lies_and_is_put_right(one, room, binaries / 'tests' / 'house' / f'liar-{liar}') for room in WHILE_LYING]
    promised = {name for name in kept if name} | {f'{room}-lies-after'.encode() for room in WHILE_LYING}

    def all_there():
        one.command('queue', 'release', '1')
        found = load.names_in(one, one.users[0])
        return found if promised <= found.keys() else None
    found = wait.until(all_there, seconds=60)
    assert set(found) == promised and max(found.values()) == 1, found
    assert one.command('account', 'check', '--all').returncode == 0


def test_nonsense_closes_the_channel_and_replaces_the_speaker(house_with, new_server):
    house_with('inspect', 'nonsense')
    one = new_server(users=1)
    before = {p.room: p.pid for p in one.processes()}
    with wire.Smtp(one.ports['smtp']) as smtp:
        reply = smtp.message('a@sender.example', one.users, b'Subject: x\r\n\r\ny\r\n')
        assert reply.code == 451, reply
        # The same connection goes on: only the liar was replaced.
        assert smtp.command('NOOP').code == 250
    wait.until(lambda: log_events(one, 'room.nonsense'))
    after = wait.until(lambda: {p.room: p.pid for p in one.processes() if p.room == 'inspect'})
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
    items = wait.until(lambda: [i for i in postern(two, 'queue', 'list')['rows'] if i['state'] == 'quarantine'], seconds=60)
    assert len(items) == 1 and items[0]['recipient'] == user
    wait.until(lambda: log_events(two, 'queue.quarantined'))
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
    assert wait.until(arrived) == 1
    assert wait.until(lambda: not postern(three, 'queue', 'list')['rows'] or None) is True
    assert arrived() == 1
