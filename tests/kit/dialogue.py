"""Dialogues: one behaviour of the server a file, written as what client and server say.

tests/README.md describes the format. A file is read completely before anything
is sent, so a mistake in it is told with its line and not half way through.
"""
import base64
import dataclasses
import itertools
import re
import time

from . import paths, wire

STEP = re.compile(r'^(?:(?P<who>c\d+) )?'
                  r'(?P<verb>C|C-|C\*\d+|S|S\*|S\?|S>|S&|S\+|R'
                  r'|OPEN|OPENTLS|SMTP|SUBMIT|IMAP|POP3|DELIVER|TLS|QUIET|WAIT|EOF|CLOSE|POSTERN|REFUSED|O)'
                  r'(?P<colon>:?)(?: (?P<text>.*))?$')
PLACE = re.compile(r'\{([a-z]\w*)\}')
ESCAPE = re.compile(r'\\(x[0-9a-fA-F]{2}|[rnt0\\"])')
ESCAPES = {'r': '\r', 'n': '\n', 't': '\t', '0': '\0', '\\': '\\', '"': '"'}
MARK = re.compile(r'\{\{(?:([a-z]\w*)=)?(.*?)\}\}|(\.\.\.)')
GROUP = re.compile(r'(?<!\\)\((?!\?)')
# RFC 9051 has no \Recent; servers that still speak IMAP4rev1 may tell of it anywhere.
RECENT = re.compile(rb'\* \d+ RECENT')
SPEAKERS = ('C', 'C-', 'S', 'S*', 'S?', 'S>', 'S&', 'S+', 'R', 'O')


class Wrong(Exception):
    """The file cannot be understood, or the server said something else."""


@dataclasses.dataclass
class Step:
    number: int       # line in the file
    who: str
    verb: str
    text: str


