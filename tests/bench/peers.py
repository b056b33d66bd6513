"""Debian's Postfix and Dovecot beside Postern: unpacked below build/peers, never installed.

Configured for what Postern promises: a 250 means that the message is on stable
storage (Postfix's queue file is synced before its 250; Dovecot syncs each
Maildir file, mail_fsync=optimized being its default and durable). They run on
loopback, as users that every Debian machine has, from folders of their own.
"""
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
PACKAGES = ['postfix', 'dovecot-core', 'dovecot-imapd', 'dovecot-lmtpd', 'dovecot-pop3d']
LIBRARIES = ['libdb5.3', 'libnsl2', 'libsasl2-2', 'libicu72', 'libapparmor1', 'libbz2-1.0', 'libcap2', 'libcrypt1',
             'libexttextcat-2.0-0', 'liblua5.4-0', 'liblz4-1', 'libpam0g', 'libsodium23', 'libstemmer0d', 'libtirpc3',
             'libunwind8', 'libwrap0', 'libzstd1']
DOMAIN = 'example.test'
START_SECONDS = 15
# Users of every Debian machine, none of them used by anything else here.
POSTFIX_USER, POSTFIX_GROUP = 'mail', 'games'
DOVECOT_USER, LOGIN_USER, MAIL_USER = 'daemon', 'nobody', 'news'


Unavailable = debs.Unavailable


def root():
    """The folder with the unpacked packages; fetches and unpacks them the first time."""
    if not (PEERS / 'unpacked').exists() and os.geteuid() != 0:
        raise Unavailable('Postfix and Dovecot change users, so the comparison needs root (sudo make bench)')
    return debs.unpack(PEERS, PACKAGES + debs.missing(LIBRARIES))


def relocate():
    """The library that sends Dovecot to its modules; built the first time."""
    library, source = PEERS / 'relocate.so', pathlib.Path(__file__).with_name('relocate.c')
    if not library.exists() or library.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(['gcc', '-D_GNU_SOURCE', '-O2', '-shared', '-fPIC', '-o', library, source, '-ldl'], check=True)
    return library


def versions():
    return debs.versions(PEERS, ('postfix', 'dovecot-core'))


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def give(user, *folders):
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.chown(folder, user)


