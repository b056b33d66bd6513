"""Every command of `postern`: what it does, for people and for programs, and its exit status."""
import hashlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

import pytest

from kit import load, paths, server, wire

PASSWORD = b'four words are easy\n'
DONE, NO, USAGE, UNREACHABLE = range(4)


@pytest.fixture(scope='module')
def house(binaries, tmp_path_factory):
    """A server whose accounts these tests may change."""
    with server.Server(tmp_path_factory.mktemp('cli') / 'mail', users=3) as one:
        yield one


def done(house, *words, octets=b''):
    answer = house.command(*words, octets=octets)
    assert answer.returncode == DONE, answer.stderr
    assert answer.stderr == ''
    return answer.stdout


def as_json(house, *words, octets=b''):
    out = done(house, '--json', *words, octets=octets)
    assert out.count('\n') == 1 and out.endswith('\n'), 'one line for a program'
    return json.loads(out)


def refused(house, *words, octets=b'', status=NO):
    """Both faces of a refusal; the sentence."""
    plain, program = house.command(*words, octets=octets), house.command('--json', *words, octets=octets)
    assert (plain.returncode, program.returncode) == (status, status), plain.stderr
    assert plain.stdout == '' and plain.stderr.startswith('postern: ')
    problem = json.loads(program.stdout)
    assert problem['error'] and problem['kind']
    return problem['error']


def rows(house, *words):
    return as_json(house, *words)['rows']


def test_account_add_show_password_delete(house):
    assert 'anna@example.test: made' in done(house, 'account', 'add', 'anna@example.test', '--name', 'Anna Weiß',
                                             '--quota', '1G', '--password-stdin', octets=PASSWORD)
    shown = as_json(house, 'account', 'show', 'anna@example.test')
    assert shown['row']['name'] == 'Anna Weiß' and shown['quota'] == 1 << 30 and not shown['row']['disabled']
    assert 'Anna Weiß' in done(house, 'account', 'show', 'ANNA@example.TEST')
    assert 'already' in refused(house, 'account', 'add', 'anna@example.test', '--password-stdin', octets=PASSWORD)
    done(house, 'account', 'password', 'anna@example.test', '--password-stdin', octets=b'another one of four\n')
    assert as_json(house, 'account', 'quota', 'anna@example.test', '2G') == {'done': True}
    done(house, 'account', 'delete', 'anna@example.test', '--yes')
    refused(house, 'account', 'show', 'anna@example.test')
    refused(house, 'account', 'delete', 'anna@example.test', '--yes')


def test_numbers_of_accounts_are_never_used_twice(house):
    first = as_json(house, 'account', 'add', 'first@example.test', '--password-stdin', octets=PASSWORD)['account']
    done(house, 'account', 'delete', 'first@example.test', '--yes')
    second = as_json(house, 'account', 'add', 'first@example.test', '--password-stdin', octets=PASSWORD)['account']
    assert second > first
    done(house, 'account', 'delete', 'first@example.test', '--yes')


def test_account_list(house):
    listed = rows(house, 'account', 'list')
    assert {'user1@example.test', 'user2@example.test', 'user3@example.test'} <= {r['address'] for r in listed}
    assert [r['admin'] for r in listed if r['address'].startswith('user')] == [True, False, False]
    assert 'user2@example.test' in done(house, 'account', 'list')


def test_account_disable_and_enable(house):
    done(house, 'account', 'disable', 'user3@example.test')
    assert as_json(house, 'account', 'show', 'user3@example.test')['row']['disabled']
    assert 'disabled' in done(house, 'account', 'list')
    done(house, 'account', 'enable', 'user3@example.test')
    assert not as_json(house, 'account', 'show', 'user3@example.test')['row']['disabled']


