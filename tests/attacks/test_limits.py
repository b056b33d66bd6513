"""Too much of everything: the server bounds its memory and time, and serves the others meanwhile."""
import contextlib
import re
import smtplib
import threading
import time

import pytest

from kit import paths, wire

pytestmark = pytest.mark.smoke  # hostile input is where the sanitizers are worth most

MIB = 1 << 20
GROWTH_KIB = 32 * 1024          # what bad commands may cost the whole server
GROWTH_BIG_KIB = 256 * 1024     # what one very large message may cost it
OTHERS_SECONDS = 5 * paths.SLOWER
SILENT = 200
COMMANDS = 1_000_000
ENDLESS_MIB = 400               # what buffers on the way hold is a small part of it
HELLO = b'From: a@example.net\r\nSubject: x\r\n\r\nhello\r\n'


def private_kib(server):
    """The private memory of each process, by its number."""
    found = {}
    for process in server.processes():
        with contextlib.suppress(OSError):
            found[process.pid] = process.private_kib()
    return found


def growth(before, now):
    """What processes took more than before; one that ended meanwhile makes nothing good."""
    return sum(max(kib - before.get(pid, 0), 0) for pid, kib in now.items())


@contextlib.contextmanager
def memory_bounded(server, kib):
    """Watches the private memory of all processes while the body runs."""
    before, peak, done = private_kib(server), [0], threading.Event()

    def watch():
        while not done.wait(0.05):
            peak[0] = max(peak[0], growth(before, private_kib(server)))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    print(f'the server grew by {peak[0]} KiB')    # pytest -rP shows it
    if not paths.SANITIZED:    # a sanitizer keeps what was freed
        assert peak[0] < kib, f'the server grew by {peak[0]} KiB'


def others_are_served(server, account):
    """Somebody else's message goes in and comes out, soon."""
    started = time.monotonic()
    with smtplib.SMTP('127.0.0.1', server.ports['smtp'], timeout=OTHERS_SECONDS) as smtp:
        smtp.sendmail('other@example.net', [account], HELLO)
    with wire.Imap(server.ports['imap'], timeout=OTHERS_SECONDS) as imap:
        imap.login(account, server.password)
        assert imap.select() >= 1
    assert time.monotonic() - started < OTHERS_SECONDS


def send_until_refused(connection, piece, times):
    """Sends a piece again and again; the number of times it could."""
    for done in range(times):
        try:
            connection.send(piece)
        except OSError:
            return done
    return times


def ends_the_line(demo, account, connection, answer):
    """Hundreds of MiB without a line end: the server says so and ends the connection, and serves others meanwhile."""
    said = []

    def listen():
        with contextlib.suppress(OSError, wire.Closed):
            said.append(connection.line())

    listener = threading.Thread(target=listen)
    listener.start()
    sent = send_until_refused(connection, b'A' * MIB, ENDLESS_MIB)
    listener.join(paths.PATIENCE)
    assert sent < ENDLESS_MIB, 'the server reads on and on'
    assert not said or re.match(answer, said[0]), said
    others_are_served(demo, account)


