"""OpenSMTPD and Exim beside Postern, both in front of Dovecot's LMTP with Maildir.

They have users, spool and configuration at places they were compiled for, so each
runs in a mount namespace of its own in which the unpacked packages lie over /usr,
and folders of ours over the rest; outside of it nothing changes.
"""
import os
import pathlib
import shlex

import peer_dovecot
from peers import DOMAIN, write

FIRST_ID = 64101    # of users that exist only in the namespace


class Elsewhere(peer_dovecot.Dovecot):
    """A server in a namespace: `system_users` are those it asks for, `master` what is executed."""

    system_users = ()
    master = []

    def __init__(self, directory, users, password):
        super().__init__(directory, {'maildir': users}, password)
        self.formats = {f'user{i}@{DOMAIN}': 'maildir' for i in range(1, users + 1)}
        self.users = list(self.formats)
        self.lmtp = self.ports['smtp'] + 1000

    def lmtp_listener(self):
        return f'inet_listener lmtp {{\n    port = {self.lmtp}\n  }}\n  client_limit = 1\n  process_limit = 100'

    def configure(self):
        super().configure()
        for folder in ('etc', 'spool', 'lib', 'log'):
            (self.home / folder).mkdir()
        for table in ('passwd', 'group'):
            lines = [f'{name}:x:{number}:' + (f'{number}::/nonexistent:/bin/false' if table == 'passwd' else '')
                     for number, name in enumerate(self.system_users, FIRST_ID)]
            write(self.home / 'etc' / table, pathlib.Path(f'/etc/{table}').read_text() + '\n'.join(lines) + '\n')
        (self.home / 'key.pem').chmod(0o640)
        self.configure_server()

    def configure_server(self):
        raise NotImplementedError

    def launch(self):
        super().launch()
        over = f'mount -t overlay overlay -o lowerdir={{}}:{{}} {{}}'.format
        steps = [over(self.root / 'usr', '/usr', '/usr'), over(self.home / 'etc', '/etc', '/etc'),
                 f'mount --bind {self.home}/spool /var/spool', f'mount --bind {self.home}/lib /var/lib',
                 f'mount --bind {self.home}/log /var/log', 'mount -t tmpfs tmpfs /run']
        command = ' && '.join([*steps, 'exec ' + shlex.join(map(str, self.master))])
        self.run('server', ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', command])


class OpenSmtpd(Elsewhere):

    name = 'OpenSMTPD + Dovecot'
    share = 0.4
    tls = False    # Debian 12's fails in the handshake: its keys in a process of their own, under OpenSSL 3
    system_users = ('opensmtpd', 'opensmtpq')
    master = ['/usr/sbin/smtpd', '-F']

    def configure_server(self):
        (self.home / 'lib/opensmtpd/empty').mkdir(parents=True)
        for folder, mode in (('spool', 0o711), ('lib', 0o755), ('lib/opensmtpd', 0o755), ('lib/opensmtpd/empty', 0o755)):
            (self.home / folder).chmod(mode)
        write(self.home / 'etc/smtpd.conf', f'''pki bench cert "{self.home}/cert.pem"
pki bench key "{self.home}/key.pem"
table users {{ {', '.join(f'"{user}" = "{peer_dovecot.MAIL_USER}"' for user in self.users)} }}
smtp max-message-size "64M"
smtp limit max-mails 1000000
smtp limit max-rcpt 1000
listen on 127.0.0.1 port {self.ports['smtp']} tls pki bench hostname mx.{DOMAIN}
action "dovecot" lmtp "127.0.0.1:{self.lmtp}" rcpt-to virtual <users>
match from any for domain "{DOMAIN}" action "dovecot"
''')
        write(self.home / 'etc/mailname', f'mx.{DOMAIN}\n')


class Exim(Elsewhere):

    name = 'Exim + Dovecot'
    share = 0.3
    system_users = ('Debian-exim',)
    master = ['/usr/sbin/exim4', '-bdf', '-q30m']

    def configure_server(self):
        for folder in ('spool', 'spool/exim4', 'log', 'log/exim4'):
            (self.home / folder).mkdir(exist_ok=True)
            (self.home / folder).chmod(0o755)
        for folder in ('spool/exim4', 'log/exim4'):
            self.give_to(FIRST_ID, self.home / folder)
        self.give_to(FIRST_ID, self.home / 'key.pem')
        write(self.home / 'etc/exim4/exim4.conf', f'''primary_hostname = mx.{DOMAIN}
local_interfaces = 127.0.0.1
daemon_smtp_ports = {self.ports['smtp']}
log_file_path = /var/log/exim4/%slog
split_spool_directory = yes
message_size_limit = 64M
smtp_accept_max = 0
smtp_connect_backlog = 500
smtp_accept_max_per_connection = 1000000
smtp_accept_queue_per_connection = 0
smtp_receive_timeout = 1m
host_lookup =
rfc1413_hosts =
recipients_max = 1000
tls_advertise_hosts = *
tls_certificate = {self.home}/cert.pem
tls_privatekey = {self.home}/key.pem
acl_smtp_rcpt = recipient
acl_smtp_data = message

begin acl
recipient:
  accept domains = {DOMAIN}
  deny
message:
  accept

begin routers
dovecot:
  driver = manualroute
  domains = {DOMAIN}
  route_list = * 127.0.0.1
  self = send
  transport = dovecot

begin transports
dovecot:
  driver = smtp
  protocol = lmtp
  port = {self.lmtp}
  allow_localhost
  hosts_avoid_tls = *

begin retry
* * F,1h,1m
''')

    @staticmethod
    def give_to(number, path):
        os.chown(path, number, number)
