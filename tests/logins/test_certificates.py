"""Client certificates through the real server: EXTERNAL by each protocol, its bounds and its end, unmodified programs."""
import base64
import imaplib
import json
import signal
import ssl
import subprocess

import pytest

from kit import certificates, paths, scram, wait, wire
from kit.clients import MESSAGE, program, run, trusting

IN = {'smtp': '235 ', 'imap': 'a OK ', 'pop3': '+OK '}
OUT = {'smtp': '535 ', 'imap': 'a NO [AUTHENTICATIONFAILED] ', 'pop3': '-ERR [AUTH] '}
NONE = {'smtp': '504 ', 'imap': 'a NO [CANNOT] ', 'pop3': '-ERR '}
PORTS = {'smtp': ('submissions', wire.Smtp), 'imap': ('imaps', wire.Imap), 'pop3': ('pop3s', wire.Pop3)}
COMMAND = ('account', 'certificate')


@pytest.fixture
def holder(demo, tmp_path):
    """An account; without certificates afterwards: while there are any, every mail program is asked for one."""
    user = demo.new_users(1)[0]
    yield user
    for row in json.loads(demo.command(*COMMAND, 'list', '--account', user, '--json').stdout)['rows']:
        assert demo.command(*COMMAND, 'revoke', row['fingerprint'], '--account', user).returncode == 0


def make(demo, account, folder, name='laptop', *options):
    """What `certificate add` prints; and the certificate with its key, as programs want them: PEM."""
    done = demo.command(*COMMAND, 'add', name, '--account', account, '--out', folder / f'{name}.p12', '--json', *options)
    assert done.returncode == 0, done.stdout
    made = json.loads(done.stdout)
    certificates.openssl('pkcs12', '-in', made['file'], '-passin', f'pass:{made["passphrase"]}', '-nodes', '-out',
                         folder / f'{name}.pem')
    return made, folder / f'{name}.pem'


def connect(demo, protocol, certificate=None):
    port, line = PORTS[protocol]
    return line(demo.ports[port], tls=True, certificate=certificate and (certificate, certificate))


def external(line, authzid='', initial=False):
    message = base64.b64encode(authzid.encode()).decode()
    start = scram.COMMANDS[type(line)].format('EXTERNAL')
    if initial:
        line.send(f'{start} {message or "="}\r\n')
    else:
        line.send(start + '\r\n')
        said = scram.said(line)
        if said:
            return said
        line.send(message + '\r\n')
    return line.line().decode()


def offered(demo, certificate):
    with connect(demo, 'imap', certificate) as imap, connect(demo, 'smtp', certificate) as smtp, \
            connect(demo, 'pop3', certificate) as pop3:
        pop3.command('CAPA')
        said = [str(imap.command('CAPABILITY').untagged), smtp.extensions.text, str(pop3.rest())]
    return ['EXTERNAL' in text for text in said]


def asks(port, *options):
    """Whether the handshake asks for a client certificate."""
    done = subprocess.run(['openssl', 's_client', '-connect', f'127.0.0.1:{port}', *options], input=b'',
                          capture_output=True, timeout=paths.PATIENCE)
    return b'Postern clients' in done.stdout


@pytest.mark.smoke
def test_external_by_each_protocol(demo, holder, tmp_path):
    assert not asks(demo.ports['imaps'])
    other = demo.new_users(1)[0]
    _, certificate = make(demo, holder, tmp_path)
    assert asks(demo.ports['imaps']) and not asks(demo.ports['smtp'], '-starttls', 'smtp')
    assert offered(demo, certificate) == [True] * 3 and offered(demo, None) == [False] * 3
    for protocol in PORTS:
        for authzid in ('', holder):
            for initial in (False, True):
                with connect(demo, protocol, certificate) as line:
                    assert external(line, authzid, initial).startswith(IN[protocol])
        with connect(demo, protocol, certificate) as line:
            assert external(line, other).startswith(OUT[protocol])
        with connect(demo, protocol) as line:
            assert external(line).startswith(NONE[protocol])
    with wire.Imap(demo.ports['imap'], certificate=(certificate, certificate)) as imap:    # by STARTTLS
        assert external(imap).startswith(NONE['imap'])
        assert imap.command('STARTTLS').ok
        imap.start_tls()
        assert external(imap, initial=True).startswith(IN['imap'])


def test_others_certificates_are_none(demo, holder, tmp_path):
    make(demo, holder, tmp_path)
    certificate, key = certificates.Authority(tmp_path / 'other').issue('laptop')
    with wire.Imap(demo.ports['imaps'], tls=True, certificate=(certificate, key)) as imap:
        assert external(imap).startswith(NONE['imap'])
        imap.login(holder, demo.password)    # there is still the password


def test_bounds_and_the_end(demo, holder, tmp_path):
    made, certificate = make(demo, holder, tmp_path)
    _, narrow = make(demo, holder, tmp_path, 'sending', '--protocol', 'smtp')
    with connect(demo, 'imap', narrow) as imap:
        said = external(imap)
        assert said.startswith(OUT['imap']) and 'not for this protocol' in said
    with connect(demo, 'imap', certificate) as imap, connect(demo, 'smtp', certificate) as smtp, \
            connect(demo, 'imap') as own:
        assert external(imap).startswith(IN['imap']) and external(smtp).startswith(IN['smtp'])
        own.login(holder, demo.password)
        assert demo.command(*COMMAND, 'revoke', made['serial'], '--account', holder).returncode == 0
        assert b'BYE' in imap.line() and smtp.command(f'MAIL FROM:<{holder}>').code >= 400 and own.command('NOOP').ok
    with connect(demo, 'imap', certificate) as imap:    # it still verifies, and is nobody's
        assert external(imap).startswith(OUT['imap'])
    wait.until(lambda: all(word in demo.command('audit', 'show', '--account', holder).stdout
                           for word in ('client certificate issued', 'EXTERNAL')), 'the audit log lacks it')


