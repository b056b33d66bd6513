"""The demo as a user meets it: ready in seconds, going on where it was, and gone without a trace."""
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest

from kit import paths, processes, server, wire

MESSAGE = b'From: a@example.net\r\nSubject: kept\r\n\r\nkept\r\n'


def count(one, user):
    with wire.Imap(one.ports['imap']) as imap:
        imap.login(user, one.password)
        return imap.select()


def send(one, recipient):
    with wire.Smtp(one.ports['smtp']) as smtp:
        assert smtp.message('a@example.net', [recipient], MESSAGE).code == 250


def gone(everyone, seconds=10):
    """True once none of these processes runs."""
    until = time.monotonic() + seconds * paths.SLOWER
    while any(p.alive() for p in everyone):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def own_tmp(tmp_path, monkeypatch):
    """Where the demo makes its temporary directory."""
    (tmp_path / 'tmp').mkdir()
    monkeypatch.setenv('TMPDIR', str(tmp_path / 'tmp'))
    return tmp_path / 'tmp'


def test_the_ready_line(new_server, tmp_path):
    one = new_server(users=2)
    ready = one.ready
    assert set(ready) == {'ready', 'pid', 'dir', 'ports', 'users', 'password', 'admin_url', 'ca'}
    assert ready['pid'] == one.child.pid and ready['admin_url'] is None
    assert ready['users'] == ['user1@example.test', 'user2@example.test'] and ready['password'] == one.password
    assert set(ready['ports']) == {'smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s', 'https'}
    for name, port in ready['ports'].items():
        assert port == one.base + server.OFFSETS[name]
        socket.create_connection(('127.0.0.1', port), paths.PATIENCE).close()
    assert open(ready['ca']).read().startswith('-----BEGIN CERTIFICATE-----')
    assert os.listdir(tmp_path) == [os.path.basename(ready['dir'])]


def test_started_again_it_goes_on_with_its_mail(new_server, tmp_path):
    first = new_server(tmp_path / 'mail', users=2, empty=False, password='the first password')
    had = count(first, 'user1@example.test')
    assert had > 0, 'the sample mail'
    send(first, 'user1@example.test')
    assert first.stop() == 0
    # Another password and more users: those who are there keep theirs.
    again = new_server(tmp_path / 'mail', users=4, empty=False, password='the first password')
    assert again.ready['ca'] == first.ready['ca'] and len(again.users) == 4
    assert count(again, 'user1@example.test') == had + 1, 'the mail is there, and no sample mail came twice'
    assert count(again, 'user4@example.test') == 0


def test_the_password_is_kept_with_the_directory(tmp_path):
    """Without --password one is made, and found again at the next start."""
    seen = []
    for _ in range(2):
        one = server.Server(tmp_path / 'mail', users=1)
        at = one.options.index('--password')
        del one.options[at:at + 2]
        with one:
            seen.append(one.ready['password'])
            one.password = seen[-1]
            assert count(one, 'user1@example.test') == 0
    assert seen[0] == seen[1] and len(seen[0]) >= 10


def test_empty_has_accounts_and_no_mail(new_server):
    one = new_server(users=2, empty=True)
    assert [count(one, user) for user in one.users] == [0, 0]
    domains = json.loads(one.command('--json', 'domain', 'list').stdout)['rows']
    assert {d['name'] for d in domains} == {'example.test', 'example.org'}
    aliases = json.loads(one.command('--json', 'alias', 'list').stdout)['rows']
    assert {a['address']: a['targets'] for a in aliases} == {
        f'{role}@{d}': ['user1@example.test'] for role in ('postmaster', 'abuse') for d in ('example.test', 'example.org')}


