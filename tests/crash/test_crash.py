"""kill -9 under load: every message and flag the server said it keeps is there, once, whole."""
import contextlib
import os
import random
import signal
import statistics
import time
from collections import Counter

import pytest

from kit import load, paths, reader, wire

ROUNDS = int(os.environ.get('POSTERN_KILLS', 2000 if paths.SOAK else 20))
SEED = int(os.environ.get('POSTERN_SEED', 20260303))    # of the moments and of what the mail programs do
USERS = 5
READERS = 2
STORM = 100    # kills before all is looked at, and thrown away
CARRIES = ('account', 'edge-client', 'edge-mx', None)    # whose end breaks connections
BACK_AT_ONCE = 1 * paths.SLOWER
SUPERVISOR = ('posternd', 'supervisor', 'postern')
BACK_SECONDS = 15 * paths.SLOWER
SETTLE_SECONDS = 30 * paths.SLOWER


def victims(server):
    """The rooms that run, in a fixed order, and None for all of them at once."""
    return sorted({p.room for p in server.processes()} - set(SUPERVISOR)) + [None]


def kill_one(server, room, rng):
    """Ends one process of that room, or all; how long it took until there was another, or None where none is due."""
    if room is None:
        server.kill()
        server.start()
        return None
    before = [p for p in server.processes() if p.room == room]
    if not before:
        return None
    victim = rng.choice(before)
    killed = time.monotonic()
    victim.signal(signal.SIGKILL)
    known = {p.pid for p in before}
    while not any(p.room == room and p.pid not in known and p.number == victim.number for p in server.processes()):
        if room == 'account' and time.monotonic() > killed + BACK_AT_ONCE:
            return None    # nobody asked for that one
        assert time.monotonic() < killed + BACK_SECONDS, f'{room} is not back'
        time.sleep(0.005)
    return time.monotonic() - killed


def wait_for_success(running, since):
    deadline = time.monotonic() + BACK_SECONDS
    while running.last_success < since:
        assert not running.problems, running.problems
        assert time.monotonic() < deadline, f'nothing was accepted for {BACK_SECONDS} s after a kill'
        time.sleep(0.02)


def wait_until_open(server, account, deadline):
    """A process that was killed a moment ago may refuse its owner; what it then shows is checked without mercy."""
    while True:
        try:
            with wire.Imap(server.ports['imap']) as imap:
                if imap.command(f'LOGIN "{account}" "{server.password}"').ok:
                    return
        except wire.Closed:
            pass
        assert time.monotonic() < deadline, f'{account} cannot be opened'
        time.sleep(0.5)


def verify(server, running):
    """Acknowledged: once. Unanswered: at most once. Nothing else."""
    unaided = time.monotonic() + SETTLE_SECONDS / 2
    deadline = time.monotonic() + SETTLE_SECONDS
    for account in running.users:
        wait_until_open(server, account, deadline)
        while True:
            found = load.names_in(server, account)
            missing = running.kept[account] - found.keys()
            if not missing or time.monotonic() > deadline:
                break
            time.sleep(0.5)    # what an account could not take comes out of the queue, at first by itself
            if time.monotonic() > unaided:
                server.hurry_the_queue()
        assert not missing, f'{account}: {len(missing)} acknowledged messages are lost: {sorted(missing)[:10]}'
        doubled = {n: c for n, c in found.items() if c > 1}
        assert not doubled, f'{account}: {doubled}'
        assert not found.keys() - running.doubtful[account], f'{account}: messages nobody sent'


@contextlib.contextmanager
def mixed_load(server, storm):
    """Letters to one and to several, APPEND, and mail programs that STORE, MOVE and EXPUNGE."""
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(load.Load(server, server.users, prefix=b's%d-' % storm))
        running.readers = [stack.enter_context(reader.Reader(server, user, SEED + READERS * storm + number))
                           for number, user in enumerate(server.users[:READERS])]
        yield running


