"""MTA-STS from one demo to another: policies over HTTPS, found by DNS, kept to by the relay (RFC 8461)."""
import http.server
import json
import os
import signal
import smtplib
import ssl
import threading
import time

import pytest

from kit import certificates, dns, paths, server, wire

DOMAIN = '''
@ MX 10 mail.site-b.test.
_mta-sts TXT "v=STSv1; id=1"
mta-sts A 127.0.0.1
'''.strip()
IDN = 'bücher.test'
POLICIES = {
    'xn--bcher-kva.test': 'mode: enforce\nmx: mail.site-b.test\n',
    'kept.test': 'mode: enforce\nmx: mail.site-b.test\n',
    'broken.test': 'mode: enforce\nmx: *.elsewhere.test\n',
    'tried.test': 'mode: testing\nmx: *.elsewhere.test\n',
    'strange.test': 'mode: enforce\nmx: *.elsewhere.test\n',     # its host shows a certificate of nobody's
}


class Policies(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def do_GET(self):
        domain = self.headers['Host'].split(':')[0].removeprefix('mta-sts.')
        self.server.seen.append((domain, self.path))
        self.send_response(200)
        self.send_header('Content-Type', 'text/plain')
        self.end_headers()
        self.wfile.write(f'version: STSv1\n{POLICIES[domain]}max_age: 86400\n'.encode())


def policy_host(right, wrong):
    """One port for all hosts; which certificate is shown depends on the name asked for."""
    contexts = {}
    for name, pair in (('right', right), ('wrong', wrong)):
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[name].load_cert_chain(*pair)

    def choose(connection, name, context):
        connection.context = contexts['wrong' if name == 'mta-sts.strange.test' else 'right']
    contexts['right'].sni_callback = choose
    one = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Policies)
    one.seen = []
    one.handle_error = lambda request, address: None
    one.socket = contexts['right'].wrap_socket(one.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=one.serve_forever, daemon=True).start()
    return one


@pytest.fixture(scope='module')
def sites(tmp_path_factory):
    """Two demos, their name server, and the policies' host."""
    home = tmp_path_factory.mktemp('sts')
    trusted, strange = certificates.Authority(home / 'ca'), certificates.Authority(home / 'other', 'Nobody')
    names = [f'mta-sts.{domain}' for domain in POLICIES]
    https = policy_host(trusted.issue(*names), strange.issue(*names))
    zones = {domain: DOMAIN for domain in POLICIES} | {'site-b.test': 'mail A 127.0.0.1'}
    with server.Server(home / 'b', users=1, options=['--domain', 'site-b.test']) as b:
        for domain in POLICIES:
            assert b.command('domain', 'add', domain).returncode == 0
            assert b.command('alias', 'add', f'anna@{domain}', 'user1@site-b.test').returncode == 0
        (home / 'authorities.pem').write_text(trusted.file.read_text() + open(b.ready['ca']).read())
        with dns.Dns(home / 'dns', zones, unsigned=zones) as served:
            with server.Server(home / 'a', users=1, options=[
                    '--domain', 'site-a.test', '--dns', served.at, '--relay-port', str(b.ports['smtp']),
                    '--https-port', str(https.server_address[1]), '--tls-ca', str(home / 'authorities.pem')]) as a:
                yield a, b, https
    https.shutdown()
    https.server_close()


def send(a, domain):
    with smtplib.SMTP('127.0.0.1', a.ports['submission']) as smtp:
        smtp.login('user1@site-a.test', a.password)
        message = f'From: user1@site-a.test\r\nTo: anna@{domain}\r\nSubject: to {domain}\r\n\r\nhello\r\n'
        smtp.sendmail('user1@site-a.test', [f'anna@{domain}'], message.encode(),
                      mail_options=() if domain.isascii() else ('SMTPUTF8', 'BODY=8BITMIME'))


def outcome(a, domain):
    """What the log says of the first attempt."""
    deadline = time.monotonic() + 20 * paths.SLOWER
    while time.monotonic() < deadline:
        for line in (a.directory / 'ledger' / 'postern.log').read_text().splitlines():
            event = json.loads(line)
            fields = event.get('fields', {})
            if event.get('event') in ('mail.sent', 'mail.deferred') and fields.get('to') == f'anna@{domain}':
                return {**fields, 'event': event['event']}
        time.sleep(0.1)
    raise AssertionError('nothing was tried')


def test_a_policy_that_is_kept(sites):
    a, b, https = sites
    send(a, 'kept.test')
    event = outcome(a, 'kept.test')
    assert (event['event'], event['verified']) == ('mail.sent', 'sts'), event
    assert https.seen.count(('kept.test', '/.well-known/mta-sts.txt')) == 1
    with wire.Imap(b.ports['imap']) as imap:
        imap.login('user1@site-b.test', b.password)
        assert imap.select() == 1


def test_a_policy_of_an_internationalised_domain(sites):
    """The domain is written in U-labels; DNS, the policy's host and its certificate know the A-labels."""
    a, b, https = sites
    send(a, IDN)
    event = outcome(a, IDN)
    assert (event['event'], event['verified']) == ('mail.sent', 'sts'), event
    assert ('xn--bcher-kva.test', '/.well-known/mta-sts.txt') in https.seen


def test_an_mx_that_the_policy_does_not_name(sites):
    a, b, https = sites
    send(a, 'broken.test')
    event = outcome(a, 'broken.test')
    assert event['event'] == 'mail.deferred' and 'MTA-STS' in event['text'], event


def test_testing_is_no_order(sites):
    a, b, https = sites
    send(a, 'tried.test')
    assert outcome(a, 'tried.test')['event'] == 'mail.sent'
    assert ('tried.test', '/.well-known/mta-sts.txt') in https.seen


def test_a_policy_from_a_strange_host_is_none(sites):
    a, b, https = sites
    send(a, 'strange.test')
    event = outcome(a, 'strange.test')
    assert event['event'] == 'mail.sent' and event['verified'] != 'sts', event
    assert not [seen for seen in https.seen if seen[0] == 'strange.test']


def test_policies_are_kept_for_their_time(sites):
    a, b, https = sites
    before = len(https.seen)
    with wire.Imap(b.ports['imap']) as imap:
        imap.login('user1@site-b.test', b.password)
        had = imap.select()
        send(a, 'kept.test')
        deadline = time.monotonic() + 20 * paths.SLOWER
        while imap.select() == had:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert len(https.seen) == before


def test_rooms_that_die_are_asked_again(sites):
    """Of what they knew nothing is needed."""
    a, b, https = sites
    for process in a.processes():
        if process.room in ('resolve', 'fetch'):
            os.kill(process.pid, signal.SIGKILL)
    with wire.Imap(b.ports['imap']) as imap:
        imap.login('user1@site-b.test', b.password)
        had = imap.select()
        send(a, 'tried.test')
        deadline = time.monotonic() + 20 * paths.SLOWER
        while imap.select() == had:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert {'resolve', 'fetch'} <= {p.room for p in a.processes()}
