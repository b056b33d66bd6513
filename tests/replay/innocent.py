"""People and servers that mean no harm. Whatever the server does against them is noted in `hurt`."""
import threading
import time

from replay.hostile import hold_a_place, plain
from replay.world import Client, Refused, Slowed

SLOW = 1.5    # seconds: a greeting that takes longer hurts


def expect(scenario, what, answer, *good):
    if not answer.startswith(good):
        scenario.hurt.append(f'{what}: {answer}')


def comes_in(scenario, source, user, what):
    """A right login, which has to go well and soon (its own hashing and others' aside)."""
    try:
        scenario.place.login(source, user)
        scenario.through += 1
    except (Refused, Slowed, PermissionError, OSError) as problem:
        scenario.hurt.append(f'{what}: {problem}')


def old_password(scenario):
    """A phone goes on with last year's password; its owner comes in with the new one from the same address."""
    source = '198.51.100.20'
    comes_in(scenario, source, scenario.account, 'before')
    for _ in range(25):
        with Client(scenario.place, 'imap', source, 60) as c:
            c.ask(f'a LOGIN "{scenario.account}" "last year"')
    comes_in(scenario, source, scenario.account, 'after')


def office(scenario):
    """Eight people behind one address; three mistype, one of them four times and never alike."""
    source, people = '198.51.101.20', list(scenario.place.accounts)[20:28]
    for person in people:
        comes_in(scenario, source, person, 'in the morning')
    for person, times in zip(people, (1, 2, 4)):
        for i in range(times):
            with Client(scenario.place, 'imap', source, 60) as c:
                c.ask(f'a LOGIN "{person}" "mistyped{i}"')
    for person in people:
        comes_in(scenario, source, person, 'afterwards')


def write_to(scenario, source, readers):
    comes_in(scenario, source, scenario.account, 'before')
    with Client(scenario.place, 'submission', source, 60) as c:
        c.ask('EHLO office.example')
        expect(scenario, 'login', c.ask(f'AUTH PLAIN {plain(scenario.account, scenario.place.password)}'), '235')
        for i, reader in enumerate(readers):
            c.ask(f'MAIL FROM:<{scenario.account}>')
            expect(scenario, f'reader {i}', c.ask(f'RCPT TO:<{reader}@elsewhere.example>'), '250')
            c.ask('DATA')
            c.say(f'From: {scenario.account}\r\nSubject: News\r\n\r\nHello.\r\n.\r\n')
            expect(scenario, f'letter {i}', c.answer(), '250')
            scenario.through += 1
    comes_in(scenario, source, scenario.account, 'after')


def newsletter(scenario):
    """An account writes eighty letters to its twelve readers, from where it always is."""
    write_to(scenario, '198.51.102.20', [f'reader{i % 12}' for i in range(80)])


def first_newsletter(scenario):
    """A new account writes to eighty strangers at once: its club."""
    write_to(scenario, '198.51.106.20', [f'subscriber{i}' for i in range(80)])


def tunnel(scenario):
    """A phone loses its network three times in an hour, each time before it has logged in."""
    source = '198.51.107.20'
    lost = [threading.Thread(target=hold_a_place(scenario, source)) for _ in range(3)]
    for thread in lost:
        thread.start()
    for thread in lost:
        thread.join()
    comes_in(scenario, source, scenario.account, 'afterwards')


def traveller(scenario):
    """At home, at the station, in a hotel: three networks in a row."""
    for source in ('198.51.103.20', '192.0.2.20', '198.18.0.20'):
        comes_in(scenario, source, scenario.account, source)


def many_connections(scenario):
    """A mail program opens twenty connections at once."""
    threads = [threading.Thread(target=comes_in, args=(scenario, '198.51.104.20', scenario.account, f'connection {i}'))
               for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def retrying_server(scenario):
    """A server brings mail, some of it for people who have left, and tries what was put off again."""
    for i in range(20):
        began = time.monotonic()
        with Client(scenario.place, 'smtp', '198.51.105.20', 60) as c:
            if time.monotonic() - began > SLOW:
                scenario.hurt.append(f'greeted after {time.monotonic() - began:.1f} s')
            c.ask('EHLO mx.partner.example')
            c.ask('MAIL FROM:<list@partner.example>')
            c.ask(f'RCPT TO:<left{i % 2}@example.test>')
            expect(scenario, 'recipient', c.ask('RCPT TO:<user2@example.test>'), '250')
            c.ask('DATA')
            c.say(b'From: list@partner.example\r\nSubject: Minutes\r\n\r\nHello.\r\n.\r\n')
            expect(scenario, 'letter', c.answer(), '250')
            scenario.through += 1
