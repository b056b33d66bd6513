"""Several clients at work on one account, and the checkpoints where everything must agree."""
import random
import signal
import threading
import time

from kit import paths, wire
from stress import judge, letters, reading, responses, steps
from stress.history import History
from stress.session import BROKEN, Dropped, Session
from stress.view import Message

FIXED = ('INBOX', 'Work', 'Archive')
WEIGHTS = ((26, steps.store), (6, steps.copy), (6, steps.move), (6, steps.expunge), (3, steps.leave), (3, steps.append),
           (5, steps.mailboxes), (2, steps.names), (4, steps.status), (12, steps.noop), (16, reading.fetch),
           (10, reading.search))
ALL = ' '.join(['UID', 'FLAGS', 'MODSEQ', 'RFC822.SIZE', 'INTERNALDATE', 'EMAILID',
                'BODY.PEEK[HEADER.FIELDS (X-CHECK)]'])
LAST_WORDS = 60
BACK_SECONDS = 15 * paths.SLOWER
PAUSE = 0.02


class Client(Session):
    """An IMAP client with habits."""

    def __init__(self, crowd, name, enable=(), more=(), uid_only=False, examines=0.1, tls=False):
        self.uid_only, self.examines, self.tls = uid_only, examines, tls
        self.own = {}       # the mailboxes it has made: name -> MAILBOXID
        self.unsure = False
        self.table = WEIGHTS + tuple(more)
        super().__init__(crowd, name, enable)

    def step(self, rng):
        try:
            if self.away:
                self.stay_away(rng)
            else:
                self.act(rng)
        except Dropped:
            self.history.counts['dropped'] += 1
            if self.unsure:
                steps.look_again(self)

    def act(self, rng):
        what, = rng.choices([one for _, one in self.table], [weight for weight, _ in self.table])
        if not self.view:
            steps.enter(self, rng)
        if self.view:
            self.learn()
            what(self, rng)
        self.learn()

    def stay_away(self, rng):
        time.sleep(PAUSE)
        if rng.random() < 0.4:
            self.come_back(rng)
            self.learn()

    def settle(self):
        """At a checkpoint: who waits in IDLE is told everything without asking; then NOOP has no news."""
        try:
            if self.away:
                self.come_back(random.Random(self.crowd.seed))
                self.learn()
            if self.crowd.kills:    # who lost the connection learns it here
                self.do('NOOP')
        except Dropped:
            pass
        try:
            if self.crowd.kills:
                steps.look_again(self)
            self.idle_begin()
            self.idle_hear(0.02)
            told = self.view and (list(self.view.uids), {u: (m.flags, m.modseq) for u, m in self.view.messages.items()})
            self.idle_end()
            self.noop()
            now = self.view and (self.view.uids, {u: (m.flags, m.modseq) for u, m in self.view.messages.items()})
            assert told == now, f'{self.name}: IDLE left it with {told}, NOOP with {now}'
            self.learn()
        except Dropped:
            pass


def clients(crowd):
    """The cast: at least one of each kind."""
    wait, back, empty = (20, steps.idle), (12, steps.go_away), (2 if paths.SOAK else 0, steps.rename_inbox)
    return [
        Client(crowd, 'plain', more=[empty]),
        Client(crowd, 'numbers', more=[wait], examines=0.5, tls=True),
        Client(crowd, 'uids', uid_only=True),
        Client(crowd, 'rev2', ['IMAP4rev2'], more=[empty]),
        Client(crowd, 'condstore', ['CONDSTORE']),
        Client(crowd, 'newest', ['IMAP4rev2', 'CONDSTORE'], uid_only=True, tls=True),
        Client(crowd, 'qresync', ['QRESYNC'], more=[back]),
        Client(crowd, 'commuter', ['QRESYNC', 'IMAP4rev2'], more=[back, back, wait], uid_only=True),
        letters.Sender(crowd, 'sender'),
        letters.Popper(crowd, 'popper'),
    ]


