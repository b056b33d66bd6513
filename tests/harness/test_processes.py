"""The tools that look at processes."""
import mmap
import os
import signal
import subprocess
import time

from kit import processes


def test_rooms_are_known_by_their_title():
    assert processes.room_of('postern: account 42') == 'account'
    assert processes.room_of('postern: edge-mx 1') == 'edge-mx'
    assert processes.room_of('/usr/lib/postern/posternd') == 'posternd'


def test_a_tree_has_its_root_and_descendants():
    with subprocess.Popen(['sh', '-c', 'sleep 30 & sleep 30; true']) as shell:
        time.sleep(0.2)
        found = processes.tree(shell.pid)
        assert found[0].pid == shell.pid
        assert sorted(p.room for p in found) == ['sh', 'sleep', 'sleep']
        for process in found:
            process.signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while any(p.alive() for p in found):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_cpu_and_memory_are_seen():
    me = processes.read(os.getpid())
    before = me.cpu_seconds()
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
    assert 0.2 <= me.cpu_seconds() - before < 2
    kib = me.private_kib()
    with mmap.mmap(-1, 20 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as ballast:    # no memory that was there
        ballast.write(b'x' * len(ballast))
        assert me.private_kib() - kib > 19 * 1024


def test_status_is_read():
    status = processes.read(os.getpid()).status()
    assert status['Seccomp'] in ('0', '2') and status['Uid'].split()[0] == str(os.getuid())
