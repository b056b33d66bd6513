"""Mail to servers of others: aiosmtpd on loopback addresses, found by nsd's signed zones."""
import email
import email.message
import imaplib
import smtplib
import ssl

import pytest
from aiosmtpd.controller import Controller

from kit import certificates, dns, paths, server, wait

ZONES = {
    'plain.test': '@ MX 10 mx.plain.test.\nmx A 127.0.0.2',
    'dane.test': '@ MX 10 mx.dane.test.\nmx A 127.0.0.3\n_25._tcp.mx TLSA {right}',
    'wrong.test': '@ MX 10 mx.wrong.test.\nmx A 127.0.0.3\n_25._tcp.mx TLSA {wrong}',
    'stripped.test': '@ MX 10 mx.stripped.test.\nmx A 127.0.0.4\n_25._tcp.mx TLSA {right}',
    'none.test': '@ MX 0 .',
    'fails.test': '@ MX 5 dead.fails.test.\n@ MX 10 mx.fails.test.\ndead A 127.0.0.9\nmx A 127.0.0.4',
    'grey.test': '@ MX 10 mx.grey.test.\nmx A 127.0.0.5',
}


class Peer:
    """Takes what comes at one address; `refuse` says what an address is answered at RCPT, `grey` how often first 451."""

    def __init__(self, address, port, tls=None, grey=0):
        self.messages, self.grey, self.sessions = [], grey, 0
        self.controller = Controller(self, hostname=address, port=port, tls_context=tls, server_hostname='peer.test',
                                     enable_SMTPUTF8=True)
        self.controller.start()

    async def handle_RCPT(self, one, session, envelope, address, options):
        if self.grey:
            self.grey -= 1
            return '451 4.7.1 Greylisted, please try again later'
        if address.startswith('nobody@'):
            return '550 5.1.1 No such user here'
        envelope.rcpt_tos.append(address)
        return '250 OK'

    async def handle_DATA(self, one, session, envelope):
        self.messages.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, session.ssl))
        return '250 2.0.0 kept'

    def stop(self):
        self.controller.stop()


class Place:
    """One Postern, the name server, and the peers."""

    def __init__(self, home):
        authority = certificates.Authority(home / 'ca')
        certificate, key = authority.issue('mx.dane.test', 'mx.wrong.test')
        other, _ = authority.issue('other.test')
        zones = {name: text.format(right=certificates.tlsa(certificate), wrong=certificates.tlsa(other))
                 for name, text in ZONES.items()}
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        self.dns = dns.Dns(home / 'dns', zones).start()
        port = server.free_port_base() + server.OFFSETS['smtp']
        self.plain, self.secure = Peer('127.0.0.2', port, tls), Peer('127.0.0.3', port, tls)
        self.stripped, self.grey = Peer('127.0.0.4', port), Peer('127.0.0.5', port, grey=1)
        self.server = server.Server(home / 'mail', users=3, options=[
            '--dns', self.dns.at, '--dns-anchor', str(self.dns.anchor), '--relay-port', str(port)]).start()

    def send(self, *to, text='hello'):
        m = email.message.EmailMessage()
        m['From'], m['To'], m['Subject'] = self.server.users[0], ', '.join(to), text
        m.set_content(text)
        with smtplib.SMTP('127.0.0.1', self.server.port('submission')) as s:
            s.login(self.server.users[0], self.server.password)
            s.send_message(m)

    def waiting(self, domain):
        """What the queue says of the messages for a domain, as one text."""
        return self.server.command('--json', 'queue', 'list', '--destination', domain).stdout

    def inbox(self):
        with imaplib.IMAP4('127.0.0.1', self.server.port('imap')) as i:
            i.login(self.server.users[0], self.server.password)
            i.select()
            return [i.fetch(n, '(RFC822)')[1][0][1] for n in i.search(None, 'ALL')[1][0].split()]

    def stop(self):
        self.server.__exit__()
        for peer in (self.plain, self.secure, self.stripped, self.grey):
            peer.stop()
        self.dns.stop()


@pytest.fixture(scope='module')
def place(binaries, tmp_path_factory):
    one = Place(tmp_path_factory.mktemp('relay'))
    yield one
    one.stop()


def with_text(peer, text):
    return [m for m in peer.messages if text.encode() in m[2]]


def arrived(peer, text):
    return wait.until(lambda: with_text(peer, text))


def test_mail_goes_out_over_tls_where_it_is_offered(place):
    place.send('anna@plain.test', text='over the fence')
    (sender, to, content, tls), = arrived(place.plain, 'over the fence')
    assert sender == place.server.users[0] and to == ['anna@plain.test'] and tls
    assert content.startswith(b'Received: ') or b'\r\nReceived: ' in content


def test_dane_proves_the_server(place):
    place.send('anna@dane.test', text='proven by records')
    assert arrived(place.secure, 'proven by records')[0][3]


def test_a_key_that_dane_does_not_name_gets_nothing(place):
    place.send('anna@wrong.test', text='not for you')
    assert wait.until(lambda: 'DANE' in place.waiting('wrong.test')), place.waiting('wrong.test')
    assert not with_text(place.secure, 'not for you')


def test_a_server_without_starttls_gets_nothing_under_dane(place):
    place.send('anna@stripped.test', text='never in clear')
    assert wait.until(lambda: 'STARTTLS' in place.waiting('stripped.test')), place.waiting('stripped.test')
    assert not with_text(place.stripped, 'never in clear')


def test_a_dead_server_fails_over(place):
    place.send('anna@fails.test', text='second best')
    assert arrived(place.stripped, 'second best')


def test_a_greylisting_server_is_tried_again(place):
    place.send('anna@grey.test', text='patience')
    assert wait.until(lambda: 'reylist' in place.waiting('grey.test'))
    place.server.command('queue', 'retry', '--destination', 'grey.test')
    assert arrived(place.grey, 'patience')
    assert wait.until(lambda: 'grey.test' not in place.waiting('grey.test'))


def test_refusals_come_back_as_reports(place):
    place.send('nobody@plain.test', 'anna@none.test', text='nobody home')
    found = wait.until(lambda: [m for m in place.inbox() if b'Final-Recipient: rfc822; nobody@plain.test' in m])
    assert found and b'No such user here' in found[0]
    found = wait.until(lambda: [m for m in place.inbox() if b'Final-Recipient: rfc822; anna@none.test' in m])
    assert found and b'null MX' in found[0]


def test_a_row_of_messages_takes_few_connections(place):
    for i in range(20):
        place.send('anna@plain.test', text=f'row {i} of twenty')
    for i in range(20):
        assert arrived(place.plain, f'row {i} of twenty')
