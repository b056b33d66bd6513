"""What is signed here, others find signed: python3-dkim, opendkim-testmsg, npm's mailauth."""
import base64
import json
import re
import signal
import subprocess
import time

import pytest

from kit import dns, npm, paths, sink, verifiers, wire

DOMAIN = 'example.net'
FROM = b'From: Anna <anna@example.net>\r\n'
HEAD = FROM + b'To: Bert <bert@example.org>\r\nSubject: A letter\r\nDate: Sun, 22 Nov 2026 02:00:00 +0000\r\n' \
              b'Message-ID: <1@example.net>\r\n'
LONG_LINE = b'x' * 990
PARTS = b''.join(b'--b\r\nContent-Type: text/plain\r\n\r\npart %d  \r\n\r\n' % i for i in range(200)) + b'--b--\r\n'

LETTERS = {
    'ordinary': HEAD + b'\r\nHello.\r\n\r\nBye.\r\n',
    'eight-bit': HEAD + b'MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n'
                        b'Content-Transfer-Encoding: 8bit\r\n\r\n' + 'Grüße aus Köln\r\n'.encode() * 3,
    'long-lines': HEAD + b'\r\n' + (LONG_LINE + b'  y\t z \r\n') * 5,
    'many-parts': HEAD + b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' + PARTS,
    'empty-body': HEAD + b'\r\n',
    'only-blank-lines': HEAD + b'\r\n\r\n \r\n\r\n',
    'no-line-end': HEAD + b'\r\nThe last line has no end',
    'folded-fields': HEAD.replace(b'A letter', b'A letter\r\n\twith  a\r\n long   subject ') +
                     b'References: <a@x>\r\n <b@x>\r\n\t<c@x>\r\n\r\nHello.\r\n',
    'odd-fields': HEAD.replace(b'To: ', b'tO:\t ') + b'X-Odd:\r\nCc:  c@example.org \r\nAutocrypt: addr=a\r\nautoCRYPT: addr=b\r\n\r\nHello.\r\n',
    'list': HEAD + b'List-Unsubscribe: <https://example.net/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\r\nX\r\n',
    'bcc': HEAD + b'Bcc: hidden@example.org,\r\n more@example.org\r\n\r\nHello.\r\n',
    'incomplete': FROM + b'\r\nHello.\r\n',
    'utf8-header': HEAD.replace(b'A letter', 'Grüße'.encode()) + b'\r\nHello.\r\n',
}


@pytest.fixture(scope='module')
def keys(binaries, tmp_path_factory):
    """A key of each kind, and what DNS says of them."""
    folder, records = tmp_path_factory.mktemp('keys'), {}
    for selector, kind, options in (('r', 'rsa', ['-pkeyopt', 'rsa_keygen_bits:2048']), ('e', 'ed25519', [])):
        subprocess.run(['openssl', 'genpkey', '-algorithm', kind, *options, '-out', folder / f'{selector}.pem'], check=True,
                       capture_output=True)
        der = subprocess.run(['openssl', 'pkey', '-in', folder / f'{selector}.pem', '-pubout', '-outform', 'DER'], check=True,
                             capture_output=True).stdout
        public = base64.b64encode(der if kind == 'rsa' else der[-32:]).decode()
        records[f'{selector}._domainkey.{DOMAIN}'] = f'v=DKIM1; k={kind}; p={public}'
    return folder, records


@pytest.fixture(scope='module')
def signed(keys):
    """Each of the letters as it leaves, by name."""
    def sign(letter):
        done = subprocess.run([paths.BUILD / 'src/inspect/sign_sample', DOMAIN, keys[0] / 'r.pem', keys[0] / 'e.pem'],
                              input=letter, capture_output=True, timeout=paths.PATIENCE)
        assert done.returncode == 0, done.stderr
        return done.stdout
    return {name: sign(letter) for name, letter in LETTERS.items()}


def spoilt(message):
    """With one octet of the Subject, or of the body, changed."""
    subject = re.sub(rb'(?m)^Subject: (.)', rb'Subject: _', message, count=1)
    return [subject, message[:-3] + bytes([message[-3] ^ 1]) + message[-2:]]


@pytest.mark.parametrize('name', LETTERS)
def test_dkimpy(signed, keys, name):
    assert verifiers.by_dkimpy(signed[name], keys[1]) == {'r': True, 'e': True}


@pytest.mark.parametrize('name', LETTERS)
def test_mailauth(signed, keys, name, tmp_path):
    try:
        assert verifiers.by_mailauth(signed[name], keys[1], tmp_path) == {'r': True, 'e': True}
    except npm.Missing as missing:
        pytest.skip(str(missing))