class PostfixDovecot:
    """Postfix takes the mail and hands it to Dovecot's LMTP, which keeps it in Maildir folders."""

    name = 'Postfix + Dovecot'

    def __init__(self, directory, users, password, password_scheme='{PLAIN}'):
        self.root = root()
        self.home = pathlib.Path(directory)
        self.users = [f'user{i}@{DOMAIN}' for i in range(1, users + 1)]
        self.password = password
        self.scheme = password_scheme
        base = kit_server.free_port_base()
        self.ports = {name: base + offset for name, offset in kit_server.OFFSETS.items()
                      if name in ('smtp', 'imap', 'imaps')}
        lib = self.root / 'usr/lib'
        self.environment = {'PATH': os.environ['PATH'], 'MAIL_CONFIG': str(self.home / 'postfix'),
                            'LD_LIBRARY_PATH': f'{lib}/postfix:{lib}/dovecot:{lib}/dovecot/modules:{lib}/dovecot/modules/old-stats:'
                            f'{lib}/x86_64-linux-gnu'}
        # Only Dovecot looks where it was compiled to be.
        self.dovecot_environment = {**self.environment, 'LD_PRELOAD': str(relocate()), 'PEER_ROOT': str(self.root)}
        self.masters = []

    # Configuration.

    def configure(self):
        closed = [f for f in (self.home, *self.home.parents, *self.root.parents) if f.exists() and not f.stat().st_mode & 1]
        if closed:
            raise Unavailable(f'their users must be able to enter {closed[-1]} (chmod o+x)')
        shutil.rmtree(self.home, ignore_errors=True)
        self.certificate()
        self.postfix()
        self.dovecot()

    def certificate(self):
        self.home.mkdir(parents=True)
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                        '-days', '2', '-subj', '/CN=localhost', '-keyout', self.home / 'key.pem', '-out', self.home / 'cert.pem'],
                       check=True, capture_output=True)

    def postfix(self):
        lib, queue, data = self.root / 'usr/lib/postfix', self.home / 'queue', self.home / 'postfix-data'
        config = self.home / 'postfix'
        write(config / 'recipients', ''.join(f'{u} ok\n' for u in self.users))
        write(config / 'main.cf', f'''compatibility_level = 3.6
config_directory = {config}
queue_directory = {queue}
data_directory = {data}
daemon_directory = {lib}/sbin
command_directory = {self.root}/usr/sbin
shlib_directory = {lib}
meta_directory = {config}
mail_owner = {POSTFIX_USER}
setgid_group = {POSTFIX_GROUP}
default_privs = nobody
import_environment = MAIL_CONFIG LD_LIBRARY_PATH POSTLOG_SERVICE POSTLOG_HOSTNAME
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.{DOMAIN}
mydestination =
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = reject_unauth_destination
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_maps = texthash:{config}/recipients
virtual_transport = lmtp:unix:{self.home}/run/lmtp
alias_maps =
alias_database =
local_recipient_maps =
default_database_type = texthash
message_size_limit = 67108864
smtpd_tls_cert_file = {self.home}/cert.pem
smtpd_tls_key_file = {self.home}/key.pem
smtpd_tls_security_level = may
maillog_file = {self.home}/maillog
maillog_file_prefixes = {self.home}
''')
        write(config / 'master.cf', f'''127.0.0.1:{self.ports['smtp']} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
''')
        for name in ('active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming', 'private', 'saved',
                     'trace', 'maildrop', 'public'):
            give(POSTFIX_USER, queue / name)
        for name in ('maildrop', 'public'):
            shutil.chown(queue / name, POSTFIX_USER, POSTFIX_GROUP)
            (queue / name).chmod(0o1730 if name == 'maildrop' else 0o2710)
        (queue / 'pid').mkdir(exist_ok=True)
        give(POSTFIX_USER, data)

    def dovecot(self):
        lib = self.root / 'usr/lib/dovecot'
        give(MAIL_USER, self.home / 'mail')
        write(self.home / 'users', ''.join(f'{u}:{self.scheme}{self.password}\n' for u in self.users))
        write(self.home / 'dovecot.conf', f'''protocols = imap lmtp
listen = 127.0.0.1
base_dir = {self.home}/run
state_dir = {self.home}/state
libexec_dir = {lib}
login_plugin_dir = {lib}/modules/login
mail_plugin_dir = {lib}/modules
import_environment = LD_LIBRARY_PATH LD_PRELOAD PEER_ROOT
service config {{
  executable = config -c {self.home}/dovecot.conf
}}
log_path = {self.home}/dovecot.log
default_internal_user = {DOVECOT_USER}
default_internal_group = {DOVECOT_USER}
default_login_user = {LOGIN_USER}
disable_plaintext_auth = no
first_valid_uid = 1
mail_uid = {MAIL_USER}
mail_gid = {MAIL_USER}
mail_home = {self.home}/mail/%n
mail_location = maildir:~/Maildir
mail_fsync = optimized
ssl = yes
ssl_cert = <{self.home}/cert.pem
ssl_key = <{self.home}/key.pem
default_process_limit = 3000
default_client_limit = 20000
passdb {{
  driver = passwd-file
  args = {self.home}/users
}}
userdb {{
  driver = static
  args = uid={MAIL_USER} gid={MAIL_USER} home={self.home}/mail/%n
}}
service imap-login {{
  inet_listener imap {{
    port = {self.ports['imap']}
  }}
  inet_listener imaps {{
    port = {self.ports['imaps']}
    ssl = yes
  }}
  service_count = 0
  process_min_avail = 2
}}
service imap {{
  process_limit = 5000
}}
service lmtp {{
  unix_listener lmtp {{
    mode = 0666
  }}
  process_min_avail = 5
}}
protocol imap {{
  mail_max_userip_connections = 5000
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
''')

    # Running.

    def start(self):
        self.configure()
        # dovecot would execute /usr/bin/doveconf to read its configuration; so this executes it first.
        dovecot, doveconf = self.root / 'usr/sbin/dovecot', self.root / 'usr/bin/doveconf'
        self.run('dovecot', [doveconf, '-f', 'service=master', '-c', self.home / 'dovecot.conf', '-e', dovecot, '-F'],
                 self.dovecot_environment)
        self.run('postfix', [self.root / 'usr/lib/postfix/sbin/master', '-c', self.home / 'postfix', '-s'])
        deadline = time.monotonic() + START_SECONDS
        while not (self.answers('smtp') and self.answers('imap')):
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
