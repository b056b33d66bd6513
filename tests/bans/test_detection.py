"""Attacks on a server as operators run it, from several loopback addresses: what is noticed, and who is left alone."""
import json
import re
import signal
import time

import pytest

from kit import daemon, paths, server, wait, wire

PASSWORD = 'four quite easy words'
ANNA, BERT = 'anna@example.org', 'bert@example.org'
GUESSER, SPRAYER, ABUSER, HARVESTER, FORGETFUL, STRANGER, THIEF = (f'127.0.{n}.9' for n in range(9, 16))
MORE = '''never-ban = {{ "127.0.0.1" }}
log = file
listen-submissions = {{ "127.0.0.1:{submissions}" }}
listen-imaps = {{ "127.0.0.1:{imaps}" }}
'''


@pytest.fixture(scope='module')
def house(binaries, tmp_path_factory):
    folder = tmp_path_factory.mktemp('detection')
    base = server.free_port_base()
    certificate = daemon.certify(tmp_path_factory.mktemp('certificate'))
    more = MORE.format(**{n: base + o for n, o in server.OFFSETS.items()})
    with daemon.Daemon(daemon.write(folder, certificate, more=more)[0]) as one:
        one.ready()
        assert one.command('domain', 'add', 'example.org').returncode == 0
        for address in (ANNA, BERT):
            assert one.command('account', 'add', address, '--password-stdin', octets=PASSWORD.encode()).returncode == 0
        yield one


def banned(house, address):
    return wait.until(lambda: house.command('ban', 'why', address).returncode == 0 and [
        r for r in rows(house, address) if r['grade'] == 'banned'], f'{address} is not banned')[0]


def rows(house, address):
    return [r for r in json.loads(house.command('--json', 'ban', 'list').stdout)['rows'] if r['network'] == address]


def guess(house, source, pairs, at_once=None):
    """All connections are there before the first guess: who is slowed later would only make the test slow."""
    doors = [wire.Smtp(house.ports['submissions'], tls=True, source=source) for _ in pairs]
    for door, (user, password) in zip(doors, pairs[:at_once]):
        door.send(f'AUTH PLAIN {wire.plain(user, password)}\r\n')
    return doors


def logged_in(house, source, user=ANNA):
    with wire.Imap(house.ports['imaps'], tls=True, source=source) as imap:
        return imap.command(f'LOGIN {user} "{PASSWORD}"').ok


def contained(house, address):
    row = json.loads(house.command('--json', 'account', 'show', address).stdout)['row']
    return row['contained'] and row


def test_the_page_has_the_numbers_and_the_names():
    """What docs/detection.md says of thresholds is what the detectors go by."""
    folder = paths.ROOT / 'src/watch/detect'
    page, known = (paths.ROOT / 'docs/detection.md').read_text(), {}
    for name, value, why in re.findall(r'^\t(\w+) = ([^,]+),(?:[ \t]*/\* (.*?) \*/)?', (folder / 'limits.h').read_text(), re.M):
        known[name] = eval(value, {}, known)    # numbers, and products of those before
        if not why:
            continue
        said = re.search(rf'^\| `{name}` \| ([\d,]+)( d| h| min| s|) \| (.*) \|$', page, re.M)
        assert said and said[3] == why, name
        units = {'': 1, ' s': 1000, ' min': 60000, ' h': 3600000, ' d': 86400000}
        assert int(said[1].replace(',', '')) * units[said[2]] == known[name], name
    names = re.findall(r'^DETECTOR\(\w+, "([\w-]+)"', (folder / 'detector_list.h').read_text(), re.M)
    assert len(names) == 16 and all(f'**{name}**' in page for name in names)


def test_who_guesses_is_banned_and_the_account_stays_open(house):
    began = time.monotonic()
    doors = guess(house, GUESSER, [(ANNA, f'a guess {n}') for n in range(20)])
    row = banned(house, GUESSER)
    assert row['by'] == 'brute-force' and ANNA in row['reason']
    print('banned after', round(time.monotonic() - began, 2), 's')
    assert house.logged('"event":"attack.detected"')
    assert b'Points now: address: brute-force' in house.command('ban', 'why', GUESSER).stdout
    began = time.monotonic()
    assert logged_in(house, '127.0.0.1') and logged_in(house, STRANGER)
    assert time.monotonic() - began < 5
    for door in doors:
        door.close()


