"""One IMAP client: its connection, its view, and what every answer must keep to."""
import collections
import math
import select
import ssl

from kit import wire
from stress import responses
from stress.history import clock
from stress.view import View

QUIET = ('FETCH', 'STORE', 'SEARCH')    # with message numbers: RFC 9051 7.5.1, no EXPUNGE meanwhile
TRANSCRIPT = 400
BROKEN = (wire.Closed, ConnectionError, ssl.SSLError)
ATTEMPTS = 50


class Answered:
    """One command and what came of it."""

    def __init__(self, answer, span):
        self.ok, self.text, self.untagged = answer.ok, answer.text, answer.untagged
        self.status, self.span = answer.status, span

    def one(self, pattern):
        """The first match in the tagged answer or in an untagged OK."""
        lines = [self.text] + [u[0] for u in self.untagged if u[0].startswith(b'* OK')]
        return next((found for line in lines if (found := pattern.search(line))), None)


class Dropped(Exception):
    """The server ended this connection because the selected mailbox was deleted."""


class Session:
    def __init__(self, crowd, name, enable=()):
        self.crowd = crowd
        self.history = crowd.history
        self.name = name
        self.enable = enable
        self.view = None
        self.away = None        # the view of a connection that was given up
        self.at_stake = None    # notes the doubt when the answer to the command at hand is lost
        self.owed = set()       # UIDs that were not answered for: the next NOOP must take them away
        self.transcript = collections.deque(maxlen=TRANSCRIPT)
        self.connect()

    def has(self, *extensions):
        return any(e in self.enable for e in extensions)

    @property
    def tells_modseq(self):
        return self.has('CONDSTORE', 'QRESYNC')

    def connect(self):
        self.view, self.owed = None, set()
        self.wire = self.crowd.log_in(self.tls)
        self.transcript.append('--- connected')
        if self.enable:
            said = self.do('ENABLE ' + ' '.join(self.enable))
            assert said.ok and all(e.encode() in said.untagged[0][0] for e in self.enable), said.untagged

    def close(self):
        self.wire.close()

    # Speaking.

    def do(self, text, *literals):
        """Sends a command; takes in all that is said until its answer. NO is an answer, BAD is not."""
        words = text.split()
        self.verb, self.quiet = words[0], words[0] in QUIET
        self.flags_told, self.answered_for, self.gone = set(), set(), []
        self.transcript.append(f'C: {text[:300]}')
        start = clock()
        try:
            answer = self.wire.command(text, *literals)
        except BROKEN as closed:
            self.in_doubt(start)
            self.lost(closed)
        if self.crowd.kills and b'[UNAVAILABLE]' in answer.text:
            self.in_doubt(start)
            self.lost(answer.text.decode())
        self.at_stake = None
        span = (start, clock())
        for pieces in answer.untagged:
            self.hear(pieces)
        self.transcript.append(f'S: {answer.status} {answer.text.decode()[:300]}')
        assert answer.status != 'BAD', f'{text}: {answer.text.decode()}'
        return Answered(answer, span)

    def in_doubt(self, start):
        if self.at_stake:
            self.at_stake((start, math.inf))
        self.at_stake = None

    def lost(self, closed):
        """RFC 2180 3.4: who has a mailbox selected that another session deletes may be sent away."""
        said = str(closed)
        self.transcript.append(f'S: (end) {said[-300:]}')
        view = self.view
        self.close()
        self.connect()
        assert self.crowd.kills or (view and self.crowd.is_passing(view.mailbox)), said
        raise Dropped from None

    def hear(self, pieces):
        line = pieces[0]
        self.transcript.append('S: ' + b' '.join(p[:200] for p in pieces).decode('utf-8', 'replace')[:400])
        if found := responses.NUMBERED.match(line):
            self.numbered(int(found[1]), found[2], pieces, found.end())
        elif found := responses.VANISHED.match(line):
            self.vanished(responses.numbers(found[2]), earlier=bool(found[1]))
        elif line.startswith(b'* OK ['):
            self.code(line)

    def numbered(self, number, word, pieces, start):
        assert self.view, f'a message number without a selected mailbox: {pieces[0]!r}'
        if word == b'EXISTS':
            self.view.exists(number)
        elif word == b'EXPUNGE':
            assert not self.has('QRESYNC'), 'EXPUNGE where QRESYNC is enabled'
            self.removed(self.view.expunge(number))
        elif word == b'FETCH':
            self.fetched(*self.view.fetched(number, pieces, start))

    def removed(self, uid):
        assert not self.quiet, f'a message was expunged during {self.verb}'
        self.gone.append(uid)
        self.owed.discard(uid)

    def vanished(self, uids, earlier):
        assert self.has('QRESYNC'), 'VANISHED without QRESYNC'
        for uid in uids:
            if earlier:
                self.view.vanished_earlier(uid)
            else:
                self.view.vanished(uid)
                self.removed(uid)

    def fetched(self, uid, one):
        if uid is None:
            return
        message = self.view.messages[uid]
        self.answered_for.add(uid)
        if b'FLAGS' in one:
            self.flags_told.add(uid)
            if b'\\Recent' in one[b'FLAGS'] and self.view.writes:
                assert 'IMAP4rev2' not in self.enable, r'\Recent where IMAP4rev2 is enabled'
            if b'\\Recent' in one[b'FLAGS'] and self.view.writes and not self.crowd.kills:
                self.history.recent(self.view.id, uid, f'{self.name} {id(self.view)}')
            if b'MODSEQ' in one:
                self.history.state(self.view.id, uid, message.modseq, message.flags)
        if message.complete and message.emailid:
            self.history.saw(self.view.id, uid, message)

    def code(self, line):
        if not self.view:
            return
        if mailboxid := responses.code(line, b'MAILBOXID'):
            self.view.id = mailboxid
        if uidvalidity := responses.code(line, b'UIDVALIDITY'):
            self.view.is_valid(uidvalidity)
        if modseq := responses.code(line, b'HIGHESTMODSEQ'):
            self.view.see(modseq)

    # What every client does now and then.

    def select(self, name, command='SELECT', more='', before=None):
        """Opens a mailbox; True when it is there. Messages are not asked for yet."""
        self.view, self.owed = View(name, command == 'SELECT', before), set()
        said = self.do(f'{command} "{name}"{more}')
        if not said.ok:
            assert self.crowd.is_passing(name), said.text
            self.view = None
            return None
        assert (b'READ-WRITE' if self.view.writes else b'READ-ONLY') in said.text, said.text
        self.history.is_called(self.view.uidvalidity, self.view.id)
        self.note_highest(self.view.id, said.span, self.view.highest)
        return said

    def note_highest(self, mailboxid, span, modseq):
        self.history.note('modseqs', self.history.highest[mailboxid],
                          (*span, modseq, f'{self.name} by HIGHESTMODSEQ'))

    def learn(self):
        """Asks for what was not told of the messages that are there."""
        more = ' MODSEQ' if self.tells_modseq else ''
        for attempt in range(ATTEMPTS):
            first = self.view and self.view.unknown()
            if not first:
                return
            wanted = f'(UID FLAGS RFC822.SIZE INTERNALDATE EMAILID{more} BODY.PEEK[HEADER.FIELDS (X-CHECK)])'
            before = max([u for u in self.view.uids[:first - 1] if u], default=0)
            self.do(f'FETCH {first}:* {wanted}' if attempt % 2 == 0 else f'UID FETCH {before + 1}:* {wanted}')
            if self.view.unknown() == first:
                self.do('NOOP')    # it was removed meanwhile
        raise AssertionError(f'of message number {self.view.unknown()} nothing can be learnt')

    def noop(self, rng=None):
        """After it the view is what the mailbox was at some moment during it."""
        said = self.do('NOOP')
        if not self.view:
            return
        still = self.owed & set(self.view.uids)
        assert not still, f'{sorted(still)} were not answered for, and NOOP did not expunge them'
        self.owed = set()
        if self.view.unknown():
            return
        self.view.synchronised()
        who, box = self.name, self.view.id
        self.history.note('lists', self.history.lists, (box, *said.span, frozenset(self.view.uids), who))
        known = [(u, m) for u, m in self.view.messages.items() if m.flags is not None]
        if rng and len(known) > 12:
            known = rng.sample(known, 12)
        self.history.note('reads', self.history.reads, *[
            (box, u, *said.span, m.flags, m.modseq if self.tells_modseq else None, who) for u, m in known])

    def expect_answers(self, uids):
        """Messages that were asked about and not answered for were removed, and the client will be told."""
        self.owed |= {u for u in uids if u not in self.answered_for and u in self.view.messages}

    # IDLE (RFC 2177).

    def idle_begin(self):
        self.verb, self.quiet = 'IDLE', False
        self.flags_told, self.answered_for, self.gone = set(), set(), []
        self.say_and_hear(b'i IDLE', b'+')

    def idle_hear(self, seconds):
        """Takes in what comes until nothing has come for that long."""
        try:
            while self.something_comes(seconds):
                self.hear(self.wire.response())
        except BROKEN as closed:
            self.lost(closed)

    def something_comes(self, seconds):
        socket = self.wire.socket
        return self.wire.pending or self.tls and socket.pending() or select.select([socket], [], [], seconds)[0]

    def idle_end(self):
        said = self.say_and_hear(b'DONE', b'i ')
        assert said.startswith(b'i OK'), said

    def say_and_hear(self, line, until):
        self.transcript.append(f'C: {line.decode()}')
        try:
            self.wire.send(line + b'\r\n')
            while not (pieces := self.wire.response())[0].startswith(until):
                self.hear(pieces)
        except BROKEN as closed:
            self.lost(closed)
        self.transcript.append(f'S: {pieces[0].decode()}')
        return pieces[0]

    # Coming back (RFC 7162 3.2.5).

    def go_away(self, rng):
        """Keeps what it knows, and nothing else."""
        self.away = self.view
        if rng.random() < 0.3:
            self.do('LOGOUT')
        self.close()
        self.view = None

    def come_back(self, rng):
        old, self.away = self.away, None
        self.connect()
        form = rng.choice(['', '', f' 1:{old.top or 1}', f' 1:{old.top or 1} {pairs(old, rng)}'])
        said = self.select(old.mailbox, 'SELECT' if old.writes else 'EXAMINE',
                           f' (QRESYNC ({old.uidvalidity} {max(old.highest, 1)}{form.rstrip()}))', old)
        if said:
            self.history.note('resynchronised', self.history.notes)
            self.view.put_back(limited=bool(form))


def pairs(view, rng):
    """Some message numbers and their UIDs, as the client has them."""
    chosen = sorted(rng.sample(range(len(view.uids)), min(5, len(view.uids))))
    if not chosen:
        return ''
    return f'({",".join(str(n + 1) for n in chosen)} {",".join(str(view.uids[n]) for n in chosen)})'