def test_account_check(house):
    """On an account somebody is at, on one whose process does not run, and on all."""
    with wire.Imap(house.ports['imap']) as reader:
        reader.login('user2@example.test', house.password)
        assert 'user2@example.test: 0 messages, 0 octets: all is well.' in done(
            house, 'account', 'check', 'user2@example.test')
    one = as_json(house, 'account', 'check', 'user3@example.test', '--repair')
    assert one['sound'] and [(a['address'], a['findings'], a['more']) for a in one['accounts']] == [
        ('user3@example.test', [], 0)]
    done(house, 'account', 'disable', 'user3@example.test')
    assert as_json(house, 'account', 'check', '--all')['sound']
    assert done(house, 'account', 'check', '--all').count('all is well') == 3
    done(house, 'account', 'enable', 'user3@example.test')
    assert house.command('account', 'check', 'nobody@example.test').returncode == NO
    refused(house, 'account', 'check', status=USAGE)
    refused(house, 'account', 'check', 'user3@example.test', '--all', status=USAGE)


def test_account_check_tells_of_damage(new_server):
    """A body file that was changed is named; an account that does not open any more does not keep the others from it."""
    one = new_server(users=2)
    with wire.Smtp(one.ports['smtp']) as smtp:
        assert smtp.message('a@sender.example', one.users[:1], load.message(b'large', 2000000)).code == 250
    one.stop()
    folder = one.directory / 'accounts' / '1'
    body, = folder.glob('*.body')
    overwrite(body, 5000, b'x' * 100)
    one.start()
    for words, sentence in (([], '--repair mends'), (['--repair'], 'cannot be repaired here')):
        checked = one.command('account', 'check', one.users[0], *words)
        assert checked.returncode == NO and sentence in checked.stdout, checked.stdout
        assert 'The body file of the message UID 1 in mailbox number 1 cannot be read' in checked.stdout
    one.stop()
    overwrite(folder / 'mail.db', 0, b'x' * 6000)
    one.start()
    checked = one.command('account', 'check', '--all')
    assert checked.returncode == NO and f'{one.users[1]}: 0 messages, 0 octets: all is well.' in checked.stdout
    assert f'{one.users[0]} could not be checked.\npostern: ' in checked.stderr
    told = json.loads(one.command('--json', 'account', 'check', '--all').stdout)
    assert not told['sound'] and [a['sound'] for a in told['accounts']] == [False, True]


def overwrite(path, at, octets):
    with open(path, 'r+b') as file:
        file.seek(at)
        file.write(octets)


@pytest.mark.parametrize('password', [b'', b'\n', b'short\n', b'\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\n'])
def test_bad_passwords_are_refused(house, password):
    for answer in (house.command('account', 'password', 'user3@example.test', '--password-stdin', octets=password),
                   house.command('account', 'add', 'bad@example.test', '--password-stdin', octets=password)):
        assert answer.returncode in (NO, USAGE) and 'password' in answer.stderr, answer.stderr


def test_send_as(house):
    grant = ['sales@example.test', '--account', 'user2@example.test']
    done(house, 'account', 'send-as', 'add', *grant)
    assert 'sales@example.test' in as_json(house, 'account', 'show', 'user2@example.test')['send_as']
    done(house, 'account', 'send-as', 'remove', *grant)
    assert as_json(house, 'account', 'show', 'user2@example.test')['send_as'] == []
    refused(house, 'account', 'send-as', 'add', 'sales@example.test', '--account', 'nobody@example.test')


def test_domains(house):
    done(house, 'domain', 'add', 'bücher.example')
    one = next(r for r in rows(house, 'domain', 'list') if r['name'] == 'xn--bcher-kva.example')
    assert one['catch_all'] == '' and one['accounts'] == 0
    refused(house, 'domain', 'add', 'XN--bcher-KVA.example')
    done(house, 'domain', 'catch-all', 'bücher.example', 'user2@example.test')
    assert 'user2@example.test' in done(house, 'domain', 'list')
    done(house, 'domain', 'catch-all', 'bücher.example')
    for state in ('off', 'on'):
        done(house, 'domain', 'signing', state, 'bücher.example')
        assert next(r for r in rows(house, 'domain', 'list') if r['name'] == one['name'])['signs'] == (state == 'on')
    done(house, 'domain', 'delete', 'bücher.example')
    refused(house, 'domain', 'delete', 'bücher.example')
    assert 'accounts' in refused(house, 'domain', 'delete', 'example.test')
    for wrong in ('', 'a..b', '-a.example', 'a b.example', 'x' * 64 + '.example'):
        refused(house, 'domain', 'add', wrong)


