"""When a room dies, only the connections it carried end; the house serves again within a second."""
import json
import signal
import time

import pytest

from kit import paths, wire

ROOMS = ['vault', 'watch', 'auth', 'inspect', 'queue', 'edge-mx', 'edge-client', 'web', 'account']
BACK_SECONDS = 1 * paths.SLOWER
LETTER = b'Subject: x\r\n\r\ny\r\n'


def connect(server):
    """One connection of each kind, by name; each is told apart by the room that carries it."""
    found = {'port 25': wire.Smtp(server.ports['smtp']),
             'submissions': wire.Smtp(server.ports['submissions'], tls=True),
             'imap before login': wire.Imap(server.ports['imap'])}
    for number in (0, 1):
        session = found[f'imap of account {number + 1}'] = wire.Imap(server.ports['imaps'], tls=True)
        session.login(server.users[number], server.password)
        session.select()
    return found


CARRIED = {'edge-mx': {'port 25'},
           'edge-client': {'submissions', 'imap before login', 'imap of account 1', 'imap of account 2'},
           'account': {'imap of account 1'}}


def answers(connection):
    try:
        said = connection.command('NOOP')
    except (OSError, wire.Closed, ValueError):
        return False
    return said.ok if isinstance(connection, wire.Imap) else said.code == 250


def serves(server, account, count):
    """A letter goes in and is there."""
    try:
        with wire.Smtp(server.ports['smtp']) as smtp:
            if smtp.message('a@sender.example', [account], LETTER).code != 250:
                return False
        with wire.Imap(server.ports['imap']) as imap:
            return imap.command(f'LOGIN "{account}" "{server.password}"').ok and imap.select() >= count
    except (OSError, wire.Closed):
        return False


def victim(server, room):
    """The process to kill; of the accounts the first user's."""
    for process in server.room(room):
        if room != 'account' or process.number == 1:
            return process
    raise LookupError(room)


@pytest.mark.parametrize('room', ROOMS)
def test_only_the_connections_of_the_killed_room_break(new_server, room):
    server = new_server(users=2)
    connections = connect(server)
    victim(server, room).signal(signal.SIGKILL)
    killed = time.monotonic()
    while not serves(server, server.users[0], 1):
        assert time.monotonic() < killed + BACK_SECONDS, f'the house does not serve a second after {room} was killed'
        time.sleep(0.02)
    broken = {name for name, connection in connections.items() if not answers(connection)}
    assert broken == CARRIED.get(room, set())


def comes_once(server, account, count):
    """On a busy machine the queue may have tried three times before: it waits 40 s then."""
    deadline = time.monotonic() + 60 * paths.SLOWER
    while bodies(server, account) != count:
        assert time.monotonic() < deadline, 'the letter did not come out of the queue'
        time.sleep(0.2)
    time.sleep(1)
    assert bodies(server, account) == count


def send_both(server):
    with wire.Smtp(server.ports['smtp'], timeout=200 * paths.SLOWER) as smtp:
        answer = smtp.message('a@sender.example', server.users, b'Subject: both\r\n\r\nonce\r\n')
        assert answer.code == 250, str(answer)


def test_a_letter_waits_in_the_queue_while_its_account_cannot_open(new_server):
    server = new_server(users=2)
    assert serves(server, server.users[0], 1)
    database = server.directory / 'accounts' / '1' / 'mail.db'
    database.chmod(0)
    victim(server, 'account').signal(signal.SIGKILL)
    send_both(server)
    assert bodies(server, server.users[1]) == 1
    waiting = json.loads(server.command('--json', 'queue', 'list').stdout)['rows']
    assert [row['state'] for row in waiting if row['state'] != 'delivering'] in ([], ['waiting']), 'it harmed nobody'
    server.kill()
    database.chmod(0o600)    # before the start: the queue's next attempt may follow at once, and the one after it late
    server.start()    # the queue remembers
    comes_once(server, server.users[0], 2)
    comes_once(server, server.users[1], 1)


@pytest.mark.soak
def test_a_letter_waits_in_the_queue_while_its_account_does_not_answer(new_server):
    """The account's process is stopped; edge waits for it as long as it may, and then the queue has the letter."""
    server = new_server(users=2)
    assert serves(server, server.users[0], 1)
    frozen = victim(server, 'account')
    frozen.signal(signal.SIGSTOP)
    send_both(server)
    frozen.signal(signal.SIGKILL)
    comes_once(server, server.users[0], 2)
    comes_once(server, server.users[1], 1)


def bodies(server, account):
    with wire.Imap(server.ports['imap']) as imap:
        imap.login(account, server.password)
        return imap.select()


def test_watch_and_web_are_not_in_a_letters_way(new_server):
    """A frozen log room holds up nobody: lines wait or are counted as lost."""
    server = new_server(users=1)
    for room in ('watch', 'web'):
        victim(server, room).signal(signal.SIGSTOP)
    started = time.monotonic()
    for count in range(1, 201):
        assert serves(server, server.users[0], count)
    assert time.monotonic() - started < 20 * paths.SLOWER
    for room in ('watch', 'web'):
        victim(server, room).signal(signal.SIGCONT)
