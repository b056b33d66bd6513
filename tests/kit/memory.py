"""What lies in the memory of a running process: for tests that look for what must not be there."""
import re

CHUNK = 1 << 20


def searched(pid, wanted):
    """The names of those of `wanted` (name -> bytes) that stand in the process's readable memory."""
    found = set()
    most = max(map(len, wanted.values()))
    for start, end in areas(pid):
        kept = b''
        for piece in pieces(pid, start, end):
            held = kept + piece
            found.update(name for name, octets in wanted.items() if octets in held)
            kept = held[-most:]
    return found


def areas(pid):
    for line in open(f'/proc/{pid}/maps'):
        place, rights, *_ = line.split()
        if rights.startswith('r') and not re.search(r'\[v(var|syscall)', line):
            yield tuple(int(part, 16) for part in place.split('-'))


def pieces(pid, start, end):
    with open(f'/proc/{pid}/mem', 'rb', buffering=0) as memory:
        while start < end:
            try:
                memory.seek(start)
                octets = memory.read(min(CHUNK, end - start))
            except OSError:    # guard pages, device memory
                octets = b''
            if octets:
                yield octets
            start += len(octets) or CHUNK
