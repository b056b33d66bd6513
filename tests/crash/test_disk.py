"""The disk goes wrong under a running account: each answer is honest, and what was acknowledged is there afterwards."""
import contextlib
import os
import shutil
import signal
import subprocess
import time

import pytest

from kit import load, paths, reader, wire

# Which call of the account's process fails, and how: the N-th, or all from the N-th on.
CALLS = [('fdatasync', 'EIO'), ('pwrite64', 'ENOSPC'), *(pytest.param(*call, marks=pytest.mark.soak) for call in
                                                        [('fdatasync', 'ENOSPC'), ('pwrite64', 'EIO')])]
PLACES = range(1, 41) if paths.SOAK else (1, 4)
DISK_MIB = 48
SLOW_SECONDS = 0.8
LETTER_OCTETS = 100000


@contextlib.contextmanager
def tampered(process, call, how):
    """The process's calls go as strace's inject= says."""
    tracer = subprocess.Popen(['strace', '-f', '-qq', '-p', str(process.pid), '-e', f'trace={call}', '-e',
                               f'inject={call}:{how}'],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + paths.PATIENCE
        while not all(is_traced(process.pid, tracer.pid)):
            if tracer.poll() is not None:
                refused = tracer.stderr.read().decode().strip()
                assert 'attach' in refused, refused
                pytest.skip(f'strace may not look at the process: {refused}')
            assert time.monotonic() < deadline, 'strace does not begin'
            time.sleep(0.01)
        yield
    finally:
        with at_rest(process.pid):
            tracer.send_signal(signal.SIGINT)
            tracer.communicate(timeout=paths.PATIENCE)


@contextlib.contextmanager
def at_rest(pid):
    """The process is stopped, none of its threads within a call: one whose call strace has exchanged would get the other
    call's answer if strace let go then, and take a write that was never made for made."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    seen, deadline = 0, time.monotonic() + paths.PATIENCE
    while seen < 5:    # times in a row: strace answers each thread at once
        seen = seen + 1 if all(is_stopped(pid)) else 0
        assert time.monotonic() < deadline, 'the process does not stop'
        time.sleep(0.01)
    yield
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def is_stopped(pid):
    """Of each thread whether it is stopped; of a process that is gone, or has ended, that it is."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{thread}/stat') as stat:
                yield stat.read().rsplit(')', 1)[1].split()[0] in 'TtZX'


def is_traced(pid, tracer):
    """Of each thread whether strace holds it; of a process that is gone that it does."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in os.listdir(f'/proc/{pid}/task'):
            with open(f'/proc/{pid}/task/{thread}/status') as status:
                yield f'TracerPid:\t{tracer}\n' in status


def of_account(server, number):
    return next((p for p in server.processes() if p.room == 'account' and p.number == number), None)


def running_account(server):
    """The first account's process, which a login starts."""
    deadline = time.monotonic() + paths.PATIENCE
    while not (found := of_account(server, 1)):
        assert time.monotonic() < deadline
        with contextlib.suppress(*load.BROKEN), wire.Imap(server.ports['imap']) as imap:
            imap.command(f'LOGIN "{server.users[0]}" "{server.password}"')
    return found


def is_whole(server):
    checked = server.command('account', 'check', '--all')
    assert checked.returncode == 0, checked.stdout + checked.stderr


def every_letter_once(server, running):
    """Acknowledged letters are there once, also those the queue took."""
    deadline = time.monotonic() + 30 * paths.SLOWER
    for account in running.users:
        while missing := running.kept[account] - (found := load.names_in(server, account)).keys():
            assert time.monotonic() < deadline, f'{account}: acknowledged and lost: {sorted(missing)[:10]}'
            server.command('queue', 'release', '1')
            time.sleep(0.3)
        assert max(found.values(), default=1) == 1
        assert not found.keys() - running.doubtful[account]


@pytest.mark.skipif(not shutil.which('strace'), reason='needs strace')
@pytest.mark.parametrize('call,error', CALLS)
def test_a_failing_call_never_makes_a_false_answer(new_server, call, error):
    server = new_server(users=2)
    with load.Load(server, server.users, senders=2, appenders=1) as running, \
            reader.Reader(server, server.users[0], 1) as program:
        ended = 0
        wait_until(lambda: program.count['STORE'] > 5, running, program)    # the account is open
        for place in PLACES:
            before = running_account(server)
            count = sum(program.count.values())
            # Instead of the call another one is made: without one strace makes it number -1, which the jail forbids.
            with tampered(before, call, f'error={error}:syscall=getpid:when={place}{"" if place % 2 else "+"}'):
                time.sleep(0.4 * paths.SLOWER)
            wait_until(lambda: sum(program.count.values()) > count + 5, running, program)
            ended += not before.alive()
    assert not running.problems + program.problems, running.problems + program.problems
    assert program.count['APPEND'] > 5 and program.count['STORE'] > 5
    full = (call, error) == ('pwrite64', 'ENOSPC')
    # Nobody knows what a failed write of the database left; one of a body file harms that body alone.
    assert ended == 0 if full else ended > 0
    server.kill()
    server.start()
    every_letter_once(server, running)
    with wire.Imap(server.ports['imap']) as imap:
        assert program.begin(imap)
    is_whole(server)


def wait_until(done, *workers):
    deadline = time.monotonic() + 20 * paths.SLOWER
    while not done():
        for worker in workers:
            assert not worker.problems, worker.problems
        assert time.monotonic() < deadline, 'the account does not work again'
        time.sleep(0.02)


@pytest.mark.skipif(not shutil.which('strace'), reason='needs strace')
def test_a_slow_disk_slows_its_own_account_alone(new_server):
    """Each flush of one account takes most of a second: its letters share flushes, its sessions and the others go on."""
    server = new_server(users=2)
    slow, quick = server.users
    before = running_account(server)
    with wire.Imap(server.ports['imap']) as imap, load.Load(server, [slow], senders=8, appenders=0) as running:
        imap.login(slow, server.password)
        imap.select()
        wait_until(lambda: len(running.kept[slow]) > 20, running)
        with tampered(before, 'fdatasync', f'delay_enter={SLOW_SECONDS * 1e6:.0f}'):
            time.sleep(3 * SLOW_SECONDS)    # until the store has noticed
            kept = len(running.kept[slow])
            for _ in range(8):
                assert within(SLOW_SECONDS / 2, lambda: imap.command('NOOP').ok)
                assert within(SLOW_SECONDS / 2, lambda: a_letter(server, quick) == 250)
                time.sleep(SLOW_SECONDS)
            assert len(running.kept[slow]) - kept >= 10, 'letters wait for each other instead of sharing a flush'
    assert not running.problems, running.problems
    every_letter_once(server, running)


def within(seconds, attempt):
    started = time.monotonic()
    done = attempt()
    took = time.monotonic() - started
    assert took < seconds * paths.SLOWER, f'it took {took:.2f} s'
    return done


def a_letter(server, account):
    with wire.Smtp(server.ports['smtp']) as smtp:
        return smtp.message('a@sender.example', [account], load.message(b'quick', 500)).code


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own that is soon full."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    folder.chmod(0o755)
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={DISK_MIB}m,mode=755', 'tmpfs', str(folder)],
                             capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f'no file system can be mounted here: {mounted.stderr.strip()}')
    yield folder
    subprocess.run(['umount', '-l', str(folder)], check=True)