def test_opendkim(signed, keys, tmp_path):
    if not verifiers.can_have_namespaces():
        pytest.skip('no namespaces here: opendkim-testmsg would ask the real DNS')
    broken = spoilt(signed['ordinary'])
    said = verifiers.by_opendkim([*(signed[name] for name in LETTERS), *broken], keys[1], tmp_path)
    assert dict(zip(LETTERS, said)) == {name: '' for name in LETTERS}
    assert all(said[-len(broken):]), said


def test_a_changed_octet_fails(signed, keys, tmp_path):
    for broken in spoilt(signed['ordinary']):
        assert True not in verifiers.by_dkimpy(broken, keys[1]).values()
        assert True not in verifiers.by_mailauth(broken, keys[1], tmp_path).values()


@pytest.mark.parametrize('field', ['From: Mallory <m@evil.example>', 'Subject: Another', 'Reply-To: m@evil.example',
                                   'Content-Type: text/html', 'To: all@example.org', 'Cc: all@example.org'])
def test_nobody_can_add_a_field(signed, keys, tmp_path, field):
    more = field.encode() + b'\r\n' + signed['ordinary']
    assert True not in verifiers.by_dkimpy(more, keys[1]).values()
    assert True not in verifiers.by_mailauth(more, keys[1], tmp_path).values()


def test_what_mailing_lists_add_does_no_harm(signed, keys):
    more = b'List-Id: <l.example.org>\r\nSender: l@example.org\r\nReceived: x\r\n' + signed['ordinary']
    assert verifiers.by_dkimpy(more, keys[1]) == {'r': True, 'e': True}


def test_the_fields_of_one_click_are_covered(signed, keys):
    for name in (b'List-Unsubscribe:', b'List-Unsubscribe-Post:'):
        broken = signed['list'].replace(b'\r\n' + name + b' ', b'\r\n' + name + b' x', 1)
        assert broken != signed['list']
        assert True not in verifiers.by_dkimpy(broken, keys[1]).values()


def test_bcc_is_gone(signed):
    assert b'bcc' not in signed['bcc'].lower() and b'hidden' not in signed['bcc'] and b'more@' not in signed['bcc']


# ---- the whole server: from a login to the other server's door ----

WORLD = 'example.org'


@pytest.fixture(scope='module')
def arrived(binaries, tmp_path_factory):
    """The letters as another server got them, by name; and the records that `postern domain records` lists."""
    from kit import server
    folder = tmp_path_factory.mktemp('world')
    zone = f'{WORLD}.  MX 10 mx.{WORLD}.\nmx.{WORLD}.  A 127.0.0.1\n'
    zones = {WORLD: zone, DOMAIN: ''}
    with dns.Dns(folder / 'dns', zones, unsigned=zones, resolver=True) as names, sink.Sink() as other:
        one = server.Server(folder / 'mail', users=2, options=('--domain', DOMAIN, '--dns', names.at, '--relay-port',
                                                              str(other.port)))
        with one:
            send_all(one)
            letters = {name_of(taken): taken.message for taken in other.until(len(LETTERS))}
            records = keys_of(one)
            rotated.update(rotate(one, other, names))
    return letters, {name: row['value'] for name, row in records.items()}


def keys_of(one):
    rows = json.loads(one.command('--json', 'domain', 'records', DOMAIN).stdout)
    return {row['name']: row for row in rows if '_domainkey' in row['name']}


def letter_now(one, other):
    """One more letter, as it arrives."""
    before = len(other.taken)
    with wire.Smtp(one.ports['submission']) as smtp:
        smtp.login(one.users[0], one.password)
        for line in (f'MAIL FROM:<{one.users[0]}>', f'RCPT TO:<later@{WORLD}>'):
            assert smtp.command(line).code == 250
        assert smtp.data(LETTERS['ordinary'].replace(b'anna@example.net', one.users[0].encode())).code == 250
    return other.until(before + 1)[-1].message


def await_door(one):
    deadline = time.monotonic() + 20 * paths.SLOWER
    while True:
        try:
            wire.Smtp(one.ports['submission']).close()
            return
        except (OSError, wire.Closed):
            assert time.monotonic() < deadline, 'the edge is not back'
            time.sleep(0.1)


def publish(names, rows):
    """What the records say, in DNS: pieces of 255 octets."""
    names.change(DOMAIN, ''.join(f'{name}. TXT ' + ' '.join(f'"{value[i:i + 255]}"' for i in range(0, len(value), 255)) + '\n'
                                 for name, value in ((n, r['value']) for n, r in rows.items())))


