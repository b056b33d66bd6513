"""What was asked of one account and what was answered: facts, and what must be true if they are.

Clients note facts with the moments between which the server was asked and had
answered (`start`, `end`). Changes of different clients race: of two that
overlap in time either may have been first; one that ended before another
started was first. Each flag of a message is a register of its own: a value
that was read must come from a change that no opposite one, wholly between it
and the reading, has replaced. So the order is taken from the answers alone.
"""
import collections
import dataclasses
import math
import threading
import time

from stress.view import FLAGS

clock = time.monotonic


@dataclasses.dataclass
class Change:
    """Sets or takes flags; in doubt when no answer came (end is then infinite)."""
    start: float
    end: float
    on: frozenset
    off: frozenset


@dataclasses.dataclass
class Letter:
    """One message in one mailbox under one UID."""
    start: float                     # its creation
    end: float
    flags: object = None             # at first: a frozenset, or (letter, start, end) it was copied from; None: any
    name: bytes = None
    emailid: str = None
    size: int = None
    changes: list = dataclasses.field(default_factory=list)
    moved: tuple = None              # (start, end, by whom)
    made: tuple = None               # (start, end) of its creation, also when that was before the last checkpoint

    def __post_init__(self):
        self.made = self.made or (self.start, self.end)

    def might_have(self, flag, value, start, end):
        """Could a reading between start and end have said so?"""
        opposite = [c for c in self.changes if flag in (c.off if value else c.on)]
        return any(not any(o.start > s and o.start > e and o.end < start for o in opposite)
                   for s, e in self.moments(flag, value) if s < end)

    def moments(self, flag, value):
        """When it was given this value."""
        if self.first_might_have(flag, value):
            yield self.start, self.end
        for change in self.changes:
            if flag in (change.on if value else change.off):
                yield change.start, change.end

    def first_might_have(self, flag, value):
        if self.flags is None:
            return True
        if isinstance(self.flags, tuple):
            source, start, end = self.flags
            return source is None or source.might_have(flag, value, start, end)
        return (flag in self.flags) == value

    def surely_deleted(self, start, end):
        r"""\Deleted before start, and nobody took it off before end."""
        given = [(c.start, c.end) for c in self.changes if '\\Deleted' in c.on]
        given += [] if self.first_might_have('\\Deleted', False) else [(self.start, self.end)]
        off = [c.end for c in self.changes if '\\Deleted' in c.off and c.start < end]
        return any(e < start and all(o < s for o in off) for s, e in given)

    def wrong_flags(self, flags, start, end):
        """The flags of a reading that nothing explains."""
        return [f for f in FLAGS if not self.might_have(f, f in flags, start, end)]


@dataclasses.dataclass
class Doubt:
    """A command whose answer was lost: its messages may be there, each once more."""
    start: float
    names: list
    sources: dict = dataclasses.field(default_factory=dict)   # of MOVE: (MAILBOXID, uid) -> name
    whole: bool = False                                       # all of them or none
    found: list = dataclasses.field(default_factory=list)