@pytest.mark.parametrize('port', ['smtp', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s'])
def test_a_line_without_end(demo, account, port):
    with memory_bounded(demo, GROWTH_KIB), wire.Line(demo.ports[port], tls=port.endswith('s')) as line:
        line.line()
        ends_the_line(demo, account, line, rb'500 |\* BYE |-ERR ')


def test_a_line_without_end_after_login(demo, account, mailbox):
    with memory_bounded(demo, GROWTH_KIB):
        ends_the_line(demo, account, mailbox, rb'\* BYE ')


@pytest.mark.parametrize('port,command,answers', [('smtp', b'NOOP\r\n', b'250 '), ('imap', b'a NOOP\r\n', b'a OK ')])
def test_a_million_commands(demo, account, port, command, answers):
    """They are answered one by one, or the server ends the session; it does not keep them all."""
    with memory_bounded(demo, GROWTH_KIB), wire.Line(demo.ports[port], timeout=6 * paths.PATIENCE) as line:
        line.line()
        sender = threading.Thread(target=send_until_refused, args=(line, command * 10000, COMMANDS // 10000), daemon=True)
        sender.start()
        heard, told = 0, False
        try:
            while heard < COMMANDS:
                said = line.line()
                heard += said.startswith(answers)
                if told := said.startswith((b'421 ', b'* BYE ')):
                    break
                if heard == 1000:
                    others_are_served(demo, account)
        except (wire.Closed, ConnectionError):
            pass
        assert heard == COMMANDS or told, f'{heard} answers'
        line.close()
        sender.join(paths.PATIENCE)


@pytest.mark.parametrize('port,half', [('smtp', b'MAIL FR'), ('imap', b'a LOGIN x {10'), ('imaps', b'\x16\x03\x01'),
                                       ('submissions', b''), ('pop3', b'PASS x'), ('pop3s', b'')])
def test_half_a_command_and_silence(demo, account, port, half):
    with memory_bounded(demo, GROWTH_KIB), contextlib.ExitStack() as stack:
        for _ in range(SILENT):
            line = stack.enter_context(wire.Line(demo.ports[port]))
            line.send(half)
        others_are_served(demo, account)


@pytest.mark.parametrize('text', ['a LOGIN {4294967296}', 'a LOGIN {4294967295}', 'a LOGIN {18446744073709551617}',
                                  'a LOGIN {4294967296+}', 'a LOGIN {-1}', 'a AUTHENTICATE {4294967296}'])
def test_a_literal_of_4_gb_before_login(demo, account, text):
    with memory_bounded(demo, GROWTH_KIB), wire.Imap(demo.ports['imap']) as imap:
        imap.send(text.encode() + b'\r\n')
        assert re.match(rb'(a|\*) (BAD|NO|BYE)', imap.line())
        with contextlib.suppress(OSError):
            imap.send(b'A' * MIB)
        others_are_served(demo, account)


@pytest.mark.parametrize('text', ['APPEND INBOX {4294967296}', 'APPEND INBOX {99999999999999999999}', 'SEARCH TEXT {4294967296}',
                                  'SELECT {4294967295}'])
def test_a_literal_of_4_gb_after_login(demo, mailbox, text):
    with memory_bounded(demo, GROWTH_KIB):
        mailbox.send(b'a ' + text.encode() + b'\r\n')
        assert re.match(rb'(a|\*) (BAD|NO|BYE)', mailbox.line())


def test_10000_recipients(demo, account):
    """At least 100 are taken (RFC 5321 4.5.3.1.8); those are delivered; the rest are told to come again."""
    local, domain = account.split('@')
    with memory_bounded(demo, GROWTH_KIB), wire.Smtp(demo.ports['smtp'], timeout=6 * paths.PATIENCE) as smtp:
        assert smtp.command('MAIL FROM:<a@example.net>').code == 250
        codes = []
        for first in range(0, 10000, 500):
            smtp.send(b''.join(f'RCPT TO:<{local}+{n}@{domain}>\r\n'.encode() for n in range(first, first + 500)))
            codes += [smtp.reply().code for _ in range(500)]
        assert codes.count(250) >= 100
        assert set(codes) <= {250, 452}
        assert smtp.data(HELLO).code == 250
    others_are_served(demo, account)


def comes_back(demo, account, octets):
    """Sends a large message; when it is taken it comes back unchanged. True when it was taken."""
    with wire.Smtp(demo.ports['smtp'], timeout=12 * paths.PATIENCE) as smtp:
        answer = smtp.message('a@example.net', [account], octets)
    if answer.code != 250:
        assert answer.code in (552, 554), str(answer)
        return False
    with wire.Imap(demo.ports['imap'], timeout=12 * paths.PATIENCE) as imap:
        imap.login(account, demo.password)
        imap.select()
        shown = imap.bodies('1')[1]
        assert shown.endswith(octets.replace(b'\0', b'?')), shown[-100:]    # RFC 9051 9: a literal holds no NUL
        if b'\0' in octets:
            assert imap.bodies('1', item='BINARY.PEEK[]')[1].endswith(octets)
        structure = imap.command('FETCH 1 (ENVELOPE BODYSTRUCTURE)')
        assert structure.ok and structure.untagged
    return True


def nested_multipart(depth):
    parts = [b'MIME-Version: 1.0\r\n']
    parts += [b'Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n' % (n, n) for n in range(depth)]
    return b''.join(parts) + b'Content-Type: text/plain\r\n\r\ninnermost\r\n'


def nested_messages(depth):
    return b'From: a@example.net\r\nContent-Type: message/rfc822\r\n\r\n' * depth + HELLO


def wide(parts):
    return (b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n' +
            b'--b\r\n\r\nx\r\n' * parts + b'--b--\r\n')


def long_encoded_words(count):
    return b'Subject: ' + b'=?utf-8?q?=41?=\r\n ' * count + b'\r\n\r\nx\r\n'


def comments(depth):
    return b'From: ' + b'(' * depth + b')' * depth + b' a@example.net\r\n\r\nx\r\n'


@pytest.mark.parametrize('make,size', [
    (nested_multipart, 1000), (nested_messages, 1000), (nested_multipart, 100_000), (nested_messages, 100_000),
    (wide, 1_000_000), (long_encoded_words, 200_000), (comments, 500_000),
], ids=['multipart 1,000 deep', 'message 1,000 deep', 'multipart 100,000 deep', 'message 100,000 deep',
        'a million parts', 'encoded words', 'comments'])
def test_mime_deep_and_wide(demo, account, make, size):
    with memory_bounded(demo, GROWTH_BIG_KIB):
        assert comes_back(demo, account, make(size)), 'past a limit the rest is opaque, the message is still delivered'
    others_are_served(demo, account)


@pytest.mark.parametrize('size,taken', [(40 * MIB, True), (50 * MIB, False)], ids=['40 MiB', '50 MiB'])
@pytest.mark.parametrize('first,again', [(b'X-Long: ', b'x'), (b'', b'X-Many: y\r\n'), (b'X-Folded: z\r\n', b' folded\r\n')],
                         ids=['one line', 'many fields', 'folded'])
def test_a_header_of_50_mb(demo, account, first, again, size, taken):
    """Up to the limit on a message it is taken and kept; above, it is refused for its size."""
    octets = first + again * (size // len(again)) + (b'\r\n' if again == b'x' else b'') + HELLO
    with memory_bounded(demo, GROWTH_BIG_KIB):
        assert comes_back(demo, account, octets) == taken
    others_are_served(demo, demo.new_users(1)[0])


@pytest.mark.parametrize('octets', [b'\0', b'EHLO a\0b\r\n', b'EHLO a.example\r\nMAIL FROM:<a\0@b.example>\r\n', b'\0' * 100000,
                                    b'NOOP\r\n\0\r\n'])
def test_nul_in_smtp_commands(demo, account, octets):
    with wire.Line(demo.ports['smtp']) as line:
        line.line()
        with contextlib.suppress(OSError):
            line.send(octets + b'\r\n')
        with contextlib.suppress(OSError, wire.Closed):
            while (said := line.line())[:1] == b'2':
                pass
            assert re.match(rb'50[01] |421 ', said)
    others_are_served(demo, account)


@pytest.mark.parametrize('octets', [b'\0', b'a LOGIN "x\0y" z', b'\0' * 100000, b'a LIST "" {3}\r\n\0\0\0'])
def test_nul_in_imap_commands(demo, account, octets):
    with wire.Imap(demo.ports['imap']) as imap:
        with contextlib.suppress(OSError, wire.Closed):
            imap.send(octets + b'\r\n')
            while (said := imap.line()).startswith(b'+'):
                pass
            assert re.match(rb'\S* ?(BAD|NO|BYE)', said.removeprefix(b'* ').removeprefix(b'a '))
    others_are_served(demo, account)


@pytest.mark.parametrize('octets', [b'Subject: a\0b\r\n\r\nx\0y\r\n', b'\0' * 10000 + b'\r\n', b'\0\r\n\0\r\n\r\n\0\r\n'])
def test_nul_in_a_message(demo, account, octets):
    comes_back(demo, account, octets)
    others_are_served(demo, demo.new_users(1)[0])


def test_a_long_login(demo, account):
    with memory_bounded(demo, GROWTH_KIB), wire.Smtp(demo.ports['submissions'], tls=True) as smtp:
        with contextlib.suppress(OSError, wire.Closed):
            assert smtp.command(b'AUTH PLAIN ' + b'A' * 100000).code in (500, 501)
    others_are_served(demo, account)
