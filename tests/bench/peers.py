"""Debian's other mail servers beside Postern: unpacked below build/peers, never installed.

Configured for what Postern promises where they can be: an answer of "yes" means
that the message is on stable storage. They run on loopback, as users that every
Debian machine has, from folders of their own. Here is what all of them share.
"""
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from kit import debs, paths, processes, server as kit_server  # noqa: E402

PEERS = paths.ROOT / 'build' / 'peers'
PACKAGES = ['postfix', 'dovecot-core', 'dovecot-imapd', 'dovecot-lmtpd', 'dovecot-pop3d', 'opensmtpd',
            'exim4-daemon-light', 'exim4-base', 'opendkim']
LIBRARIES = ['libdb5.3', 'libnsl2', 'libsasl2-2', 'libicu72', 'libapparmor1', 'libbz2-1.0', 'libcap2', 'libcrypt1',
             'libexttextcat-2.0-0', 'liblua5.4-0', 'liblz4-1', 'libpam0g', 'libsodium23', 'libstemmer0d', 'libtirpc3',
             'libunwind8', 'libwrap0', 'libzstd1', 'libevent-2.1-7', 'libgnutls-dane0', 'libgnutls30', 'libidn12',
             'libpcre2-8-0', 'libbsd0', 'libldap-2.5-0', 'liblua5.3-0', 'libmemcached11', 'libmilter1.0.1', 'libopendbx1',
             'libopendkim11', 'librbl1', 'libunbound8', 'libvbr2']
DOMAIN = 'example.test'
START_SECONDS = 15
# What the demo's accounts have: two passes over 8 MiB.
HASH_PASSES, HASH_MEMORY, HASH_ARGON2ID, HASH_ROOM = 2, 8 << 20, 2, 128

Unavailable = debs.Unavailable


def root():
    """The folder with the unpacked packages; fetches and unpacks them the first time."""
    if not (PEERS / 'unpacked').exists() and os.geteuid() != 0:
        raise Unavailable('the peers change users, so the comparison needs root (sudo make bench)')
    return debs.unpack(PEERS, PACKAGES + debs.missing(LIBRARIES))


def relocate():
    """The library that sends Dovecot to its modules; built the first time."""
    library, source = PEERS / 'relocate.so', pathlib.Path(__file__).with_name('relocate.c')
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(['gcc', '-D_GNU_SOURCE', '-O2', '-shared', '-fPIC', '-o', library, source, '-ldl'], check=True)
    return library


def versions():
    return debs.versions(PEERS, ('postfix', 'dovecot-core', 'opensmtpd', 'exim4-daemon-light', 'opendkim'))


def argon2id(password):
    """The password's Argon2id text, as Postern's demo makes it."""
    sodium = ctypes.CDLL('libsodium.so.23')
    room = ctypes.create_string_buffer(HASH_ROOM)
    octets = password.encode()
    if sodium.sodium_init() < 0 or sodium.crypto_pwhash_str_alg(room, octets, ctypes.c_ulonglong(len(octets)),
                                                                ctypes.c_ulonglong(HASH_PASSES),
                                                                ctypes.c_size_t(HASH_MEMORY), HASH_ARGON2ID) != 0:
        raise Unavailable('libsodium cannot hash the password')
    return room.value.decode()


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def give(user, *folders):
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.chown(folder, user)


class Peer:
    """Some servers that together do what Postern does: configured, started and ended as one."""

    awaited = ('smtp', 'imap')    # the ports that answer when it runs
    tls = True

    def __init__(self, directory, password):
        self.root = root()
        self.home = pathlib.Path(directory)
        self.password = password
        base = kit_server.free_port_base()
        self.ports = {name: base + offset for name, offset in kit_server.OFFSETS.items()
                      if name in ('smtp', 'imap', 'imaps', 'pop3')}
        lib = self.root / 'usr/lib'
        self.environment = {'PATH': os.environ['PATH'], 'MAIL_CONFIG': str(self.home / 'postfix'),
                            'LD_LIBRARY_PATH': f'{lib}/postfix:{lib}/dovecot:{lib}/dovecot/modules:'
                            f'{lib}/dovecot/modules/old-stats:{lib}/x86_64-linux-gnu'}
        self.masters = []

    def configure(self):
        """Writes everything anew; each server adds its own."""
        above = (self.home, *self.home.parents, *self.root.parents)
        closed = [f for f in above if f.exists() and not f.stat().st_mode & 1]
        if closed:
            raise Unavailable(f'their users must be able to enter {closed[-1]} (chmod o+x)')
        shutil.rmtree(self.home, ignore_errors=True)
        self.certificate()

    def certificate(self):
        self.home.mkdir(parents=True)
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                        '-days', '2', '-subj', '/CN=localhost', '-keyout', self.home / 'key.pem', '-out', self.home / 'cert.pem'],
                       check=True, capture_output=True)

    def launch(self):
        """Starts the processes with `run`."""
        raise NotImplementedError

    def start(self):
        self.configure()
        return self.resume()

    def resume(self):
        """Starts what was configured and, perhaps, stopped again."""
        self.launch()
        deadline = time.monotonic() + START_SECONDS
        while not all(self.answers(port) for port in self.awaited):
            if time.monotonic() > deadline or any(m.poll() is not None for m in self.masters):
                raise Unavailable(f'the peers do not start; their logs are in {self.home}')
            time.sleep(0.1)
        return self

    def run(self, name, argv, environment=None):
        with open(self.home / f'{name}.out', 'wb') as out:
            self.masters.append(subprocess.Popen(argv, env=environment or self.environment, stdin=subprocess.DEVNULL,
                                                 stdout=out, stderr=out, start_new_session=True))

    def answers(self, port):
        return not kit_server.is_free(self.ports[port])

    def processes(self):
        return [p for m in self.masters for p in processes.tree(m.pid)]

    def stop(self):
        for master in self.masters:
            everyone = processes.tree(master.pid)
            master.send_signal(signal.SIGTERM)
            try:
                master.wait(10)
            except subprocess.TimeoutExpired:
                master.kill()
            for process in everyone:
                if process.alive():
                    process.signal(signal.SIGKILL)
        self.masters = []

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *problem):
        self.stop()
