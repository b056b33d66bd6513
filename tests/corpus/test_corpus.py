"""Thousands of real mails go in by SMTP over several connections and come back by IMAP unchanged."""
import collections
import concurrent.futures
import re

import pytest

from kit import corpus, paths, wire

CONNECTIONS = 6
USERS = 4
BATCH = 50
# Spam of 2001 whose authors' tools wrote CR alone: DATA refuses it, BDAT carries it.
BARE_CR = {
    'spam-2/00083.1aead789d4b4c7022c51bc632e4f2445',
    'spam-2/00164.272880ebd1f1f93cf0cd9800842a24bd',
    'spam-2/00179.ef2f7cf60806a96b59f4477b025580ee',
    'spam-2/00238.1bc0944812aa14bc789ff565710dc0b5',
    'spam-2/00276.a8792b1d4591c269b9234f3a39f846d8',
    'spam-2/00378.958f8c0f9d486c1e18f835ab65664b4d',
    'spam-2/00541.b3145925dccfa163547afa1299e61807',
    'spam-2/00619.8b327d9ed6741fb05ac4a180a5f776c6',
}
LONG_LINES = 24
LONGEST_LINE = 48677
MBOX_FROM = 5453
TRACE = re.compile(rb'Return-Path: <m(\d+)@corpus\.example>\r\n(?:[!-9;-~]+:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*')


@pytest.fixture(scope='module')
def mails():
    try:
        return corpus.messages()
    except corpus.Missing as missing:
        pytest.skip(str(missing))


def send_all(server, users, numbered, chunked=()):
    """Sends (number, octets) over several connections; the reply of each number."""
    def one_connection(share):
        replies = {}
        with wire.Smtp(server.ports['smtp'], timeout=60 * paths.SLOWER) as smtp:
            for number, octets in share:
                sender = f'm{number}@corpus.example'
                replies[number] = smtp.message(sender, [users[number % len(users)]], octets, number in chunked)
        return replies

    shares = [numbered[i::CONNECTIONS] for i in range(CONNECTIONS)]
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        return dict(collections.ChainMap(*pool.map(one_connection, shares)))


def fetch_all(server, users, item='BODY.PEEK[]'):
    """number -> bodies that came back for it."""
    found = collections.defaultdict(list)
    for user in users:
        with wire.Imap(server.ports['imap'], timeout=60 * paths.SLOWER) as imap:
            imap.login(user, server.password)
            count = imap.select()
            for first in range(1, count + 1, BATCH):
                for body in imap.bodies(f'{first}:{min(first + BATCH - 1, count)}', item).values():
                    trace = TRACE.match(body)
                    assert trace, f'no trace header: {body[:300]!r}'
                    found[int(trace.group(1))].append(body)
    return found


def unchanged(body, octets):
    """The message stands at the end, and only header fields stand before it."""
    return body.endswith(octets) and TRACE.fullmatch(body[:len(body) - len(octets)]) is not None


def compare(sent, found, names):
    wrong = [f'{names[n]}: {len(found[n])} times' for n in sent if len(found[n]) != 1]
    wrong += [f'{names[n]}: changed' for n, octets in sent.items()
              if len(found[n]) == 1 and not unchanged(found[n][0], octets)]
    wrong += [f'{names.get(n, n)}: was never sent' for n in found if n not in sent]
    assert not wrong, f'{len(wrong)} messages, the first of them: {wrong[:10]}'


def test_the_corpus_is_the_one_we_know(mails):
    longest = [max(map(len, octets.split(b'\r\n'))) for _, octets in mails]
    assert len(mails) == corpus.COUNT
    assert {name for name, octets in mails if corpus.has_bare_cr(octets)} == BARE_CR
    assert sum(octets.startswith(b'From ') for _, octets in mails) == MBOX_FROM
    assert max(longest) == LONGEST_LINE and sum(n > 998 for n in longest) == LONG_LINES


def test_real_mail_comes_back_unchanged(mails, new_server):
    server = new_server(users=USERS)
    names = {n: name for n, (name, _) in enumerate(mails)}
    by_data = {n: corpus.as_data_carries(octets) for n, (name, octets) in enumerate(mails) if name not in BARE_CR}
    by_bdat = {n: octets for n, (name, octets) in enumerate(mails) if name in BARE_CR}

    replies = send_all(server, server.users, list(by_data.items()) + list(by_bdat.items()))
    refused = {names[n]: str(r) for n, r in replies.items() if r.code != 250}
    assert refused.keys() == BARE_CR, f'{len(refused)} refused: {list(refused.items())[:5]}'
    assert all(text.startswith('554 ') for text in refused.values()), refused

    replies = send_all(server, server.users, list(by_bdat.items()), chunked=by_bdat)
    assert all(r.code == 250 for r in replies.values()), {names[n]: str(r) for n, r in replies.items()}
    compare(by_data | by_bdat, fetch_all(server, server.users), names)


def test_the_mail_is_there_after_a_restart(mails, new_server, tmp_path):
    some = {n: corpus.as_data_carries(octets) for n, (name, octets) in enumerate(mails[:200]) if name not in BARE_CR}
    first = new_server(tmp_path / 'mail', users=USERS)
    assert all(r.code == 250 for r in send_all(first, first.users, list(some.items())).values())
    first.stop()
    second = new_server(tmp_path / 'mail', users=USERS)
    compare(some, fetch_all(second, second.users), {n: name for n, (name, _) in enumerate(mails)})


def samples(data):
    """The messages among the MIME samples: whatever a mail program could have stored."""
    files = [f for folder in sorted(data.glob('mime-*')) for f in sorted(folder.rglob('*'))
             if f.suffix in ('.eml', '.msg', '.txt') and f.is_file() and f.stat().st_size]
    return [(str(f.relative_to(data)), corpus.with_crlf(f.read_bytes())) for f in files]


def test_mime_samples_come_back_unchanged(data, new_server):
    """By BDAT, because some hold bare CR; those with NUL, which no literal may hold, come back by BINARY alone."""
    server = new_server(users=USERS)
    named = samples(data)
    assert len(named) > 100
    sent = {n: octets for n, (_, octets) in enumerate(named)}
    replies = send_all(server, server.users, list(sent.items()), chunked=sent)
    assert all(r.code == 250 for r in replies.values()), {named[n][0]: str(r) for n, r in replies.items() if r.code != 250}
    names = {n: name for n, (name, _) in enumerate(named)}
    with_nul = {n for n, octets in sent.items() if b'\0' in octets}
    literals = {n: octets.replace(b'\0', b'?') if n in with_nul else octets for n, octets in sent.items()}
    compare(literals, fetch_all(server, server.users), names)
    assert with_nul
    compare(sent, fetch_all(server, server.users, 'BINARY.PEEK[]'), names)
