"""What a Postern site meets in the world: a resolver with signed zones, a Postfix, an MTA-STS host, and servers that do
one thing wrong."""
import http.server
import os
import pathlib
import shutil
import socketserver
import ssl
import threading

from . import debs, dns, paths
from .sites import Site, Unavailable

POSTFIX_USER, POSTFIX_GROUP = 'mail', 'games'    # of every Debian machine, and not used here
POSTFIX_FOLDERS = ('active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming', 'private', 'saved',
                   'trace', 'maildrop', 'public')
POSTFIX_SERVICES = '''{address} inet n - n - - smtpd
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
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
'''    # master.cf; behind it the agents that deliver


def postfix_main(root, config, queue, data):
    """main.cf as far as it is the same for every one; behind it whom it serves, and how."""
    lib = root / 'usr/lib/postfix'
    return f'''compatibility_level = 3.6
config_directory = {config}
queue_directory = {queue}
data_directory = {data}
daemon_directory = {lib}/sbin
command_directory = {root}/usr/sbin
shlib_directory = {lib}
meta_directory = {config}
mail_owner = {POSTFIX_USER}
setgid_group = {POSTFIX_GROUP}
default_privs = nobody
import_environment = MAIL_CONFIG LD_LIBRARY_PATH POSTLOG_SERVICE POSTLOG_HOSTNAME
inet_protocols = ipv4
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
default_database_type = texthash
smtpd_tls_security_level = may
'''


def postfix_spool(queue):
    """What Postfix wants of its folders beside who owns them."""
    for name in ('maildrop', 'public'):
        shutil.chown(queue / name, POSTFIX_USER, POSTFIX_GROUP)
        (queue / name).chmod(0o1730 if name == 'maildrop' else 0o2710)
    (queue / 'pid').mkdir(exist_ok=True)


class Resolver(Site):
    """unbound over nsd, validating, for everybody."""

    def __init__(self, world, name, number):
        super().__init__(world, name, number)
        self.dns = None

    def serve(self, zones, unsigned=()):
        self.dns = dns.Dns(self.home / 'dns', zones, unsigned, self.address, 53, resolver=True,
                           launch=lambda argv, environment: self.run(*argv, env=environment))
        self.dns.start()
        return self.dns


class Postfix(Site):
    """Debian's, with virtual mailboxes in Maildirs, that asks for DANE when it sends."""

    def __init__(self, world, name, number, domain):
        super().__init__(world, name, number)
        self.domain, self.host = domain, f'mail.{domain}'
        self.root = debs.unpack(paths.ROOT / 'build' / 'peers-postfix',
                                ['postfix', *debs.missing(['libdb5.3', 'libnsl2', 'libsasl2-2', 'libicu72', 'libtirpc3'])])
        self.certificate = self.key = self.resolver = None

    def start(self, resolver, *users):
        if self.world.why_not:
            raise Unavailable(f'Postfix cannot be given a resolver of its own: {self.world.why_not}')
        self._resolve_at(resolver)
        lib, config, queue, data, boxes = (self.root / 'usr/lib/postfix', *(self.home / n for n in
                                                                           ('config', 'queue', 'data', 'mail')))
        config.mkdir()
        (config / 'recipients').write_text(''.join(f'{u}@{self.domain} {u}/\n' for u in users))
        (config / 'main.cf').write_text(postfix_main(self.root, config, queue, data) + f'''inet_interfaces = {self.address}
myhostname = {self.host}
mynetworks = {self.address}/32
smtpd_relay_restrictions = permit_mynetworks reject_unauth_destination
virtual_mailbox_domains = {self.domain}
virtual_mailbox_base = {boxes}
virtual_mailbox_maps = texthash:{config}/recipients
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 100
smtpd_tls_cert_file = {self.certificate}
smtpd_tls_key_file = {self.key}
smtp_dns_support_level = dnssec
smtp_tls_security_level = dane
smtp_tls_loglevel = 1
minimal_backoff_time = 2s
queue_run_delay = 2s
maillog_file = {self.home}/maillog
maillog_file_prefixes = {self.home}
''')
        (config / 'master.cf').write_text(POSTFIX_SERVICES.format(address=f'{self.address}:25')
                                          + 'smtp unix - - n - - smtp\nvirtual unix - n n - - virtual\n')
        for folder in (*(queue / name for name in POSTFIX_FOLDERS), data, boxes):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.chown(folder, POSTFIX_USER if folder != boxes else 'nobody')
        postfix_spool(queue)
        environment = {'PATH': os.environ['PATH'], 'MAIL_CONFIG': str(config),
                       'LD_LIBRARY_PATH': f'{lib}:{self.root}/usr/lib/x86_64-linux-gnu'}
        self.run(lib / 'sbin/master', '-c', config, '-s', env=environment)
        self.await_port(25)
        return self

    def letters(self, user):
        """The octets of each."""
        new = self.home / 'mail' / user / 'new'
        return [f.read_bytes() for f in sorted(new.iterdir())] if new.exists() else []

    def log_text(self):
        log = self.home / 'maillog'
        return log.read_text(errors='replace') if log.exists() else ''

    def _resolve_at(self, resolver):
        """`ip netns exec` shows this file as /etc/resolv.conf."""
        self.resolver = etc_of(self.world.places[self.name])
        self.resolver.mkdir(parents=True)
        (self.resolver / 'resolv.conf').write_text(f'nameserver {resolver.address}\noptions trust-ad\n')

    def stop(self):
        super().stop()
        if self.resolver:
            shutil.rmtree(self.resolver, ignore_errors=True)


