"""The IMAP and POP3 rows: what is done, on which mailbox, and what counts as one operation.

Each row is a function of a Side. It prepares what it needs, does the work within
`side.measured(operations)`, and leaves the INBOX as it found it. Rows run in the
order of ROWS: the cold ones first, right after the servers were started.
"""
import concurrent.futures
import contextlib
import dataclasses
import itertools
import statistics
import time

import imap_client
import imap_mail
import measure
from peer_dovecot import FORMATS

LATE_SECONDS = 0.15     # work that servers still do after their answer counts, too
SOME = 1000             # messages that STORE, COPY, MOVE and EXPUNGE are about
APPENDS = 600
CROWD = 10
IDLE_DELIVERIES = 5
RETRIEVED = 2000
BIG, OTHERS = 0, slice(1, 11)    # accounts: the one with the large INBOX, and ten for work side by side


@dataclasses.dataclass
class Side:
    """A server, or one mailbox format of one. `users`: the first has the large INBOX, each may log in."""
    name: str
    server: object
    users: list
    hello: str
    kind: str             # 'postern' or a mailbox format
    share: float = 1      # of the operations, for a short run
    result: dict = None
    moved: dict = None    # what COPY, MOVE and EXPUNGE took

    def times(self, count):
        return max(int(count * self.share), 2)

    def login(self, number=BIG, tls=False):
        session = imap_client.Session(self.server.ports['imaps' if tls else 'imap'], tls)
        return session.login(self.users[number], self.server.password)

    @contextlib.contextmanager
    def inbox(self, tls=False):
        session = self.login(tls=tls)
        session.command('SELECT INBOX')
        yield session
        session.close()

    @contextlib.contextmanager
    def measured(self, operations):
        cpu, started = measure.cpu_seconds(self.server), time.monotonic()
        yield
        seconds = time.monotonic() - started
        time.sleep(LATE_SECONDS)
        self.result = {'each': seconds / operations, 'cpu': (measure.cpu_seconds(self.server) - cpu) / operations}

    def repeat(self, session, count, *texts):
        """The commands one after the other, `count` times; the median counts, as other work interrupts."""
        count, took = self.times(count), []
        with self.measured(count):
            for _ in range(count):
                started = time.monotonic()
                for text in texts:
                    session.command(text)
                took.append(time.monotonic() - started)
        self.result['each'] = statistics.median(took)


def log_in(side, number, select):
    session = side.login(number)
    if select:
        session.command('SELECT INBOX')
    session.command('LOGOUT')
    session.close()


def many_logins(side, numbers, select=False):
    numbers = list(numbers)
    with concurrent.futures.ThreadPoolExecutor(CROWD) as threads, side.measured(len(numbers)):
        for done in [threads.submit(log_in, side, number, select) for number in numbers]:
            done.result()


def first_login(side):
    many_logins(side, range(1, len(side.users)))


def login_again(side):
    many_logins(side, itertools.islice(itertools.cycle(range(1, 21)), side.times(800)))


def login_select(side):
    many_logins(side, [BIG] * side.times(600), select=True)


def select_cold(side):
    session = side.login()
    with side.measured(1):
        session.command('SELECT INBOX')
    session.close()


def selecting(tls):
    def row(side):
        with side.inbox(tls) as session:
            side.repeat(session, 200, 'SELECT INBOX')
    return row


def fetching(items, count):
    def row(side):
        with side.inbox() as session:
            side.repeat(session, count, f'FETCH 1:* ({items})')
    return row


def searching(what):
    def row(side):
        with side.inbox() as session:
            side.repeat(session, 4, f'SEARCH {what}')
    return row


def structure_cold(side):
    with side.inbox() as session, side.measured(1):
        session.command('FETCH 1:* (UID ENVELOPE BODYSTRUCTURE)')


def store(side):
    with side.inbox() as session:
        side.repeat(session, 20, *(rf'STORE 1:{SOME} {sign}FLAGS.SILENT (\Flagged)' for sign in '+-'))
    side.result = {key: value / 2 for key, value in side.result.items()}


def append_text():
    return imap_client.append_text('Appended', imap_mail.message(1))


def append_one(side):
    session = side.login()
    session.fresh('Appended')
    side.repeat(session, APPENDS, append_text())
    session.command('DELETE Appended')
    session.close()


def append_together(side, accounts):
    """By ten connections, to the one mailbox of an account or each to that of its own account."""
    sessions = [side.login(number) for number in accounts]
    owners = sessions[:1] if accounts[0] == accounts[-1] else sessions
    for session in owners:
        session.fresh('Appended')
    each, crowd = side.times(2 * APPENDS) // CROWD + 1, imap_client.Crowd()
    with side.measured(each * CROWD):
        for session in sessions:
            crowd.add(session, itertools.repeat(append_text(), each))
        crowd.run()
    for session in owners:
        session.command('DELETE Appended')
    for session in sessions:
        session.close()


def append_crowd(side):
    append_together(side, [BIG] * CROWD)


def append_accounts(side):
    append_together(side, range(len(side.users))[OTHERS])


