"""How the bench measures: load until everything is visible by IMAP, CPU and memory of a whole server."""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import platform
import resource
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from kit import paths, wire  # noqa: E402
import meter  # noqa: E402

LOAD = paths.ROOT / 'build' / 'tests' / 'bench' / 'load'
POLL_SECONDS = 0.01
VISIBLE_SECONDS = 60
SETTLE_SECONDS = 1
LOAD_SECONDS = 25
SIZE = 4096              # octets of a message, where nothing else is said
RAW_OCTETS, RAW_SLOTS_MIN = 1 << 20, 4    # what one writer of the raw disk's measure goes round in
IDLE_SECONDS = 10    # after which stacks, buffers and caches went back


METERS = {}    # server -> Meter


@contextlib.contextmanager
def metered(server):
    """A server whose CPU time is asked for, from before its start to after its end."""
    METERS[server] = meter.Meter(server, f'{os.getpid()}-{len(METERS)}')
    try:
        yield METERS[server]
    finally:
        METERS.pop(server).close()


def cpu_seconds(server):
    return METERS[server].seconds()


def restarted(server):
    METERS[server].take_in()


def private_kib(server, *rooms):
    """Private memory of its processes, or of those of the named rooms."""
    total = 0
    for process in server.processes():
        if not rooms or process.room in rooms:
            with contextlib.suppress(OSError):
                total += process.private_kib()
    return total


class Watcher:
    """An IMAP session for each account, to see when messages are there."""

    def __init__(self, server):
        self.sessions = []
        for user in server.users:
            session = wire.Imap(server.ports['imap'], timeout=60)
            session.login(user, server.password)
            self.sessions.append(session)

    def counts(self):
        return [s.status() for s in self.sessions]

    def wait(self, wanted):
        """Returns when each account holds as many messages as wanted; the time it was."""
        deadline = time.monotonic() + VISIBLE_SECONDS
        for session, count in zip(self.sessions, wanted):
            while session.status() < count:
                if time.monotonic() > deadline:
                    raise TimeoutError('not everything that was accepted became visible')
                time.sleep(POLL_SECONDS)
        return time.monotonic()

    def close(self):
        for session in self.sessions:
            session.close()


def spread(messages, recipients, users):
    """How many copies each account gets from a run of the load generator."""
    each = [0] * users
    for number in range(messages):
        for i in range(recipients):
            each[(number * recipients + i) % users] += 1
    return each


def middle(results, key):
    return statistics.median(r[key] for r in results)


def deliver(server, messages, connections, size=SIZE, recipients=1, per_connection=0, starttls=False):
    """One run of load; what came of it, as a dictionary."""
    watcher = Watcher(server)
    before = watcher.counts()
    cpu = cpu_seconds(server)
    argv = [LOAD, '--port', server.ports['smtp'], '--connections', connections, '--messages', messages, '--size', size,
            '--recipients', recipients, '--users', len(server.users), '--per-connection', per_connection, '--seconds', LOAD_SECONDS,
            *(['--starttls'] if starttls else [])]
    started = time.monotonic()
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f'load: {done.stderr.strip()}')
    said = json.loads(done.stdout)
    if said['errors']:
        raise RuntimeError(f'{server.name}: {said["errors"]} errors, the first: {said["first_error"]}')
    if said['messages'] != messages:
        raise RuntimeError(f'{server.name}: {said["messages"]} of {messages} messages were taken in {LOAD_SECONDS} s')
    added = spread(messages, recipients, len(server.users))
    seen = watcher.wait([b + a for b, a in zip(before, added)])
    seconds = seen - started
    time.sleep(SETTLE_SECONDS)
    cpu = cpu_seconds(server) - cpu
    watcher.close()
    copies = messages * recipients
    return {'accepted': said['rate'], 'visible': copies / seconds, 'cpu': cpu * 1000 / copies, 'p50': said['p50_ms'],
            'p99': said['p99_ms'], 'load_cpu': said['own_cpu']}


def allow_files(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count)), hard))


def idle_tls_sessions(server, users, sessions):
    """Opens TLS IMAP sessions that say nothing more; the server's private memory before, with and after them, by room."""
    allow_files(sessions + 500)
    before = by_room(server)
    opened = []
    for number in range(sessions):
        session = wire.Imap(server.ports['imaps'], tls=True, timeout=60)
        session.login(users[number % len(users)], server.password)
        session.select()
        opened.append(session)
    time.sleep(IDLE_SECONDS)
    after = by_room(server)
    for session in opened:
        session.close()
    time.sleep(IDLE_SECONDS)
    return before, after, by_room(server)


def by_room(server):
    """room -> (processes, private KiB)"""
    found = {}
    for process in server.processes():
        with contextlib.suppress(OSError):
            count, kib = found.get(process.room, (0, 0))
            found[process.room] = (count + 1, kib + process.private_kib())
    return found


def raw_disk(folder, group=1, seconds=1.0):
    """Flushed writes of 4 KiB a second on this disk, `group` of them to a flush."""
    file = pathlib.Path(folder) / 'raw'
    block, count, blocks = os.urandom(4096) * group, 0, 8192
    file.write_bytes(bytes(4096 * (blocks + group)))    # so that a write changes no metadata
    fd = os.open(file, os.O_WRONLY)
    os.fsync(fd)
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        os.pwrite(fd, block, (count % blocks) * 4096)
        os.fdatasync(fd)
        count += group
    taken = time.monotonic() - started
    os.close(fd)
    file.unlink()
    return count / taken


def raw_writer(file, block, slots, until):
    """One after the other into a file that is there already; how many until that time."""
    count, fd = 0, os.open(file, os.O_WRONLY)
    while time.monotonic() < until:
        os.pwrite(fd, block, (count % slots) * len(block))
        os.fdatasync(fd)
        count += 1
    os.close(fd)
    return count


def raw_disk_at_once(folder, size, writers, seconds=0.5):
    """Flushed writes of `size` octets a second on this disk by as many at once, each into a file of its own."""
    block, slots = os.urandom(size), max(RAW_OCTETS // size, RAW_SLOTS_MIN)
    files = [pathlib.Path(folder) / f'raw-{number}' for number in range(writers)]
    for file in files:
        with file.open('wb') as out:
            out.write(bytes(size * slots))
            os.fsync(out.fileno())
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(writers) as pool:
        counts = list(pool.map(lambda file: raw_writer(file, block, slots, started + seconds), files))
    taken = time.monotonic() - started
    for file in files:
        file.unlink()
    return sum(counts) / taken


def machine(folder):
    model = 'unknown CPU'
    for line in pathlib.Path('/proc/cpuinfo').read_text().splitlines():
        if line.startswith('model name'):
            model = line.split(':', 1)[1].strip()
            break
    memory = int(pathlib.Path('/proc/meminfo').read_text().split()[1]) >> 20
    disk = subprocess.run(['stat', '-f', '-c', '%T', folder], capture_output=True, text=True).stdout.strip()
    return f'{os.cpu_count()} x {model}, {memory} GiB, Linux {platform.release()}, {disk}'
