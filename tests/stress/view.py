"""A mailbox as one client knows it: from nothing but what the server told this connection."""
import dataclasses

from stress import responses

SYSTEM = ('\\Seen', '\\Answered', '\\Flagged', '\\Deleted', '\\Draft')
KEYWORDS = ('red', '$Blue', 'Green3')
FLAGS = SYSTEM + KEYWORDS


@dataclasses.dataclass
class Message:
    """None: not told yet."""
    flags: frozenset = None
    modseq: int = None
    size: int = None
    date: bytes = None
    emailid: str = None
    name: bytes = None

    def told(self, one):
        """Takes what a FETCH response says."""
        if b'MODSEQ' in one:
            self.raise_modseq(int(one[b'MODSEQ'][0]))
        if b'FLAGS' in one:
            self.flags = frozenset(f.decode() for f in one[b'FLAGS']) - {'\\Recent'}
        if b'RFC822.SIZE' in one:
            self.keep('size', int(one[b'RFC822.SIZE']))
        if b'INTERNALDATE' in one:
            self.keep('date', one[b'INTERNALDATE'])
        if b'EMAILID' in one:
            self.keep('emailid', one[b'EMAILID'][0].decode())
        for item, value in one.items():
            if item.startswith(b'BODY[HEADER.FIELDS'):
                self.keep('name', value.split()[1])

    def keep(self, what, value):
        before = getattr(self, what)
        assert before in (None, value), f'{what} was {before}, is now {value}'
        setattr(self, what, value)

    def raise_modseq(self, modseq):
        assert modseq > 0, 'a MODSEQ of 0'
        assert self.modseq is None or modseq >= self.modseq, f'MODSEQ fell from {self.modseq} to {modseq}'
        self.modseq = modseq

    @property
    def complete(self):
        return None not in (self.flags, self.size, self.name)


class View:
    """The selected mailbox. `uids` has a place for each message number; None where the UID was not told yet."""

    def __init__(self, name, writes, before=None):
        """`before`: the view of an earlier connection, to be brought up to date by QRESYNC."""
        self.mailbox = name
        self.writes = writes
        self.id = None
        self.uidvalidity = None
        self.highest = 0      # all changes up to this MODSEQ were told
        self.uids = []
        self.messages = {}
        self.top = 0          # the highest UID heard of
        self.opened, self.arrived = False, 0    # whether EXISTS was heard; how many came after the first
        self.before = before
        self.cached = dict(before.messages) if before else {}
        self.earlier = set()

    # What the server says.

    def exists(self, count):
        assert count >= len(self.uids), f'EXISTS {count}, but {len(self.uids)} were there and none was expunged'
        self.arrived += count - len(self.uids) if self.opened else 0
        self.opened = True
        self.uids += [None] * (count - len(self.uids))

    def expunge(self, number):
        assert 1 <= number <= len(self.uids), f'EXPUNGE {number} of {len(self.uids)}'
        uid = self.uids.pop(number - 1)
        self.messages.pop(uid, None)
        return uid

    def vanished(self, uid):
        """A UID that was not told has one of the places without UID."""
        assert uid not in self.earlier, f'VANISHED {uid} was told as EARLIER already'
        del self.uids[self.place_of(uid)]
        self.messages.pop(uid, None)
        self.cached.pop(uid, None)

    def place_of(self, uid):
        """Its place; where it was not told, the first one without UID behind all that are lower."""
        lower = max((n for n, u in enumerate(self.uids) if u is not None and u <= uid), default=-1)
        if lower >= 0 and self.uids[lower] == uid:
            return lower
        assert self.uids[lower + 1:lower + 2] == [None], f'VANISHED {uid}, which is not there'
        return lower + 1

    def vanished_earlier(self, uid):
        """RFC 7162 3.2.10.1: numbers stay as they are, so it is never a message of this mailbox as selected."""
        assert uid not in self.messages, f'VANISHED (EARLIER) {uid}, which is there'
        self.earlier.add(uid)
        self.cached.pop(uid, None)

    def is_valid(self, uidvalidity):
        self.uidvalidity = uidvalidity
        if self.before and self.before.uidvalidity != uidvalidity:
            self.before, self.cached = None, {}

    def put_back(self, limited):
        """Messages that QRESYNC did not speak of are as they were; there is a number for each, and unless the
        client named the UIDs it knew, none is left over. With another UIDVALIDITY nothing is known."""
        if not self.before:
            return
        places = [n for n, u in enumerate(self.uids, 1) if u is None]
        kept = sorted(self.cached)
        fits = len(places) - len(kept) >= 0 and (limited or len(places) - len(kept) <= self.arrived)
        assert fits, f'{len(kept)} messages should be there still, there are {len(places)} numbers for them'
        for number, uid in zip(places, kept):
            self.place(number, uid)

    def fetched(self, number, pieces, start):
        """Takes a FETCH response; gives (UID or None, the items)."""
        assert 1 <= number <= len(self.uids), f'FETCH {number} of {len(self.uids)}'
        one = responses.items(pieces, start)
        uid = self.uids[number - 1]
        if b'UID' in one:
            told = int(one[b'UID'])
            assert uid in (None, told), f'message {number} had UID {uid} and has now {told}'
            if uid is None:
                uid = self.place(number, told)
        if uid is not None:
            self.messages[uid].told(one)
        return uid, one

    def place(self, number, uid):
        before = next((u for u in reversed(self.uids[:number - 1]) if u is not None), 0)
        behind = next((u for u in self.uids[number:] if u is not None), uid + 1)
        assert before < uid < behind, f'UIDs do not ascend: {before}, {uid}, {behind}'
        self.uids[number - 1] = uid
        self.messages[uid] = self.cached.pop(uid, None) or Message()
        self.top = max(self.top, uid)
        return uid

    # What the client asks of itself.

    def number(self, uid):
        return self.uids.index(uid) + 1

    def known(self):
        return [u for u in self.uids if u is not None]

    def unknown(self):
        """The first message number about which something is not known, or None."""
        return next((n for n, u in enumerate(self.uids, 1) if u is None or not self.messages[u].complete), None)

    def see(self, modseq):
        self.highest = max(self.highest, modseq)

    def synchronised(self):
        """Everything that was to be told has been told."""
        for message in self.messages.values():
            self.see(message.modseq or 0)
