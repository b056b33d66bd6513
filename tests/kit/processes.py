"""The processes of a server, as /proc shows them."""
import dataclasses
import os
import pathlib


@dataclasses.dataclass
class Process:
    pid: int
    parent: int
    room: str         # what it calls itself: argv[0] is "postern: account 42"
    number: int       # the 42
    started: int      # in clock ticks after boot: tells a process from a later one with its number

    def signal(self, number):
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass

    def alive(self):
        now = read(self.pid)
        return now is not None and now.started == self.started

    def status(self):
        """/proc/PID/status as a dictionary."""
        text = pathlib.Path(f'/proc/{self.pid}/status').read_text()
        return dict(line.split(':\t', 1) if ':\t' in line else (line.rstrip(':'), '') for line in text.splitlines())

    def cpu_seconds(self):
        """Its own and its reaped children's, user and system."""
        fields = stat_fields(self.pid)
        return sum(map(int, fields[11:15])) / os.sysconf('SC_CLK_TCK') if fields else 0.0

    def private_kib(self):
        """Memory nobody shares: what the machine gets back when the process ends."""
        return sum_of_smaps(self.pid, ('Private_Clean', 'Private_Dirty'))


def stat_fields(pid):
    """The fields of /proc/PID/stat after the name, or None when it is gone."""
    try:
        text = pathlib.Path(f'/proc/{pid}/stat').read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text[text.rindex(')') + 2:].split()


def read(pid):
    fields = stat_fields(pid)
    if not fields or fields[0] in 'ZX':
        return None
    try:
        called = pathlib.Path(f'/proc/{pid}/cmdline').read_bytes().split(b'\0')[0].decode('utf-8', 'replace')
        name = called or pathlib.Path(f'/proc/{pid}/comm').read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Process(pid, int(fields[1]), room_of(name), number_of(name), int(fields[19]))


def room_of(title):
    """'account' of "postern: account 42"; of anything else its base name."""
    if title.startswith('postern: '):
        return title.split()[1]
    return title.rsplit('/', 1)[-1]


def number_of(title):
    found = title.split()[2:3] if title.startswith('postern: ') else []
    return int(found[0]) if found and found[0].isdigit() else 0


def everything():
    return [p for p in (read(int(e)) for e in os.listdir('/proc') if e.isdigit()) if p]


def tree(root):
    """The process `root` and all its descendants, parents first."""
    everyone = everything()
    children = {}
    for process in everyone:
        children.setdefault(process.parent, []).append(process)
    found = [p for p in everyone if p.pid == root]
    for process in found:
        found += children.get(process.pid, [])
    return found


def sum_of_smaps(pid, names):
    total = 0
    for line in pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()[1:]:
        name, value = line.split(':')
        if name in names:
            total += int(value.split()[0])
    return total
