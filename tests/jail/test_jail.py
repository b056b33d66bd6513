"""What the kernel says about each running room. The attempts from inside are a program of src/run/."""
import os
import pathlib
import re
import resource

import pytest

from kit import wire

CAP_SYS_RESOURCE = 24
EDGE_FILES = 131072
SUPERVISOR = ('posternd', 'supervisor', 'postern')


@pytest.fixture(scope='module')
def rooms(binaries, tmp_path_factory):
    from kit import server
    with server.Server(tmp_path_factory.mktemp('jail') / 'mail', users=3) as one:
        sessions = []
        for user in one.users[:2]:    # so that account processes are there
            session = wire.Imap(one.ports['imap'])
            session.login(user, one.password)
            sessions.append(session)
        found = [p for p in one.processes() if p.room not in SUPERVISOR]
        assert found
        yield found


def named_by_room(rooms):
    return [(f'{p.room} ({p.pid})', p.status()) for p in rooms]


def as_root():
    if os.geteuid() != 0:
        pytest.skip('without root all rooms run as the one user who started them')


def test_every_room_has_a_filter(rooms):
    for name, status in named_by_room(rooms):
        assert status['Seccomp'] == '2', f'{name} has no seccomp filter'
        assert status['NoNewPrivs'] == '1', f'{name} may gain privileges'


def test_no_room_has_capabilities(rooms):
    for name, status in named_by_room(rooms):
        for kind in ('CapInh', 'CapPrm', 'CapEff', 'CapAmb'):
            assert int(status[kind], 16) == 0, f'{name} has capabilities ({kind})'


def test_no_room_is_traced_or_makes_core_files(rooms):
    for process in rooms:
        limits = open(f'/proc/{process.pid}/limits').read()
        core = next(line for line in limits.splitlines() if line.startswith('Max core file size')).split()
        assert core[4:6] == ['0', '0'], f'{process.room} may write core files'


def test_a_room_gets_no_environment_but_its_heaps(rooms):
    for process in rooms:
        variables = pathlib.Path(f'/proc/{process.pid}/environ').read_bytes().rstrip(b'\0').split(b'\0')
        others = {v.split(b'=')[0] for v in variables} - {b'ASAN_OPTIONS', b'UBSAN_OPTIONS'}
        assert others == {b'GLIBC_TUNABLES'}, f'{process.room}: {variables}'
        assert b'GLIBC_TUNABLES=glibc.malloc.tcache_max=128' in variables    # what a thread keeps aside is never given back


def test_every_room_waits_for_who_works(rooms):
    for process in rooms:
        assert os.sched_getscheduler(process.pid) == os.SCHED_BATCH, f'{process.room} drives others off the processor'


def test_an_edge_may_have_two_descriptors_for_each_of_its_sessions(rooms):
    """Whatever limit the server was started under, where root may raise it."""
    as_root()
    own = pathlib.Path('/proc/self/status').read_text()
    may_raise = int(re.search(r'CapEff:\t(\w+)', own).group(1), 16) >> CAP_SYS_RESOURCE & 1
    wanted = EDGE_FILES if may_raise else min(EDGE_FILES, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    for process in rooms:
        if process.room.startswith('edge'):
            limits = open(f'/proc/{process.pid}/limits').read()
            files = next(line for line in limits.splitlines() if line.startswith('Max open files')).split()
            assert int(files[3]) == wanted, f'{process.room} may open {files[3]} files'


def test_rooms_are_not_dumpable(rooms):
    """/proc/PID belongs to root when the process is not dumpable, whoever it runs as."""
    as_root()
    for process in rooms:
        if int(process.status()['Uid'].split()[0]) != 0:
            assert os.stat(f'/proc/{process.pid}/environ').st_uid == 0, f'{process.room} is dumpable'


def test_each_room_has_its_own_user(rooms):
    as_root()
    users = {}
    for process in rooms:
        uids = set(process.status()['Uid'].split())
        assert len(uids) == 1 and '0' not in uids, f'{process.room} runs as {uids}'
        owner = process.pid if process.room == 'account' else process.room
        users.setdefault(uids.pop(), set()).add(owner)
    shared = {uid: owners for uid, owners in users.items() if len(owners) > 1}
    assert not shared, f'rooms or accounts that share a user: {shared}'


def test_no_supplementary_groups(rooms):
    as_root()
    for name, status in named_by_room(rooms):
        own = set(status['Gid'].split())
        assert set(status['Groups'].split()) <= own - {'0'}, f'{name} is in the groups {status["Groups"]}'


def test_only_the_edge_holds_network_sockets(rooms):
    as_root()
    with open('/proc/net/tcp') as table:
        listening = {line.split()[9] for line in table.readlines()[1:]}
    for process in rooms:
        if process.room.startswith('edge'):
            continue
        links = [os.readlink(f'/proc/{process.pid}/fd/{fd}') for fd in os.listdir(f'/proc/{process.pid}/fd')]
        held = [link for link in links if link.startswith('socket:[') and link[8:-1] in listening]
        assert not held, f'{process.room} holds TCP sockets'
