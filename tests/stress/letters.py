"""The clients that speak no IMAP: one sends by SMTP, one downloads by POP3."""
import collections
import math
import time

from kit import load, wire
from stress.history import clock
from stress.session import BROKEN

PAUSE = 0.03
SIZES = (200, 400, 1500, 5000, 90000)


class Sender:
    """Delivers; a message that was accepted is in INBOX once."""

    def __init__(self, crowd, name):
        self.crowd, self.name, self.smtp = crowd, name, None
        self.transcript = collections.deque(maxlen=60)

    def step(self, rng):
        time.sleep(rng.random() * PAUSE)
        name = f'{self.name}-{rng.getrandbits(48):x}'.encode()
        octets = load.message(name, rng.choice(SIZES))
        history = self.crowd.history
        history.writes(name, octets.split(b'\r\n\r\n', 1)[1])
        start, chunked = clock(), rng.random() < 0.3
        try:
            self.smtp = self.smtp or wire.Smtp(self.crowd.server.ports['smtp'])
            answer = self.smtp.message('load@example.net', [self.crowd.account], octets, chunked)
        except BROKEN:
            self.smtp = None
            self.refused(name, start)
            return
        self.transcript.append(f'{name.decode()}: {answer}')
        if answer.code != 250:
            self.refused(name, start)
            return
        with history.lock:
            history.counts['deliveries'] += 1
            # To an account that was just killed it may come later, by way of the queue.
            history.sent[name] = (start, math.inf if self.crowd.kills else clock())

    def refused(self, name, start):
        """Only where rooms are killed; then it may be there all the same."""
        assert self.crowd.kills, f'{name} was refused: {list(self.transcript)[-1:]}'
        self.crowd.history.doubt(start, [name])

    def settle(self):
        pass

    def close(self):
        if self.smtp:
            self.smtp.close()


class Popper:
    """Takes a snapshot, downloads, marks, and ends with QUIT, or without it: then nothing is removed."""

    def __init__(self, crowd, name):
        self.crowd, self.name, self.pop = crowd, name, None
        self.history = crowd.history
        self.transcript = collections.deque(maxlen=200)

    def say(self, text):
        line = self.pop.command(text)
        self.transcript.append(f'{text}: {line.decode()}')
        return line

    def lines(self, text):
        answer = self.say(text)
        assert answer.startswith(b'+OK'), answer
        return self.pop.rest()

    def step(self, rng):
        what = rng.choice([self.retrieve] * 4 + [self.mark] * 3 + [self.listed, self.reset, self.quit, self.drop])
        try:
            if not self.pop:
                self.begin()
            what(rng)
        except BROKEN:
            self.transcript.append('(end)')
            self.pop = None
            if not self.crowd.kills:
                raise

    def begin(self):
        start = clock()
        self.pop = self.crowd.log_in_by_pop()
        self.login = (start, clock())
        rows = [line.split() for line in self.lines('UIDL')]
        sizes = dict(line.split() for line in self.lines('LIST'))
        assert [int(n) for n, _ in rows] == list(range(1, len(rows) + 1)), rows
        self.ids = {int(n): i.decode() for n, i in rows}
        self.sizes = {int(n): int(size) for n, size in sizes.items()}
        self.marked, self.names = set(), {}
        self.history.note('snapshots', self.history.snapshots, (*self.login, collections.Counter(self.ids.values())))

    def left(self):
        return [n for n in self.ids if n not in self.marked]

    def retrieve(self, rng):
        """Others may have removed it; what comes is whole and what it was."""
        left = self.left()
        if not left:
            return
        number = left[int(rng.random() * len(left))]
        answer = self.say(f'RETR {number}')
        if not answer.startswith(b'+OK'):
            return
        octets = b''.join(line + b'\r\n' for line in self.pop.rest())
        name = load.name_if_whole(octets)
        assert len(octets) == self.sizes[number], f'LIST said {self.sizes[number]} octets, RETR gave {len(octets)}'
        assert self.names.setdefault(number, name) == name, f'message {number} was {self.names[number]}, is {name}'

    def mark(self, rng):
        """Only what was downloaded, and is the one message with its id."""
        count = collections.Counter(self.ids.values())
        may = [n for n in self.left() if n in self.names and count[self.ids[n]] == 1]
        if may:
            number = may[int(rng.random() * len(may))]
            assert self.say(f'DELE {number}').startswith(b'+OK')
            self.marked.add(number)

    def listed(self, rng):
        """The same numbers, ids and sizes until QUIT, whatever others do."""
        rows = [line.split() for line in self.lines('UIDL')]
        assert {int(n): i.decode() for n, i in rows} == {n: self.ids[n] for n in self.left()}
        said = self.say('STAT').split()
        assert [int(n) for n in said[1:3]] == [len(self.left()), sum(self.sizes[n] for n in self.left())], said

    def reset(self, rng):
        assert self.say('RSET').startswith(b'+OK')
        self.marked = set()

    def quit(self, rng):
        start = clock()
        try:
            said = self.say('QUIT')
        except BROKEN:
            self.note_removed((start, math.inf))
            raise
        sure = said.startswith(b'+OK')
        assert sure or self.crowd.kills, said
        self.note_removed((start, clock() if sure else math.inf))
        self.drop(rng)

    def note_removed(self, span):
        self.history.note('removed by POP3', self.history.popped,
                          *[(self.ids[n], *self.login, *span) for n in self.marked])
        self.history.taken_by_pop |= {self.names[n] for n in self.marked}

    def drop(self, rng):
        self.pop.close()
        self.pop = None

    def settle(self):
        pass

    def close(self):
        if self.pop:
            self.pop.close()