def test_domain_records(house):
    listed = as_json(house, 'domain', 'records', 'example.org')
    assert {'name', 'type', 'value', 'note'} == set(listed[0])
    kinds = {(row['name'].split('.')[0], row['type']) for row in listed}
    assert {('example', 'MX'), ('_dmarc', 'TXT'), ('_25', 'TLSA'), ('_imaps', 'SRV'), ('_smtp', 'TXT')} <= kinds
    keys = [row for row in listed if row['value'].startswith('v=DKIM1; ')]
    assert len(keys) == 2 and all('._domainkey.example.org' in row['name'] for row in keys)
    rsa = max(keys, key=lambda row: len(row['value']))
    zone = done(house, 'domain', 'records', 'EXAMPLE.org')
    assert 'example.org. IN MX 10 ' in zone
    pieces = re.findall(r'"([^"]*)"', next(line for line in zone.split('\n') if line.startswith(rsa['name'])))
    assert len(pieces) == 2 and len(pieces[0]) == 255 and ''.join(pieces) == rsa['value']
    assert as_json(house, 'domain', 'records', 'example.org') == listed
    assert 'domain list' in refused(house, 'domain', 'records', 'example.com')


def test_tlsa_is_of_the_certificate(house):
    listed = as_json(house, 'domain', 'records', 'example.test')
    der = subprocess.run('openssl x509 -pubkey -noout | openssl pkey -pubin -outform DER', shell=True, check=True,
                         stdin=open(house.directory / 'certificate.pem'), capture_output=True).stdout
    assert [row['value'] for row in listed if row['type'] == 'TLSA'] == ['3 1 1 ' + hashlib.sha256(der).hexdigest()]


def test_aliases(house):
    done(house, 'alias', 'add', 'team@example.org', 'user1@example.test', 'user2@example.test')
    one = next(r for r in rows(house, 'alias', 'list') if r['address'] == 'team@example.org')
    assert one['targets'] == ['user1@example.test', 'user2@example.test'] and not one['fixed']
    refused(house, 'alias', 'add', 'team@example.org', 'user3@example.test')
    done(house, 'alias', 'delete', 'team@example.org')
    refused(house, 'alias', 'delete', 'team@example.org')
    refused(house, 'alias', 'add', 'user1@example.test', 'user2@example.test')
    refused(house, 'alias', 'add', 'lost@example.test', 'nobody@example.test')
    refused(house, 'alias', 'add', 'circle@example.test', 'circle@example.test')


@pytest.mark.parametrize('address', ['postmaster@example.org', 'abuse@example.org', 'Postmaster@EXAMPLE.org'])
def test_role_addresses_stay(house, address):
    refused(house, 'alias', 'delete', address)
    done(house, 'alias', 'add', address, 'user3@example.test')
    listed = {r['address']: r for r in rows(house, 'alias', 'list')}
    assert listed[address.lower()]['targets'] == ['user3@example.test'] and listed[address.lower()]['fixed']


def test_queue(house):
    assert rows(house, 'queue', 'list') == []
    assert 'empty' in done(house, 'queue', 'list')
    refused(house, 'queue', 'release', '7')
    refused(house, 'queue', 'drop', '7')
    refused(house, 'queue', 'drop', 'seven', status=USAGE)
    refused(house, 'queue', 'show', '7')
    refused(house, 'queue', 'hold')
    for act in ('retry', 'hold', 'release', 'drop'):
        refused(house, 'queue', act, '--destination', 'nobody.test')
    assert 'matches' in done(house, 'queue', 'list', '--sender', 'a@example.org')
    assert as_json(house, 'queue', 'flush') == {'items': 0}
    assert rows(house, 'queue', 'suppressed') == []
    refused(house, 'queue', 'lift', 'a@example.org')


