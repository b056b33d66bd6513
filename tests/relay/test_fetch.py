"""The room fetch, in its jail, with resolve beside it, and HTTPS servers that behave and misbehave."""
import http.server
import socket
import ssl
import threading
import time

import pytest

from kit import certificates, dns, paths, rooms

ZONE = '''
mta-sts A 127.0.0.1
expired A 127.0.0.1
other A 127.0.0.1
six AAAA ::1
empty TXT "no address"
private A 10.1.2.3
both AAAA ::1
both A 127.0.0.1
_mta-sts TXT "v=STSv1; id=1"
'''.strip()
POLICY = 'version: STSv1\nmode: enforce\nmx: mx.example.test\nmax_age: 86400\n'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *words):
        pass

    def answer(self, status, body, **fields):
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        for name, value in fields.items():
            self.send_header(name.replace('_', '-'), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        if self.path == '/.well-known/mta-sts.txt':
            self.answer(200, POLICY.encode(), Content_Type='text/plain; charset=us-ascii')
        elif self.path == '/moved':
            self.answer(302, b'', Location='/.well-known/mta-sts.txt')
        elif self.path == '/cookie':
            self.answer(200, b'', Set_Cookie='a=b')
        elif self.path == '/large':
            self.answer(200, b'x' * 5000)
        elif self.path == '/endless':
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b'x' * 65536)
            except OSError:
                pass
        elif self.path == '/header':
            self.answer(200, b'', **{f'X-{i}': 'y' * 1000 for i in range(90)})
        elif self.path == '/slow':
            time.sleep(1)
            self.answer(200, b'slow')
        else:
            self.answer(404, b'')

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.server.seen.append((self.path, dict(self.headers), body))
        self.answer(201, b'taken')