def etc_of(place):
    return pathlib.Path('/etc/netns') / place


class Threaded(socketserver.ThreadingMixIn, socketserver.TCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Listening(Site):
    """A server of this process whose socket is of that place."""

    def listen(self, port, handler, wrap=None):
        with self.world.standing_at(self.name):
            server = Threaded((self.address, port), handler)
        if wrap:
            server.socket = wrap.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers = [*getattr(self, 'servers', []), server]

    def stop(self):
        for server in getattr(self, 'servers', []):
            server.shutdown()
            server.server_close()
        super().stop()


def tls_of(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


class StsHost(Listening):
    """Serves policies: {'b.test': text}; counts what was asked; `posted` are (path, fields, body) handed in."""

    def serve(self, policies, certificate, key):
        asked, posted = [], []
        self.asked, self.posted = asked, posted

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append((self.headers['Host'], self.path))
                text = policies.get(self.headers['Host'].split(':')[0].removeprefix('mta-sts.'), '').encode()
                self.send_response(200 if text and self.path == '/.well-known/mta-sts.txt' else 404)
                self.send_header('Content-Type', 'text/plain')
                self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                posted.append((self.path, dict(self.headers), body))
                self.send_response(201)
                self.send_header('Content-Length', '0')
                self.end_headers()

            def log_message(self, *words):
                pass

        self.listen(443, Handler, tls_of(certificate, key))


class Strange(Listening):
    """An SMTP server that answers as its table says: {'RCPT': 'a reply', or a function of the line}. STARTTLS is offered
    when it has a certificate. `letters` are those it took; `lines` all that it heard; `callers` from where."""

    def serve(self, answers=None, tls=None, offers=('PIPELINING', '8BITMIME', 'SIZE 1000000'), port=25):
        site = self
        self.letters, self.lines, self.callers, self.answers = [], [], [], answers or {}

        class Handler(socketserver.StreamRequestHandler):
            def say(self, text):
                self.wfile.write(text.encode() + b'\r\n')
                self.wfile.flush()

            def handle(self):
                site.callers.append(self.client_address[0])
                self.say('220 strange ESMTP')
                secure = False
                while line := self.rfile.readline():
                    text = line.decode('utf-8', 'replace').strip()
                    site.lines.append(text)
                    verb = text.split(' ')[0].upper()
                    rule = site.answers.get(verb)
                    answer = rule(text) if callable(rule) else rule
                    if answer:
                        self.say(answer)
                    elif verb == 'EHLO':
                        words = [*offers, *(['STARTTLS'] if tls and not secure else [])]
                        self.say('\r\n'.join([f'250-{w}' for w in ['strange', *words[:-1]]] + [f'250 {words[-1]}']))
                    elif verb == 'STARTTLS' and tls:
                        self.say('220 go')
                        self.connection = tls.wrap_socket(self.connection, server_side=True)
                        self.rfile, self.wfile = self.connection.makefile('rb'), self.connection.makefile('wb')
                        secure = True
                    elif verb == 'DATA':
                        self.say('354 go')
                        self.take()
                    elif verb == 'QUIT':
                        self.say('221 bye')
                        return
                    else:
                        self.say('250 2.0.0 ok')

            def take(self):
                letter = b''
                while (line := self.rfile.readline()) not in (b'.\r\n', b''):
                    letter += line
                site.letters.append(letter)
                self.say(site.answers.get('.') or '250 2.0.0 taken')

        self.listen(port, Handler)
        return self
