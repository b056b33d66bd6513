"""Dovecot beside Postern: alone for the mailbox protocols, and behind the peers that take mail by SMTP.

Its mail_fsync=optimized is its default and durable for new mail: each Maildir or dbox file is synced.
"""
import peers
from peers import DOMAIN, give, write

# Users of every Debian machine, none of them used by anything else here.
DOVECOT_USER, LOGIN_USER, MAIL_USER = 'daemon', 'nobody', 'news'
FORMATS = {'maildir': 'maildir:~/Maildir', 'sdbox': 'sdbox:~/sdbox', 'mdbox': 'mdbox:~/mdbox'}


class Dovecot(peers.Peer):
    """Its port smtp speaks LMTP. `accounts` says how many of each format there are: maildir1@..., sdbox1@..."""

    name = 'Dovecot'
    hello = 'LHLO'

    def __init__(self, directory, accounts, password):
        super().__init__(directory, password)
        self.formats = {f'{kind}{i}@{DOMAIN}': kind for kind, count in accounts.items() for i in range(1, count + 1)}
        self.users = list(self.formats)
        # Only Dovecot looks where it was compiled to be.
        self.dovecot_environment = {**self.environment, 'LD_PRELOAD': str(peers.relocate()),
                                    'PEER_ROOT': str(self.root)}
        self.fsync = 'optimized'

    def lmtp_listener(self):
        return f"inet_listener lmtp {{\n    port = {self.ports['smtp']}\n  }}"

    def auth_listener(self):
        """Where another server asks about passwords."""
        return ''

    def configure(self):
        super().configure()
        give(MAIL_USER, self.home / 'mail')
        hashed = peers.argon2id(self.password)
        write(self.home / 'users', ''.join(
            f'{user}:{{ARGON2ID}}{hashed}:{MAIL_USER}:{MAIL_USER}::{self.home}/mail/{user.split("@")[0]}::'
            f'userdb_mail={FORMATS[self.formats[user]]}\n' for user in self.users))
        self.write_configuration()

    def write_configuration(self):
        lib = self.root / 'usr/lib/dovecot'
        write(self.home / 'dovecot.conf', f'''protocols = imap pop3 lmtp
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
mail_location = {FORMATS['maildir']}
mail_fsync = {self.fsync}
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
  driver = passwd-file
  args = {self.home}/users
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
service pop3-login {{
  inet_listener pop3 {{
    port = {self.ports['pop3']}
  }}
  inet_listener pop3s {{
    port = 0
  }}
  service_count = 0
}}
service imap {{
  process_limit = 5000
  process_min_avail = 2
  service_count = 100
}}
service auth {{
  {self.auth_listener()}
}}
service lmtp {{
  {self.lmtp_listener()}
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

    def launch(self):
        # dovecot would execute /usr/bin/doveconf to read its configuration; so this executes it first.
        dovecot, doveconf = self.root / 'usr/sbin/dovecot', self.root / 'usr/bin/doveconf'
        self.run('dovecot', [doveconf, '-f', 'service=master', '-c', self.home / 'dovecot.conf', '-e', dovecot, '-F'],
                 self.dovecot_environment)

    def forget_caches(self):
        """Removes what it can make again from the messages; while it does not run."""
        for found in (self.home / 'mail').rglob('dovecot.index*'):
            if found.name == 'dovecot.index.cache' or 'Maildir' in found.parts:
                found.unlink()
