"""Plain line clients for SMTP, IMAP and POP3: they send what they are told, right or wrong."""
import base64
import dataclasses
import re
import socket
import ssl
import struct

from . import paths

CRLF = b'\r\n'
LITERAL = re.compile(rb'\{(\d+)\}$')


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


class Closed(Exception):
    """The server ended the connection."""


class Line:
    """A connection read by lines. Nagle is off, so that what is sent apart arrives apart."""

    certificate = None    # of the client: files of the chain and its key

    def __init__(self, port, host='127.0.0.1', tls=False, timeout=None, source=None, certificate=None):
        self.certificate = certificate
        self.socket = socket.create_connection((host, port), timeout or paths.PATIENCE,
                                               source_address=source and (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.came, self.at = b'', 0    # what came, and how much of it was read
        if tls:
            self.start_tls()

    @property
    def pending(self):
        """What came and was not read yet."""
        return self.came[self.at:]

    @pending.setter
    def pending(self, octets):
        self.came, self.at = octets, 0

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if self.certificate:
            context.load_cert_chain(*self.certificate)
        self.socket = context.wrap_socket(self.socket)

    def send(self, data):
        self.socket.sendall(as_bytes(data))

    def fill(self):
        piece = self.socket.recv(262144)
        if not piece:
            raise Closed(f'the server closed the connection after {self.pending[-200:]!r}')
        self.pending = self.pending + piece

    def line(self):
        """The next line, without its CRLF. A bare LF does not end a line."""
        looked = self.at
        while (end := self.came.find(CRLF, looked)) < 0:
            looked = max(len(self.came) - self.at - 1, 0)
            self.fill()    # moves what is left to the front
        line, self.at = self.came[self.at:end], end + 2
        return line

    def exactly(self, size):
        pieces, have = [self.pending], len(self.pending)
        while have < size:
            piece = self.socket.recv(min(size - have, 1 << 20) if have > 65536 else 65536)
            if not piece:
                raise Closed(f'the server closed the connection {size - have} octets early')
            pieces.append(piece)
            have += len(piece)
        data = b''.join(pieces)
        self.pending = data[size:]
        return data[:size]

    def at_end(self):
        """True when the server closes without another octet."""
        try:
            return not self.pending and self.socket.recv(1) == b''
        except TimeoutError:
            return False
        except (ConnectionError, ssl.SSLError):
            return True

    def silent_for(self, seconds):
        """True when nothing arrives in this time."""
        if self.pending:
            return False
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            self.fill()
            return False
        except (TimeoutError, ssl.SSLWantReadError):
            return True
        except Closed:
            return False
        finally:
            self.socket.settimeout(before)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.close()


@dataclasses.dataclass
class Reply:
    code: int
    lines: list

    @property
    def text(self):
        return b'\n'.join(self.lines).decode('utf-8', 'replace')

    def __str__(self):
        return f'{self.code} {self.text}'


class Smtp(Line):
    """SMTP spoken by hand; greets by itself unless told not to."""

    def __init__(self, port, hello='client.example', **how):
        super().__init__(port, **how)
        self.greeting = None
        if hello:
            self.greeting = self.reply()
            self.extensions = self.command(f'EHLO {hello}')

    def reply(self):
        lines = []
        while True:
            line = self.line()
            lines.append(line[4:])
            if line[3:4] != b'-':
                return Reply(int(line[:3]), lines)

    def command(self, text):
        self.send(as_bytes(text) + CRLF)
        return self.reply()

    def starttls(self, hello='client.example'):
        answer = self.command('STARTTLS')
        if answer.code == 220:
            self.start_tls()
            self.extensions = self.command(f'EHLO {hello}')
        return answer

    def xclient(self, hello='client.example', **attributes):
        """Says that another client is behind us (honoured from loopback by the demo)."""
        answer = self.command('XCLIENT ' + ' '.join(f'{k.upper()}={v}' for k, v in attributes.items()))
        if answer.code == 220:
            self.extensions = self.command(f'EHLO {hello}')
        return answer

    def login(self, user, password):
        return self.command('AUTH PLAIN ' + plain(user, password))

    def envelope(self, sender, recipients):
        """MAIL and RCPTs in one go; the replies in order."""
        commands = [f'MAIL FROM:<{sender}>', *(f'RCPT TO:<{r}>' for r in recipients)]
        self.send(CRLF.join(map(as_bytes, commands)) + CRLF)
        return [self.reply() for _ in commands]

    def data(self, message):
        """DATA with dot-stuffing; the message must have CRLF line ends."""
        answer = self.command('DATA')
        if answer.code != 354:
            return answer
        return self.command(end_of_data(message))

    def bdat(self, message, chunk=65536):
        """The message by BDAT; the last reply, or the first that is not 250."""
        for start in range(0, max(len(message), 1), chunk):
            piece = message[start:start + chunk]
            last = start + chunk >= len(message)
            self.send(f'BDAT {len(piece)}{" LAST" if last else ""}\r\n'.encode() + piece)
            answer = self.reply()
            if answer.code != 250:
                return answer
        return answer

    def message(self, sender, recipients, message, chunked=False):
        """A whole transaction; the reply that decides."""
        for answer in self.envelope(sender, recipients):
            if answer.code not in (250, 251):
                self.command('RSET')
                return answer
        return self.bdat(message) if chunked else self.data(message)


def end_of_data(message):
    """The message with its dots stuffed, and the final dot without its CRLF."""
    stuffed = re.sub(rb'(?m)^\.', b'..', message) if b'.' in message else message
    if not stuffed.endswith(CRLF):
        stuffed += CRLF
    return stuffed + b'.'


def plain(user, password):
    return base64.b64encode(f'\0{user}\0{password}'.encode()).decode()


@dataclasses.dataclass
class Answer:
    """What one IMAP command was answered: OK, NO or BAD, its text, and the untagged lines."""
    status: str
    text: bytes
    untagged: list    # each a list of pieces: text, literal, text, literal, text ...

    @property
    def ok(self):
        return self.status == 'OK'

    def starting(self, word):
        return [u for u in self.untagged if word in u[0]]


class Imap(Line):
    """IMAP spoken by hand."""

    def __init__(self, port, **how):
        super().__init__(port, **how)
        self.number = 0
        self.greeting = self.response()

    def response(self):
        """One response, its literals as pieces of their own."""
        pieces = []
        while True:
            line = self.line()
            pieces.append(line)
            literal = LITERAL.search(line)
            if not literal:
                return pieces
            pieces.append(self.exactly(int(literal.group(1))))

    def command(self, text, *literals):
        """Sends one command; each literal goes where the text has {}."""
        self.number += 1
        tag = f'T{self.number}'.encode()
        parts = as_bytes(text).split(b'{}') if literals else [as_bytes(text)]
        self.send(tag + b' ' + parts[0] + (b'' if literals else CRLF))
        untagged = []
        for literal, rest in zip(literals, parts[1:]):
            self.send(b'{%d}\r\n' % len(literal))
            while not (response := self.response())[0].startswith(b'+'):
                if response[0].startswith(tag + b' '):
                    return self._answer(response, untagged)
                untagged.append(response)
            self.send(literal + rest)
        if literals:
            self.send(CRLF)
        return self.finish(tag, untagged)

    def finish(self, tag, untagged=None):
        untagged = untagged if untagged is not None else []
        while not (response := self.response())[0].startswith(tag + b' '):
            untagged.append(response)
        return self._answer(response, untagged)

    @staticmethod
    def _answer(response, untagged):
        _, status, text = (response[0] + b'  ').split(b' ', 2)
        return Answer(status.decode(), text.strip(), untagged)

    def login(self, user, password):
        answer = self.command(f'LOGIN "{user}" "{password}"')
        if not answer.ok:
            raise AssertionError(f'LOGIN {user}: {answer.status} {answer.text.decode()}')
        return answer

    def select(self, mailbox='INBOX', command='SELECT'):
        """Opens a mailbox; the number of its messages."""
        answer = self.command(f'{command} "{mailbox}"')
        if not answer.ok:
            raise AssertionError(f'{command} {mailbox}: {answer.status} {answer.text.decode()}')
        return next(int(u[0].split()[1]) for u in answer.untagged if u[0].endswith(b' EXISTS'))

    def bodies(self, numbers='1:*', item='BODY.PEEK[]', uid=False):
        """The literals of a FETCH, by sequence number (or UID)."""
        answer = self.command(f'{"UID " if uid else ""}FETCH {numbers} ({"UID " if uid else ""}{item})')
        if not answer.ok:
            raise AssertionError(f'FETCH: {answer.status} {answer.text.decode()}')
        found = {}
        for pieces in answer.untagged:
            if b' FETCH ' not in pieces[0]:
                continue
            whole = b' '.join(pieces[::2])
            key = int(re.search(rb'UID (\d+)', whole).group(1)) if uid else int(pieces[0].split()[1])
            found[key] = pieces[1] if len(pieces) > 1 else quoted(pieces[0])
        return found

    def status(self, mailbox='INBOX', item='MESSAGES'):
        answer = self.command(f'STATUS "{mailbox}" ({item})')
        found = re.search(rb'%s (\d+)' % item.encode(), answer.untagged[0][0]) if answer.untagged else None
        if not found:
            raise AssertionError(f'STATUS {mailbox}: {answer}')
        return int(found.group(1))


class Pop3(Line):
    """POP3 spoken by hand."""

    def __init__(self, port, **how):
        super().__init__(port, **how)
        self.greeting = self.line()

    def command(self, text):
        """The line that answers; the lines behind it are for self.rest."""
        self.send(as_bytes(text) + CRLF)
        return self.line()

    def rest(self):
        """The lines up to the dot, their own dots undone."""
        lines = []
        while (line := self.line()) != b'.':
            lines.append(line[1:] if line.startswith(b'.') else line)
        return lines

    def login(self, user, password):
        answer = self.command(f'USER {user}')
        return self.command(f'PASS {password}') if answer.startswith(b'+OK') else answer


def utf7(name):
    """A mailbox name as IMAP4rev1 writes it (RFC 3501, 5.1.3)."""
    def shifted(match):
        packed = base64.b64encode(match.group().encode('utf-16-be')).rstrip(b'=').replace(b'/', b',')
        return '&' + packed.decode() + '-'
    return re.sub(r'[^ -~]+', shifted, name.replace('&', '&-'))


def from_utf7(name):
    def plain(match):
        packed = match.group(1).replace(',', '/')
        return base64.b64decode(packed + '=' * (-len(packed) % 4)).decode('utf-16-be') if packed else '&'
    return re.sub(r'&([^-]*)-', plain, name)


LETTERS = 'UID FETCH 1:* (UID FLAGS BODY.PEEK[])'


def letters(answer):
    """(UID, flags, octets) of each message that LETTERS was answered, the flags without \\Recent, as they were told."""
    for pieces in answer.untagged:
        if len(pieces) > 1:
            around = b' '.join(pieces[::2])
            flags = re.search(rb'FLAGS \(([^)]*)\)', around).group(1).decode().split()
            yield (int(re.search(rb'UID (\d+)', around).group(1)), [f for f in flags if f != '\\Recent'], pieces[1])


def listed(imap):
    """The names of all mailboxes; one that is there only for the names below it is none."""
    lines = [u[0].decode() for u in imap.command('LIST "" *').starting(b'* LIST ') if br'\Noselect' not in u[0]]
    return sorted(from_utf7(re.search(r' "/" "?([^"]*)"?$', line).group(1)) for line in lines)


def quoted(line):
    """The quoted string at the end of a FETCH response; a server may send short bodies so."""
    found = re.search(rb'"((?:[^"\\]|\\.)*)"\)$', line)
    return re.sub(rb'\\(.)', rb'\1', found.group(1)) if found else b''


def proxy_v2(source, port=40000, destination='127.0.0.1', destination_port=25):
    """The PROXY protocol's binary header for an IPv4 client."""
    addresses = socket.inet_aton(source) + socket.inet_aton(destination) + struct.pack('!HH', port, destination_port)
    return b'\r\n\r\n\0\r\nQUIT\n\x21\x11' + struct.pack('!H', len(addresses)) + addresses