def test_a_domain_of_its_own(new_server, tmp_path):
    one = new_server(tmp_path / 'mail', users=2, empty=False, options=['--domain', 'Site-B.example'])
    assert one.users == ['user1@site-b.example', 'user2@site-b.example']
    assert count(one, 'user1@site-b.example') > 0, 'the sample mail'
    domains = json.loads(one.command('--json', 'domain', 'list').stdout)['rows']
    assert [d['name'] for d in domains] == ['site-b.example']
    context = ssl.create_default_context(cafile=one.ready['ca'])
    with socket.create_connection(('127.0.0.1', one.ports['imaps'])) as plain:
        with context.wrap_socket(plain, server_hostname='mail.site-b.example') as s:
            assert s.recv(100).startswith(b'* OK')


def configured(directory):
    """What the demo tells the server about the world."""
    lines = dict(line.split(' = ', 1) for line in (directory / 'demo.conf').read_text().splitlines() if ' = ' in line)
    names = ['dns-forward', 'dns-anchor', 'relay-port', 'relay-private', 'https-port', 'fetch-ca']
    return {name: lines[name].strip('{}\'" ') for name in names if name in lines}


def test_where_the_world_is(new_server, tmp_path):
    """Without --dns no look-up leaves the machine."""
    quiet = new_server(tmp_path / 'quiet', users=1)
    assert configured(tmp_path / 'quiet') == {'dns-forward': 'none', 'relay-port': '25', 'relay-private': 'yes',
                                              'https-port': '443'}
    quiet.stop()
    (tmp_path / 'anchor').write_text('. IN DS 20326 8 2 ' + 'E0' * 32 + '\n')
    new_server(tmp_path / 'world', users=1, options=[
        '--dns', '127.0.0.1:1', '--dns-anchor', str(tmp_path / 'anchor'), '--relay-port', '2525',
        '--https-port', '8443', '--tls-ca', quiet.ready['ca']])
    assert configured(tmp_path / 'world') == {
        'dns-forward': '127.0.0.1:1', 'dns-anchor': str(tmp_path / 'anchor'), 'relay-port': '2525',
        'relay-private': 'yes', 'https-port': '8443', 'fetch-ca': quiet.ready['ca']}


@pytest.mark.parametrize('options, said', [
    (['--domain', 'localhost'], '--domain is the name of a domain'),
    (['--domain', '[127.0.0.1]'], '--domain is the name of a domain'),
    (['--dns', '127.0.0.1'], '--dns is an address with a port'),
    (['--dns-anchor', '/dev/null'], '--dns-anchor goes with --dns'),
    (['--relay-port', '65536'], '--relay-port is a number'),
    (['--https-port', '0'], '--https-port is a number'),
    (['--tls-ca', '/nowhere/ca.pem'], '/nowhere/ca.pem cannot be read'),
])
def test_what_is_wrong_about_the_world_is_said(options, said):
    run = subprocess.run([paths.BUILD / 'postern', 'demo', *options], capture_output=True, text=True, timeout=20)
    assert run.returncode == 2 and said in run.stderr


def test_400_users_are_there_in_seconds(new_server):
    started = time.monotonic()
    one = new_server(users=400)
    assert time.monotonic() - started < 15 * paths.SLOWER
    assert len(one.users) == 400
    assert count(one, 'user400@example.test') == 0


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_everything(new_server, own_tmp, number):
    one = server.Server(None, users=2).start()
    count(one, 'user1@example.test')
    everyone = one.processes()
    assert {'posternd', 'vault', 'edge-mx', 'account'} <= {p.room for p in everyone}
    one.child.send_signal(number)
    assert one.child.wait(server.STOP_SECONDS) == 0
    assert gone(everyone) and os.listdir(own_tmp) == []
    assert all(server.is_free(port) for port in one.ports.values())


def test_a_signal_while_it_starts(own_tmp):
    one = server.Server(None, users=300)
    child = subprocess.Popen([paths.BUILD / 'postern', 'demo', '--json', '--port-base', str(one.base), *one.options],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.3)
    everyone = processes.tree(child.pid)
    child.terminate()
    assert child.wait(server.STOP_SECONDS) == 0
    assert gone(everyone) and os.listdir(own_tmp) == []


def test_kill_9_of_the_demo_leaves_no_process(new_server):
    one = new_server(users=2)
    count(one, 'user1@example.test')
    everyone = one.processes()
    os.kill(one.child.pid, signal.SIGKILL)
    one.child.wait(server.STOP_SECONDS)
    assert gone(everyone), [p for p in everyone if p.alive()]