class Storms:
    """Kills under load, and what was seen."""

    def __init__(self, server):
        self.server, self.rng = server, random.Random(SEED)
        self.kills, self.letters, self.commands = 0, 0, Counter()
        self.back = {}    # room -> seconds until there was another process

    def kill(self, running, rooms):
        room, before = rooms[self.kills % len(rooms)], rooms[self.kills % len(rooms) - 1]
        self.kills += 1
        time.sleep(self.rng.uniform(0.1, 0.6))
        since, broken = time.monotonic(), running.broken
        took = kill_one(self.server, room, self.rng)
        if took is not None:
            self.back.setdefault(room, []).append(took)
        wait_for_success(running, since)
        if not {room, before} & set(CARRIES):
            assert running.broken == broken, f'{running.broken - broken} connections broke with {room}'

    def storm(self, number, kills):
        with mixed_load(self.server, number) as running:
            wait_for_success(running, time.monotonic())
            rooms = victims(self.server)
            assert set(CARRIES) < set(rooms)
            for _ in range(kills):
                self.kill(running, rooms)
        problems = running.problems + [p for program in running.readers for p in program.problems]
        assert not problems, problems
        self.letters += sum(map(len, running.kept.values()))
        self.commands += sum((program.count for program in running.readers), start=Counter())
        return running

    def tell(self):
        print(f'{self.kills} kills; acknowledged: {self.letters} letters, {dict(self.commands)}')
        for room, times in sorted(self.back.items()):
            print(f'{room} was back after {statistics.median(times):.3f} s, at most {max(times):.3f} s')


def verify_all(server, running):
    verify(server, running)
    for program in running.readers:
        wait_until_open(server, program.account, time.monotonic() + SETTLE_SECONDS)
        with wire.Imap(server.ports['imap'], timeout=6 * paths.PATIENCE) as imap:
            assert program.begin(imap)
    checked = server.command('account', 'check', '--all', timeout=60 * paths.PATIENCE)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def empty(server):
    for account in server.users:
        with wire.Imap(server.ports['imap'], timeout=6 * paths.PATIENCE) as imap:
            imap.login(account, server.password)
            for folder in ('INBOX', *reader.FOLDERS):
                if imap.command(f'SELECT {folder}').ok:
                    assert imap.command('STORE 1:* +FLAGS.SILENT (\\Deleted)').ok or folder != 'INBOX'
                    assert imap.command('CLOSE').ok


def test_kill_9_of_each_room_and_of_all(new_server):
    server = new_server(users=USERS)
    storms = Storms(server)
    while storms.kills < ROUNDS:
        if storms.kills:
            empty(server)
        running = storms.storm(storms.kills, min(STORM, ROUNDS - storms.kills))
        verify_all(server, running)
        storms.tell()
    assert storms.letters >= 10 * ROUNDS
    # Under load on a shared machine now and then one waits for a processor; at rest (below) none may.
    late = {room: times for room, times in storms.back.items() if statistics.median(times) > BACK_AT_ONCE}
    assert not late, late
    server.stop()
    server.start()
    verify_all(server, running)


def test_a_killed_room_is_back_and_others_go_on(new_server):
    server = new_server(users=1)
    for room in victims(server)[:-1]:
        before = {p.pid for p in server.room(room)}
        others = {p.pid for p in server.processes() if p.room != room and p.room != 'account'}
        for process in server.room(room):
            process.signal(signal.SIGKILL)
        deadline = time.monotonic() + 1 * paths.SLOWER
        while room != 'account' and not ({p.pid for p in server.processes() if p.room == room} - before):
            assert time.monotonic() < deadline, f'{room} was not back within a second'
            time.sleep(0.01)
        assert others <= {p.pid for p in server.processes()}, f'others ended with {room}'


def test_without_the_supervisor_all_end_and_the_next_start_takes_over(new_server):
    server = new_server(users=USERS)
    with load.Load(server, server.users) as running:
        wait_for_success(running, time.monotonic())
        everyone = server.processes()
        for process in everyone:
            if process.room in SUPERVISOR:
                process.signal(signal.SIGKILL)
        deadline = time.monotonic() + 5 * paths.SLOWER
        while left := [p.room for p in everyone if p.alive()]:
            assert time.monotonic() < deadline, f'{left} live on without a supervisor'
            time.sleep(0.01)
        server.child.wait()
        server.start()
        wait_for_success(running, time.monotonic())
    verify(server, running)


@pytest.mark.parametrize('signal_number', [signal.SIGTERM, signal.SIGINT])
def test_an_orderly_end_loses_nothing(new_server, signal_number):
    server = new_server(users=USERS)
    with load.Load(server, server.users) as running:
        wait_for_success(running, time.monotonic())
        time.sleep(0.5)
        server.child.send_signal(signal_number)
        server.child.wait(20 * paths.SLOWER)
        server.start()
        wait_for_success(running, time.monotonic())
    verify(server, running)
