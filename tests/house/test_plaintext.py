"""Nothing of a letter is left behind in clear: not in any file of a server, nor in the memory of the rooms that it only
passed through. What is looked for cannot be compressed, so it would be found in whatever form it were kept; and it is looked
for as it is, in base64 and in UTF-16."""
import base64
import email.message
import email.policy
import os
import random
import string

import pytest

from kit import memory, paths, server, sink, wait, wire

PASSED_THROUGH = ('edge-mx', 'edge-client', 'queue', 'relay', 'watch')
SMALL, LARGE = 4000, 700_000
ELSEWHERE, REACHED = 'friend@elsewhere.example', 'friend@reached.example'    # the first waits in the queue


def secret(seed, size):
    """Letters and digits at random: a line of text that is nowhere else."""
    chance = random.Random(seed)
    return ''.join(chance.choices(string.ascii_letters + string.digits, k=size))


SUBJECT, TEXT, PASSWORD = secret(1, 60), secret(2, 60), secret(4, 24)
FILE = random.Random(3).randbytes(48)


def forms(name, octets):
    """Octets, and what base64 makes of their middle wherever they begin within a group of three."""
    found = {name: octets}
    for shift in range(3):
        found[f'{name}, base64 {shift}'] = base64.b64encode(b'\0' * shift + octets)[4:-4]
    return found


def wanted():
    found = {}
    for name, text in (('subject', SUBJECT), ('text', TEXT)):
        found |= forms(name, text.encode())
        found |= forms(name + ', UTF-16 LE', text.encode('utf-16-le')) | forms(name + ', UTF-16 BE', text.encode('utf-16-be'))
    return found | forms('file', FILE)


def letter(size, sender='sender@sender.example', to='user1@example.test'):
    """With the secrets at its beginning, in its middle and at its end."""
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message['From'], message['To'], message['Subject'] = sender, to, SUBJECT
    message['Date'], message['Message-ID'] = 'Tue, 3 Mar 2026 10:00:00 +0000', f'<{size}{to}>'
    fill = '\n'.join(secret(n, 70) for n in range(size // 142))
    message.set_content('\n'.join((TEXT, fill, TEXT, fill, TEXT)))
    message.add_attachment(FILE, maintype='application', subtype='octet-stream', filename='file.bin')
    return message.as_bytes()


def traffic(one):
    """Letters in, small and large, plain and over TLS; out, and to where nothing can be reached; read, searched, removed."""
    first, second = one.users[:2]
    for tls in (False, True):
        with wire.Smtp(one.ports['smtp'], timeout=6 * paths.PATIENCE) as smtp:
            if tls:
                smtp.starttls()
            for size in (SMALL, LARGE):
                for chunked in (False, True):
                    assert smtp.message('sender@sender.example', [first, second], letter(size), chunked).code == 250
    with wire.Smtp(one.ports['submissions'], tls=True, timeout=6 * paths.PATIENCE) as smtp:
        assert smtp.login(first, one.password).code == 235
        for size in (SMALL, LARGE):
            assert smtp.message(first, [ELSEWHERE, REACHED, second], letter(size, first, ELSEWHERE)).code == 250
    for port, tls in (('imap', False), ('imaps', True)):
        read(one, first, port, tls)


def read(one, user, port, tls):
    with wire.Imap(one.ports[port], tls=tls, timeout=6 * paths.PATIENCE) as imap:
        imap.login(user, one.password)
        count = imap.select()
        assert imap.command(f'SEARCH TEXT "{TEXT[5:40]}"').untagged[0][0].split()[2:], 'the search finds nothing'
        assert TEXT.encode() in imap.bodies('1')[1]
        octets = letter(SMALL)
        assert imap.command('APPEND INBOX {}', octets).ok
        assert imap.command(f'STORE {count} +FLAGS (\\Deleted)').ok and imap.command('EXPUNGE').ok


def in_files(folder, forms_of):
    """(file, form) of everything that stands in a file of the server."""
    found = []
    for path in folder.rglob('*'):
        if path.is_file():
            octets = path.read_bytes()
            found += [(str(path.relative_to(folder)), name) for name, form in forms_of.items() if form in octets]
    return found


def in_memory(one, rooms, forms_of):
    return [(p.room, name) for p in one.processes() if p.room in rooms for name in memory.searched(p.pid, forms_of)]


@pytest.fixture(scope='module')
def used(binaries, tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip('only root reads the memory of other processes')
    one = server.Server(tmp_path_factory.mktemp('plaintext') / 'mail', users=2, password=PASSWORD)
    with one, sink.Sink() as other:
        done = one.command('route', 'add', 'domain', 'reached.example', '--host', '127.0.0.1', '--port', str(other.port))
        assert done.returncode == 0, done.stderr
        traffic(one)
        wait.until(lambda: len(other.taken) == 2, 'the relay carried nothing')
        assert all(TEXT.encode() in taken.message for taken in other.taken)
        yield one


def test_what_is_looked_for_can_be_found(tmp_path):
    octets = letter(SMALL)
    (tmp_path / 'file').write_bytes(octets + TEXT.encode('utf-16-le') + base64.b64encode(b'xx' + TEXT.encode()))
    names = {name for _, name in in_files(tmp_path, wanted())}
    assert {'subject', 'text', 'text, UTF-16 LE', 'text, base64 2', 'file, base64 0'} <= names


def test_no_room_keeps_in_memory_what_passed_through_it(used):
    """While the server runs on, nor passwords; the account's process, whose mail it is, shows that the search finds it."""
    forms_of = wanted() | forms('password', PASSWORD.encode())
    assert in_memory(used, {'account'}, forms_of), 'the search looks in vain everywhere'
    found = in_memory(used, PASSED_THROUGH, forms_of)
    assert not found


def test_no_file_holds_anything(used):
    """After traffic, after kill -9 in the middle of it, and after everything was removed."""
    forms_of = wanted()
    assert not in_files(used.directory, forms_of)
    with wire.Smtp(used.ports['smtp']) as smtp:
        assert [a.code for a in smtp.envelope('sender@sender.example', [used.users[0]])] == [250, 250]
        assert smtp.command('DATA').code == 354
        smtp.send(letter(LARGE)[:LARGE // 2])
        used.kill()
    assert not in_files(used.directory, forms_of)
    used.start()
    assert not in_files(used.directory, forms_of)
    for user in used.users:
        with wire.Imap(used.ports['imap'], timeout=6 * paths.PATIENCE) as imap:
            imap.login(user, used.password)
            imap.select()
            assert imap.command('STORE 1:* +FLAGS (\\Deleted)').ok and imap.command('EXPUNGE').ok
        assert used.command('account', 'check', user).returncode == 0
    found = in_files(used.directory, forms_of), in_memory(used, PASSED_THROUGH, forms_of)
    assert found == ([], [])
