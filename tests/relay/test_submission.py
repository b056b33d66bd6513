"""A letter's way out of the whole server: who may send elsewhere, and as what it arrives there."""
import datetime
import email
import email.policy
import imaplib
import json
import os
import re
import subprocess
import time

import pytest

from kit import dns, paths, server, sink, wait, wire

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

    def reports(self, user, name, count=1, seconds=20):
        """What reports about that letter the user got, as (fields of the message, fields of its recipients, whole)."""
        deadline = time.monotonic() + seconds * paths.SLOWER
        while True:
            found = []
            with wire.Imap(self.server.ports['imap']) as c:
                c.login(user, self.server.password)
                if c.select():
                    found = [email.message_from_bytes(m, policy=email.policy.default) for m in c.bodies().values()]
            found = [m for m in found if m.get_content_type() == 'multipart/report' and name in m.as_string()]
            if len(found) >= count:
                return [(*fields_of(m), m) for m in found]
            assert time.monotonic() < deadline, f'{len(found)} of {count} reports about {name}'
            time.sleep(0.1)

    def way(self, domain, to):
        """Mail for that domain goes to this sink."""
        done = self.server.command('route', 'add', 'domain', domain, '--host', '127.0.0.1', '--port', str(to.port))
        assert done.returncode == 0, done.stderr

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


def fields_of(report):
    """message/delivery-status, or RFC 6533's global one: of the message, and of its one recipient."""
    status = next(p for p in report.walk() if p.get_content_type().endswith('delivery-status'))
    if status.get_content_type() == 'message/delivery-status':
        message, *recipients = status.get_payload()
    else:
        blocks = status.get_payload(0).as_string().replace('\r', '').strip().split('\n\n')
        message, *recipients = map(email.message_from_string, blocks)
    assert len(recipients) == 1
    return message, recipients[0]


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


def test_the_longest_time_to_be_held(world):
    """As EHLO tells it (RFC 4865 4.1): so long is kept, a second longer is refused; released it goes at once."""
    with world.login() as smtp:
        told = next(line for line in smtp.command('EHLO client.example').lines if line.startswith(b'FUTURERELEASE '))
        longest, until = int(told.split()[1]), told.split()[2].decode()
        assert abs(datetime.datetime.fromisoformat(until).timestamp() - time.time() - longest) < 60
        refused = smtp.command(f'MAIL FROM:<{USER1}> HOLDFOR={longest + 1}')
        assert refused.code == 501 and b'5.5.4' in refused.lines[0]
        name = world.send(smtp, USER1, ['friend@far.test'], f' HOLDFOR={longest}')
    row = json.loads(world.server.command('--json', 'queue', 'list', '--destination', 'far.test').stdout)['rows'][0]
    assert row['state'] == 'held', row
    assert world.server.command('queue', 'release', str(row['item'])).returncode == 0
    world.arrived(name)


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


# ---- reports that were asked for (RFC 3461) ----

ASKED = ' NOTIFY=SUCCESS ORCPT=rfc822;as+2Bwritten@some.test'


def test_a_delivery_here_is_reported(world):
    with world.login() as smtp:
        assert smtp.command(f'MAIL FROM:<{USER1}> RET=HDRS ENVID=QQ+3D1').code == 250
        assert smtp.command(f'RCPT TO:<{USER2}>{ASKED}').code == 250
        assert smtp.command('RCPT TO:<user3@example.test> NOTIFY=NEVER').code == 250
        name = world.name()
        assert smtp.data(LETTER % name.encode()).code == 250
    (message, recipient, whole), = world.reports(USER1, name)
    assert (recipient['Action'], recipient['Status'][0]) == ('delivered', '2') and whole['Subject'].startswith('Delivered')
    assert recipient['Final-Recipient'] == f'rfc822; {USER2}' and message['Original-Envelope-Id'] == 'QQ=1'
    assert recipient['Original-Recipient'] == 'rfc822; as+written@some.test'
    assert name.encode() in world.inbox(USER2, text=name.encode())
    assert 'Hello.' not in whole.as_string()


def test_what_a_server_without_reports_took_is_reported_as_passed_on(world):
    name = world.name()
    with world.login() as smtp:
        assert smtp.command(f'MAIL FROM:<{USER1}> ENVID=abc').code == 250
        assert smtp.command(f'RCPT TO:<friend@far.test>{ASKED}').code == 250
        assert smtp.data(LETTER % name.encode()).code == 250
    world.arrived(name)
    (message, recipient, whole), = world.reports(USER1, name)
    assert recipient['Action'] == 'relayed' and message['Original-Envelope-Id'] == 'abc'
    assert recipient['Original-Recipient'] == 'rfc822; as+written@some.test' and whole['Subject'].startswith('Passed on')


def test_what_was_asked_is_handed_on_to_who_can_report(world):
    """DSN, DELIVERBY and no more recipients than the server wants in one transaction (LIMITS)."""
    with sink.Sink(offers=['PIPELINING', 'DSN', 'DELIVERBY 10', 'LIMITS RCPTMAX=2', 'SIZE 1000000']) as other:
        world.way('able.test', other)
        name = world.name()
        with world.login() as smtp:
            assert smtp.command(f'MAIL FROM:<{USER1}> RET=FULL ENVID=QQ+3D1 BY=600;R').code == 250
            for i in range(5):
                assert smtp.command(f'RCPT TO:<r{i}@able.test>{ASKED}').code == 250
            assert smtp.data(LETTER % name.encode()).code == 250
        taken = other.until(3)
    assert sorted(len(t.recipients) for t in taken) == [1, 2, 2]
    assert all(re.search(r' RET=FULL ENVID=QQ\+3D1', t.sender) for t in taken), taken[0].sender
    assert all(590 < int(re.search(r' BY=(\d+);R', t.sender)[1]) <= 600 for t in taken), taken[0].sender
    assert all(r.endswith(ASKED) for t in taken for r in t.recipients), taken[0].recipients


