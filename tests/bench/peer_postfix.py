"""Postfix beside Postern: it takes the mail and hands it to Dovecot's LMTP, which keeps it in Maildir folders.

Its queue file is synced before its 250.
"""
import peer_dovecot
from peers import DOMAIN, give, write
from kit import peers as kit_peers
from kit.peers import POSTFIX_USER


class PostfixDovecot(peer_dovecot.Dovecot):

    name = 'Postfix + Dovecot'
    share = 1    # of the messages that a peer is sent

    def __init__(self, directory, users, password):
        super().__init__(directory, {'maildir': users}, password)
        self.formats = {f'user{i}@{DOMAIN}': 'maildir' for i in range(1, users + 1)}
        self.users = list(self.formats)

    def lmtp_listener(self):
        return 'unix_listener lmtp {\n    mode = 0666\n  }'

    def configure(self):
        super().configure()
        self.postfix()

    def postfix(self):
        config, queue, data = self.home / 'postfix', self.home / 'queue', self.home / 'postfix-data'
        write(config / 'recipients', ''.join(f'{u} ok\n' for u in self.users))
        write(config / 'main.cf', kit_peers.postfix_main(self.root, config, queue, data) + f'''inet_interfaces = 127.0.0.1
myhostname = mx.{DOMAIN}
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = reject_unauth_destination
virtual_mailbox_domains = {DOMAIN}
virtual_mailbox_maps = texthash:{config}/recipients
virtual_transport = lmtp:unix:{self.home}/run/lmtp
message_size_limit = 67108864
smtpd_tls_cert_file = {self.home}/cert.pem
smtpd_tls_key_file = {self.home}/key.pem
maillog_file = {self.home}/maillog
maillog_file_prefixes = {self.home}
''')
        write(config / 'master.cf', kit_peers.POSTFIX_SERVICES.format(address=f'127.0.0.1:{self.ports["smtp"]}')
              + 'lmtp unix - - n - - lmtp\n')
        for name in kit_peers.POSTFIX_FOLDERS:
            give(POSTFIX_USER, queue / name)
        kit_peers.postfix_spool(queue)
        give(POSTFIX_USER, data)

    def launch(self):
        super().launch()
        self.run('postfix', [self.root / 'usr/lib/postfix/sbin/master', '-c', self.home / 'postfix', '-s'])