def test_status(house):
    status = as_json(house, 'status')
    roles = {r['role'] for r in status['rooms']}
    assert {'auth', 'vault', 'edge-mx', 'edge-client', 'inspect', 'queue', 'watch', 'web'} <= roles
    assert all(r['pid'] > 1 and r['restarts'] == 0 for r in status['rooms'])
    assert status['counters']['smtp.accepted'] >= 0
    assert 'edge-mx' in done(house, 'status')


def test_trace_of_nothing(house):
    unknown = house.command('trace', '0' * 32)
    assert unknown.returncode == NO and 'Nothing is known' in unknown.stdout
    refused(house, 'trace', 'no address')


def test_version_and_help(house):
    assert done(house, 'version').startswith('postern ')
    assert as_json(house, 'version')['version']
    everything = done(house, 'help')
    for command in ('account add', 'account send-as add', 'domain catch-all', 'alias add', 'queue release', 'trace',
                    'status', 'demo', 'Exit status'):
        assert command in everything
    assert 'alias' not in done(house, 'help', 'account', 'list')
    assert done(house, 'account', 'list', '--help') == done(house, 'help', 'account', 'list')


@pytest.mark.parametrize('words', [
    ['nonsense'], ['account'], ['account', 'frob'], ['account', 'show'], ['account', 'list', 'too', 'many'],
    ['account', 'list', '--frob'], ['account', 'send-as', 'add', 'a@example.test'], ['account', 'add', 'x', '--quota'],
    ['account', 'quota', 'user1@example.test', 'much'], ['demo', '--users', '0'], ['demo', '--port-base', '70000']],
    ids=' '.join)
def test_usage(house, words):
    refused(house, *words, status=USAGE)


def test_no_server_there(house, tmp_path):
    for where in (tmp_path, tmp_path / 'nowhere'):
        for command in (['status'], ['account', 'list'], ['trace', 'a@example.test'], ['queue', 'list']):
            answer = house.command('--dir', str(where), '--json', *command)
            assert answer.returncode == UNREACHABLE, answer.stdout
            assert json.loads(answer.stdout)['kind'] == 'unreachable'


def test_a_relative_directory(house, monkeypatch):
    monkeypatch.chdir(paths.BUILD)
    where = paths.pathlib.Path(house.ready['dir'])
    monkeypatch.chdir(where.parent)
    for command in (['status'], ['trace', '0' * 32], ['account', 'list']):
        assert house.command('--dir', where.name, *command).returncode in (DONE, NO)


@pytest.mark.parametrize('typed,status,said', [
    (['four easy words', 'four easy words'], DONE, 'has a new password'),
    (['four easy words', 'other easy words'], USAGE, 'not the same twice'),
    (['\x03'], -signal.SIGINT, ''),
])
def test_a_password_is_asked_for_in_silence(house, typed, status, said):
    """What is typed never shows, and the terminal echoes again at the end, after Ctrl-C too."""
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # whoever started the tests may have it ignored
        os.execv(paths.BUILD / 'postern', ['postern', '--dir', house.ready['dir'], 'account', 'password',
                                           'user3@example.test'])
    shown = b''
    for line in typed:
        while not shown.endswith(b': '):
            shown += os.read(terminal, 1000)
        time.sleep(0.1)
        os.write(terminal, line.encode() + b'\n')
        shown += os.read(terminal, 1000)
    left = select.poll()
    left.register(terminal, select.POLLIN)
    found = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    echoes = termios.tcgetattr(terminal)[3] & termios.ECHO
    while left.poll(0) and left.poll(0)[0][1] & select.POLLIN:
        shown += os.read(terminal, 1000)
    os.close(terminal)
    assert found == status and said in shown.decode() and echoes
    assert b'easy' not in shown


def test_hostile_text_stays_on_its_line(house):
    """What a client chose is shown without control characters."""
    done(house, 'account', 'add', 'esc@example.test', '--name', 'a\x1b[31m\u202eb', '--password-stdin', octets=PASSWORD)
    assert '\x1b' not in done(house, 'account', 'list') and '\u202e' not in done(house, 'account', 'show', 'esc@example.test')
    done(house, 'account', 'delete', 'esc@example.test', '--yes')