def test_after_kill_9_it_starts_again(new_server, tmp_path):
    one = new_server(tmp_path / 'mail', users=2)
    send(one, 'user2@example.test')
    everyone = one.processes()
    one.kill()
    assert gone(everyone)
    assert count(new_server(tmp_path / 'mail', users=2), 'user2@example.test') == 1


def fails(*options):
    done = subprocess.run([paths.BUILD / 'postern', 'demo', '--json', *options], capture_output=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert not [line for line in done.stdout.splitlines() if b'"ready":true' in line]
    return done.stderr.decode()


def test_a_second_one_on_its_ports_is_refused(new_server, tmp_path):
    one = new_server(users=1)
    said = fails('--port-base', str(one.base), '--dir', str(tmp_path / 'other'))
    assert f'127.0.0.1:{one.ports["smtp"]}' in said and '--port-base' in said
    assert count(one, 'user1@example.test') == 0


def test_a_second_one_on_its_directory_is_refused(new_server):
    one = new_server(users=1)
    said = fails('--port-base', str(server.free_port_base()), '--dir', one.ready['dir'])
    assert 'another server is running' in said
    assert one.command('status').returncode == 0, 'the first goes on'


def test_a_directory_of_something_else_is_left_alone(tmp_path):
    (tmp_path / 'precious').write_text('x')
    assert 'not empty' in fails('--dir', str(tmp_path))
    assert os.listdir(tmp_path) == ['precious']


def page_of(own_tmp):
    """What a person sees; the demo is ended."""
    base = server.free_port_base()
    child = subprocess.Popen([paths.BUILD / 'postern', 'demo', '--port-base', str(base), '--users', '2'],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    page = ''
    while 'Ctrl-C' not in page and (line := child.stdout.readline()):
        page += line
    return base, page, child


def test_what_a_person_sees(own_tmp):
    base, page, child = page_of(own_tmp)
    try:
        for said in ('user1@example.test', 'password', f'{base + 25}', f'{base + 993}', 'Log', 'Certificate', 'XCLIENT'):
            assert said in page, said
        tried = re.findall(r'^  (\S*(?:curl|postern) .*)$', page, re.M)
        assert len(tried) == 2
        for command in tried:
            done = subprocess.run(command, shell=True, capture_output=True, timeout=60, text=True)
            assert done.returncode == 0 and done.stdout, f'{command}\n{done.stderr}'
    finally:
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=server.STOP_SECONDS)
    assert child.returncode == 0 and err == '' and 'Stopping' in out


def test_proxy(new_server):
    """With --proxy the header's address is the client's; without the header nobody is served."""
    one = new_server(users=1, options=['--proxy'])
    header = b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c' + bytes([203, 0, 113, 9, 127, 0, 0, 1]) + b'\x30\x39\x00\x19'
    with wire.Line(one.ports['smtp']) as smtp:
        smtp.send(header)
        assert smtp.line().startswith(b'220 ')
        smtp.send(b'EHLO x.example\r\nMAIL FROM:<a@example.net>\r\nRCPT TO:<user1@example.test>\r\nDATA\r\n')
        while not smtp.line().startswith(b'354'):
            pass
        smtp.send(MESSAGE + b'.\r\n')
        assert smtp.line().startswith(b'250')
    with wire.Line(one.ports['imap']) as imap:
        imap.send(header + f'a LOGIN user1@example.test "{one.password}"\r\nb SELECT INBOX\r\n'
                           'c FETCH 1 BODY.PEEK[HEADER.FIELDS (Received)]\r\nd LOGOUT\r\n'.encode())
        seen = b''
        while not (line := imap.line()).startswith(b'd '):
            seen += line
        assert b'[203.0.113.9]' in seen
    with wire.Line(one.ports['smtp']) as smtp:
        smtp.send(b'EHLO x.example\r\n')
        assert smtp.at_end()
