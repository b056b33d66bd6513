"""Nothing but CRLF.CRLF ends a message: what is hidden behind anything else never becomes a command."""
import time

import pytest

from kit import wire

pytestmark = pytest.mark.smoke  # hostile input is where the sanitizers are worth most

# End-of-data sequences that some server somewhere has taken for CRLF.CRLF.
SEQUENCES = {
    'LF . LF': b'\n.\n',
    'LF . CRLF': b'\n.\r\n',
    'CRLF . LF': b'\r\n.\n',
    'CR . CR': b'\r.\r',
    'CR . LF': b'\r.\n',
    'LF . CR': b'\n.\r',
    'CR . CRLF': b'\r.\r\n',
    'CRLF . CR': b'\r\n.\rX',
    'CRLF . CR CRLF': b'\r\n.\r\r\n',
    'CR CRLF . CR CRLF': b'\r\r\n.\r\r\n',
    'CR CRLF . CRLF': b'\r\r\n.\r\r\nX',
    'LF LF . LF LF': b'\n\n.\n\n',
    'LF LF . CRLF': b'\n\n.\r\n',
    'LF CR . LF CR': b'\n\r.\n\r',
    'CRLF NUL . CRLF': b'\r\n\0.\r\n',
    'CRLF . NUL CRLF': b'\r\n.\0\r\n',
    'CRLF . CR NUL LF': b'\r\n.\r\0\n',
    'CR NUL LF . CR NUL LF': b'\r\0\n.\r\0\n',
    'CRLF blank . CRLF': b'\r\n .\r\n',
    'CRLF . blank CRLF': b'\r\n. \r\n',
    'CRLF . tab CRLF': b'\r\n.\t\r\n',
    'CRLF . . CRLF': b'\r\n..\r\n',
    'VT . VT': b'\x0b.\x0b',
    'FF . FF': b'\x0c.\x0c',
    'NEL . NEL': b'\x85.\x85',
    'UTF-8 NEL': '\u0085.\u0085'.encode(),
    'line separator': '\u2028.\u2028'.encode(),
    'paragraph separator': '\u2029.\u2029'.encode(),
    'quoted-printable CRLF': b'=0D=0A.=0D=0A',
    'full-width dot': '\r\n\uff0e\r\n'.encode(),
}

BEFORE = b'From: a@example.net\r\nSubject: outer\r\n\r\nouter body'


def hidden_for(victim):
    return (b'MAIL FROM:<smuggler@example.net>\r\nRCPT TO:<' + victim.encode() + b'>\r\nDATA\r\n'
            b'Subject: smuggled\r\n\r\nsmuggled')


def exists(demo, account):
    with wire.Imap(demo.ports['imap']) as imap:
        imap.login(account, demo.password)
        count = imap.select()
        return list(imap.bodies(item='BINARY.PEEK[]').values()) if count else []    # BODY shows ? for NUL


def send(smtp, octets, pieces):
    """In one packet, or cut so that each octet of the sequence comes by itself."""
    if not pieces:
        smtp.send(octets)
        return
    for piece in pieces:
        smtp.send(piece)
        time.sleep(0.005)


@pytest.mark.parametrize('cut', [False, True], ids=['whole', 'octet by octet'])
@pytest.mark.parametrize('name', SEQUENCES)
def test_only_crlf_dot_crlf_ends_data(demo, name, cut):
    recipient, victim = demo.new_users(2) if demo.next_user + 2 <= len(demo.users) else demo.users[:2]
    inner = SEQUENCES[name]
    with wire.Smtp(demo.ports['smtp']) as smtp:
        assert [a.code for a in smtp.envelope('a@example.net', [recipient])] == [250, 250]
        assert smtp.command('DATA').code == 354
        whole = BEFORE + inner + hidden_for(victim)
        pieces = [BEFORE, *(inner[i:i + 1] for i in range(len(inner))), hidden_for(victim)] if cut else None
        send(smtp, whole, pieces)
        assert smtp.silent_for(0.2), f'the server answered in the middle of the message: {smtp.pending!r}'
        smtp.send(b'\r\n.\r\n')
        answer = smtp.reply()
        assert smtp.command('NOOP').code == 250
        assert smtp.silent_for(0.05)
    bare = has_bare(inner)
    assert answer.code == (554 if bare else 250), str(answer)
    assert exists(demo, victim) == []
    bodies = exists(demo, recipient)
    if bare:
        assert bodies == []
    else:
        assert len(bodies) == 1 and bodies[0].endswith(unstuffed(whole + wire.CRLF))


def has_bare(octets):
    rest = octets.replace(b'\r\n', b'')
    return b'\r' in rest or b'\n' in rest


def unstuffed(octets):
    """As RFC 5321 4.5.2 says: the first of a line's leading dots goes."""
    lines = octets.split(b'\r\n')
    return b'\r\n'.join(line[1:] if line.startswith(b'.') else line for line in lines)


@pytest.mark.parametrize('behind', [b'RSET\r\n', b'MAIL FROM:<a@example.net>\r\n', b'X', b'\r\n'])
def test_starttls_injection_smtp(demo, behind):
    with wire.Smtp(demo.ports['smtp']) as smtp:
        smtp.send(b'STARTTLS\r\n' + behind)
        assert_ended(smtp, lambda c: c.send(b'NOOP\r\n'))


@pytest.mark.parametrize('behind', [b'b NOOP\r\n', b'b CAPABILITY\r\n', b'X', b'\r\n'])
def test_starttls_injection_imap(demo, behind):
    with wire.Imap(demo.ports['imap']) as imap:
        imap.send(b'a STARTTLS\r\n' + behind)
        assert_ended(imap, lambda c: c.send(b'c NOOP\r\n'))


@pytest.mark.parametrize('behind', [b'CAPA\r\n', b'USER a\r\n', b'X', b'\r\n'])
def test_stls_injection_pop3(demo, behind):
    with wire.Pop3(demo.ports['pop3']) as pop3:
        pop3.send(b'STLS\r\n' + behind)
        assert_ended(pop3, lambda c: c.send(b'NOOP\r\n'))


def assert_ended(connection, speak):
    """At most one line in clear, and then the end; never a TLS session that knows the injected command."""
    try:
        connection.line()
    except (wire.Closed, ConnectionError):
        return
    try:
        connection.start_tls()
    except (OSError, wire.Closed):
        return
    try:
        speak(connection)
        said = connection.line()
    except (OSError, wire.Closed):
        return
    raise AssertionError(f'the session went on inside TLS: {said!r}')
