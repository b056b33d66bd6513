"""`posternd --check`: every mistake with its file, its line and what to do; and posternd without a demo around it."""
import base64
import re
import subprocess

import pytest

from kit import daemon, paths, server, wire

@pytest.fixture(scope='module')
def certificate(tmp_path_factory):
    """A directory with a certificate and its key."""
    return daemon.certify(tmp_path_factory.mktemp('certificate'))


@pytest.fixture
def written(tmp_path, certificate):
    """Writes a configuration: the good one, each pattern replaced; returns its path and text."""
    def write(replace=(), more=''):
        return daemon.write(tmp_path, certificate, replace, more)
    return write


def check(file):
    return subprocess.run([paths.BUILD / 'posternd', '--check', '-c', file], capture_output=True, text=True,
                          timeout=paths.PATIENCE)


def test_a_good_file(written):
    done = check(written()[0])
    assert (done.returncode, done.stderr) == (0, '') and 'no problem' in done.stdout


def test_the_shipped_example_has_only_its_certificate_missing():
    done = check(paths.ROOT / 'packaging' / 'postern.conf')
    assert done.returncode == 1
    assert all('certificate' in line or 'private-key' in line for line in done.stderr.splitlines()), done.stderr


MISTAKES = {
    'an option nobody knows': ('hostnme = mail.example.org\n', 'hostname'),
    'a number that is none': ('recipients = many\n', 'number'),
    'a size out of range': ('message-size = 1\n', 'message-size'),
    'a word that is not a choice': ('bare-newline = maybe\n', 'normalise'),
    'an address without a port': ('listen-imaps = { "127.0.0.1" }\n', 'port'),
    'an option given twice': ('hostname = a.example\n', 'hostname'),
    'an address in a longer list': ('listen-imaps = { "127.0.0.1:20993",\n "nowhere" }\n', 'port'),
    'administration without a port': ('listen-https = { "127.0.0.1" }\n', 'port'),
    'administration from a place that is none': ('administration-from = { "home" }\n', '192.0.2.0/24'),
    'a network that is none': ('proxy-from = { "10.0.0.0/33" }\n', '192.0.2.0/24'),
    'everybody sends as one account': ('local-users = { "*=a@example.org" }\n', 'name each user'),
    'nobody sends as an account': ('local-users = { "=a@example.org" }\n', 'www-data=web@example.org'),
    'a user nobody knows': ('local-users = { "no-such-user-here=a@example.org" }\n', 'getent'),
    'a user of no account': ('local-users = { "root" }\n', 'www-data=web@example.org'),
    'a user of all accounts': ('local-users = { "root=*@example.org" }\n', 'one account'),
    'a name server without a port': ('dns-forward = { "127.0.0.1" }\n', '192.0.2.53:53'),
    'anchors that are none': ("dns-anchor = '/etc/hostname'\n", 'DS and DNSKEY'),
    'an empty file of anchors': ("dns-anchor = '/dev/null'\n", 'DS or DNSKEY'),
    'authorities that are none': ("fetch-ca = '/etc/hostname'\n", 'PEM'),
    'a file that is not there': ("fetch-ca = '/nowhere/ca.pem'\n", 'fetch-ca'),
    'logins in clear from everywhere': ('login-without-tls = { "0.0.0.0/0" }\n', 'private network'),
    'a database that is none': ("country-database = '/etc/hostname'\n", 'MaxMind'),
    'a line that is none': ('log file\n', 'option = value'),
}


