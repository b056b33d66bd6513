"""App passwords through the real server: PLAIN and SCRAM by SMTP, IMAP and POP3, their bounds, and their end."""
import base64
import json
import time

import pytest

from kit import paths, scram, wire
from kit.clients import MESSAGE, program, run

IN = {'smtp': '235 ', 'imap': 'a OK ', 'pop3': '+OK '}
OUT = {'smtp': '535 ', 'imap': 'a NO [AUTHENTICATIONFAILED] ', 'pop3': '-ERR [AUTH] '}
SHORT = 2    # seconds: a time is kept in whole ones, so one second may be over before it was asked for
PORTS = {'smtp': ('submissions', wire.Smtp), 'imap': ('imaps', wire.Imap), 'pop3': ('pop3s', wire.Pop3)}


def make(demo, account, name='phone', *options):
    done = demo.command('account', 'app-password', 'add', name, '--account', account, '--json', *options)
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)['secret']


def end(demo, account, name='phone'):
    assert demo.command('account', 'app-password', 'revoke', name, '--account', account).returncode == 0


def connect(demo, protocol):
    port, line = PORTS[protocol]
    return line(demo.ports[port], tls=True)


def by_plain(line, account, password):
    line.send(scram.COMMANDS[type(line)].format('PLAIN') + '\r\n')
    assert scram.said(line) == ''
    line.send(wire.plain(account, password) + '\r\n')
    return line.line().decode()


def offered(demo):
    with connect(demo, 'imap') as imap, connect(demo, 'smtp') as smtp, connect(demo, 'pop3') as pop3:
        pop3.command('CAPA')
        said = [str(imap.command('CAPABILITY').untagged), smtp.extensions.text, str(pop3.rest())]
    return ['SCRAM-SHA-256-PLUS' in text for text in said]


def test_scram_is_offered_while_somebody_can_use_it(demo, account):
    assert offered(demo) == [False] * 3
    make(demo, account)
    assert offered(demo) == [True] * 3
    end(demo, account)
    assert offered(demo) == [False] * 3


@pytest.mark.smoke
@pytest.mark.parametrize('protocol', PORTS)
def test_each_protocol_by_each_mechanism(demo, account, protocol):
    secret = make(demo, account)
    for password in (secret, secret.replace('-', '')):
        with connect(demo, protocol) as line:
            assert scram.login(line, scram.Client(account, password)).startswith(IN[protocol])
        with connect(demo, protocol) as line:
            assert scram.login(line, scram.bound(line, account, password)).startswith(IN[protocol])
    for password in (secret, secret.replace('-', ' ').upper()):
        with connect(demo, protocol) as line:
            assert by_plain(line, account, password).startswith(IN[protocol])
    with connect(demo, protocol) as line:    # another's connection, another's proof
        spoilt = scram.Client(account, secret, 'p=tls-server-end-point,,', b'x' * 32)
        assert scram.login(line, spoilt).startswith(OUT[protocol])


@pytest.mark.parametrize('protocol', PORTS)
def test_its_bounds_are_told_to_who_has_it(demo, account, protocol):
    other = next(p for p in PORTS if p != protocol)
    elsewhere = make(demo, account, 'office', '--network', '198.51.100.0/24,2001:db8::/32')
    short = make(demo, account, 'short', '--expires', f'{SHORT}s')
    only = make(demo, account, 'one', '--protocol', other)
    time.sleep(SHORT + 0.1)
    for secret, word in ((elsewhere, 'network'), (short, 'expired'), (only, 'protocol')):
        with connect(demo, protocol) as line:
            answer = by_plain(line, account, secret)
            assert answer.startswith(OUT[protocol]) and word in answer
        with connect(demo, protocol) as line:
            answer = scram.login(line, scram.Client(account, secret))
            assert answer.startswith(OUT[protocol]) and word in answer


def test_a_network_is_the_clients(demo, account):
    secret = make(demo, account, 'office', '--network', '198.51.100.0/24')
    with wire.Smtp(demo.ports['submission']) as smtp:
        smtp.xclient(ADDR='198.51.100.7')
        assert smtp.login(account, secret).code == 235


