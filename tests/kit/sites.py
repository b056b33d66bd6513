"""Several mail sites on one machine: each in a network namespace of its own, with an address of its own.

A bridge joins them, 10.77.0.0/24 and fd77::/64. Where namespaces cannot be made the sites are 127.77.0.0/24 of the
machine's loopback; only what needs a /etc/resolv.conf of its own cannot run there. A Postern site is `posternd -c` as an operator would write it, no demo;
its administration socket is a file, so commands need no namespace. Needs root, for port 25; what lacks is said by
`Unavailable`.
"""
import contextlib
import ctypes
import os
import pathlib
import secrets
import shutil
import signal
import smtplib
import socket
import subprocess
import time

from . import paths, processes

START_SECONDS = 30
BRIDGE, BRIDGE6, LOOPBACK = '10.77.0.', 'fd77::', '127.77.0.'
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    """This machine cannot make network namespaces; says why."""


def ip(*words):
    done = subprocess.run(['ip', *words], capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f'ip {" ".join(words)}: {done.stderr.strip()}')


class World:
    """The bridge and its namespaces; all go at the end."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.name = 'pst' + secrets.token_hex(3)
        self.places = {}
        self.sites = []
        self.why_not = ''    # namespaces cannot be made

    def __enter__(self):
        if os.geteuid() != 0:
            raise Unavailable('port 25 needs root')
        try:
            self.build()
        except Unavailable as e:
            self.tear_down()
            self.why_not = str(e)
        return self

    def build(self):
        if not shutil.which('ip') or os.environ.get('POSTERN_NO_NAMESPACES'):
            raise Unavailable('there is no `ip`' if not shutil.which('ip') else 'POSTERN_NO_NAMESPACES is set')
        self.place('hub')
        ip('-n', self.places['hub'], 'link', 'add', 'bridge', 'type', 'bridge')
        ip('-n', self.places['hub'], 'link', 'set', 'bridge', 'up')

    def place(self, name):
        """A namespace with its own loopback."""
        self.places[name] = f'{self.name}-{name}'
        ip('netns', 'add', self.places[name])
        ip('-n', self.places[name], 'link', 'set', 'lo', 'up')

    def address(self, number):
        return f'{LOOPBACK if self.why_not else BRIDGE}{number}'

    def join(self, name, number):
        """A place at the bridge, as 10.77.0.NUMBER and fd77::NUMBER."""
        if self.why_not:
            return
        self.place(name)
        ip('-n', self.places['hub'], 'link', 'add', f'to-{name}', 'type', 'veth', 'peer', 'name', 'eth0',
           'netns', self.places[name])
        ip('-n', self.places['hub'], 'link', 'set', f'to-{name}', 'master', 'bridge', 'up')
        ip('-n', self.places[name], 'addr', 'add', f'{self.address(number)}/24', 'dev', 'eth0')
        ip('-n', self.places[name], 'addr', 'add', f'{BRIDGE6}{number}/64', 'dev', 'eth0', 'nodad')
        ip('-n', self.places[name], 'link', 'set', 'eth0', 'up')

    def also(self, name, number):
        """A further address of that place."""
        if not self.why_not:
            ip('-n', self.places[name], 'addr', 'add', f'{self.address(number)}/24', 'dev', 'eth0')
        return self.address(number)

    def argv(self, name, *argv):
        """What runs argv at that place."""
        there = [] if self.why_not else ['ip', 'netns', 'exec', self.places[name]]
        return [*there, *map(str, argv)]

    @contextlib.contextmanager
    def standing_at(self, name):
        """This thread's new sockets are of that place meanwhile."""
        if self.why_not:
            yield
            return
        with open('/proc/thread-self/ns/net') as here, open(f'/run/netns/{self.places[name]}') as there:
            enter(there)
            try:
                yield
            finally:
                enter(here)

    def __exit__(self, *problem):
        for site in reversed(self.sites):
            site.stop()
        self.tear_down()

    def tear_down(self):
        for name in reversed(self.places.values()):
            subprocess.run(['ip', 'netns', 'del', name], capture_output=True)


