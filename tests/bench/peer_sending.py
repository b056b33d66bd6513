"""Postfix as it sends mail to other servers: as it comes, and with what Postern does to each letter.

Debian's opendkim knows RSA only; its key is as long as Postern's.
"""
import shutil
import subprocess
import time

import peer_postfix
from kit.peers import POSTFIX_USER
from peers import DOMAIN, START_SECONDS, Unavailable, give, write

RSA_BITS = 2048


class Postfix(peer_postfix.PostfixDovecot):
    """Takes from loopback without a login."""

    name = 'Postfix'
    submission = 'smtp'
    share = 0.3    # of the messages: it takes its time
    takes_from = 'smtpd_relay_restrictions = permit_mynetworks reject\n'

    def towards(self, port):
        config = self.home / 'postfix'
        with open(config / 'main.cf', 'a') as main:
            main.write(f'relayhost = [127.0.0.1]:{port}\ndefault_destination_concurrency_limit = 50\n{self.takes_from}')
        with open(config / 'master.cf', 'a') as master:
            master.write('smtp unix - - n - - smtp\n')
        subprocess.run([self.root / 'usr/sbin/postfix', '-c', config, 'reload'], env=self.environment, capture_output=True)
        time.sleep(1)


class SigningPostfix(Postfix):
    """With a login that Dovecot checks, senders that are the login's own, and opendkim's signature."""

    name = 'Postfix + Dovecot + OpenDKIM'
    takes_from = '''smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_relay_restrictions = permit_sasl_authenticated reject
smtpd_sender_login_maps = texthash:$config_directory/senders
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_milters = unix:private/opendkim
milter_default_action = tempfail
'''

    def auth_listener(self):
        return f'unix_listener {self.home}/queue/private/auth {{\n    mode = 0666\n  }}'

    def configure(self):
        super().configure()
        write(self.home / 'postfix' / 'senders', ''.join(f'{u} {u}\n' for u in self.users))
        self.opendkim()

    def opendkim(self):
        folder = self.home / 'opendkim'
        give(POSTFIX_USER, folder)
        subprocess.run(['openssl', 'genrsa', '-out', folder / 'key.pem', str(RSA_BITS)], check=True, capture_output=True)
        shutil.chown(folder / 'key.pem', POSTFIX_USER)
        write(self.home / 'opendkim.conf', f'''Mode s
Domain {DOMAIN}
Selector bench
KeyFile {folder}/key.pem
Canonicalization relaxed/relaxed
OversignHeaders From
InternalHosts 127.0.0.1
Socket local:{self.socket()}
UMask 000
UserID {POSTFIX_USER}
Background no
Syslog no
''')

    def socket(self):
        return self.home / 'queue' / 'private' / 'opendkim'

    def launch(self):
        self.run('opendkim', [self.root / 'usr/sbin/opendkim', '-f', '-x', self.home / 'opendkim.conf'])
        deadline = time.monotonic() + START_SECONDS
        while not self.socket().exists():
            if time.monotonic() > deadline or self.masters[-1].poll() is not None:
                raise Unavailable(f'opendkim does not start; see {self.home}/opendkim.out')
            time.sleep(0.1)
        super().launch()