@pytest.mark.smoke
def test_revoking_ends_the_sessions_that_it_opened_and_no_others(demo, account):
    secret, other = make(demo, account), make(demo, account, 'tablet')
    with connect(demo, 'smtp') as smtp, connect(demo, 'imap') as imap, connect(demo, 'pop3') as pop3, \
            connect(demo, 'imap') as idle, connect(demo, 'imap') as kept, connect(demo, 'imap') as own:
        for line, password in ((smtp, secret), (imap, secret), (pop3, secret), (idle, secret), (kept, other)):
            protocol = {wire.Smtp: 'smtp', wire.Imap: 'imap', wire.Pop3: 'pop3'}[type(line)]
            assert scram.login(line, scram.Client(account, password)).startswith(IN[protocol])
        own.login(account, demo.password)
        idle.select()
        idle.send('i IDLE\r\n')
        assert idle.line().startswith(b'+ ')
        end(demo, account)
        assert b'BYE' in imap.line() and b'revoked' in idle.line() and b'revoked' in pop3.line()
        assert smtp.command(f'MAIL FROM:<{account}>').code >= 400
        assert kept.command('NOOP').ok and own.command('NOOP').ok
    with connect(demo, 'imap') as imap:
        assert by_plain(imap, account, secret).startswith(OUT['imap'])


@pytest.mark.parametrize('protocol', PORTS)
def test_answers_do_not_tell_who_exists(demo, account, protocol):
    make(demo, account)
    answers, salts = set(), set()
    for user in (account, 'nobody@example.test', 'nobody@example.test'):
        with connect(demo, protocol) as line:
            client = scram.Client(user, 'abcd-efgh-ijkm-npqr-stuv-wxyz-abcd')
            answers.add(scram.login(line, client).split('(trace')[0])
            salts.add(client.salt)
            assert len(base64.b64decode(client.salt)) == 16
    assert len(answers) == 1 and len(salts) == 2


@pytest.mark.parametrize('protocol', PORTS)
def test_bad_exchanges(demo, account, protocol):
    secret = make(demo, account)
    with connect(demo, protocol) as line:    # could bind and was told otherwise
        assert scram.login(line, scram.Client(account, secret, 'y,,')).startswith(OUT[protocol].split('[')[0])
    for first in (b'n,,', b'\xff', b'x' * 1500, b'n,,n=a,r=b,m=c'):
        with connect(demo, protocol) as line:
            line.send(scram.COMMANDS[type(line)].format('SCRAM-SHA-256') + '\r\n')
            assert scram.said(line) == ''
            line.send(base64.b64encode(first) + b'\r\n')
            assert line.line().removeprefix(b'a ')[:3] in (b'501', b'BAD', b'-ER')
    with connect(demo, protocol) as line:
        line.send(scram.COMMANDS[type(line)].format('SCRAM-SHA-256') + '\r\n')
        assert scram.said(line) == ''
        line.send('*\r\n')
        assert b'cancelled' in line.line()


# Unmodified programs.

@pytest.mark.parametrize('options', [['SCRAM-SHA-256-PLUS'], ['SCRAM-SHA-256', '--no-cb']])
@pytest.mark.parametrize('service', ['imap', 'smtp'])
def test_gsasl(demo, account, service, options):
    """Over TLS 1.3 its -PLUS is tls-exporter."""
    port = demo.ports['imap' if service == 'imap' else 'submission']
    said = run([program('gsasl'), f'--{service}', f'--connect=localhost:{port}', '-m', *options, '-a', account,
                '-p', make(demo, account), f'--x509-ca-file={demo.ready["ca"]}', '--verbose'])
    assert b'Logged in' in said


def test_msmtp(demo, account, tmp_path):
    configuration = tmp_path / 'msmtprc'
    configuration.write_text(
        f'account default\nhost localhost\nport {demo.ports["submissions"]}\ntls on\ntls_starttls off\n'
        f'tls_trust_file {demo.ready["ca"]}\nauth scram-sha-256\nuser {account}\npassword {make(demo, account)}\n'
        f'from {account}\n')
    configuration.chmod(0o600)
    run([program('msmtp'), '-C', configuration, account], MESSAGE)
    deadline = time.monotonic() + paths.PATIENCE
    with wire.Imap(demo.ports['imap']) as imap:
        imap.login(account, demo.password)
        while imap.select() == 0:
            assert time.monotonic() < deadline