def read(file):
    """The steps of a dialogue file."""
    steps = []
    for number, line in enumerate(file.read_text(encoding='utf-8').splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        found = STEP.match(line)
        speaks = found and (found['verb'] in SPEAKERS or found['verb'].startswith('C*'))
        if not found or bool(found['colon']) != bool(speaks):
            raise Wrong(f'{file}:{number}: cannot understand: {line}')
        steps.append(Step(number, found['who'] or 'c1', found['verb'], found['text'] or ''))
    return steps


def accounts_of(steps):
    """How many accounts the file speaks of: the highest N of {userN} and its kin."""
    numbers = [int(n) for s in steps for n in re.findall(r'\{(?:user|local|plain|user64_)(\d+)\}', s.text)]
    numbers += [int(n) for s in steps if s.verb in ('DELIVER', 'SUBMIT', 'IMAP', 'POP3')
                for n in re.findall(r'user(\d+)', s.text)]
    return max(numbers, default=0)


def unescape(text):
    return ESCAPE.sub(lambda m: chr(int(m[1][1:], 16)) if m[1][0] == 'x' else ESCAPES[m[1]], text)


def wire_bytes(text):
    """Escapes undone; \\xNN is that octet, everything else UTF-8."""
    pieces = re.split(r'(\\x[0-9a-fA-F]{2})', text)
    return b''.join(bytes([int(p[2:], 16)]) if i % 2 else unescape(p).encode() for i, p in enumerate(pieces))


class Play:
    """One performance of a dialogue against a server."""

    def __init__(self, file, server):
        self.file = file
        self.steps = read(file)
        self.server = server
        self.connections = {}
        self.transcript = []
        users = server.new_users(accounts_of(self.steps))
        self.places = {'password': server.password, 'password64': encode(server.password)}
        for i, user in enumerate(users, 1):
            self.places |= {f'user{i}': user, f'local{i}': user.split('@')[0], f'user64_{i}': encode(user),
                            f'plain{i}': wire.plain(user, server.password)}

    def run(self):
        at = 0
        try:
            while at < len(self.steps):
                at += self.perform(at)
        except (Wrong, wire.Closed, OSError, AssertionError) as problem:
            step = self.steps[min(at, len(self.steps) - 1)]
            said = '\n'.join(self.transcript[-30:])
            raise Wrong(f'{self.file}:{step.number}: {step.verb}: {step.text}\n{problem}\n--- so far:\n{said}') from None
        finally:
            for connection in self.connections.values():
                connection.close()

    def perform(self, at):
        """Does the step at this place; returns how many steps that were."""
        step = self.steps[at]
        if step.verb in ('S&', 'S+'):
            same = lambda s: (s.verb, s.who) == (step.verb, step.who)  # noqa: E731
            group = list(itertools.takewhile(same, self.steps[at:]))
            self.any_order(group, others=step.verb == 'S+')
            return len(group)
        verb = 'C*' if step.verb.startswith('C*') else step.verb
        getattr(self, self.VERBS[verb])(step)
        return 1

    VERBS = {'SMTP': 'smtp', 'SUBMIT': 'submit', 'IMAP': 'imap', 'POP3': 'pop3', 'OPEN': 'open',
             'OPENTLS': 'open_tls', 'TLS': 'tls', 'CLOSE': 'close', 'EOF': 'eof', 'QUIET': 'quiet', 'WAIT': 'wait',
             'DELIVER': 'deliver', 'POSTERN': 'command', 'REFUSED': 'refused_command', 'O': 'output', 'C': 'say',
             'C-': 'say_part', 'C*': 'say_often', 'S': 'hear',
             'S*': 'hear_many', 'S?': 'hear_perhaps', 'S>': 'hear_until', 'R': 'hear_reply'}

    # Connections.

    def open(self, step, tls=False):
        self.connections[step.who] = wire.Line(self.port(step.text), tls=tls)

    def port(self, name):
        port = self.server.port(name)
        if port is None:
            raise Wrong(f'the server does not listen for {name}')
        return port

    def open_tls(self, step):
        self.open(step, tls=True)

    def smtp(self, step):
        """SMTP: a connection that has said EHLO."""
        self.connections[step.who] = wire.Smtp(self.port('smtp'))

    def submit(self, step):
        """SUBMIT user1: a connection over TLS that has logged in."""
        connection = wire.Smtp(self.port('submissions'), tls=True)
        self.connections[step.who] = connection
        answer = connection.login(self.places[step.text], self.server.password)
        assert answer.code == 235, str(answer)

    def imap(self, step):
        """IMAP user1 [mailbox]: a connection that has logged in, and opened the mailbox."""
        user, *mailbox = step.text.split(None, 1)
        connection = wire.Imap(self.port('imap'))
        self.connections[step.who] = connection
        connection.login(self.places[user], self.server.password)
        if mailbox:
            connection.select(mailbox[0])

    def pop3(self, step):
        """POP3 user1: a connection that has logged in."""
        connection = wire.Pop3(self.port('pop3'))
        self.connections[step.who] = connection
        answer = connection.login(self.places[step.text], self.server.password)
        assert answer.startswith(b'+OK'), answer.decode()

    def tls(self, step):
        self.at(step).start_tls()

    def close(self, step):
        self.connections.pop(step.who).close()

    def eof(self, step):
        if not self.at(step).at_end():
            raise Wrong(f'the server did not close the connection; it sent {self.at(step).pending[:200]!r}')

    def quiet(self, step):
        connection = self.at(step)
        while not connection.silent_for(float(step.text or 0.3)):
            if not RECENT.fullmatch(connection.pending.split(wire.CRLF)[0]):
                raise Wrong(f'the server was not silent: {connection.pending[:200]!r}')
            connection.line()

    def wait(self, step):
        time.sleep(float(step.text))

    def deliver(self, step):
        """DELIVER user1 3 [subject]: that many small messages, by SMTP."""
        user, count, *subject = step.text.split(None, 2)
        with wire.Smtp(self.server.ports['smtp']) as connection:
            for i in range(1, int(count) + 1):
                message = (f'From: sender@example.net\r\nTo: {self.places[user]}\r\n'
                           f'Subject: {subject[0] if subject else "Message"} {i}\r\n'
                           f'Date: Tue, 3 Mar 2026 10:00:{i % 60:02} +0000\r\nMessage-ID: <{i}.{user}@example.net>\r\n'
                           f'\r\nThis is message {i}.\r\n')
                answer = connection.message('sender@example.net', [self.places[user]], message.encode())
                assert answer.code == 250, str(answer)

    # The command.

    def command(self, step, status=0):
        """POSTERN words: the postern command does that; its output is kept for O."""
        words = self.filled(step.text).split()
        self.transcript.append(f'$ postern {" ".join(words)}')
        self.words = words
        done = self.server.command(*words)
        self.printed = done.stdout + done.stderr
        self.transcript += self.printed.splitlines()
        if done.returncode != status:
            raise Wrong(f'its exit status is {done.returncode}')

    def refused_command(self, step):
        self.command(step, status=1)

    def output(self, step):
        """A letter's story is told a moment later: the rooms send their log in batches."""
        deadline = time.monotonic() + paths.PATIENCE
        while not any(self.matches(step, line.encode()) for line in self.printed.splitlines()):
            if self.words[0] != 'trace' or time.monotonic() > deadline:
                raise Wrong('no line that the command printed is that')
            time.sleep(0.1)
            self.printed = self.server.command(*self.words).stdout

    def at(self, step):
        if step.who not in self.connections:
            raise Wrong(f'{step.who} has no connection open')
        return self.connections[step.who]

    # Saying.

    def filled(self, text):
        def value(match):
            if match[1] not in self.places:
                raise Wrong(f'nothing is known as {match[0]}')
            return self.places[match[1]]
        return PLACE.sub(value, text)

    def say(self, step):
        self.transcript.append(f'{step.who} C: {step.text}')
        self.at(step).send(wire_bytes(self.filled(step.text)) + wire.CRLF)

    def say_part(self, step):
        """Without CRLF, and in a packet of its own."""
        self.transcript.append(f'{step.who} C-: {step.text}')
        self.at(step).send(wire_bytes(self.filled(step.text)))
        time.sleep(0.02)

    def say_often(self, step):
        times = int(step.verb[2:])
        self.transcript.append(f'{step.who} C*{times}: {step.text}')
        self.at(step).send((wire_bytes(self.filled(step.text)) + wire.CRLF) * times)

    # Hearing.

    def next_line(self, step):
        try:
            line = self.at(step).line()
            while RECENT.fullmatch(line):
                line = self.at(step).line()
        except TimeoutError:
            raise Wrong(f'the server said nothing for {paths.PATIENCE} seconds; '
                        f'pending: {self.at(step).pending[:200]!r}') from None
        self.transcript.append(f'{step.who} S: {line.decode("utf-8", "backslashreplace")}')
        return line

    def unread(self, step, line):
        self.transcript.pop()
        self.at(step).pending = line + wire.CRLF + self.at(step).pending

    def matches(self, step, line):
        """Whether a line is what the step expects; its named marks become places."""
        names, pattern, end = [], b'', 0
        text = self.filled_outside_marks(step.text)
        for mark in MARK.finditer(text):
            pattern += re.escape(wire_bytes(text[end:mark.start()]))
            end = mark.end()
            if mark[3]:
                pattern += b'.*'
            else:
                pattern += b'(' + GROUP.sub('(?:', mark[2]).encode() + b')'
                names.append(mark[1])
        pattern += re.escape(wire_bytes(text[end:]))
        found = re.fullmatch(pattern, line, re.S)
        if found:
            self.places |= {n: v.decode('utf-8', 'replace') for n, v in zip(names, found.groups()) if n}
        return bool(found)

    def filled_outside_marks(self, text):
        pieces = re.split(r'(\{\{.*?\}\})', text)
        return ''.join(p if i % 2 else self.filled(p) for i, p in enumerate(pieces))

    def hear(self, step):
        line = self.next_line(step)
        if not self.matches(step, line):
            raise Wrong(f'the server said: {line.decode("utf-8", "backslashreplace")}')

    def hear_many(self, step):
        """As many lines as match, none included."""
        while self.hear_perhaps(step):
            pass

    def hear_perhaps(self, step):
        line = self.next_line(step)
        if self.matches(step, line):
            return True
        self.unread(step, line)
        return False

    def hear_until(self, step):
        """Passes over lines until one matches."""
        while not self.matches(step, self.next_line(step)):
            pass

    def hear_reply(self, step):
        """R: 250 [!]PATTERN: a whole SMTP reply; some line (or no line) matches behind its code."""
        code, _, text = step.text.partition(' ')
        lines = [self.next_line(step)]
        while lines[-1][3:4] == b'-':
            lines.append(self.next_line(step))
        if any(line[:3] != code.encode() for line in lines):
            raise Wrong(f'the server said: {lines[-1].decode("utf-8", "backslashreplace")}')
        wanted = not text.startswith('!')
        pattern = dataclasses.replace(step, text=text.removeprefix('!'))
        if text and any(self.matches(pattern, line[4:]) for line in lines) != wanted:
            raise Wrong('no line of the reply is that' if wanted else 'a line of the reply is that')

    def any_order(self, steps, others):
        """The next lines are these, in any order; with others, there may be more between them."""
        left = list(steps)
        while left:
            line = self.next_line(steps[0])
            found = next((s for s in left if self.matches(s, line)), None)
            if found:
                left.remove(found)
            elif not others:
                raise Wrong(f'the server said: {line.decode("utf-8", "backslashreplace")}')


def encode(text):
    return base64.b64encode(text.encode()).decode()
