"""Attackers. Each tries so long as it is served, and no longer than SECONDS."""
import base64
import concurrent.futures
import contextlib
import itertools
import threading
import time

from replay.world import PATIENCE, Client, Refused, Slowed

SECONDS = 60    # the short form sets fewer
AT_ONCE = 8    # connections of one attacker
MANY = 20      # of one who means to be through before he is slowed
SLOW_SECONDS = 100    # the server waits a minute for a login


def until_refused(scenario, tries, at_once=AT_ONCE, seconds=None):
    """Tries by several connections at once until the server refuses three in a row."""
    end, refused = time.monotonic() + (seconds or SECONDS), 0

    def one(act):
        nonlocal refused
        if time.monotonic() > end or refused >= 3:
            return
        refused = 0 if scenario.attempt(act) else refused + 1

    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, tries))


class Together:
    """The first connections are all there before one of them begins: who is slowed later loses nothing by it."""

    def __init__(self, connections=AT_ONCE):
        self.barrier, self.over = threading.Barrier(connections), False

    def wait(self):
        if not self.over:
            with contextlib.suppress(threading.BrokenBarrierError):
                self.barrier.wait(PATIENCE)
            self.over = True


def guess(scenario, source, user, password, together=None):
    def act():
        with Client(scenario.place, 'imap', source) as c:
            if together:
                together.wait()
            if '[UNAVAILABLE]' in c.ask(f'a LOGIN "{user}" "{password}"'):
                raise Slowed('too many wait for a password to be looked at')
    return act


def rush(scenario, source, pairs):
    """Many logins at once; one such attacker after the other, so that none waits for what another's guesses cost."""
    together = Together(MANY)
    with scenario.place.rush:
        scenario.began = time.monotonic()
        until_refused(scenario, (guess(scenario, source, *pair, together) for pair in pairs), at_once=MANY)


def brute_force(scenario):
    rush(scenario, '203.0.112.10', ((scenario.account, f'wrong{i}') for i in range(400)))


def spraying(scenario):
    users = [u for u in scenario.place.accounts for _ in range(2)]
    rush(scenario, '203.0.114.10', ((u, 'Summer2026!' if i % 2 else 'Password1') for i, u in enumerate(users * 3)))


def stuffing(scenario):
    rush(scenario, '203.0.115.10', ((f'person{i}@example.test', f'theirs{i}') for i in range(400)))


def distributed(scenario):
    """A /24 whose addresses guess three times each."""
    tries = (guess(scenario, f'203.0.116.{10 + i % 60}', scenario.account, f'guess{i}') for i in range(180))
    until_refused(scenario, tries)


def harvesting(scenario):
    together = Together()

    def act(i):
        def one():
            with Client(scenario.place, 'smtp', '203.0.117.10') as c:
                together.wait()
                for line in ('EHLO harvester.example', 'MAIL FROM:<a@sender.example>'):
                    c.ask(line)
                for k in range(5):
                    c.ask(f'RCPT TO:<name{i}-{k}@example.test>')
        return one
    until_refused(scenario, (act(i) for i in range(200)))


def probing(scenario):
    together = Together()

    def act(i):
        def one():
            with Client(scenario.place, 'smtp', '203.0.118.10') as c:
                together.wait()
                for line in ('EHLO prober.example', 'MAIL FROM:<a@sender.example>', f'RCPT TO:<victim{i}@relay.example>'):
                    c.ask(line)
        return one
    until_refused(scenario, (act(i) for i in range(200)))


def storm(scenario):
    def one():
        Client(scenario.place, 'smtp', '203.0.119.10').close()
    until_refused(scenario, itertools.repeat(one, 1500), at_once=16)


def smuggling(scenario):
    together = Together()

    def one():
        with Client(scenario.place, 'smtp', '203.0.120.10') as c:
            together.wait()
            for line in ('EHLO smuggler.example', 'MAIL FROM:<a@sender.example>', 'RCPT TO:<user1@example.test>', 'DATA'):
                c.ask(line)
            c.say(b'Subject: x\r\n\r\nHello\n.\r\nMAIL FROM:<admin@example.test>\r\n.\r\n')
            c.answer()
    until_refused(scenario, itertools.repeat(one, 100))


def early_talk(scenario):
    def one():
        Client(scenario.place, 'smtp', '203.0.121.10', first=b'EHLO early.example\r\nMAIL FROM:<a@sender.example>\r\n').close()
    until_refused(scenario, itertools.repeat(one, 400), at_once=4)


def hold_a_place(scenario, source):
    """Says a letter, waits until the server ends it, and is gone for a second."""
    def act():
        with Client(scenario.place, 'imap', source, SLOW_SECONDS) as c:
            c.say('a')
            while c.socket.recv(4096):
                pass
        time.sleep(1)
    return act


def slow(scenario):
    act = hold_a_place(scenario, '203.0.125.10')
    until_refused(scenario, itertools.repeat(act, 80), at_once=40, seconds=2 * SLOW_SECONDS)


def thief(scenario):
    """Has the password, comes from where the owner never was, and sends to strangers."""
    for i in range(300):
        if 'contained' in scenario.steps:
            break
        try:
            with Client(scenario.place, 'submission', f'203.0.{122 + i % 3}.{10 + i % 20}', 20) as c:
                c.ask('EHLO thief.example')
                c.ask(f'AUTH PLAIN {plain(scenario.account, scenario.place.password)}')
                for k in range(10):
                    c.ask(f'MAIL FROM:<{scenario.account}>')
                    c.ask(f'RCPT TO:<stranger{i}-{k}@elsewhere.example>')
                    if not c.ask('DATA').startswith('354'):
                        raise Refused('not taken')
                    c.say(f'From: {scenario.account}\r\nSubject: win\r\n\r\nClick.\r\n.\r\n')
                    c.answer()    # what is held is accepted as well
        except (Refused, OSError):
            scenario.refused += 1
            time.sleep(0.2)
            if scenario.refused > 30:
                break
    scenario.through = scenario.place.left(scenario.account)


def plain(user, password):
    return base64.b64encode(f'\0{user}\0{password}'.encode()).decode()