@pytest.mark.parametrize('mistake,remedy', MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_line_and_remedy(written, mistake, remedy):
    file, text = written(more=mistake)
    done = check(file)
    assert done.returncode == 1 and done.stdout == '', done.stdout
    told = [m for line in done.stderr.splitlines() if (m := re.match(re.escape(str(file)) + r':(\d+): (.+)', line))]
    assert told, f'no line names file and line:\n{done.stderr}'
    assert text.count('\n') in {int(m[1]) for m in told}, done.stderr
    assert remedy in done.stderr, done.stderr


def test_every_mistake_is_told_at_once(written):
    file, _ = written(more='one-mistake = 1\nanother = 2\n')
    done = check(file)
    assert 'one-mistake' in done.stderr and 'another' in done.stderr


@pytest.mark.parametrize('old,new,said', [
    (r"certificate = '[^']*'", "certificate = '/nowhere/at/all.pem'", 'certificate'),
    (r"private-key = '[^']*'", '', 'private-key'),
    (r"private-key = '([^']*)private-key.pem'", r"private-key = '\1certificate.pem'", 'key'),
])
def test_files_it_names_are_looked_at(written, old, new, said):
    done = check(written([(old, new)])[0])
    assert done.returncode == 1 and said in done.stderr, done.stderr


def test_a_file_that_is_not_there(tmp_path):
    done = check(tmp_path / 'no.conf')
    assert done.returncode == 1 and 'no.conf' in done.stderr


@pytest.mark.parametrize('argv', [[], ['-c'], ['--check'], ['--frob'], ['-c', 'x', 'y']], ids=' '.join)
def test_usage(argv):
    done = subprocess.run([paths.BUILD / 'posternd', *argv], capture_output=True, timeout=paths.PATIENCE)
    assert done.returncode == 2 and done.stderr


def test_help_lists_every_option_with_its_default():
    done = subprocess.run([paths.BUILD / 'posternd', '--help'], capture_output=True, text=True, timeout=paths.PATIENCE)
    assert done.returncode == 0
    for option in ('hostname', 'bare-newline', 'message-size', 'listen-imaps', 'proxy'):
        assert option in done.stdout


def test_a_real_server_has_none_of_the_demos_openings(written):
    with daemon.Daemon(written(more='bare-newline = normalise\nlog = file\n')[0]) as one:
        one.ready()
        assert one.command('domain', 'add', 'example.org').returncode == 0
        assert one.command('account', 'add', 'anna@example.org', '--password-stdin', octets=b'four easy words\n').returncode == 0
        with wire.Smtp(one.ports['smtp']) as smtp:
            assert 'XCLIENT' not in smtp.extensions.text
            assert smtp.command('XCLIENT ADDR=203.0.113.9').code == 550
            assert smtp.message('a@a.example', ['anna@example.org'], b'Subject: x\r\n\r\na\nb\rc\r\n').code == 250
        with wire.Smtp(one.ports['submission']) as smtp:
            assert 'AUTH' not in smtp.extensions.text, 'no password in clear is asked for'
            assert smtp.login('anna@example.org', 'four easy words').code == 538
            smtp.starttls()
            assert 'AUTH PLAIN LOGIN' in smtp.extensions.text
            assert smtp.login('anna@example.org', 'four easy words').code == 235
        with wire.Imap(one.ports['imap']) as imap:
            assert b'LOGINDISABLED' in imap.greeting[0] and b'AUTH=PLAIN' not in imap.greeting[0]
            refused = imap.command('LOGIN anna@example.org "four easy words"')
            assert refused.status == 'NO' and refused.text.startswith(b'[PRIVACYREQUIRED] ')
            assert imap.command('STARTTLS').ok
            imap.start_tls()
            imap.login('anna@example.org', 'four easy words')
            assert imap.select() == 1
            assert imap.bodies()[1].endswith(b'\r\n\r\na\r\nb c\r\n'), 'normalised'


def test_too_many_mistakes_end_a_session(written):
    """What the demo grants to loopback alone: its clients are never thrown out."""
    with daemon.Daemon(written(more='errors-per-connection = 3\n')[0]) as one:
        one.ready()
        with wire.Smtp(one.ports['smtp']) as smtp:
            codes = [smtp.command('FROB').code for _ in range(4)]
            assert codes == [500, 500, 500, 421] and smtp.at_end()
        with wire.Smtp(one.ports['submission']) as smtp:
            smtp.starttls()
            guess = base64.b64encode(b'\0nobody@example.org\0wrong').decode()
            for _ in range(20):
                code = smtp.command(f'AUTH PLAIN {guess}').code
                if code == 421:
                    break
                assert code == 535
            assert code == 421


PROXIED = b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c' + bytes([203, 0, 113, 9, 127, 0, 0, 1]) + b'\x30\x39\x00\x19'


@pytest.mark.parametrize('named,believed', [('127.0.0.0/8', True), ('192.0.2.1', False)])
def test_proxy_headers_are_believed_from_named_addresses_only(written, named, believed):
    with daemon.Daemon(written(more=f'proxy-from = {{ "{named}" }}\nlog = file\n')[0]) as one:
        one.ready()
        with wire.Line(one.ports['smtp']) as smtp:
            smtp.send(PROXIED + b'NOOP\r\nFROB\r\n')
            assert smtp.line().startswith(b'220 ')
            # Whoever is not named has sent commands that make no sense.
            assert smtp.line().startswith(b'250 ' if believed else b'500 ')
        assert one.logged('203.0.113.9') == believed


def test_a_message_over_the_limit_is_refused_and_the_session_goes_on(written):
    """RFC 1870 6.1 (3): also when MAIL did not say the size, by DATA and by BDAT, whose octets never become commands."""
    with daemon.Daemon(written(more='message-size = 64k\n')[0]) as one:
        one.ready()
        assert one.command('domain', 'add', 'example.org').returncode == 0
        assert one.command('account', 'add', 'anna@example.org', '--password-stdin', octets=b'four easy words\n').returncode == 0
        large = b'Subject: large\r\n\r\n' + b'QUIT\r\n' * 20000
        with wire.Smtp(one.ports['smtp']) as smtp:
            assert b'SIZE 65536' in smtp.extensions.lines
            assert smtp.command('MAIL FROM:<a@a.example> SIZE=65537').code == 552
            for chunked in (False, True):
                assert smtp.message('a@a.example', ['anna@example.org'], large, chunked).code == 552
            assert smtp.command('RSET').code == 250
            assert smtp.message('a@a.example', ['anna@example.org'], large[:60000]).code == 250
