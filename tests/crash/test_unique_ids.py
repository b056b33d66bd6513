"""POP3's unique ids survive everything (RFC 1939 7): restarts, kills, moves, and a restored copy of the folder."""
import signal
import subprocess

from kit import wire

OLD = 3    # letters before the copy of the folder is made


def deliver(server, count, octets=100):
    with wire.Smtp(server.ports['smtp']) as smtp:
        for number in range(count):
            body = b'Subject: %d\r\n\r\n' % number + b'x' * 70 * (octets // 70 + 1) + b'\r\n'
            assert smtp.message('a@sender.example', server.users, body.replace(b'x' * 700, b'y' * 698 + b'\r\n')).code == 250


def copy(folder, place):
    """As an administrator would, owners included."""
    subprocess.run(['cp', '-a', folder, place], check=True)


def unique_ids(server):
    """In the order of the letters; there may be no gap and nothing twice."""
    with wire.Pop3(server.ports['pop3']) as pop3:
        answer = pop3.login(server.users[0], server.password)
        assert answer.startswith(b'+OK'), answer
        assert pop3.command('UIDL').startswith(b'+OK')
        rows = [row.split() for row in pop3.rest()]
        assert pop3.command('QUIT').startswith(b'+OK')
    assert [int(number) for number, _ in rows] == list(range(1, len(rows) + 1))
    ids = [one for _, one in rows]
    assert len(set(ids)) == len(ids)
    return ids


def there_and_back(server):
    with wire.Imap(server.ports['imap']) as imap:
        imap.login(server.users[0], server.password)
        for here, there in (('INBOX', 'Archive'), ('Archive', 'INBOX')):
            imap.select(here)
            assert imap.command(f'MOVE 1:* {there}').ok


def test_unique_ids_survive(new_server):
    server = new_server(users=1)
    deliver(server, OLD - 1)
    deliver(server, 1, 2000000)    # kept as a file
    ids = unique_ids(server)
    assert len(ids) == OLD

    server.stop()
    server.start()
    assert unique_ids(server) == ids, 'after a restart'
    there_and_back(server)
    assert unique_ids(server) == ids, 'after a move and back'
    for room in ('account', 'auth', 'edge-client'):
        for process in server.room(room):
            process.signal(signal.SIGKILL)
    server.kill()
    server.start()
    assert unique_ids(server) == ids, 'after kill -9'


def test_a_restored_copy_has_the_old_ids_and_never_gives_a_newer_one_again(new_server, tmp_path):
    server = new_server(users=1)
    deliver(server, OLD)
    ids = unique_ids(server)
    server.stop()
    copy(server.directory, tmp_path / 'copy')
    server.start()
    deliver(server, OLD)
    lost = unique_ids(server)[OLD:]    # clients have seen these; the restored folder does not know of them
    server.stop()
    server.directory.rename(tmp_path / 'lost')
    copy(tmp_path / 'copy', server.directory)
    server.start()
    assert unique_ids(server) == ids
    deliver(server, 2 * OLD)
    after = unique_ids(server)
    assert after[:OLD] == ids and not set(after[OLD:]) & set(lost)
