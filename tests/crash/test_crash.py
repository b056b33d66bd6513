"""kill -9 under load: every message the server said it keeps is there, once, whole."""
import json
import random
import signal
import time

import pytest

from kit import load, paths, wire

ROUNDS = 300 if paths.SOAK else 20
USERS = 5
SUPERVISOR = ('posternd', 'supervisor', 'postern')
BACK_SECONDS = 15 * paths.SLOWER
SETTLE_SECONDS = 30 * paths.SLOWER


def victims(server):
    """The rooms that run, in a fixed order, and None for all of them at once."""
    return sorted({p.room for p in server.processes()} - set(SUPERVISOR)) + [None]


def kill_one(server, room, rng):
    if room is None:
        server.kill()
        server.start()
        return
    processes = [p for p in server.processes() if p.room == room]
    if processes:
        rng.choice(processes).signal(signal.SIGKILL)


def wait_for_success(running, since):
    deadline = time.monotonic() + BACK_SECONDS
    while running.last_success < since:
        assert not running.problems, running.problems
        assert time.monotonic() < deadline, f'nothing was accepted for {BACK_SECONDS} s after a kill'
        time.sleep(0.02)


def hurry_the_queue(server):
    """What an operator would do: letters that several kills in a row have put off, or into quarantine, are tried now."""
    listed = server.command('--json', 'queue', 'list')
    if listed.returncode != 0:    # web may be on its way back
        return
    for row in json.loads(listed.stdout)['rows']:
        server.command('queue', 'release', str(row['item']))


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
                hurry_the_queue(server)
        assert not missing, f'{account}: {len(missing)} acknowledged messages are lost: {sorted(missing)[:10]}'
        doubled = {n: c for n, c in found.items() if c > 1}
        assert not doubled, f'{account}: {doubled}'
        assert not found.keys() - running.doubtful[account], f'{account}: messages nobody sent'


def test_kill_9_of_each_room_and_of_all(new_server):
    rng = random.Random(20260303)
    server = new_server(users=USERS)
    with load.Load(server, server.users) as running:
        wait_for_success(running, running.last_success)
        rooms = victims(server)
        for number in range(ROUNDS):
            room = rooms[number % len(rooms)]
            time.sleep(rng.uniform(0.1, 0.6))
            since = time.monotonic()
            kill_one(server, room, rng)
            wait_for_success(running, since)
    assert not running.problems, running.problems
    kept = sum(map(len, running.kept.values()))
    assert kept >= 10 * ROUNDS
    print(f'{kept} acknowledged in {ROUNDS} kills')
    verify(server, running)
    server.stop()
    server.start()
    verify(server, running)


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
        wait_for_success(running, running.last_success)
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
        wait_for_success(running, running.last_success)
        time.sleep(0.5)
        server.child.send_signal(signal_number)
        server.child.wait(20 * paths.SLOWER)
        server.start()
        wait_for_success(running, time.monotonic())
    verify(server, running)
