"""Another domain's mail server that takes what it is not told to refuse, and keeps it as it came, octet by octet."""
import collections
import socketserver
import threading
import time

from . import paths

Taken = collections.namedtuple('Taken', 'sender recipients message')
EXTENSIONS = ['8BITMIME', 'SMTPUTF8', 'PIPELINING', 'SIZE 100000000']


class Talk(socketserver.StreamRequestHandler):
    def reply(self, text):
        self.wfile.write(text.encode() + b'\r\n')

    def data(self):
        self.reply('354 go on')
        lines = []
        while (line := self.rfile.readline()) not in (b'.\r\n', b''):
            lines.append(line[1:] if line.startswith(b'.') else line)
        return b''.join(lines)

    def handle(self):
        sender, recipients = '', []
        self.reply('220 sink ESMTP')
        while line := self.rfile.readline():
            text = line.decode(errors='replace').strip()
            verb = text.split(' ')[0].upper()
            if verb == 'EHLO':
                words = ['sink', *self.server.offers]
                self.wfile.write(''.join(f'250-{e}\r\n' for e in words[:-1]).encode())
                self.reply(f'250 {words[-1]}')
            elif verb == 'DATA' and not recipients:
                self.reply('554 5.5.1 no valid recipients')
            elif verb == 'DATA':
                time.sleep(self.server.pause)
                message = self.data()
                self.server.taken.append(Taken(sender, recipients, message))
                recipients = []
                self.reply('250 2.0.0 taken')
            elif verb == 'QUIT':
                self.reply('221 bye')
                return
            elif verb == 'RCPT' and (refusal := self.server.refuse(text)):
                self.reply(refusal)
            else:
                if verb == 'MAIL':
                    sender, recipients = text, []
                elif verb == 'RCPT':
                    recipients.append(text)
                self.reply('250 2.0.0 well')


class Sink:
    """`with Sink() as sink`: listens at 127.0.0.1:sink.port; sink.taken are the letters so far. `refuse(text)` gives the
    answer to a RCPT command that is to be refused; `pause` is how long each letter takes; `offers` is what EHLO names."""

    def __init__(self, address='127.0.0.1', port=0, offers=EXTENSIONS):
        self.server = socketserver.ThreadingTCPServer((address, port), Talk, bind_and_activate=False)
        self.server.allow_reuse_address, self.server.daemon_threads = True, True
        self.server.taken, self.server.refuse, self.server.pause = [], lambda text: None, 0
        self.server.offers = offers
        self.server.server_bind()
        self.server.server_activate()
        self.port = self.server.server_address[1]

    @property
    def taken(self):
        return self.server.taken

    def until(self, count, seconds=30):
        """The letters, when there are so many."""
        deadline = time.monotonic() + seconds * paths.SLOWER
        while len(self.taken) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f'{len(self.taken)} of {count} letters came')
            time.sleep(0.05)
        return self.taken

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *problem):
        self.server.shutdown()
        self.server.server_close()
