"""posternd with a configuration as an operator writes it, and no demo around it."""
import contextlib
import os
import re
import signal
import subprocess
import time

from kit import paths, processes, server

GOOD = '''hostname = mail.example.org
directory = '{dir}'
certificate = '{dir}/certificate.pem'
private-key = '{dir}/private-key.pem'
listen-smtp = {{ "127.0.0.1:{smtp}" }}
listen-submission = {{ "127.0.0.1:{submission}" }}
listen-imap = {{ "127.0.0.1:{imap}" }}
'''


def certify(folder):
    """Puts a certificate and its key into the folder."""
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj',
                    '/CN=mail.example.org', '-keyout', folder / 'private-key.pem', '-out', folder / 'certificate.pem'],
                   check=True, capture_output=True)
    return folder


def write(folder, certificate, replace=(), more=''):
    """The good configuration, each pattern replaced; returns its path and text."""
    base = server.free_port_base()
    for name in ('certificate.pem', 'private-key.pem'):
        (folder / name).write_bytes((certificate / name).read_bytes())
    text = GOOD.format(dir=folder, **{n: base + o for n, o in server.OFFSETS.items()})
    for old, new in replace:
        assert re.search(old, text)
        text = re.sub(old, new, text)
    (folder / 'postern.conf').write_text(text + more)
    return folder / 'postern.conf', text + more


class Daemon:
    """posternd itself: none of the demo's openings."""

    def __init__(self, file, programs=paths.BUILD, **environment):
        self.file, self.programs = file, programs
        self.environment = {**os.environ, **environment}

    def __enter__(self):
        read_end, write_end = os.pipe()
        self.child = subprocess.Popen([self.programs / 'posternd', '-c', self.file], stderr=write_end,
                                      env=self.environment)
        os.close(write_end)
        os.close(read_end)
        self.ports = {n: int(p) for n, p in re.findall(r'listen-(\w+) = { "127.0.0.1:(\d+)"', self.file.read_text())}
        return self

    def command(self, *words, octets=b'', timeout=paths.PATIENCE):
        return subprocess.run([paths.BUILD / 'postern', '--dir', self.file.parent, *words], input=octets,
                              capture_output=True, timeout=timeout)

    def rooms(self):
        return processes.tree(self.child.pid)

    def vault(self):
        return next(p for p in self.rooms() if p.room == 'vault')

    def ready(self):
        for _ in range(100 * paths.SLOWER):
            if self.command('status').returncode == 0:
                return self
            assert self.child.poll() is None, 'posternd ended'
        raise AssertionError('posternd did not become ready')

    def logged(self, text):
        """Whether the log has that; events reach it a moment later."""
        for _ in range(10):
            log = self.file.parent / 'ledger' / 'postern.log'
            if log.exists() and text in log.read_text():
                return True
            time.sleep(0.1)
        return False

    def __exit__(self, *problem):
        self.child.send_signal(signal.SIGTERM)
        assert self.child.wait(server.STOP_SECONDS) == 0


ACCOUNT = 'user1@example.org'
OPTIONS = 'log = file\npassword-memory = 8M\n'
MORE_DOORS = ('submissions', 'imaps', 'pop3', 'https')


@contextlib.contextmanager
def inhabited(folder, certificate, password, programs=paths.BUILD, options=''):
    """A server with a domain and an account, as an operator has it after a quarter of an hour."""
    file, text = write(folder, certificate, more=OPTIONS + options)
    base = int(re.search(r'listen-smtp = { "127.0.0.1:(\d+)"', text).group(1)) - server.OFFSETS['smtp']
    doors = (f'listen-{door} = {{ "127.0.0.1:{base + server.OFFSETS[door]}" }}\n' for door in MORE_DOORS)
    file.write_text(text + ''.join(doors))
    for secret in folder.iterdir():
        secret.chmod(0o600)
    with Daemon(file, programs=programs) as one:
        one.ready()
        assert one.command('domain', 'add', 'example.org').returncode == 0
        made = one.command('account', 'add', ACCOUNT, '--password-stdin', octets=password.encode() + b'\n')
        assert made.returncode == 0, made.stderr
        yield one
