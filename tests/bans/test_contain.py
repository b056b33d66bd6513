"""An account that somebody else seems to use: held, logged out, and its people told; then released, or reset."""
import email
import email.policy
import imaplib
import json
import signal

import pytest

from kit import dns, server, sink, wait, wire

FAR = 'far.test'
ADMIN, OWNER, WRITER = (f'user{n}@example.test' for n in (1, 2, 3))
LETTER = b'From: user2@example.test\r\nTo: friend@far.test\r\nSubject: %s\r\n\r\nHello.\r\n'
REASON = 'mail to 300 strangers\r\nin a minute'


@pytest.fixture(scope='module')
def far(binaries, tmp_path_factory):
    """A server and the sink behind far.test."""
    home = tmp_path_factory.mktemp('contain')
    with dns.Dns(home / 'dns', {FAR: 'mx A 127.0.0.1\n@ MX 10 mx\n'}, unsigned=[FAR]) as names, sink.Sink() as other:
        with server.Server(home / 'mail', users=3, options=('--dns', names.at, '--relay-port', str(other.port))) as one:
            yield one, other


def ask(one, *words, octets=b''):
    done = one.command('--json', *words, octets=octets)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def open_session(one, password=None):
    smtp = wire.Smtp(one.ports['submission'])
    smtp.login(OWNER, password or one.password)
    return smtp


def send(smtp, subject):
    for line in (f'MAIL FROM:<{OWNER}>', 'RCPT TO:<friend@far.test>'):
        assert smtp.command(line).code == 250
    assert smtp.data(LETTER % subject.encode()).code == 250


def letters(one, user, password=None):
    with imaplib.IMAP4('127.0.0.1', one.ports['imap']) as c:
        c.login(user, password or one.password)
        c.select()
        raw = [c.fetch(n, '(BODY.PEEK[])')[1][0][1] for n in c.search(None, 'ALL')[1][0].split()]
    return [email.message_from_bytes(r, policy=email.policy.default) for r in raw]


def states(one):
    return [row['state'] for row in ask(one, 'queue', 'list')['rows']]


def subjects(other):
    return [t.message.split(b'Subject: ')[1].split(b'\r\n')[0].decode() for t in other.taken]


def test_contained_and_released(far):
    one, other = far
    secret = ask(one, 'account', 'app-password', 'add', 'phone', '--account', OWNER)['secret']
    mailbox = imaplib.IMAP4('127.0.0.1', one.ports['imap'])
    mailbox.login(OWNER, secret)
    with open_session(one) as smtp:
        send(smtp, 'before')
        other.until(1)
        ask(one, 'account', 'contain', OWNER, '--reason', REASON)
        assert smtp.command(f'MAIL FROM:<{OWNER}>').code != 250, 'the login goes on'
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        mailbox.noop()
        mailbox.noop()
    mailbox.shutdown()
    assert ask(one, 'account', 'show', OWNER)['row']['contained'] > 0
    wait.until(lambda: letters(one, OWNER) and letters(one, ADMIN), 'nobody is told')
    for told in letters(one, OWNER)[0], letters(one, ADMIN)[0]:
        text = told.get_content()
        assert 'mail to 300 strangers  in a minute' in text and f'postern account release {OWNER}' in text
        assert f'postern account reset {OWNER}' in text and told['From'] == 'Postern <postmaster@example.test>'
        assert told['Auto-Submitted'] == 'auto-generated'
    ask(one, 'account', 'contain', OWNER)
    assert len(letters(one, OWNER)) == 1, 'again is nothing'
    with open_session(one) as smtp:
        send(smtp, 'held')
    assert states(one) == ['held']
    for room in 'queue', 'auth':
        for process in one.room(room):
            process.signal(signal.SIGKILL)
        wait.until(lambda: one.command('queue', 'list').returncode == 0 and one.command('account', 'list').returncode == 0)
    wait.until(lambda: sends(one, 'held too'), 'the new auth takes no mail')
    wait.until(lambda: states(one) == ['held', 'held'], 'it is not held after a restart')
    assert subjects(other) == ['before']
    assert ask(one, 'account', 'release', OWNER)['recipients'] == 2
    other.until(3)
    assert set(subjects(other)) == {'before', 'held', 'held too'}
    with open_session(one) as smtp:
        send(smtp, 'after')
    other.until(4)
    assert ask(one, 'account', 'show', OWNER)['row']['contained'] == 0
    assert one.command('account', 'release', OWNER).returncode == 1


def sends(one, subject):
    try:
        with open_session(one) as smtp:
            send(smtp, subject)
        return True
    except (AssertionError, wire.Closed, OSError):
        return False


def test_reset(far):
    one, other = far
    before = len(other.taken)
    secret = ask(one, 'account', 'app-password', 'add', 'tablet', '--account', OWNER)['secret']
    ask(one, 'account', 'contain', OWNER)
    assert sends(one, 'of the thief')
    assert ask(one, 'account', 'reset', OWNER, '--password-stdin', octets=b'another horse battery\n')['recipients'] == 1
    for old in secret, one.password:
        with pytest.raises(imaplib.IMAP4.error):
            letters(one, OWNER, old)
    with open_session(one, 'another horse battery') as smtp:
        send(smtp, 'of the owner')
    other.until(before + 1)
    assert subjects(other)[before:] == ['of the owner']
    assert states(one) == ['held']
    ask(one, 'queue', 'drop', '--sender', OWNER)
    assert states(one) == []
    log = (one.directory / 'ledger' / 'audit')
    lines = [json.loads(line)['record'] for file in log.glob('audit-*') for line in file.read_text().splitlines()]
    assert {'account.contained', 'account.freed'} <= {line['event'] for line in lines}


def test_with_contain_off_people_are_only_told(far):
    """The demo without --proxy is such a server. What a detector would hold an account for changes nothing."""
    one, other = far
    before = len(other.taken)
    with wire.Smtp(one.ports['submission']) as smtp:
        smtp.login(WRITER, one.password)
        for n in range(130):
            for line in (f'MAIL FROM:<{WRITER}>', f'RCPT TO:<stranger{n}@far.test>'):
                assert smtp.command(line).code == 250
            assert smtp.data(LETTER % b'to all').code == 250
        told = wait.until(lambda: [r['fields'] for r in ask(one, 'audit', 'show', '--account', WRITER)['rows']
                                   if r['event'] == 'account.suspected' and r['fields']['measure'] == 'hold'],
                          'nothing is noticed')
        assert told[0]['detector'] in ('sending-rate', 'first-recipients')
        wait.until(lambda: letters(one, WRITER), 'its owner is not told')
        assert smtp.command(f'MAIL FROM:<{WRITER}>').code == 250, 'the login has ended'
    assert 'Nothing was changed' in letters(one, WRITER)[-1].get_content()
    assert ask(one, 'account', 'show', WRITER)['row']['contained'] == 0
    other.until(before + 130)
    assert 'held' not in states(one)