class Https:
    def __init__(self, certificate, address='127.0.0.1', family=socket.AF_INET, versions=None):
        class Server(http.server.ThreadingHTTPServer):
            address_family = family
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request, address):
                pass
        self.server = Server((address, 0), Handler)
        self.server.seen = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if versions:
            context.minimum_version, context.maximum_version = versions
        context.load_cert_chain(*certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    home = tmp_path_factory.mktemp('https')

    class World:
        authority = certificates.Authority(home / 'ca')
        strange = certificates.Authority(home / 'strange', 'Somebody Else')
        names = ['mta-sts.example.test', 'six.example.test', 'both.example.test', 'private.example.test']
        https = Https(authority.issue(*names))
    with dns.Dns(home / 'dns', {'example.test': ZONE}) as served:
        World.dns = served
        yield World
    World.https.stop()


@pytest.fixture(scope='module')
def fetch(world):
    options = {'dns-forward': world.dns.at, 'relay-private': 'yes', 'https-port': world.https.port}
    with rooms.Rooms(options, {'fetch-ca': world.authority.file}) as one:
        yield one


def refused(answer, *words):
    assert answer['finding'] == 'refused' and answer['body'] == '', answer
    assert all(word in answer['why'] for word in words), answer['why']


def test_a_policy(fetch, world):
    got = fetch.get('mta-sts.example.test', '/.well-known/mta-sts.txt')
    assert (got['finding'], got['status'], got['body']) == ('done', 200, POLICY), str(got)
    assert got['type'] == 'text/plain; charset=us-ascii'
    path, fields = world.https.server.seen[-1]
    assert set(fields) == {'Host', 'User-Agent', 'Accept'}


def test_redirects_are_not_followed(fetch, world):
    before = len(world.https.server.seen)
    got = fetch.get('mta-sts.example.test', '/moved')
    assert (got['finding'], got['status']) == ('done', 302) and len(world.https.server.seen) == before + 1
    assert fetch.get('mta-sts.example.test', '/nothing')['status'] == 404


def test_cookies_are_forgotten(fetch, world):
    fetch.get('mta-sts.example.test', '/cookie')
    fetch.get('mta-sts.example.test', '/cookie')
    assert 'Cookie' not in world.https.server.seen[-1][1]


def test_post(fetch, world):
    got = fetch.post('mta-sts.example.test', '/reports', 'application/tlsrpt+gzip', 'the report')
    assert (got['finding'], got['status'], got['body']) == ('done', 201, 'taken')
    path, fields, body = world.https.server.seen[-1]
    assert body == b'the report' and fields['Content-Type'] == 'application/tlsrpt+gzip' and 'Expect' not in fields


def test_sizes_are_bounded(fetch):
    assert fetch.get('mta-sts.example.test', '/large', octets=5000)['finding'] == 'done'
    refused(fetch.get('mta-sts.example.test', '/large', octets=4999), 'larger')
    refused(fetch.get('mta-sts.example.test', '/endless', octets=4000000000), 'larger')
    refused(fetch.get('mta-sts.example.test', '/header'), 'larger')


def test_certificates_are_verified(fetch, world):
    for certificate, words in [
        (world.strange.issue('mta-sts.example.test'), ['certificate']),
        (world.authority.issue('elsewhere.example.test'), ['mta-sts.example.test']),
    ]:
        server = Https(certificate)
        refused(fetch.get('mta-sts.example.test', port=server.port), *words)
        assert server.server.seen == []
        server.stop()


def test_old_tls_is_refused(fetch, world):
    server = Https(world.authority.issue('mta-sts.example.test'), versions=(ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1))
    refused(fetch.get('mta-sts.example.test', port=server.port))
    assert server.server.seen == []
    server.stop()


def test_both_families(fetch, world):
    server = Https(world.authority.issue('six.example.test', 'both.example.test'), '::1', socket.AF_INET6)
    assert fetch.get('six.example.test', '/x', port=server.port)['status'] == 404
    assert fetch.get('both.example.test', '/x', port=server.port)['status'] == 404
    server.stop()
    assert fetch.get('both.example.test', '/x')['status'] == 404, 'the other family is tried'


def test_where_nobody_is(fetch):
    refused(fetch.get('nothing.example.test'), 'no address')
    refused(fetch.get('empty.example.test'), 'no address')
    refused(fetch.get('mta-sts.example.test', port=1))


@pytest.mark.parametrize('host, path', [
    ('127.0.0.1', '/'), ('[::1]', '/'), ('user@mta-sts.example.test', '/'), ('mta-sts.example.test', 'x'),
    ('mta-sts.example.test:80', '/'), ('mta-sts.example.test', '/\x01'), ('mta-sts.example.test', '/#x'),
])
def test_what_is_no_request(fetch, host, path):
    assert 'refused' in fetch.get(host, path)


def test_many_at_once(fetch, world):
    answers = fetch.all([f'get mta-sts.example.test {world.https.port} /slow 100'] * 150)
    assert {(a['finding'], a['body']) for a in answers} == {('done', 'slow')}


def test_private_addresses_and_strange_authorities_by_default(world):
    """Without relay-private and fetch-ca."""
    with rooms.Rooms({'dns-forward': world.dns.at, 'https-port': world.https.port}) as one:
        before = len(world.https.server.seen)
        for host in ('mta-sts', 'six', 'private'):
            refused(one.get(f'{host}.example.test'), 'private network')
        assert len(world.https.server.seen) == before
    with rooms.Rooms({'dns-forward': world.dns.at, 'relay-private': 'yes', 'https-port': world.https.port}) as one:
        refused(one.get('mta-sts.example.test', '/x'), 'certificate')


def test_a_server_that_says_nothing(world):
    """It is given up in time. In the unit test the time is shorter; here the connection just ends."""
    with socket.create_server(('127.0.0.1', 0)) as mute:
        threading.Thread(target=lambda: mute.accept()[0].close(), daemon=True).start()
        with rooms.Rooms({'dns-forward': world.dns.at, 'relay-private': 'yes'}) as one:
            refused(one.get('mta-sts.example.test', port=mute.getsockname()[1]))