class History:
    """Everything noted since the last checkpoint, and what stood then. Any thread may note."""

    def __init__(self):
        self.lock = threading.Lock()
        self.inbox = None             # its MAILBOXID
        self.ids = {}                 # UIDVALIDITY -> MAILBOXID
        self.notes = []               # facts, as functions of what they are about
        self.letters = {}             # (MAILBOXID, uid) -> Letter
        self.bodies = {}              # name -> the text behind the header
        self.unsettled = []           # born and changes in mailboxes whose id is not known yet
        self.sent = {}                # name -> (start, end) of deliveries that found no UID yet
        self.taken_by_pop = set()     # names of messages that POP3 removed
        self.doubts = []              # Doubt
        self.popped = []              # (emailid, login start, login end, start, end)
        self.snapshots = []           # (start, end, how often each EMAILID was in INBOX)
        self.expunges = []            # (MAILBOXID, uids or None, start, end)
        self.emptied = []             # RENAMEs of INBOX: (MAILBOXID of the new one, start, end)
        self.renames = collections.Counter()   # name -> how many of them RENAME took out of INBOX
        self.left_inbox = set()       # which ones, as far as one can tell
        self.seen = {}                # (MAILBOXID, uid) -> (name, size, emailid, date)
        self.states = {}              # (MAILBOXID, uid, modseq) -> flags
        self.reads = []               # (MAILBOXID, uid, start, end, flags, modseq, who)
        self.lists = []               # (MAILBOXID, start, end, uids, who)
        self.highest = collections.defaultdict(list)   # MAILBOXID -> (start, end, modseq, who)
        self.recents = {}             # (MAILBOXID, uid) -> the session that saw it as \Recent
        self.counts = collections.Counter()

    # What clients note.

    def note(self, count, where, *facts):
        with self.lock:
            self.counts[count] += 1
            where += facts

    def is_called(self, uidvalidity, mailboxid):
        with self.lock:
            before = self.ids.setdefault(uidvalidity, mailboxid)
        assert before == mailboxid, f'UIDVALIDITY {uidvalidity} belongs to {before} and to {mailboxid}'

    def writes(self, name, body):
        self.bodies[name] = body

    def born(self, uidvalidity, uids, span, first):
        """`first`: for each UID its name, and its flags or the (MAILBOXID, uid) it was copied from."""
        facts = [(uidvalidity, uid, span, one) for uid, one in zip(uids, first)]
        self.note('messages', self.unsettled, *facts)

    def changed(self, mailboxid, uids, span, on, off):
        facts = [('change', mailboxid, uid, Change(*span, frozenset(on), frozenset(off))) for uid in uids]
        self.note('changes', self.notes, *facts)

    def moved(self, mailboxid, uids, span, who):
        self.note('moves', self.notes, *[('moved', mailboxid, uid, (*span, who)) for uid in uids])

    def saw(self, mailboxid, uid, message):
        """What never changes of a message."""
        fact = (message.name, message.size, message.emailid, message.date)
        with self.lock:
            before = self.seen.setdefault((mailboxid, uid), fact)
        assert before == fact, f'message {uid} of {mailboxid} was {before}, is now {fact}'

    def state(self, mailboxid, uid, modseq, flags):
        """The flags of a message at one MODSEQ are the same for everybody."""
        with self.lock:
            before = self.states.setdefault((mailboxid, uid, modseq), flags)
        assert before == flags, f'message {uid} of {mailboxid} had at MODSEQ {modseq} {sorted(before)}, ' \
                                f'and had at the same {sorted(flags)}'

    def doubt(self, *fields):
        self.note('doubts', self.doubts, Doubt(*fields))

    def recent(self, mailboxid, uid, who):
        with self.lock:
            before = self.recents.setdefault((mailboxid, uid), who)
        assert before == who, f'message {uid} of {mailboxid} is \\Recent to {before} and to {who}'

    # What the facts say, once all is quiet.

    def is_gone(self, box, uid):
        return uid not in self.fresh.get(box, ())

    def settle(self, fresh):
        """Puts the facts of this round together. `fresh` is what there is now, of each mailbox its messages."""
        self.fresh, self.renames, self.left_inbox = fresh, collections.Counter(), set()
        born = [(self.ids.get(v), uid, span, one) for v, uid, span, one in self.unsettled]
        for box, uid, span, (name, first) in born:
            if box is None:     # it was deleted before anybody learned its id
                continue
            assert (box, uid) not in self.letters, f'UID {uid} of {box} was given twice'
            self.letters[box, uid] = Letter(*span, flags=first, name=name)
        for (box, uid), (name, size, emailid, _) in sorted(self.seen.items(), key=self.inbox_first):
            self.bind(box, uid, name)
            letter = self.letters[box, uid]
            assert letter.name == name, f'message {uid} of {box} is {name}, it was {letter.name}'
            letter.size, letter.emailid = size, emailid
        for letter in self.letters.values():
            if isinstance(letter.flags, tuple):
                source, start, end = letter.flags
                letter.flags = (self.letters.get(source), start, end)
        for kind, box, uid, fact in self.notes:
            self.apply(kind, box, uid, fact)
        self.unsettled, self.notes = [], []

    def apply(self, kind, box, uid, fact):
        letter = self.letters.get((box, uid))
        if letter is None:
            return
        if kind == 'change':
            letter.changes.append(fact)
            return
        assert letter.moved is None, f'message {uid} of {box} was moved away twice: {letter.moved}, {fact}'
        letter.moved = fact

    def inbox_first(self, item):
        """What RENAME took out of INBOX is known by what was in INBOX."""
        return item[0][0] != self.inbox

    def renamed(self, box, uid, name):
        """True where RENAME brought it here out of INBOX, with the flags that it had there."""
        moved = {(note[1], note[2]) for note in self.notes if note[0] == 'moved'}
        for _, start, end in [e for e in self.emptied if e[0] == box]:
            may = [key for key, letter in self.letters.items() if letter.name == name and key[0] == self.inbox
                   and self.is_gone(*key) and key not in moved and letter.start < end]
            left = [key for key in may if key not in self.left_inbox]
            if left:
                key = max(left, key=lambda k: self.letters[k].start)    # the others may be an earlier RENAME's
                self.left_inbox.add(key)
                self.renames[name] += 1
                first = (key, start, end) if len(may) == 1 else None
                self.letters[box, uid] = Letter(start, end, flags=first, name=name)
                return True
        return False

    def bind(self, box, uid, name):
        """A message nobody was told of at its birth: a delivery, or of a command whose answer was lost."""
        if (box, uid) in self.letters:
            return
        if self.renamed(box, uid, name):
            return
        if name in self.sent and (box == self.inbox or box in [e[0] for e in self.emptied]):
            self.letters[box, uid] = Letter(*self.sent.pop(name), flags=frozenset(), name=name)
            return
        for doubt in self.doubts:
            if name in doubt.names:
                doubt.names.remove(name)
                doubt.found.append(name)
                self.letters[box, uid] = Letter(doubt.start, math.inf, name=name)
                return
        raise AssertionError(f'nobody put {name} into {box} as UID {uid}')

    def forget(self, fresh):
        """From here on only what stands counts: `fresh` has of each mailbox its messages."""
        now = clock()
        self.letters = {key: Letter(now, now, m.flags, m.name, m.emailid, m.size, made=self.letters[key].made)
                        for box, messages in fresh.items() for uid, m in messages.items() if (key := (box, uid))}
        tops = {box: max(m.modseq for m in messages.values()) for box, messages in fresh.items() if messages}
        self.highest = collections.defaultdict(list)
        for box, top in tops.items():
            self.highest[box].append((now, now, top, 'the checkpoint'))
        for kept in (self.reads, self.lists, self.snapshots, self.popped, self.expunges, self.doubts, self.emptied):
            kept.clear()
        self.seen = {k: v for k, v in self.seen.items() if k in self.letters}
        self.states = {k: v for k, v in self.states.items() if k[:2] in self.letters}