@pytest.mark.parametrize('ret, said', [('FULL', True), ('HDRS', False)])
def test_as_much_comes_back_as_was_asked_for(world, ret, said):
    world.sink.server.refuse = lambda text: '550 5.7.1 no' if 'refused@' in text else None
    with world.login() as smtp:
        name = world.send(smtp, USER1, ['refused@far.test'], f' RET={ret}')
    (message, recipient, whole), = world.reports(USER1, name)
    assert recipient['Action'] == 'failed' and ('Hello.' in whole.as_string()) == said


@pytest.mark.parametrize('more, offers, body, words', [
    ('', ['SMTPUTF8'], 'Gr\xc3\xbc\xc3\x9fe', '8BITMIME'),
    (' SMTPUTF8', ['8BITMIME'], 'hello', 'SMTPUTF8'),
    (' BY=600;R', ['8BITMIME'], 'hello', 'DELIVERBY'),
])
def test_what_the_next_server_cannot_take_comes_back_with_clear_words(world, more, offers, body, words):
    domain = f'less{world.number}.test'
    who = 'ä' if 'SMTPUTF8' in more else 'friend'
    with sink.Sink(offers=offers) as other:
        world.way(domain, other)
        with world.login() as smtp:
            message = LETTER.replace(b'Hello.', body.encode('latin-1'))
            name = world.send(smtp, USER1, [f'{who}@{domain}'], more, message)
        (message, recipient, whole), = world.reports(USER1, name)
    assert recipient['Action'] == 'failed' and recipient['Status'][0] == '5' and not other.taken
    assert words in ' '.join(whole.get_body(('plain',)).get_content().split())


def test_a_time_to_arrive_by_passes(world):
    """Mode R: it comes back. Mode N: its sender is told that it is late, and it goes on being tried."""
    with sink.Sink(offers=['DELIVERBY']) as slow:
        slow.server.refuse = lambda text: '450 4.3.2 come again'
        world.way('slow.test', slow)
        with world.login() as smtp:
            returned = world.send(smtp, USER1, ['r@slow.test'], ' BY=2;R')
            told = world.send(smtp, USER1, ['n@slow.test'], ' BY=2;N')
        (_, failed, _), = world.reports(USER1, returned)
        (_, late, _), = world.reports(USER1, told)
    assert (failed['Action'], failed['Status']) == ('failed', '5.4.7') and late['Action'] == 'delayed'
    listed = json.loads(world.server.command('--json', 'queue', 'list').stdout)['rows']
    assert [r['recipient'] for r in listed if r['destination'] == 'slow.test'] == ['n@slow.test']


# ---- other ways ----

def test_what_waits_goes_by_the_routes_of_the_day(world):
    world.sink.server.refuse = lambda text: '450 4.7.1 not by this door' if 'turned@' in text else None
    with world.login() as smtp:
        name = world.send(smtp, USER1, ['turned@far.test'])
    one = world.server
    deadline = time.monotonic() + 10 * paths.SLOWER
    while 'not by this door' not in (shown := one.command('queue', 'list', '--destination', 'far.test').stdout):
        assert time.monotonic() < deadline, shown
        time.sleep(0.1)
    item = re.search(r'^ *(\d+) ', shown, re.M)[1]
    advice = one.command('queue', 'show', item).stdout.splitlines()[-1]
    assert advice.startswith('turned@far.test: ') and advice.endswith('.'), advice    # what the answer means
    with sink.Sink() as another:
        done = one.command('route', 'add', 'recipient', 'turned@far.test', '--host', '127.0.0.1', '--port', str(another.port))
        assert done.returncode == 0, done.stderr
        assert one.command('queue', 'retry', '--destination', 'far.test').returncode == 0
        assert name.encode() in another.until(1)[0].message
    assert one.command('route', 'delete', 'recipient', 'turned@far.test').returncode == 0
    assert wait.until(lambda: 'another way' in one.command('trace', 'turned@far.test').stdout)


def test_an_address_literal_is_a_destination(world):
    with world.login() as smtp:
        name = world.send(smtp, USER1, ['friend@[127.0.0.1]'])
    assert world.arrived(name).recipients == ['RCPT TO:<friend@[127.0.0.1]>']
    with world.login() as smtp:
        assert smtp.command(f'MAIL FROM:<{USER1}>').code == 250
        assert smtp.command('RCPT TO:<friend@[127.0.0.300]>').code == 501


def test_who_is_unknown_there_is_not_asked_for_in_any_spelling(world):
    world.sink.server.refuse = lambda text: '550 5.1.1 nobody of that name' if 'ghost@' in text.lower() else None
    with world.login() as smtp:
        for spelling in ('ghost@far.test', 'Ghost@far.test', 'ghost@FAR.test'):
            world.reports(USER1, world.send(smtp, USER1, [spelling]))
        asked = []
        world.sink.server.refuse = asked.append
        (_, recipient, whole), = world.reports(USER1, world.send(smtp, USER1, ['GHOST@far.test']))
    assert not asked and recipient['Status'] == '5.1.1' and 'queue lift' in whole.as_string().replace('=\n', '')
    assert world.server.command('queue', 'lift', 'gHost@far.test').returncode == 0
    with world.login() as smtp:
        world.arrived(world.send(smtp, USER1, ['ghost@far.test']))
