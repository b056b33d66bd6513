"""A letter's way out of the whole server: who may send elsewhere, and as what it arrives there."""
import imaplib
import os
import re
import subprocess
import time

import pytest

from kit import dns, paths, server, sink, wire

FAR = 'far.test'
USER1, USER2 = 'user1@example.test', 'user2@example.test'
LETTER = b'From: user1@example.test\r\nTo: friend@far.test\r\nSubject: %s\r\nBcc: secret@far.test\r\n\r\nHello.\r\n'


class World:
    def __init__(self, one, other):
        self.server, self.sink, self.number = one, other, 0

    def login(self, user=USER1):
        smtp = wire.Smtp(self.server.ports['submission'])
        smtp.login(user, self.server.password)
        return smtp

    def stranger(self):
        return wire.Smtp(self.server.ports['smtp'])

    def name(self):
        self.number += 1
        return f'letter number {self.number}'

    def send(self, smtp, sender, recipients, more='', message=None):
        """The letter's subject; every command must be answered with 250."""
        name = self.name()
        for line in [f'MAIL FROM:<{sender}>{more}', *(f'RCPT TO:<{r}>' for r in recipients)]:
            reply = smtp.command(line)
            assert reply.code == 250, (line, reply)
        reply = smtp.data((message or LETTER) % name.encode())
        assert reply.code == 250, reply
        return name

    def arrived(self, name, seconds=20):
        """The letter of that subject as the other server took it."""
        deadline = time.monotonic() + seconds * paths.SLOWER
        while time.monotonic() < deadline:
            for one in list(self.sink.taken):
                if f'Subject: {name}\r\n'.encode() in one.message:
                    return one
            time.sleep(0.02)
        raise AssertionError(f'{name} did not arrive; the queue holds\n{self.server.command("queue", "list").stdout}')

    def inbox(self, user, seconds=20, text=b''):
        deadline = time.monotonic() + seconds * paths.SLOWER
        while time.monotonic() < deadline:
            with imaplib.IMAP4('127.0.0.1', self.server.ports['imap']) as c:
                c.login(user, self.server.password)
                c.select()
                for n in c.search(None, 'ALL')[1][0].split():
                    letter = c.fetch(n, '(BODY.PEEK[])')[1][0][1]
                    if text in letter:
                        return letter
            time.sleep(0.1)
        raise AssertionError(f'{text} is not in the INBOX of {user}')


@pytest.fixture(scope='module')
def world(binaries, tmp_path_factory):
    folder = tmp_path_factory.mktemp('submission')
    zone = 'mx A 127.0.0.1\n@ MX 10 mx\n'
    with dns.Dns(folder / 'dns', {FAR: zone}, unsigned=[FAR]) as names, sink.Sink() as other:
        one = server.Server(folder / 'mail', users=3, options=('--dns', names.at, '--relay-port', str(other.port)))
        with one:
            yield World(one, other)
            assert not one.new_sanitizer_reports()


def head_of(message):
    return message.split(b'\r\n\r\n', 1)[0].decode() + '\r\n'


def test_what_leaves_is_signed_complete_and_tells_no_address(world):
    with world.login() as smtp:
        letter = world.arrived(world.send(smtp, USER1, ['friend@far.test']))
    assert 'MAIL FROM:<user1@example.test>' in letter.sender and letter.recipients == ['RCPT TO:<friend@far.test>']
    head = head_of(letter.message)
    assert head.count('DKIM-Signature:') == 2 and 'a=rsa-sha256' in head and 'a=ed25519-sha256' in head
    assert 'Message-ID: <' in head and 'Date: ' in head and 'Bcc' not in head and 'Return-Path' not in head
    received = re.search(r'Received: .*?(?=\r\n\S)', head, re.S)[0]
    assert 'from unknown\r\n' in received and '127.0.0.1' not in received and 'ESMTP' in received


def test_one_message_for_all_of_one_domain(world):
    with world.login() as smtp:
        letter = world.arrived(world.send(smtp, USER1, [f'friend{i}@far.test' for i in range(50)]))
    assert len(letter.recipients) == 50


def test_here_and_elsewhere(world):
    with world.login() as smtp:
        name = world.send(smtp, USER1, [USER2, 'friend@far.test'])
    world.arrived(name)
    assert b'Return-Path: <user1@example.test>' in world.inbox(USER2, text=name.encode())