@pytest.mark.parametrize('version', [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_with_a_certificate_is_not_resumed(demo, holder, tmp_path, version):
    _, certificate = make(demo, holder, tmp_path)
    for known in (True, False):
        context = trusting(demo)
        context.minimum_version = context.maximum_version = version
        if known:
            context.load_cert_chain(certificate)
        session = None
        for again in (False, True):
            with wire.Imap(demo.ports['imap']) as imap:
                assert imap.command('STARTTLS').ok
                imap.socket = context.wrap_socket(imap.socket, server_hostname='localhost', session=session)
                imap.command('NOOP')    # the ticket of TLS 1.3 comes behind the handshake
                session = imap.socket.session
                assert imap.socket.session_reused == (again and not known)
                assert ('EXTERNAL' in str(imap.command('CAPABILITY').untagged)) == known


def test_a_key_that_stays_on_the_device(demo, holder, tmp_path):
    key, request, pem = tmp_path / 'key', tmp_path / 'csr', tmp_path / 'pem'
    certificates.openssl('req', '-new', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=anything', '-keyout', key, '-out',
                         request)
    add = (*COMMAND, 'add', 'server', '--account', holder, '--request')
    done = demo.command(*add, request)
    assert done.returncode == 0 and done.stdout.count('BEGIN CERTIFICATE') == 2 and 'PRIVATE' not in done.stdout
    pem.write_text(done.stdout)
    with wire.Smtp(demo.ports['submissions'], tls=True, certificate=(pem, key)) as smtp:
        assert external(smtp).startswith(IN['smtp'])
    request.write_text(request.read_text().replace('A', 'B', 9))
    assert demo.command(*add, request).returncode == 2
    assert demo.command(*add, key).returncode == 2


def test_it_cannot_unlock(demo, holder, tmp_path):
    """A locked account's mail opens by its owner's secrets alone; then the certificate gets in as well."""
    _, certificate = make(demo, holder, tmp_path)
    done = demo.command('account', 'policy', 'locked', '--account', holder, '--password-stdin',
                        octets=demo.password.encode())
    assert done.returncode == 0, done.stderr
    process = max(demo.room('account'), key=lambda p: p.started)
    process.signal(signal.SIGKILL)    # the next one knows no key
    wait.until(lambda: not process.alive())
    with connect(demo, 'imap', certificate) as imap:
        said = external(imap)
        assert said.startswith('a NO ') and 'certificate cannot' in said
        imap.login(holder, demo.password)
    with connect(demo, 'imap', certificate) as imap:
        assert external(imap).startswith(IN['imap'])
    assert demo.command('account', 'policy', 'server', '--account', holder, '--password-stdin',
                        octets=demo.password.encode()).returncode == 0


# Unmodified programs.

def test_curl_and_imaplib(demo, holder, tmp_path):
    made, certificate = make(demo, holder, tmp_path)
    context = trusting(demo)
    context.load_cert_chain(certificate)
    with imaplib.IMAP4_SSL('localhost', demo.ports['imaps'], ssl_context=context) as client:
        assert client.authenticate('EXTERNAL', lambda challenge: b'')[0] == 'OK' and client.select()[0] == 'OK'
    said = run([program('curl'), '-s', '--cacert', demo.ready['ca'], '--cert', f'{made["file"]}:{made["passphrase"]}',
                '--cert-type', 'P12', '--login-options', 'AUTH=EXTERNAL', '-u', f'{holder}:',
                f'imaps://localhost:{demo.ports["imaps"]}/'])
    assert b'INBOX' in said


def test_msmtp_and_fetchmail(demo, holder, tmp_path):
    _, certificate = make(demo, holder, tmp_path)
    configuration = tmp_path / 'msmtprc'
    configuration.write_text(
        f'account default\nhost localhost\nport {demo.ports["submission"]}\ntls on\ntls_trust_file {demo.ready["ca"]}\n'
        f'tls_cert_file {certificate}\ntls_key_file {certificate}\nauth external\nuser {holder}\nfrom {holder}\n')
    configuration.chmod(0o600)
    run([program('msmtp'), '-C', configuration, holder], MESSAGE)
    with wire.Imap(demo.ports['imap']) as imap:
        imap.login(holder, demo.password)
        wait.until(imap.select)
    configuration = tmp_path / 'fetchmailrc'
    configuration.write_text(
        f'poll localhost proto imap port {demo.ports["imaps"]} auth external user "{holder}" ssl sslcertck '
        f'sslcertfile {demo.ready["ca"]} sslcert {certificate} sslkey {certificate} mda "cat"\n')
    configuration.chmod(0o600)
    assert b'a line with a dot' in run([program('fetchmail'), '--fetchmailrc', configuration, '--nodetach', '--nosyslog',
                                        '--pidfile', tmp_path / 'pid'])