class Crowd:
    """One run: rounds of steps by all clients at once, a checkpoint behind each."""

    def __init__(self, server, account, seed, kills=()):
        """`kills`: rooms of which a process is killed in each round; None: the whole server."""
        self.server, self.account, self.seed, self.kills = server, account, seed, kills
        self.history = History()
        self.problems = []
        self.prepare()
        self.clients = clients(self)

    def prepare(self):
        with self.log_in() as imap:
            for name in FIXED:
                if name != 'INBOX':
                    imap.command(f'CREATE "{name}"')
            self.history.inbox = self.read(imap, 'INBOX')[0]
            imap.command('SETQUOTA "" (STORAGE 1000000)')

    def log_in(self, tls=False):
        """An IMAP connection; where rooms are killed it may need some patience."""
        deadline = time.monotonic() + BACK_SECONDS
        while True:
            try:
                imap = wire.Imap(self.server.ports['imaps' if tls else 'imap'], tls=tls)
                answer = imap.command(f'LOGIN "{self.account}" "{self.server.password}"')
                if answer.ok:
                    return imap
                assert self.kills, answer.text
            except BROKEN:
                assert self.kills, 'the server closes the connection at login'
            assert time.monotonic() < deadline, 'nobody can log in'
            time.sleep(PAUSE)

    def log_in_by_pop(self):
        with self.log_in():    # so that the account is there
            pop = wire.Pop3(self.server.ports['pop3'])
        answer = pop.login(self.account, self.server.password)
        if not answer.startswith(b'+OK'):
            assert self.kills, answer
            raise wire.Closed(answer)
        return pop

    def is_passing(self, name):
        """A mailbox that its maker may rename or delete at any time."""
        return name.startswith('s-')

    def some_mailbox(self, rng):
        """One that stays, or one that its maker has now, had, or will have."""
        at, who, what = rng.random(), rng.randrange(8), rng.choice(steps.NAMES)
        if at < 0.75:
            return FIXED[0 if at < 0.5 else 1 if at < 0.65 else 2]
        there = sorted(n for c in self.clients if isinstance(c, Client) for n in list(c.own))
        if at < 0.95 and there:
            return there[int(at * 1000) % len(there)]
        return f's-{self.clients[who].name}-{what}'

    # A round.

    def round(self, number, count):
        threads = [threading.Thread(target=self.work, args=(client, number, count), daemon=True)
                   for client in self.clients]
        for thread in threads:
            thread.start()
        if self.kills:
            self.kill(random.Random(f'{self.seed}/kill/{number}'))
        for thread in threads:
            thread.join(60 * paths.SLOWER)
            assert not thread.is_alive(), 'a client hangs'
        self.report()
        self.checkpoint()

    def kill(self, rng):
        time.sleep(rng.uniform(0.1, 0.8))
        room = rng.choice(self.kills)
        self.history.counts['kills'] += 1
        if room is None:
            self.server.kill()
            self.server.start()
            return
        for process in self.server.processes():
            if process.room == room:
                process.signal(signal.SIGKILL)

    def work(self, client, number, count):
        for step in range(count):
            if self.problems:
                return
            rng = random.Random(f'{self.seed}/{client.name}/{number}/{step}')
            try:
                client.step(rng)
            except Exception as problem:    # the main thread tells it
                problem.add_note(f'round {number}, step {step}') if hasattr(problem, 'add_note') else None
                self.problems.append((client, problem))
                return

    def report(self):
        if not self.problems:
            return
        client, problem = self.problems[0]
        raise AssertionError(f'{client.name}: {type(problem).__name__}: {problem}\nIts last words:\n  ' +
                             '\n  '.join(list(client.transcript)[-LAST_WORDS:])) from problem

    # A checkpoint.

    def checkpoint(self):
        with self.log_in() as imap:
            self.wait_for_deliveries(imap)
            for client in self.clients:
                try:
                    client.settle()
                except Exception as problem:
                    self.problems.append((client, problem))
                    self.report()
            fresh = self.everything(imap)
            judge.judge(self.history, fresh)
            for client in self.clients:
                if isinstance(client, Client) and client.view:
                    same_view(client, fresh)
            self.same_quota(imap, fresh)
            self.history.forget(fresh)

    def wait_for_deliveries(self, imap):
        """What the account could not take when it was killed comes out of the queue."""
        deadline = time.monotonic() + BACK_SECONDS
        while self.kills and time.monotonic() < deadline:
            here = {m.name for m in self.read(imap, 'INBOX')[1].values()} | {f[0] for f in self.history.seen.values()}
            if not set(self.history.sent) - here - self.history.taken_by_pop:
                return
            self.server.hurry_the_queue()
            time.sleep(PAUSE)

    def everything(self, imap):
        """Every mailbox as a connection sees it that knows nothing of before."""
        listed = imap.command('LIST "" "*"')
        names = [responses.values(u, 2)[-1].decode() for u in listed.untagged]
        fresh = {}
        for name in names:
            mailboxid, messages = self.read(imap, name)
            fresh[mailboxid] = messages
        made = {n for c in self.clients if isinstance(c, Client) for n in c.own}
        assert made == {n for n in names if self.is_passing(n)}, f'{sorted(made)} were made, there are {names}'
        return fresh

    def read(self, imap, name):
        """(MAILBOXID, {uid: Message}); what STATUS counts must be so."""
        opened = imap.command(f'EXAMINE "{name}" (CONDSTORE)')
        assert opened.ok, opened.text
        lines = b'\n'.join(u[0] for u in opened.untagged)
        mailboxid, uidvalidity = responses.code(lines, b'MAILBOXID'), responses.code(lines, b'UIDVALIDITY')
        self.history.is_called(uidvalidity, mailboxid)
        messages = {}
        for pieces in imap.command(f'UID FETCH 1:* ({ALL})').untagged:
            one = responses.items(pieces, pieces[0].index(b'('))
            message = messages[int(one[b'UID'])] = Message()
            message.told(one)
        assert list(messages) == sorted(messages), 'UIDs do not ascend'
        self.same_status(imap, name, messages)
        return mailboxid, messages

    def same_status(self, imap, name, messages):
        line = imap.command(f'STATUS "{name}" (MESSAGES UNSEEN DELETED SIZE UIDNEXT HIGHESTMODSEQ)').untagged[0]
        said = {k.decode(): v for k, v in responses.items(line, 2).items()}
        highest, uidnext = int(said.pop('HIGHESTMODSEQ')[0] if isinstance(said['HIGHESTMODSEQ'], list)
                               else said.pop('HIGHESTMODSEQ')), int(said.pop('UIDNEXT'))
        counted = {'MESSAGES': len(messages), 'UNSEEN': sum('\\Seen' not in m.flags for m in messages.values()),
                   'DELETED': sum('\\Deleted' in m.flags for m in messages.values()),
                   'SIZE': sum(m.size for m in messages.values())}
        assert {k: int(v) for k, v in said.items()} == counted, f'STATUS {name} says {said}, there are {counted}'
        assert highest >= max([m.modseq for m in messages.values()], default=0), f'{name}: HIGHESTMODSEQ is {highest}'
        assert uidnext > max(messages, default=0), f'{name}: UIDNEXT is {uidnext}'
        return highest

    def same_quota(self, imap, fresh):
        said = imap.command('GETQUOTAROOT INBOX').starting(b'QUOTA ')
        words = [w for u in said for w in u[0].replace(b'(', b' ').replace(b')', b' ').split()]
        octets = sum(m.size for messages in fresh.values() for m in messages.values())
        assert b'STORAGE' in words, f'QUOTA does not tell of STORAGE: {said}'
        used = int(words[words.index(b'STORAGE') + 1])
        assert used == -(-octets // 1024), f'QUOTA says {used} KiB are used, the messages have {octets} octets'

    def close(self):
        for client in self.clients:
            client.close()


def same_view(client, fresh):
    """What the client knows is what there is."""
    view = client.view
    assert view.id in fresh, f'{client.name} has {view.mailbox} selected, which is not there'
    there = fresh[view.id]
    assert view.uids == list(there), f'{client.name}, {view.mailbox}: it has {view.uids}, there are {list(there)}'
    for uid, message in there.items():
        known = view.messages[uid]
        for what in ('flags', 'size', 'date', 'emailid', 'name') + (('modseq',) if client.tells_modseq else ()):
            mine, theirs = getattr(known, what), getattr(message, what)
            assert mine == theirs, f'{client.name}, {view.mailbox}, UID {uid}: {what} is {theirs}, it has {mine}\n' + \
                '\n'.join(list(client.transcript)[-60:])


def run(server, account, seed, rounds, count, kills=()):
    """One whole run; tells what was done."""
    started = time.monotonic()
    crowd = Crowd(server, account, seed, kills)
    try:
        for number in range(rounds):
            crowd.round(number, count)
    finally:
        crowd.close()
    told = ', '.join(f'{n} {what}' for what, n in sorted(crowd.history.counts.items()))
    print(f'seed {seed}: {rounds} rounds of {count} steps in {time.monotonic() - started:.1f} s: {told}')
    return crowd.history.counts