def test_an_alias_that_leads_elsewhere(world):
    """Mail of others is passed on with a sender of ours, and without a signature in our name."""
    assert world.server.command('alias', 'add', 'out@example.test', 'friend@far.test', USER2).returncode == 0
    with world.stranger() as smtp:
        name = world.send(smtp, 'somebody@strange.test', ['out@example.test'])
    letter = world.arrived(name)
    assert re.search(r'MAIL FROM:<[^>]+@example\.test>', letter.sender) and 'strange.test' in letter.sender, letter.sender
    head = head_of(letter.message)
    assert 'DKIM-Signature' not in head and 'Bcc: secret' in head    # nothing of others' mail is changed
    assert b'Return-Path: <somebody@strange.test>' in world.inbox(USER2, text=name.encode())


def test_a_login_writes_to_that_alias(world):
    with world.login() as smtp:
        letter = world.arrived(world.send(smtp, USER1, ['out@example.test']))
    assert 'MAIL FROM:<user1@example.test>' in letter.sender and 'DKIM-Signature' in head_of(letter.message)


def test_held_until_it_is_time(world):
    with world.login() as smtp:
        began = time.monotonic()
        name = world.send(smtp, USER1, ['friend@far.test'], ' HOLDFOR=3')
    world.arrived(name)
    assert time.monotonic() - began > 2


def test_held_here_too(world):
    with world.login() as smtp:
        began = time.monotonic()
        name = world.send(smtp, USER1, ['user3@example.test'], ' HOLDFOR=3')
    world.inbox('user3@example.test', text=name.encode())
    assert time.monotonic() - began > 2


def test_tls_is_required_and_the_other_server_has_none(world):
    """It comes back rather than to travel in clear (RFC 8689)."""
    with wire.Smtp(world.server.ports['submissions'], tls=True) as smtp:
        smtp.login(USER1, world.server.password)
        name = world.send(smtp, USER1, ['friend@far.test'], ' REQUIRETLS')
    report = world.inbox(USER1, text=name.encode())
    assert b'multipart/report' in report and b'friend@far.test' in report
    assert not any(name.encode() in one.message for one in world.sink.taken)


def test_smtputf8_is_handed_on_where_it_is_needed(world):
    with world.login() as smtp:
        needed = world.arrived(world.send(smtp, USER1, ['ä@far.test'], ' SMTPUTF8'))
        not_needed = world.arrived(world.send(smtp, USER1, ['friend@far.test'], ' SMTPUTF8'))
    assert 'SMTPUTF8' in needed.sender and 'SMTPUTF8' not in not_needed.sender


def test_a_backup_for_another_domain(world):
    """What the primary takes is taken; nobody needs a login for that."""
    done = world.server.command('route', 'add', 'relayed', 'back.test', '--host', '127.0.0.1', '--port', str(world.sink.port))
    assert done.returncode == 0, done.stderr
    with world.stranger() as smtp:
        letter = world.arrived(world.send(smtp, 'somebody@strange.test', ['boss@back.test']))
    assert 'MAIL FROM:<somebody@strange.test>' in letter.sender and 'DKIM-Signature' not in head_of(letter.message)


def test_a_program_of_this_machine(world):
    environment = {**os.environ, 'POSTERN_SUBMIT_SOCKET': world.server.ready['dir'] + '/submit.sock'}
    name = world.name()
    done = subprocess.run([paths.BUILD / 'postern-sendmail', '-ti'], input=LETTER % name.encode(), env=environment,
                          capture_output=True, timeout=paths.PATIENCE)
    assert done.returncode == 0, done.stderr
    letter = world.arrived(name)
    assert sorted(letter.recipients) == ['RCPT TO:<friend@far.test>', 'RCPT TO:<secret@far.test>']
    assert head_of(letter.message).count('DKIM-Signature') == 2


def test_the_account_knows_what_it_has_sent(world):
    time.sleep(0.2)
    shown = world.server.command('account', 'show', USER1).stdout
    sent = int(re.search(r'Sent elsewhere: *(\d+) in an hour', shown)[1])
    known = int(re.search(r'To new addresses:.*; (\d+) are known', shown)[1])
    assert sent >= 55 and 50 < known < sent, shown
