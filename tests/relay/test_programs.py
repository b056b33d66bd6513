"""Mail to servers of others that are no servers of ours: Postfix's smtp-sink, npm's smtp-server, Haraka."""
import base64
import json
import os
import pathlib
import shutil
import smtplib
import subprocess
import threading
import time

import pytest

from kit import debs, npm, paths, server

HERE = pathlib.Path(__file__).resolve().parent
SMTP_SERVER = '3.21.6'
# Versions that can be had of what Haraka asks for.
HARAKA = ('3.1.3', {'encoding-japanese': '2.2.0', 'libqp': '2.1.1', 'libmime': '5.3.6', 'libbase64': '1.3.0'})
BODY = 'Grüße\r\n.\r\n..two dots\r\n' + 'x' * 990 + '\r\n \r\n.end\r\n'
LETTER = ('From: {user}\r\nTo: a@{domain}\r\nSubject: dots and octets\r\nMIME-Version: 1.0\r\n'
          'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n' + BODY)


class Program:
    """A server in a process; `messages` are those it has kept, octet by octet."""

    def __init__(self, home):
        self.home = home
        self.port = server.free_port_base() + server.OFFSETS['smtp']

    def __enter__(self):
        self.begin()
        deadline = time.monotonic() + 20 * paths.SLOWER
        while server.is_free(self.port):
            assert self.child.poll() is None and time.monotonic() < deadline, 'the program does not listen'
            time.sleep(0.1)
        return self

    def __exit__(self, *problem):
        self.child.kill()
        self.child.wait()

    def files(self, pattern):
        return [f.read_bytes() for f in self.home.glob(pattern)]


class SmtpSink(Program):
    def begin(self):
        root = debs.unpack(paths.ROOT / 'build' / 'peers-postfix',
                           ['postfix', *debs.missing(['libdb5.3', 'libnsl2', 'libsasl2-2', 'libicu72', 'libtirpc3'])])
        shutil.chown(self.home, 'nobody')
        lib = root / 'usr/lib'
        self.child = subprocess.Popen([root / 'usr/sbin/smtp-sink', '-u', 'nobody', '-R', self.home, '-d', 'kept.',
                                       f'127.0.0.1:{self.port}', '10'],
                                      env={**os.environ, 'LD_LIBRARY_PATH': f'{lib}/postfix:{lib}/x86_64-linux-gnu',
                                           'MAIL_CONFIG': str(self.home)})

    def messages(self):
        return [m.replace(b'\n', b'\r\n') for m in self.files('kept.*')]    # it writes lines as Unix does


class SmtpServer(Program):
    def begin(self):
        npm.folder('smtp-server', SMTP_SERVER)
        self.child = subprocess.Popen(['node', HERE / 'smtp_server_peer.js', str(self.port)], env=npm.environment(),
                                      stdout=subprocess.PIPE, text=True)
        self.lines = []
        threading.Thread(target=lambda: self.lines.extend(self.child.stdout), daemon=True).start()

    def messages(self):
        return [base64.b64decode(json.loads(line)['message']) for line in self.lines]


class Haraka(Program):
    def begin(self):
        there = npm.folder_with('Haraka', *HARAKA)
        for folder in ('config', 'plugins', 'queue', 'kept'):
            (self.home / folder).mkdir()
        (self.home / 'config' / 'smtp.ini').write_text(f'listen=127.0.0.1:{self.port}\nnodes=0\n')
        (self.home / 'config' / 'plugins').write_text('keep\n')
        shutil.copy(there / 'config' / 'connection.ini', self.home / 'config')
        (self.home / 'config' / 'me').write_text('haraka.test\n')
        (self.home / 'config' / 'loglevel').write_text('LOGERROR\n')
        shutil.copy(HERE / 'haraka_keep.js', self.home / 'plugins' / 'keep.js')
        self.child = subprocess.Popen(['node', there / 'bin' / 'haraka', '-c', self.home],
                                      env={**os.environ, 'KEEP': str(self.home / 'kept')}, stdout=subprocess.DEVNULL)

    def messages(self):
        return self.files('kept/*.eml')


@pytest.mark.parametrize('program', [SmtpSink, SmtpServer, Haraka])
def test_a_letter_arrives_whole(demo, account, tmp_path, program):
    tmp_path.chmod(0o755)
    domain = f'{program.__name__.lower()}.test'
    try:
        with program(tmp_path) as there:
            demo.command('route', 'add', 'domain', domain, '--host', '[127.0.0.1]', '--port', str(there.port))
            with smtplib.SMTP('127.0.0.1', demo.ports['submission']) as client:
                client.login(account, demo.password)
                letter = LETTER.format(user=account, domain=domain).encode()
                client.sendmail(account, [f'a@{domain}', f'b@{domain}'], letter, mail_options=['BODY=8BITMIME'])
            deadline = time.monotonic() + 20 * paths.SLOWER
            while not there.messages() and time.monotonic() < deadline:
                time.sleep(0.1)
            got = there.messages()
    except (debs.Unavailable, npm.Missing) as e:
        pytest.skip(str(e))
    finally:
        demo.command('route', 'delete', 'domain', domain)
    assert len(got) == 1, 'one transaction for both recipients'
    assert BODY.encode() in got[0] and b'DKIM-Signature:' in got[0], got[0]