def fill(server, account):
    """Letters until one is not taken; how many were."""
    with wire.Smtp(server.ports['smtp'], timeout=30 * paths.SLOWER) as smtp:
        for number in range(4 * DISK_MIB * 1000000 // LETTER_OCTETS):
            answer = smtp.message('a@sender.example', [account], load.message(b'full-%d' % number, LETTER_OCTETS))
            if answer.code != 250:
                assert 400 <= answer.code < 500, f'a full disk is no reason for {answer}'
                return number
    raise AssertionError('the disk was not full')


@pytest.mark.parametrize('restarts', [False, True])
def test_a_full_disk_lets_the_owner_delete(new_server, small_disk, restarts):
    server = new_server(directory=small_disk / 'mail', users=2)
    account = server.users[0]
    taken = fill(server, account)
    assert taken > 50
    if restarts:
        server.kill()
        server.start()
        fill(server, account)    # what rooms give back at their start is room for a letter or two
    with wire.Imap(server.ports['imap']) as imap:
        imap.login(account, server.password)
        held = imap.select()
        assert imap.command('APPEND INBOX {}', load.message(b'more', LETTER_OCTETS)).status == 'NO'
        assert imap.command('STORE 1:* +FLAGS.SILENT (\\Deleted)').ok or imap.command('STORE 1:20 +FLAGS (\\Deleted)').ok
        assert imap.command('EXPUNGE').ok
        left = imap.select()
        assert left < held
    with wire.Smtp(server.ports['smtp'], timeout=30 * paths.SLOWER) as smtp:
        answer = smtp.message('a@sender.example', [account], load.message(b'after', LETTER_OCTETS))
        assert answer.code == 250, answer
    deadline = time.monotonic() + 30 * paths.SLOWER
    while len(found := load.names_in(server, account)) < left + 1:    # the queue may have held some
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert found[b'after'] == 1 and max(found.values()) == 1
    is_whole(server)
