"""The audit log through a whole server: what it holds, who may see it, and that no tampering goes unnoticed."""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest

from kit import paths, server, wire

USER1, USER2, USER3 = (f'user{n}@example.test' for n in (1, 2, 3))
SECRET = 'Zwetschgendatschi-8852'
NOBODY = 65534    # a user of the machine; user3's by the configuration
ACTS = 60


@pytest.fixture(scope='module')
def house(binaries):
    """One server for all of them, in a folder that other users may pass through."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='postern-audit-'))
    folder.chmod(0o711)
    one = server.Server(folder / 'mail', users=3)
    try:
        with one:
            live_a_little(one)
            yield one
            assert not one.new_sanitizer_reports()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def live_a_little(one):
    with wire.Smtp(one.ports['smtp']) as smtp:
        assert smtp.message('a@sender.example', [USER2], f'Subject: {SECRET}\r\n\r\n{SECRET}\r\n'.encode()).code == 250
    with wire.Imap(one.ports['imap']) as imap:
        imap.login(USER2, one.password)
    with wire.Imap(one.ports['imap']) as imap:
        assert not imap.command(f'LOGIN {USER2} {SECRET}').ok
    assert one.command('account', 'quota', USER2, '5G').returncode == 0
    # A server that names another user of the machine as the owner of an account, and a file that a crash left.
    assert one.stop() == 0
    with open(sorted(folder_of(one).glob('audit-*'))[-1], 'ab') as newest:
        newest.write(b'{"hash":"00')
    given = (one.directory / 'demo.conf').read_text()
    config = one.directory / 'own.conf'
    config.write_text(re.sub(r'local-users = .*', f'local-users = {{ "{NOBODY}={USER3}" }}', given))
    one.child = subprocess.Popen([paths.BUILD / 'posternd', '-c', config], stderr=open(one.log, 'ab'))
    deadline = time.monotonic() + paths.PATIENCE
    while one.command('status').returncode:
        assert time.monotonic() < deadline and one.child.poll() is None
        time.sleep(0.05)


def folder_of(one):
    return one.directory / 'ledger' / 'audit'


def asked(one, *words):
    done = one.command('--json', 'audit', *words)
    return done.returncode, json.loads(done.stdout)


def records(one, *words):
    status, answer = asked(one, 'show', '--limit', '1000', *words)
    assert status == 0, answer
    return answer['rows']


def number_of(rows, address):
    """The account's; the demo makes several at a time, so theirs need not follow the addresses."""
    made, = with_event(rows, 'admin.act', act='account-add', target=address, outcome='done')
    return made['fields']['account']


def with_event(rows, event, **fields):
    return [r for r in rows if r['event'] == event and fields.items() <= r['fields'].items()]


def test_it_is_whole_and_a_crash_is_sealed_off(house):
    status, said = asked(house, 'verify')
    assert status == 0 and said['whole'] and said['unfinished'] == 1 and said['files'] == 2, said
    assert said['clear'] > 0 and said['signatures'] > 1
    assert 'whole' in house.command('audit', 'verify').stdout


def test_who_and_when_and_from_where(house):
    rows = records(house)
    assert [r['seq'] for r in rows] == list(range(rows[0]['seq'], 0, -1))
    assert with_event(rows, 'login.accepted', user=USER2, client='127.0.0.1', protocol='imap')
    assert with_event(rows, 'login.refused', user=USER2, verdict='refused')
    wish, = with_event(rows, 'admin.asked', act='account-quota', target=USER2, uid=os.getuid())
    done, = with_event(rows, 'admin.act', act='account-quota', target=USER2, outcome='done')
    auth, = with_event(rows, 'admin.act', act='account quota', what=USER2)
    assert wish['seq'] < done['seq'] and wish['trace'] == done['trace'] == auth['trace']
    assert with_event(rows, 'key.given', role='watch')
    assert with_event(rows, 'key.given', role='account', account=number_of(rows, USER2))


