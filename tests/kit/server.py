"""A server of one's own: `postern demo` on free ports, in a folder of its own."""
import json
import os
import random
import re
import select
import signal
import socket
import subprocess
import time

from . import paths, processes

OFFSETS = {'smtp': 25, 'submission': 587, 'submissions': 465, 'imap': 143, 'imaps': 993, 'pop3': 110, 'pop3s': 995,
           'managesieve': 190, 'https': 443}
HOST = '127.0.0.1'
START_SECONDS = 60
STOP_SECONDS = 20
SANITIZER_REPORT = re.compile(r'ERROR: \w+Sanitizer|runtime error: |SUMMARY: \w+Sanitizer')


def free_port_base():
    """A base whose ports are all free; below the range the kernel gives to clients."""
    for _ in range(200):
        base = random.randrange(10000, 31000, 10)
        if all(is_free(base + offset) for offset in OFFSETS.values()):
            return base
    raise RuntimeError('found no free range of ports on 127.0.0.1')


def is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((HOST, port))
        except OSError:
            return False
    return True


class NotReady(Exception):
    """The server ended, or said nothing, before its line "ready"."""


class Server:
    """One running demo server. `start` returns when it is ready; `stop` ends it by SIGTERM."""

    counter = 0

    def __init__(self, directory, users=20, empty=True, password='correct horse', options=()):
        self.directory = directory
        self.password = password
        self.base = free_port_base()
        self.options = [*(['--dir', str(directory)] if directory else []), '--users', str(users),
                        '--password', password, *(['--empty'] if empty else []), *options]
        self.next_user = 0
        self.child = None
        Server.counter += 1
        paths.LOGS.mkdir(parents=True, exist_ok=True)
        self.log = paths.LOGS / f'server-{os.getpid()}-{Server.counter}.log'
        self.log_seen = 0

    def start(self):
        argv = [str(paths.BUILD / 'postern'), 'demo', '--json', '--port-base', str(self.base), *self.options]
        # Leaks are looked for in the unit tests; a jailed process cannot look.
        environment = {**os.environ, 'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':detect_leaks=0'}
        self.child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=open(self.log, 'ab'), env=environment)
        self.ready = self._ready_line()
        self.ports = self.ready['ports']
        self.users = self.ready['users']
        return self

    def _ready_line(self):
        deadline = time.monotonic() + START_SECONDS * paths.SLOWER
        text = b''
        while time.monotonic() < deadline:
            if select.select([self.child.stdout], [], [], 0.5)[0]:
                piece = os.read(self.child.stdout.fileno(), 65536)
                if not piece:
                    break
                text += piece
            for line in text.split(b'\n')[:-1]:
                if line.startswith(b'{') and json.loads(line).get('ready'):
                    return json.loads(line)
        self.kill()
        raise NotReady(f'postern demo did not become ready; its log ends:\n{self.log.read_text()[-3000:]}')

    def stop(self):
        """Ends the server as an operator would; returns its exit status."""
        if self.child and self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(STOP_SECONDS * paths.SLOWER)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return self.child.returncode if self.child else None

    def kill(self):
        """kill -9 of every process of the server at once."""
        if self.child and self.child.poll() is None:
            for process in processes.tree(self.child.pid):
                process.signal(signal.SIGKILL)
            self.child.wait(STOP_SECONDS)

    def command(self, *words, octets=b'', timeout=paths.PATIENCE):
        """Runs `postern --dir D words` for this server; what subprocess.run gives, as text."""
        done = subprocess.run([str(paths.BUILD / 'postern'), '--dir', self.ready['dir'], *words], input=octets,
                              capture_output=True, timeout=timeout)
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        return done

    def hurry_the_queue(self):
        """What an operator would do: letters that kills have put off, or into quarantine, are tried now."""
        listed = self.command('--json', 'queue', 'list')
        if listed.returncode == 0:    # else web may be on its way back
            for row in json.loads(listed.stdout)['rows']:
                self.command('queue', 'release', str(row['item']))

    def processes(self):
        return processes.tree(self.child.pid)

    def room(self, name):
        """The running processes of one room; raises when there is none."""
        found = [p for p in self.processes() if p.room == name]
        if not found:
            raise LookupError(f'no process of the room {name}; there are {sorted({p.room for p in self.processes()})}')
        return found

    def new_users(self, count):
        """Accounts nobody has used yet, so that tests sharing a server do not meet."""
        if self.next_user + count > len(self.users):
            raise LookupError(f'the test server has only {len(self.users)} users; start it with more')
        self.next_user += count
        return self.users[self.next_user - count:self.next_user]

    def port(self, name):
        return self.ports.get(name)

    def new_sanitizer_reports(self):
        """What the sanitizers have said since the last call."""
        if not self.log.exists():
            return ''
        text = self.log.read_text(errors='replace')
        new, self.log_seen = text[self.log_seen:], len(text)
        found = SANITIZER_REPORT.search(new)
        return new[max(found.start() - 500, 0):found.start() + 6000] if found else ''

    def __enter__(self):
        return self.start()

    def __exit__(self, *problem):
        try:
            self.stop()
        finally:
            self.kill()