def enter(namespace):
    """os.setns is younger than Debian 12's Python."""
    if LIBC.setns(namespace.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), 'cannot enter a network namespace')


class Site:
    """Something that runs at a place and ends with the world."""

    def __init__(self, world, name, number):
        self.world, self.name, self.number = world, name, number
        world.join(name, number)
        self.address = world.address(number)
        self.address6 = None if world.why_not else f'{BRIDGE6}{number}'
        self.home = world.directory / name
        self.home.mkdir(parents=True)
        self.children = []
        world.sites.append(self)

    def run(self, *argv, **options):
        out = open(self.home / 'out.log', 'ab')
        child = subprocess.Popen(self.world.argv(self.name, *argv), stdin=subprocess.DEVNULL, stdout=out, stderr=out, **options)
        self.children.append(child)
        return child

    def connect(self, port, timeout=10):
        with self.world.standing_at(self.name):
            return socket.create_connection((self.address, port), timeout)

    def await_port(self, port):
        deadline = time.monotonic() + START_SECONDS * paths.SLOWER
        while True:
            try:
                self.connect(port, 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or any(c.poll() is not None for c in self.children):
                    raise RuntimeError(f'{self.name} does not start:\n{(self.home / "out.log").read_text()[-3000:]}')
                time.sleep(0.1)

    def stop(self):
        for child in self.children:
            everyone = processes.tree(child.pid)
            child.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(20)
            for process in everyone:
                if process.alive():
                    process.signal(signal.SIGKILL)
        self.children = []


class Postern(Site):
    """posternd with a configuration of an operator's, and one domain."""

    def __init__(self, world, name, number, domain):
        super().__init__(world, name, number)
        self.domain, self.host = domain, f'mail.{domain}'
        self.data = self.home / 'data'
        self.password = 'correct horse battery'

    def configure(self, certificate, key, **options):
        """Values of options are texts, numbers or lists; names are written with '_' for '-'."""
        both = (self.address, *([f'[{self.address6}]'] if self.address6 else []))
        settings = {'hostname': self.host, 'directory': str(self.data), 'certificate': str(certificate),
                    'private-key': str(key), 'listen-smtp': [f'{a}:25' for a in both],
                    'listen-submission': [f'{self.address}:587'], 'listen-imap': [f'{self.address}:143'],
                    'password-memory': 8 << 20, 'relay-private': 'yes', 'log': 'file', 'log-level': 'debug',
                    **{k.replace('_', '-'): v for k, v in options.items()}}
        lines = []
        for k, v in settings.items():
            value = '{ ' + ', '.join(f'"{e}"' for e in v) + ' }' if isinstance(v, list) else \
                f'"{v}"' if isinstance(v, str) else str(v)
            lines.append(f'{k} = {value}\n')
        self.file = self.home / 'postern.conf'
        self.file.write_text(''.join(lines))

    def start(self, *users):
        self.data.mkdir(exist_ok=True)
        environment = {**os.environ, 'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':detect_leaks=0'}
        self.run(paths.BUILD / 'posternd', '-c', self.file, env=environment)
        self.await_port(25)
        if users:
            self.command('domain', 'add', self.domain)
        for user in users:
            self.command('account', 'add', f'{user}@{self.domain}', '--password-stdin', octets=self.password + '\n')
        return self

    def command(self, *words, octets='', check=True):
        done = subprocess.run([paths.BUILD / 'postern', '--dir', self.data, *words], input=octets, text=True,
                              capture_output=True, timeout=paths.PATIENCE)
        if check and done.returncode:
            raise RuntimeError(f'postern {" ".join(words)}: {done.stdout}{done.stderr}')
        return done

    def send(self, user, to, message, options=()):
        """Submits as that user; raises what smtplib raises."""
        with self.world.standing_at(self.name), smtplib.SMTP(self.address, 587, timeout=paths.PATIENCE) as client:
            client.starttls()
            client.login(f'{user}@{self.domain}', self.password)
            return client.send_message(message, f'{user}@{self.domain}', to, mail_options=options)

    def log_text(self):
        log = self.data / 'ledger' / 'postern.log'
        return log.read_text(errors='replace') if log.exists() else ''