def test_no_letter_and_no_secret_is_in_it(house):
    for file in folder_of(house).iterdir():
        octets = file.read_bytes()
        assert SECRET.encode() not in octets and house.password.encode() not in octets
    for file in folder_of(house).glob('audit-*'):
        assert b'example.test' not in file.read_bytes() and b'127.0.0.1' not in file.read_bytes()


def as_nobody(house, *words):
    """Another user of the machine types the command."""
    program = pathlib.Path(shutil.copy(paths.BUILD / 'postern', '/tmp/postern-audit-of-nobody'))
    try:
        return subprocess.run([program, '--json', '--dir', house.ready['dir'], *words], capture_output=True,
                              timeout=paths.PATIENCE, user=NOBODY, group=NOBODY)
    finally:
        program.unlink()


@pytest.mark.skipif(os.getuid() != 0, reason='only root can be somebody else')
def test_an_owner_sees_the_own_account_and_no_other(house):
    own = as_nobody(house, 'audit', 'show')
    rows = json.loads(own.stdout)['rows']
    assert own.returncode == 0 and rows and {r['fields']['account'] for r in rows} == {number_of(records(house), USER3)}
    assert rows == records(house, '--account', USER3)[-len(rows):]
    assert as_nobody(house, 'audit', 'checkpoint').returncode == 0
    for words in (['audit', 'show', '--account', USER2], ['account', 'list'], ['account', 'quota', USER3, '1G']):
        refused = as_nobody(house, *words)
        assert refused.returncode == 1 and json.loads(refused.stdout)['kind'] == 'denied', words


def test_the_documented_program_agrees(house, tmp_path):
    """docs/audit.md's verifier, word for word: another reader of the same format."""
    page = (pathlib.Path(__file__).parents[2] / 'docs' / 'audit.md').read_text()
    program, = re.findall(r'```python\n(.*?)```', page, re.S)
    status, head = asked(house, 'checkpoint')
    folder = copy_of(house, tmp_path)
    for file in sorted(folder.glob('audit-*'))[:-1]:    # it takes no unfinished ends
        file.write_bytes(file.read_bytes().rpartition(b'\n')[0] + b'\n')
    run = [sys.executable, '-c', program, folder, head['key']]
    done = subprocess.run(run, capture_output=True, text=True, timeout=paths.PATIENCE)
    assert done.returncode == 0 and 'whole' in done.stdout, done.stderr
    lines = lines_of(folder)
    write_lines(folder, [lines[0].replace(b'"number":0', b'"number":1'), *lines[1:]])
    assert subprocess.run(run, capture_output=True, timeout=paths.PATIENCE).returncode != 0


# ---- tampering ----

def copy_of(house, tmp_path):
    return pathlib.Path(shutil.copytree(folder_of(house), tmp_path / 'audit'))


def first_file(folder):
    return min(folder.glob('audit-*'))


def lines_of(folder):
    return first_file(folder).read_bytes().splitlines(keepends=True)


def write_lines(folder, lines):
    first_file(folder).write_bytes(b''.join(lines))


def change(folder, lines):
    write_lines(folder, [*lines[:4], lines[4].replace(b'"time":"2', b'"time":"1'), *lines[5:]])


def cut(folder, lines):
    write_lines(folder, lines[:4] + lines[5:])


def reorder(folder, lines):
    write_lines(folder, [*lines[:4], lines[5], lines[4], *lines[6:]])


def insert(folder, lines):
    write_lines(folder, [*lines[:5], lines[4], *lines[5:]])


def forge(folder, lines):
    """The last signature is of something else, and the record's hash is right."""
    last = max(n for n, line in enumerate(lines) if b'"audit.checkpoint"' in line)
    other = re.sub(rb'("signature":")(..)', lambda m: m[1] + (b'00' if m[2] != b'00' else b'11'), lines[last])
    record = other[other.index(b'"record":') + 9:-2]
    digits = hashlib.sha256(record).hexdigest().encode()
    write_lines(folder, [*lines[:last], b'{"hash":"%s","record":%s}\n' % (digits, record), *lines[last + 1:]])


