"""Mixed load whose every message can be told apart, counted and checked for wholeness."""
import collections
import hashlib
import random
import re
import ssl
import threading
import time

from . import paths, wire

CHECK = re.compile(rb'X-Check: (\S+) (\d+) ([0-9a-f]{64})\r\n')
BROKEN = (OSError, wire.Closed, ssl.SSLError, ValueError)


def message(name, size):
    """A message that carries its own name, length and digest."""
    body = b''.join(b'%064x\r\n' % random.getrandbits(256) for _ in range(max(size // 66, 1)))
    digest = hashlib.sha256(body).hexdigest().encode()
    return (b'From: load@example.net\r\nSubject: %s\r\nX-Check: %s %d %s\r\n\r\n' %
            (name, name, len(body), digest)) + body


def name_if_whole(octets):
    """The name of a message that came back whole; raises when it did not."""
    found = CHECK.search(octets)
    assert found, f'a message without its mark: {octets[:300]!r}'
    name, length, digest = found.groups()
    body = octets.split(b'\r\n\r\n', 1)[1]
    assert len(body) == int(length) and hashlib.sha256(body).hexdigest().encode() == digest, f'{name} is not whole'
    return name


class Load:
    """Senders and appenders that go on through broken connections. Names are never sent twice."""

    def __init__(self, server, users, senders=4, appenders=2, prefix=b''):
        self.server = server
        self.prefix = prefix                          # of the names
        self.users = users
        self.kept = collections.defaultdict(set)      # account -> names the server said it keeps
        self.doubtful = collections.defaultdict(set)  # account -> names without an answer
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.problems = []
        self.broken = 0                               # connections that ended under us
        self.last_success = time.monotonic()
        work = [self.send_one] * senders + [self.append_one] * appenders
        self.threads = [threading.Thread(target=self.go, args=(number, one), daemon=True)
                        for number, one in enumerate(work)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *problem):
        self.ended.set()
        for thread in self.threads:
            thread.join(2 * paths.PATIENCE)

    def go(self, number, one):
        rng = random.Random(number)
        connection, count = None, 0
        while not self.ended.is_set():
            count += 1
            try:
                connection = one(connection, b'%s%d-%d' % (self.prefix, number, count), rng)
            except BROKEN:
                connection = None
                self.broken += 1
                time.sleep(0.05)
            except Exception as problem:  # kept for the test to see
                self.problems.append(problem)
                return

    def note(self, where, name, accounts):
        with self.lock:
            for account in accounts:
                where[account].add(name)
            if where is self.kept:
                self.last_success = time.monotonic()

    def size(self, rng):
        return rng.choice([500, 4000, 4000, 20000, 300000])

    def send_one(self, smtp, name, rng):
        smtp = smtp or wire.Smtp(self.server.ports['smtp'])
        accounts = rng.sample(self.users, rng.choice([1, 1, 1, 2, len(self.users)]))
        octets = message(name, self.size(rng))
        if any(a.code != 250 for a in smtp.envelope('load@example.net', accounts)):
            smtp.command('RSET')
            time.sleep(0.05)
            return smtp
        self.note(self.doubtful, name, accounts)
        answer = smtp.data(octets)
        if answer.code == 250:
            self.note(self.kept, name, accounts)
        elif answer.code >= 500:
            raise AssertionError(f'refused for good: {answer}')
        return smtp

    def append_one(self, imap, name, rng):
        account = rng.choice(self.users)
        with wire.Imap(self.server.ports['imap']) as imap:
            if not imap.command(f'LOGIN "{account}" "{self.server.password}"').ok:
                time.sleep(0.05)
                return None
            for part in range(5):
                mine = name + b'-%d' % part
                self.note(self.doubtful, mine, [account])
                if imap.command('APPEND INBOX {}', message(mine, self.size(rng))).ok:
                    self.note(self.kept, mine, [account])
        return None


def names_in(server, account, batch=100):
    """How often each name is in the account's INBOX; every message must be whole."""
    found = collections.Counter()
    with wire.Imap(server.ports['imap'], timeout=6 * paths.PATIENCE) as imap:
        imap.login(account, server.password)
        count = imap.select()
        for first in range(1, count + 1, batch):
            for octets in imap.bodies(f'{first}:{min(first + batch - 1, count)}').values():
                found[name_if_whole(octets)] += 1
    return found
