"""From inside each running room: its own thread tries what an intruder would try, and nothing works.

`intrude` (beside this file) stops a room by ptrace, as only root can, and has it
make the system calls of attempts.c. The filter, user and folder are the real ones.
"""
import os
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from kit import paths, wire

SUPERVISOR = ('posternd', 'supervisor', 'postern')
WITH_FOLDER = {'vault', 'watch', 'auth', 'queue', 'account'}
CONNECTING = {'resolve', 'relay', 'fetch'}
ROOMS = WITH_FOLDER | CONNECTING | {'inspect', 'edge-mx', 'edge-client', 'web'}
INTRUDE = paths.BUILD / 'tests' / 'jail' / 'intrude'
NOT_PERMITTED = 3
SOCKETS = {'socket AF_INET', 'socket AF_INET, datagrams', 'socket AF_INET6'}
MAY = {'auth': {'socketpair'},     # both ends of a session, for the account and the edge
       'web': {'socketpair'},      # of what an edge carries between TLS and HTTP
       **{room: SOCKETS for room in CONNECTING}}


@pytest.fixture
def victim():
    """A file anybody may read and change, in a folder anybody may change: only the jail protects it."""
    folder = tempfile.mkdtemp(prefix='postern-victim-')
    os.chmod(folder, 0o777)
    path = os.path.join(folder, 'file')
    with open(path, 'w') as file:
        file.write('untouched')
    os.chmod(path, 0o666)
    yield path
    shutil.rmtree(folder)


def looks(path):
    status = os.stat(path)
    return (open(path, 'rb').read(), status.st_mode, status.st_uid, status.st_nlink, status.st_mtime_ns,
            os.listxattr(path), sorted(os.listdir(os.path.dirname(path))))


def rooms_of(server):
    return [p for p in server.processes() if p.room not in SUPERVISOR]


def another_accounts_file(server, process):
    """A mail.db that is not this process's own."""
    own = str(process.number) if process.room == 'account' else None
    return next(str(f) for f in sorted((server.directory / 'accounts').glob('*/mail.db')) if f.parent.name != own)


def intrude(process, victim, other_file, other_pid):
    if paths.SANITIZED:
        pytest.skip('the sanitizers need calls that the release build does not permit')
    if not INTRUDE.exists():
        pytest.skip('the intruder is written for x86_64')
    done = subprocess.run([INTRUDE, str(process.pid), victim, other_file, str(other_pid)], capture_output=True, text=True,
                          timeout=30)
    if done.returncode == NOT_PERMITTED:
        pytest.skip('this user may not trace the rooms: ' + done.stderr.strip())
    assert done.returncode == 0, f'{process.room}: {done.stderr}\n{done.stdout[-500:]}'
    return dict(line.split('\t') for line in done.stdout.splitlines())


def controls(room, answers):
    """Two calls that are permitted show that it was really the room that called."""
    assert answers.pop('control: getpid').startswith('did '), f'{room}: getpid'
    opened = answers.pop('control: open own folder')
    assert opened.startswith('did ' if room in WITH_FOLDER else 'errno '), f'{room}: its own folder: {opened}'


def house_still_works(server, before):
    """The same processes serve a letter in and out."""
    user = server.users[0]
    with wire.Smtp(server.ports['smtp']) as smtp:
        reply = smtp.message('a@sender.example', [user], b'Subject: after\r\n\r\nx\r\n')
        assert reply.code == 250, str(reply)
    with wire.Imap(server.ports['imap']) as imap:
        imap.login(user, server.password)
        assert imap.select() == 1
    after = {p.pid for p in rooms_of(server)}
    assert {p.pid for p in before} <= after, 'a room did not survive the attempts'


@pytest.mark.parametrize('abi', ['', '2'], ids=['the Landlock of this kernel', 'Landlock ABI 2'])
def test_an_intruder_can_do_nothing(new_server, victim, monkeypatch, abi):
    if os.geteuid() != 0:
        pytest.skip('only root may trace the rooms: they are not dumpable')
    if abi:
        monkeypatch.setenv('POSTERN_LANDLOCK_ABI', abi)
    server = new_server(users=3)
    sessions = [wire.Imap(server.ports['imap']) for _ in range(2)]
    for session, user in zip(sessions, server.users[1:]):
        session.login(user, server.password)
    before, untouched = rooms_of(server), looks(victim)
    assert {p.room for p in before} == ROOMS
    other_files = {p.pid: another_accounts_file(server, p) for p in before}
    files_before = {f: looks(f)[:6] for f in set(other_files.values())}
    for process in before:
        if abi:
            assert b'POSTERN_LANDLOCK_ABI=2' in open(f'/proc/{process.pid}/environ', 'rb').read().split(b'\0')
        other = next(p.pid for p in before if p.pid != process.pid)
        answers = intrude(process, victim, other_files[process.pid], other)
        controls(process.room, answers)
        assert len(answers) > 90
        could = [f'{name}: {answer}' for name, answer in answers.items()
                 if not answer.startswith(('errno ', 'ended')) and name not in MAY.get(process.room, ())]
        assert not could, f'{process.room} could: {could}'
        assert looks(victim) == untouched, process.room
        os.kill(other, 0)
    assert {f: looks(f)[:6] for f in files_before} == files_before
    assert all(session.command('NOOP').ok for session in sessions)
    house_still_works(server, before)


def test_every_thread_has_the_filter(new_server):
    server = new_server(users=1)
    house_still_works(server, [])
    for process in rooms_of(server):
        for thread in os.listdir(f'/proc/{process.pid}/task'):
            text = open(f'/proc/{process.pid}/task/{thread}/status').read()
            assert 'Seccomp:\t2\n' in text and 'NoNewPrivs:\t1\n' in text, f'{process.room}, thread {thread}'


def test_a_room_that_breaks_out_is_ended_and_replaced(new_server):
    """The signal that the filter sends; the supervisor names it."""
    server = new_server(users=1)
    process = server.room('auth')[0]
    process.signal(signal.SIGSYS)
    deadline = time.monotonic() + 5 * paths.SLOWER
    log = server.directory / 'ledger' / 'postern.log'
    while server.processes() and not any(p.pid != process.pid for p in server.processes() if p.room == 'auth'):
        assert time.monotonic() < deadline, 'auth was not replaced'
        time.sleep(0.02)
    while 'a system call that its jail forbids' not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()[-1000:]
        time.sleep(0.05)
    house_still_works(server, [])