def swap(folder, lines):
    one, two = sorted(folder.glob('audit-*'))
    one.rename(folder / 'kept')
    two.rename(one)
    (folder / 'kept').rename(two)


def lose_a_file(folder, lines):
    first_file(folder).unlink()


def lie_in_clear(folder, lines):
    file = min(folder.glob('clear-*'))
    file.write_bytes(file.read_bytes().replace(USER2.encode(), USER3.encode()))


FAULTS = [(change, 'changed', 5), (cut, 'cut', 5), (reorder, 'reordered', 5), (insert, 'inserted', 5),
          (forge, 'signature wrong', None), (swap, 'reordered', None), (lose_a_file, 'cut', 1),
          (lie_in_clear, 'clear value changed', None)]


@pytest.mark.parametrize('tamper,fault,record', FAULTS, ids=[f[0].__name__ for f in FAULTS])
def test_tampering_is_found_and_named(house, tmp_path, tamper, fault, record):
    key = asked(house, 'checkpoint')[1]['key']
    folder = copy_of(house, tmp_path)
    words = ('verify', '--path', str(folder), '--key', key)
    assert asked(house, *words)[0] == 0
    tamper(folder, lines_of(folder))
    status, said = asked(house, *words)
    assert status == 1 and not said['whole'] and said['fault'] == fault and said['file'], said
    assert record in (None, said['record']), said


def test_a_lost_tail_is_found_by_what_was_kept_elsewhere(house, tmp_path):
    kept = tmp_path / 'kept.json'
    status, head = asked(house, 'checkpoint')
    kept.write_text(json.dumps(head))
    folder = copy_of(house, tmp_path)
    words = ('verify', '--path', str(folder), '--key', head['key'])
    assert asked(house, *words, '--checkpoint', str(kept))[0] == 0
    newest = max(folder.glob('audit-*'))
    lines = newest.read_bytes().splitlines(keepends=True)
    newest.write_bytes(b''.join(line for line in lines if json.loads(line)['record']['seq'] < head['seq']))
    assert asked(house, *words)[0] == 0    # alone nobody can tell
    status, said = asked(house, *words, '--checkpoint', str(kept))
    assert status == 1 and said['fault'] == 'cut' and said['record'] == head['seq'], said


def test_the_commands_answers_without_a_server(house, tmp_path):
    folder = copy_of(house, tmp_path)
    away = subprocess.run([paths.BUILD / 'postern', '--dir', tmp_path / 'none', 'audit', 'verify'], capture_output=True)
    assert away.returncode == 3
    assert house.command('audit', 'verify', '--key', 'nonsense').returncode == 2
    assert asked(house, 'path')[1]['files'] == sorted(map(str, folder_of(house).glob('audit-*')))
    assert asked(house, 'path', '--path', str(folder))[1]['folder'] == str(folder)


# ---- promises ----

def test_what_was_promised_survives_kill_9_of_watch(house):
    def act(n):
        name = f'kept{n}@example.test'
        return name, house.command('alias', 'add', name, USER1).returncode

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        acts = [pool.submit(act, n) for n in range(ACTS)]
        for _ in range(3):
            time.sleep(0.15)
            for process in house.room('watch'):
                process.signal(signal.SIGKILL)
            deadline = time.monotonic() + paths.PATIENCE
            while not [p for p in house.processes() if p.room == 'watch']:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        done = {name for name, status in (a.result() for a in acts) if status == 0}
    assert done
    status, said = asked(house, 'verify')
    assert status == 0 and said['whole'], said
    rows = records(house)
    for event in ('admin.asked', 'admin.act'):
        assert done <= {r['fields'].get('target') for r in with_event(rows, event, act='alias-add')}
