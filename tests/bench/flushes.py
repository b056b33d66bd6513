"""The flushes section: what a delivered message costs the disk, beside what the disk can do in the same minute.

The kernel's tracepoints count them, which costs the servers next to nothing: the file system's own, because a write that
is flushed at once (O_DSYNC) is no call of fsync; the calls of fsync and its like where the file system has none.
"""
import contextlib
import os
import pathlib
import time

import measure

CALLS = ('fsync', 'fdatasync', 'sync_file_range', 'syncfs', 'sync', 'msync')
FILE_SYSTEMS = ('ext4/ext4_sync_file_enter', 'xfs/xfs_file_fsync', 'btrfs/btrfs_sync_file')
TRACING = pathlib.Path('/sys/kernel/tracing')
BUFFER_KIB = 8192         # for each processor; a call takes some 30 octets
WARMING = 40              # messages before, so that what starts on demand runs
LATE_SECONDS = 2          # logs are brought into databases, queue files removed
# name, connections, messages for Postern, messages for a peer
ROWS = [('1 connection', 1, 1000, 150), ('10 connections', 10, 3000, 250)]


class Unavailable(Exception):
    """This machine cannot count them; says why."""


def pids(server):
    return [p.pid for p in server.processes()]


def threads(server):
    """Of all its processes: the kernel traces by thread."""
    for pid in pids(server):
        with contextlib.suppress(OSError):
            yield from os.listdir(f'/proc/{pid}/task')


@contextlib.contextmanager
def instance():
    """A set of the kernel's trace buffers of our own."""
    folder = TRACING / 'instances' / f'postern-bench-{os.getpid()}'
    try:
        folder.mkdir()
        (folder / 'buffer_size_kb').write_text(str(BUFFER_KIB))
        (folder / 'options/event-fork').write_text('1')
    except OSError as why:
        raise Unavailable(
            f'the kernel does not trace for us ({why}); as root: mount -t tracefs tracefs /sys/kernel/tracing') from None
    try:
        yield folder
    finally:
        folder.rmdir()


def switches_of(folder):
    """Of the events that are counted."""
    own = [place for name in FILE_SYSTEMS if (place := folder / 'events' / name / 'enable').exists()]
    return own or [folder / f'events/syscalls/sys_enter_{call}/enable' for call in CALLS]


@contextlib.contextmanager
def counted(server, result):
    """Puts into `result` how many flushes its processes, and those they start, ask for meanwhile."""
    with instance() as folder:
        (folder / 'set_event_pid').write_text(' '.join(threads(server)))
        switches = switches_of(folder)
        for switch in switches:
            switch.write_text('1')
        yield
        for switch in switches:
            switch.write_text('0')
        result['flushes'] = sum(not line.startswith('#') for line in (folder / 'trace').open())


def written(server):
    """Octets that its processes, and those they have waited for, sent towards the disk."""
    total = 0
    for pid in pids(server):
        with contextlib.suppress(OSError):
            lines = pathlib.Path(f'/proc/{pid}/io').read_text().splitlines()
            said = dict(line.split(': ') for line in lines)
            total += int(said['write_bytes']) - int(said['cancelled_write_bytes'])
    return total


def one(server, folder, connections, messages):
    result = {}
    measure.deliver(server, WARMING, connections=connections)
    before, disk = written(server), measure.raw_disk(folder)
    with counted(server, result):
        rate = measure.deliver(server, messages, connections=connections)['visible']
        time.sleep(LATE_SECONDS)
    return {'flushes': result['flushes'] / messages, 'kib': (written(server) - before) / messages / 1024,
            'rate': rate, 'disk': (disk + measure.raw_disk(folder)) / 2}


def run(servers, folder, options, tell):
    """name of server -> name of row -> figures; `disk` is what it did in the same minute"""
    found = {}
    for server in servers:
        for name, connections, ours, theirs in ROWS[1:] if options.quick else ROWS:
            messages = max(int((ours if server.name == 'Postern' else theirs) * options.share), 20)
            tell(f'  flushes and octets: {server.name}: {name} ({messages} messages) ...')
            found.setdefault(server.name, {})[name] = one(server, folder, connections, messages)
    return found


def table(found, tell):
    tell('\nFor one message of 4 KiB; of what the disk flushed when asked one by one in the same minute')
    for server, by_row in found.items():
        for name, r in by_row.items():
            tell(f'  {server:22}{name:18}{r["flushes"]:7.2f} flushes{r["kib"]:9.1f} KiB{r["rate"]:8,.0f} messages/s'
                 f'{r["flushes"] * r["rate"] / r["disk"]:8.0%} of {r["disk"]:,.0f} a second')