def moving(side):
    """COPY, MOVE and EXPUNGE, each needing the one before it; their rows take what was measured here."""
    found = {}
    with side.inbox() as session:
        for mailbox in ('Copied', 'Moved'):
            session.fresh(mailbox)
        for _ in range(side.times(5)):
            for verb in steps(side, session):
                found.setdefault(verb, []).append(side.result)
        session.command('SELECT INBOX')
        for mailbox in ('Copied', 'Moved'):
            session.command(f'DELETE {mailbox}')
    side.moved = {verb: {'each': statistics.median(r['each'] for r in results),
                         'cpu': statistics.mean(r['cpu'] for r in results)} for verb, results in found.items()}


def moved(verb):
    def row(side):
        if verb == 'COPY':
            moving(side)
        side.result = side.moved[verb]
    return row


def steps(side, session):
    session.command('SELECT INBOX')
    with side.measured(1):
        session.command(f'COPY 1:{SOME} Copied')
    yield 'COPY'
    session.command('SELECT Copied')
    with side.measured(1):
        session.command(f'MOVE 1:{SOME} Moved')
    yield 'MOVE'
    session.command('SELECT Moved')
    session.command(r'STORE 1:* +FLAGS.SILENT (\Deleted)')
    with side.measured(1):
        session.command('EXPUNGE')
    yield 'EXPUNGE'


def pop3(side):
    session = imap_client.Pop3(side.server.ports['pop3'])
    with side.measured(side.times(RETRIEVED)):
        session.say(f'USER {side.users[BIG]}')
        session.say(f'PASS {side.server.password}')
        session.say('UIDL', many=True)
        for number in range(1, side.times(RETRIEVED) + 1):
            session.say(f'RETR {number}', many=True)
        session.say('QUIT')
    session.close()


def idle(side):
    """From the delivery's 250 to the untagged EXISTS in another connection, in an account with an empty INBOX."""
    session = side.login(OTHERS.start)
    session.command('SELECT INBOX')
    session.send('IDLE')
    session.until(lambda tail: b'+ ' in tail)
    delivery = imap_client.Delivery(side.server.ports['smtp'], side.hello)
    count, late = side.times(IDLE_DELIVERIES), []
    with side.measured(count):
        for number in range(count):
            accepted = delivery.deliver(side.users[OTHERS.start], imap_mail.message(number).decode())
            session.until(lambda tail: b' EXISTS\r\n' in tail)
            late.append(time.monotonic() - accepted)
            time.sleep(0.05)
    side.result['each'] = sorted(late)[count // 2]
    delivery.close()
    session.close()


@dataclasses.dataclass
class Row:
    name: str
    run: object
    unit: str = 'ms'             # milliseconds an operation, or '/s' of them
    kinds: tuple = tuple(FORMATS)
    mark: str = ''               # what the two do not do alike


IN_CLEAR = 'without TLS Dovecot hands the connection over, Postern carries it as with TLS'
UNFLUSHED = 'flags are flushed by Postern, not by Dovecot'
SEALED = 'Postern unseals what Dovecot reads in clear'
ONE = ('maildir',)    # where the format makes no difference
ROWS = [
    Row('LOGIN, the first since the start, 10 at once', first_login, '/s', ONE),
    Row('SELECT cold', select_cold, mark=SEALED),
    Row('FETCH envelope and structure of all, cold', structure_cold, mark=SEALED),
    Row('LOGIN again, 10 at once', login_again, '/s', ONE, 'Postern remembers a login for five minutes'),
    Row('LOGIN and SELECT again, 10 at once', login_select, '/s', mark='Postern remembers a login for five minutes'),
    Row('SELECT warm', selecting(tls=False), mark=IN_CLEAR),
    Row('SELECT warm, over TLS', selecting(tls=True)),
    Row('FETCH flags of all', fetching('FLAGS', 10)),
    Row('FETCH envelope and structure of all, warm', fetching('UID ENVELOPE BODYSTRUCTURE', 4), mark=SEALED),
    Row('FETCH bodies of all', fetching('BODY.PEEK[]', 3), mark=SEALED),
    Row('STORE on 1,000', store, mark=UNFLUSHED),
    Row('APPEND 4 KiB, 1 connection', append_one, '/s'),
    Row('APPEND 4 KiB, 10 connections, one mailbox', append_crowd, '/s'),
    Row('APPEND 4 KiB, 10 connections, ten accounts', append_accounts, '/s'),
    Row('COPY of 1,000', moved('COPY')),
    Row('MOVE of 1,000', moved('MOVE')),
    Row('EXPUNGE of 1,000', moved('EXPUNGE'), mark=UNFLUSHED),
    Row('SEARCH SUBJECT', searching(f'SUBJECT {imap_mail.SUBJECT_NEEDLE}'), mark=SEALED),
    Row('SEARCH BODY', searching(f'BODY {imap_mail.BODY_NEEDLE}'), mark=SEALED),
    Row('POP3: log in, UIDL, download of 2,000', pop3, '/s', mark=SEALED),
    Row('IDLE: from the 250 to EXISTS', idle),
]
