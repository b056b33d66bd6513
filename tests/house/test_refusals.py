"""What mail programs hear when the house is not whole: the response codes that no client brings about by itself.

IMAP's are RFC 5530's, POP3's RFC 3206's. Each time the session goes on, or ends with a reason."""
import contextlib
import signal
import time

import pytest

from kit import load, paths, wire

LARGE = 2000000    # kept as a file
PATIENT = 100      # seconds: longer than anybody waits for a room that is gone
MARK = b'\xaa' * 100


@contextlib.contextmanager
def without(server, room):
    """That room ends, and nobody starts it again meanwhile."""
    supervisor, = (p for p in server.processes() if p.room in ('supervisor', 'posternd'))
    supervisor.signal(signal.SIGSTOP)
    try:
        for process in server.room(room):
            process.signal(signal.SIGKILL)
        yield
    finally:
        supervisor.signal(signal.SIGCONT)


def logged_in(server, kind):
    connection = kind(server.ports['imap' if kind is wire.Imap else 'pop3'], timeout=PATIENT)
    answer = connection.login(server.users[0], server.password)
    assert kind is wire.Imap or answer.startswith(b'+OK'), answer
    return connection


def damage(server):
    """Some octets of the one body file."""
    body, = (server.directory / 'accounts' / '1').glob('*.body')
    with open(body, 'r+b') as file:
        file.seek(5000)
        file.write(MARK)


@pytest.mark.soak
def test_without_inspect_a_search_fails_and_saves_nothing(new_server):
    """RFC 5182 2.1: after NO to a SEARCH with SAVE the saved result is empty."""
    server = new_server(users=1)
    with wire.Smtp(server.ports['smtp']) as smtp:
        assert smtp.message('a@sender.example', server.users, 'Subject: grün\r\n\r\nx\r\n'.encode()).code == 250
    with logged_in(server, wire.Imap) as imap:
        imap.select()
        assert imap.command('SEARCH RETURN (SAVE) ALL').ok
        assert imap.command('FETCH $ UID').untagged == [[b'* 1 FETCH (UID 1)']]
        search = 'SEARCH RETURN (SAVE) CHARSET UTF-8 SUBJECT {}', 'GRÜN'.encode()
        with without(server, 'inspect'):
            answer = imap.command(*search)
            assert answer.status == 'NO' and answer.text.startswith(b'[UNAVAILABLE] '), answer
            assert imap.command('FETCH $ UID').untagged == []
        deadline = time.monotonic() + paths.PATIENCE
        while not imap.command(*search).ok:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert imap.command('FETCH $ UID').untagged == [[b'* 1 FETCH (UID 1)']]


def test_a_damaged_body_is_told_and_the_others_are_read(new_server):
    server = new_server(users=1)
    with wire.Smtp(server.ports['smtp']) as smtp:
        for size in (LARGE, 500):
            assert smtp.message('a@sender.example', server.users, load.message(b'%d' % size, size)).code == 250
    damage(server)
    with logged_in(server, wire.Imap) as imap:
        imap.select()
        answer = imap.command('FETCH 1 (BODY.PEEK[TEXT]<4000.10>)')
        assert answer.status == 'NO' and answer.text.startswith(b'[CORRUPTION] '), answer
        assert len(imap.bodies('2')[2]) > 500
        assert imap.command('FETCH 1 (FLAGS RFC822.SIZE ENVELOPE)').ok
    with logged_in(server, wire.Pop3) as pop3:
        assert pop3.command('RETR 2').startswith(b'+OK')
        assert len(b'\r\n'.join(pop3.rest())) > 500
        assert pop3.command('RETR 1').startswith(b'-ERR [SYS/PERM] ')
        assert pop3.command('NOOP').startswith(b'+OK')


def test_who_is_connected_hears_that_the_server_stops(new_server):
    server = new_server(users=1)
    with logged_in(server, wire.Imap) as imap, wire.Imap(server.ports['imap']) as greeted, \
            logged_in(server, wire.Pop3) as pop3:
        imap.select()
        server.stop()
        assert imap.line().startswith(b'* BYE [UNAVAILABLE] ') and imap.at_end()
        assert greeted.line().startswith(b'* BYE [UNAVAILABLE] ') and greeted.at_end()
        assert pop3.line().startswith(b'-ERR [SYS/TEMP] ') and pop3.at_end()