def test_one_password_for_many_names_is_spraying(house):
    names = [ANNA, BERT, *(f'name{n}@example.org' for n in range(12))]
    doors = guess(house, SPRAYER, [(name, 'Sommer2026!') for name in names])
    assert 'spraying' in banned(house, SPRAYER)['reason']
    for door in doors:
        door.close()


def stuffing(house):
    """The points of it that the thief has now."""
    found = re.findall(rb'stuffing (\d+)', house.command('ban', 'why', THIEF).stdout)
    return int(found[-1]) if found else 0


def test_a_stolen_pair_that_fits_is_contained(house):
    names = [f'somebody{n}@example.org' for n in range(9)]
    for name in names:
        assert house.command('account', 'add', name, '--password-stdin', octets=PASSWORD.encode()).returncode == 0
    with wire.Smtp(house.ports['submissions'], tls=True, source=THIEF) as last:
        doors = guess(house, THIEF, [(name, f'leaked {name}') for name in names], at_once=6)
        # Names are counted by a sketch: now and then it takes two for one.
        for door, name in (*zip(doors[6:], names[6:]), (None, None)):
            if any(stuffing(house) >= 9 or time.sleep(0.1) for _ in range(30)):
                break
            assert door, 'nothing is noticed'
            door.send(f'AUTH PLAIN {wire.plain(name, f"leaked {name}")}\r\n')
        last.send(f'AUTH PLAIN {wire.plain(BERT, PASSWORD)}\r\n')
        row = wait.until(lambda: contained(house, BERT), 'the account is not contained')
    assert row['contained'] > 0 and not contained(house, ANNA)
    told = json.loads(house.command('--json', 'audit', 'show', '--account', BERT).stdout)['rows']
    why, = (r['fields'] for r in told if r['event'] == 'account.suspected')
    assert (why['detector'], why['measure']) == ('stolen-pair', 'hold')
    for door in doors:
        door.close()


def test_what_no_honest_program_does(house):
    smtp = house.ports['smtp']
    doors = [wire.Smtp(smtp, hello=None, source=ABUSER) for _ in range(6)]
    for door, said in zip(doors, ('GET / HTTP/1.1\r\n', 'EHLO x\r\nSTARTTLS\r\nRSET\r\n',
                                  'EHLO x\r\nSTARTTLS\r\nRSET\r\n', 'POST / HTTP/1.1\r\n')):
        door.reply()
        door.send(said)
    for door in doors[4:]:
        door.reply()
        assert door.command('EHLO x').code == 250
        door.envelope('a@elsewhere.example', [ANNA])
        assert door.command('DATA').code == 354
        door.send('Subject: x\r\n\r\nx\n.\nMAIL FROM:<b@elsewhere.example>\r\n.\r\n')
        assert door.reply().code == 554
    assert banned(house, ABUSER)['by'] == 'protocol-abuse'
    for door in doors:
        door.close()


def test_who_tries_out_recipients(house):
    """One connection ends after twenty refusals, and names are counted by a sketch: two are there before the first name."""
    doors = [wire.Smtp(house.ports['smtp'], source=HARVESTER) for _ in range(2)]
    for k, door in enumerate(doors):
        assert door.command('MAIL FROM:<>').code == 250
        door.send(''.join(f'RCPT TO:<name{k}-{n}@example.org>\r\n' for n in range(20)))
    row = banned(house, HARVESTER)
    assert row['by'] == 'harvesting' and '@example.org' in row['reason']
    for door in doors:
        door.close()


def test_an_owner_who_forgot_is_left_alone_also_by_the_next_watch(house):
    assert logged_in(house, FORGETFUL)
    time.sleep(2.5)    # habits are written down every two seconds
    watch = next(p for p in house.rooms() if p.room == 'watch')
    watch.signal(signal.SIGKILL)
    wait.until(lambda: [p for p in house.rooms() if p.room == 'watch' and p.pid != watch.pid], 'there is no new watch')
    wait.until(lambda: house.command('ban', 'list').returncode == 0)
    doors = guess(house, FORGETFUL, [(ANNA, f'was it {n}?') for n in range(20)])
    for door in doors[:3]:
        assert door.reply().code == 535
    assert logged_in(house, FORGETFUL)
    assert not rows(house, FORGETFUL)
    assert rows(house, GUESSER), 'the new watch knows the others'
    for door in doors:
        door.close()