rotated = {}


def rotate(one, other, names):
    """The keys are followed by new ones, which sign when DNS has them and not before."""
    said = {'first': keys_of(one)}
    publish(names, said['first'])
    assert one.command('domain', 'rotate', DOMAIN).returncode == 0
    said['made'] = keys_of(one)
    said['before'] = letter_now(one, other)
    # The RSA key alone is published: it alone takes over.
    new = {n: r for n, r in said['made'].items() if n not in said['first']}
    publish(names, {**said['first'], **{n: r for n, r in new.items() if 'k=rsa' in r['value']}})
    assert one.command('domain', 'rotate', DOMAIN).returncode == 0
    said['turned'] = keys_of(one)
    for edge in one.room('edge-client'):    # it knows for a minute who signs; the old keys hold as long and longer
        edge.signal(signal.SIGKILL)
    await_door(one)
    said['after'] = letter_now(one, other)
    return said


def send_all(one):
    with wire.Smtp(one.ports['submission']) as smtp:
        smtp.login(one.users[0], one.password)
        for i, (name, letter) in enumerate(LETTERS.items()):
            letter = letter.replace(b'anna@example.net', one.users[0].encode())
            utf8 = ' SMTPUTF8' if name == 'utf8-header' else ''
            replies = [smtp.command(f'MAIL FROM:<{one.users[0]}> BODY=8BITMIME{utf8}'),
                       smtp.command(f'RCPT TO:<letter{i}@{WORLD}>')]
            assert [r.code for r in replies] == [250, 250], replies
            answer = smtp.bdat(letter) if name == 'no-line-end' else smtp.data(letter)
            assert answer.code == 250, (name, answer)


def name_of(taken):
    return list(LETTERS)[int(re.search(r'letter(\d+)@', taken.recipients[0])[1])]


def both(verdicts):
    return sorted(verdicts.values(), key=str) == [True, True] and len(verdicts) == 2


@pytest.mark.parametrize('name', LETTERS)
def test_what_arrives_holds(arrived, name, tmp_path):
    letters, records = arrived
    assert both(verifiers.by_dkimpy(letters[name], records)), verifiers.by_dkimpy(letters[name], records)
    assert both(verifiers.by_mailauth(letters[name], records, tmp_path))


def test_opendkim_agrees(arrived, tmp_path):
    if not verifiers.can_have_namespaces():
        pytest.skip('no namespaces here: opendkim-testmsg would ask the real DNS')
    letters, records = arrived
    assert verifiers.by_opendkim(list(letters.values()), records, tmp_path) == [''] * len(letters)


def test_only_what_must_be_is_changed(arrived):
    letters, _ = arrived
    for name, message in letters.items():
        sent = LETTERS[name].replace(b'anna@example.net', b'user1@example.net')
        if name == 'bcc':
            sent = re.sub(rb'Bcc:.*?\r\n(?! )', b'', sent, flags=re.S)
        if name == 'incomplete':
            sent = re.search(rb'Date: [^\n]*\nMessage-ID: <[^\n]*>\r\n', message)[0] + sent
        assert message.endswith(sent) or message.endswith(sent + b'\r\n'), (name, message)


def test_keys_are_followed_by_new_ones(arrived):
    """`domain rotate`: listed first, signing when DNS shows them; what the old ones signed goes on holding."""
    first, made, turned = (rotated[k] for k in ('first', 'made', 'turned'))
    new = set(made) - set(first)
    assert len(first) == 2 and len(new) == 2 and set(turned) == set(made)
    assert all(made[name]['note'].startswith('new key') for name in new)
    assert all(made[name]['note'].startswith('signs mail') for name in first)
    selector = {(name in new, 'k=rsa' in row['value']): name.split('.')[0] for name, row in made.items()}
    assert set(verifiers.selectors(rotated['before'])) == {selector[False, True], selector[False, False]}
    assert set(verifiers.selectors(rotated['after'])) == {selector[True, True], selector[False, False]}
    notes = {name.split('.')[0]: row['note'] for name, row in turned.items()}
    assert notes[selector[True, True]].startswith('signs mail') and notes[selector[False, True]].startswith('old key')
    assert notes[selector[True, False]].startswith('new key')
    records = {name: row['value'] for name, row in turned.items()}
    for letter in (rotated['before'], rotated['after'], *arrived[0].values()):
        assert both(verifiers.by_dkimpy(letter, records))
