"""What tests of unmodified clients share: a message, and how programs are run."""
import email.message
import email.policy
import random
import shutil
import ssl
import subprocess

import pytest

from . import paths, wire

MESSAGE = (b'From: Sender <sender@example.net>\r\nTo: somebody@example.test\r\nSubject: from a client\r\n'
           b'Date: Tue, 3 Mar 2026 10:00:00 +0000\r\nMessage-ID: <client@example.net>\r\n\r\n'
           b'.a line with a dot\r\n\r\n..two\r\nlast line\r\n')


def program(name):
    found = shutil.which(name)
    if not found:
        pytest.skip(f'{name} is not installed')
    return found


def run(argv, octets=b''):
    try:
        done = subprocess.run(argv, input=octets, capture_output=True, timeout=6 * paths.PATIENCE)
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f'{argv[0]} does not end; it said\n{late.stdout}\n{late.stderr}') from None
    assert done.returncode == 0, f'{argv[0]}: status {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}'
    return done.stdout


def trusting(demo):
    """A context that trusts the demo's certificate and checks chain and name."""
    return ssl.create_default_context(cafile=demo.ready['ca'])


FILE = random.Random(7).randbytes(70001)    # something to attach: every octet value, no line ends to speak of
FOLDER = 'Größe & Maß'


def letter(subject, text, file=None, name='straße.bin', sender='Jürgen <sender@example.net>'):
    """A message as programs of today write it, with CRLF."""
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message['From'], message['To'], message['Subject'] = sender, 'somebody@example.test', subject
    message['Date'] = 'Tue, 3 Mar 2026 10:00:00 +0000'
    message['Message-ID'] = f'<{abs(hash(subject))}@example.net>'
    message.set_content(text)
    if file is not None:
        message.add_attachment(file, maintype='application', subtype='octet-stream', filename=name)
    return message.as_bytes()


def deliver(demo, account, *messages):
    with wire.Smtp(demo.ports['smtp']) as smtp:
        for message in messages:
            assert smtp.message('sender@example.net', [account], message).code == 250


class Look:
    """What is in an account, seen by a session of its own."""

    def __init__(self, demo, account):
        self.imap = wire.Imap(demo.ports['imap'])
        self.imap.login(account, demo.password)

    def messages(self, folder='INBOX'):
        """Parsed, in order of their UIDs, each with the flags people give as .flags."""
        self.imap.select(wire.utf7(folder), 'EXAMINE')
        found = []
        for _, flags, octets in wire.letters(self.imap.command(wire.LETTERS)):
            found.append(email.message_from_bytes(octets, policy=email.policy.default))
            found[-1].flags = flags
        return found

    def subjects(self, folder='INBOX'):
        return [str(m['subject']) for m in self.messages(folder)]

    def folders(self):
        return wire.listed(self.imap)

    def create(self, folder):
        assert self.imap.command(f'CREATE "{wire.utf7(folder)}"').ok


def the_file(message):
    """The octets of the one attachment."""
    (part,) = message.iter_attachments()
    return part.get_content()


def the_text(message):
    return message.get_body(('plain',)).get_content().replace('\r\n', '\n')


def open_mailbox(server, user, mailbox='INBOX'):
    """An IMAP session beside the client's, to see what it did."""
    imap = wire.Imap(server.ports['imap'])
    imap.login(user, server.password)
    imap.select(mailbox)
    return imap
