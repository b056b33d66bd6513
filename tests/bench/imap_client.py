"""IMAP and POP3 for measuring: whole answers are read as octets, not looked into, so that the client costs little."""
import contextlib
import itertools
import selectors
import socket
import ssl
import time

PIECE = 1 << 20
TAIL = 512          # a tagged line is shorter than this


class Refused(Exception):
    """The server answered something else than OK."""


def believing():
    """TLS that asks for no certificate's issuer."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Session:
    """One connection. `command` returns the octets of the whole answer, its last line included."""

    def __init__(self, port, tls=False):
        self.socket = socket.create_connection(('127.0.0.1', port), 120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.socket = believing().wrap_socket(self.socket)
        self.number = 0
        self.tail = b''
        self.until(lambda tail: tail.endswith(b'\r\n'))

    def until(self, done):
        """Reads until `done` says of the last octets that they are the end; how many there were."""
        total = 0
        self.tail = b''
        while not done(self.tail):
            piece = self.socket.recv(PIECE)
            if not piece:
                raise Refused(f'the server closed the connection after {self.tail[-200:]!r}')
            total += len(piece)
            self.tail = (self.tail + piece)[-TAIL:] if len(piece) < TAIL else piece[-TAIL:]
        return total

    def send(self, text):
        """A command without waiting; its tag."""
        self.number += 1
        tag = b'T%d' % self.number
        self.socket.sendall(tag + b' ' + (text if isinstance(text, bytes) else text.encode()) + b'\r\n')
        return tag

    def answer(self, tag):
        def tagged(tail):
            return tail.endswith(b'\r\n') and last_line(tail).startswith(tag + b' ')
        octets = self.until(tagged)
        if not last_line(self.tail).startswith(tag + b' OK'):
            raise Refused(last_line(self.tail).decode('utf-8', 'replace'))
        return octets

    def command(self, text):
        return self.answer(self.send(text))

    def login(self, user, password):
        self.command(f'LOGIN "{user}" "{password}"')
        return self

    def fresh(self, mailbox):
        """An empty mailbox of that name."""
        with contextlib.suppress(Refused):
            self.command(f'DELETE {mailbox}')
        self.command(f'CREATE {mailbox}')

    def close(self):
        self.socket.close()


def last_line(tail):
    return tail[tail.rfind(b'\n', 0, len(tail) - 2) + 1:]


def append_text(mailbox, message):
    """APPEND with a literal that waits for nothing (RFC 7888)."""
    return b'APPEND %s {%d+}\r\n' % (mailbox.encode(), len(message)) + message


def append_many(mailbox, messages):
    """One APPEND of several messages (RFC 3502)."""
    return b'APPEND %s' % mailbox.encode() + b''.join(b' {%d+}\r\n' % len(m) + m for m in messages)


def fill(sessions, mailbox, messages, together):
    """Puts the messages in by all the sessions at once, so many of them in an APPEND."""
    batches = iter(lambda: list(itertools.islice(messages, together)), [])
    crowd = Crowd()
    for session in sessions:
        crowd.add(session, (append_many(mailbox, batch) for batch in batches))
    crowd.run()


class Crowd:
    """Several connections driven from one thread, each with a script of its own: what it says next, None at its end."""

    def __init__(self):
        self.poll = selectors.DefaultSelector()
        self.alive = 0

    def add(self, session, script):
        self.poll.register(session.socket, selectors.EVENT_READ, (session, script))
        self.alive += 1
        self.go_on(session, script)

    def go_on(self, session, script):
        text = next(script, None)
        if text is None:
            self.poll.unregister(session.socket)
            self.alive -= 1
            return
        session.waits_for, session.tail = session.send(text), b''

    def run(self):
        while self.alive:
            for key, _ in self.poll.select(60):
                session, script = key.data
                piece = session.socket.recv(PIECE)
                session.tail = (session.tail + piece)[-TAIL:]
                last = last_line(session.tail)
                if last.startswith(session.waits_for + b' ') and last.endswith(b'\r\n'):
                    if not last.startswith(session.waits_for + b' OK'):
                        raise Refused(last.decode('utf-8', 'replace'))
                    self.go_on(session, script)
                elif not piece:
                    raise Refused('the server closed the connection')


class Pop3(Session):
    """POP3, one command at a time."""

    def say(self, text, many=False):
        self.socket.sendall(text.encode() + b'\r\n')
        end = b'\r\n.\r\n' if many else b'\r\n'
        octets = self.until(lambda tail: tail.endswith(end))
        return octets


class Delivery:
    """SMTP or LMTP, one message at a time; returns when the final 250 is there, with the time it was."""

    def __init__(self, port, hello):
        self.session = Session(port)
        self.say(f'{hello} load.example')

    def say(self, text):
        self.session.socket.sendall(text.encode() + b'\r\n')
        self.session.until(lambda tail: tail.endswith(b'\r\n') and last_line(tail)[3:4] == b' ')
        if last_line(self.session.tail)[:1] not in b'23':
            raise Refused(f'{text[:40]}: {last_line(self.session.tail)!r}')

    def deliver(self, to, message):
        self.say('MAIL FROM:<m@load.example>')
        self.say(f'RCPT TO:<{to}>')
        self.say('DATA')
        self.say(message + '\r\n.')
        return time.monotonic()

    def close(self):
        self.session.close()
