"""Three mail sites and some strange ones, each in a network namespace: mail in every direction over TLS that is proved,
and what happens when a host on the way is dead, full, greylisting, or in the middle."""
import contextlib
import email.message
import email.policy
import imaplib
import itertools
import json
import pathlib
import re
import smtplib
import tempfile
import time

import pytest

from kit import certificates, debs, paths, peers, sites

RETRY_MS = '1500ms'
WAIT_SECONDS = 12
counter = itertools.count(1)
STS = 'version: STSv1\nmode: enforce\nmx: {mx}\nmax_age: 86400\n'


class Net:
    """The world of these tests; made once."""

    def __init__(self, world, directory):
        self.dead = world.address(99)
        self.authority = certificates.Authority(directory / 'ca')
        self.resolver = peers.Resolver(world, 'dns', 53)
        self.a = sites.Postern(world, 'a', 2, 'a.test')
        self.b = sites.Postern(world, 'b', 3, 'b.test')
        self.p = peers.Postfix(world, 'p', 4, 'p.test')
        self.sts = peers.StsHost(world, 'sts', 5)
        self.strange = peers.Strange(world, 'strange', 6)
        self.middle = peers.Strange(world, 'middle', 7)
        self.mailing = {s.domain: s for s in (self.a, self.b, self.p)}

    def start(self):
        issued = {name: self.authority.issue(f'mail.{name}') for name in self.mailing}
        zones = {name: f'@ MX 10 mail\nmail A {s.address}\n_25._tcp.mail TLSA {certificates.tlsa(issued[name][0])}'
                 for name, s in self.mailing.items()}
        # Policies by MTA-STS: the right host, one without STARTTLS, one whose certificate another made.
        for name, host in {'kept.test': 'mail.b.test', 'stripped.test': 'mx.stripped.test', 'forged.test': 'mx.forged.test'}.items():
            zones[name] = f'@ MX 10 {host}.\n_mta-sts TXT "v=STSv1; id=1"\nmta-sts A {self.sts.address}\n' \
                f'_smtp._tls TXT "v=TLSRPTv1; rua=mailto:reports@b.test"\nmx A {self.middle.address}'
        # DANE that a host in the middle cannot meet.
        zones['dane.test'] = f'@ MX 10 mx\nmx A {self.middle.address}\n_25._tcp.mx TLSA 3 1 1 ' + '00' * 32
        zones['dead.test'] = f'@ MX 10 dead\n@ MX 20 mx\ndead A {self.dead}\nmx A {self.strange.address}'
        zones['strange.test'] = f'@ MX 10 mx\nmx A {self.strange.address}'
        zones['null.test'] = '@ MX 0 .'
        self.resolver.serve(zones, unsigned=('kept.test', 'stripped.test', 'forged.test', 'dead.test', 'strange.test'))
        hosts = self.authority.issue('mta-sts.kept.test', 'mta-sts.stripped.test', 'mta-sts.forged.test')
        self.sts.serve({'kept.test': STS.format(mx='mail.b.test'), 'stripped.test': STS.format(mx='mx.stripped.test'),
                        'forged.test': STS.format(mx='mx.forged.test')}, *hosts)
        foreign = certificates.Authority(self.authority.home / 'foreign').issue('mx.forged.test', 'mx.dane.test')
        self.middle.serve(tls=peers.tls_of(*foreign))
        self.strange.serve()
        for site in (self.a, self.b):
            site.configure(*issued[site.domain], dns_forward=[self.resolver.dns.at], dns_anchor=str(self.resolver.dns.anchor),
                           fetch_ca=str(self.authority.file), retry_world=RETRY_MS)
        self.p.certificate, self.p.key = issued['p.test']
        self.a.start('ann', 'aldo')
        self.b.start('bea', 'reports')
        self.b.command('alias', 'add', 'kept@b.test', 'bea@b.test')
        with contextlib.suppress(sites.Unavailable):
            self.p.start(self.resolver, 'pat')
        return self

    def need_postfix(self):
        if not self.p.children:
            pytest.skip(f'no namespaces, so no resolver for Postfix: {self.a.world.why_not}')


@pytest.fixture(scope='module')
def net():
    directory = pathlib.Path(tempfile.mkdtemp(prefix='sites-', dir=paths.BUILD))
    try:
        with sites.World(directory) as world:
            directory.chmod(0o755)
            yield Net(world, directory).start()
    except (sites.Unavailable, debs.Unavailable) as e:
        pytest.skip(str(e))


def letter(sender, to):
    m = email.message.EmailMessage()
    m['From'], m['To'], m['Subject'] = sender, to, f'letter {next(counter)}'
    m.set_content('A word.\n')
    return m


def until(found, what, seconds=WAIT_SECONDS):
    deadline = time.monotonic() + seconds * paths.SLOWER
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f'{what} did not come about')


def inbox(site, user):
    """The letters of one's INBOX, parsed."""
    with site.world.standing_at(site.name):
        client = imaplib.IMAP4(site.address, 143)
    client.starttls()
    client.login(f'{user}@{site.domain}', site.password)
    client.select('INBOX', readonly=True)
    parts = client.fetch('1:*', '(BODY.PEEK[])')[1]
    client.logout()
    return [email.message_from_bytes(p[1], policy=email.policy.default) for p in parts if isinstance(p, tuple)]


def arrived(site, user, subject):
    found = [m for m in inbox(site, user) if m['Subject'] == subject]
    return found[0] if found else None


def bounce_about(net, user, address):
    """The report in a user's INBOX that names this address."""
    return next((m for m in inbox(net.a, user) if m.get_content_type() == 'multipart/report' and address in m.as_string()), None)


def queued(site, address):
    return [r for r in rows(site) if address in str(r)]


def rows(site):

    return json.loads(site.command('--json', 'queue', 'list').stdout)['rows']


def test_mail_goes_between_two_posterns_both_ways_over_dane(net):
    for here, user, there, friend in ((net.a, 'ann', net.b, 'bea'), (net.b, 'bea', net.a, 'ann')):
        m = letter(f'{user}@{here.domain}', f'{friend}@{there.domain}')
        here.send(user, [m['To']], m)
        got = until(lambda: arrived(there, friend, m['Subject']), 'the letter')
        assert 'DKIM-Signature' in got
        until(lambda: re.search(r'"event":"mail\.sent".*"verified":"dane"', here.log_text()), 'a line about how the other side was proved')


def test_mail_goes_to_postfix_and_comes_from_it(net):
    net.need_postfix()
    m = letter('ann@a.test', 'pat@p.test')
    net.a.send('ann', ['pat@p.test'], m)
    text = until(lambda: [x for x in net.p.letters('pat') if m['Subject'].encode() in x], 'the letter at Postfix')[0]
    assert b'DKIM-Signature:' in text and b'Bcc' not in text
    back = letter('pat@p.test', 'ann@a.test')

    with net.p.world.standing_at('p'), smtplib.SMTP(net.p.address, 25) as client:
        client.send_message(back)
    until(lambda: arrived(net.a, 'ann', back['Subject']), 'the letter from Postfix')
    assert 'Verified TLS connection established to mail.a.test' in net.p.log_text()


def test_an_enforced_mta_sts_policy_is_met(net):
    m = letter('ann@a.test', 'kept@kept.test')
    net.b.command('domain', 'add', 'kept.test', check=False)
    net.b.command('alias', 'add', 'kept@kept.test', 'bea@b.test')
    net.a.send('ann', ['kept@kept.test'], m)
    until(lambda: arrived(net.b, 'bea', m['Subject']), 'the letter')
    assert ('mta-sts.kept.test', '/.well-known/mta-sts.txt') in [(h.split(':')[0], p) for h, p in net.sts.asked]


@pytest.mark.parametrize('domain, why', [('stripped.test', 'mta-sts'), ('forged.test', 'mta-sts'), ('dane.test', 'dane')])
def test_a_host_in_the_middle_gets_nothing(net, domain, why):
    if domain == 'stripped.test':
        net.middle.answers['STARTTLS'] = '502 not here'
    m = letter('ann@a.test', f'x@{domain}')
    net.a.send('ann', [m['To']], m)
    row = until(lambda: [r for r in queued(net.a, m['To']) if r.get('attempts')], 'a refusal')[0]
    net.middle.answers.clear()
    assert why in str(row).lower(), row
    assert not [x for x in net.middle.letters if m['Subject'].encode() in x]
    net.a.command('queue', 'drop', str(row['item']))


def test_a_dead_host_is_passed_over(net):
    m = letter('ann@a.test', 'x@dead.test')
    net.a.send('ann', [m['To']], m)
    until(lambda: [x for x in net.strange.letters if m['Subject'].encode() in x], 'the letter at the second host')


def test_greylisting_is_waited_out(net):
    seen = []

    def grey(line):
        seen.append(line)
        return '451 4.7.1 Greylisted, come back in a second' if len(seen) == 1 else None
    net.strange.answers['RCPT'] = grey
    m = letter('ann@a.test', 'grey@strange.test')
    net.a.send('ann', [m['To']], m)
    until(lambda: [x for x in net.strange.letters if m['Subject'].encode() in x], 'the second try')
    net.strange.answers.clear()
    assert len(seen) >= 2


def test_a_full_mailbox_elsewhere_is_tried_again(net):
    net.strange.answers['RCPT'] = '452 4.2.2 Mailbox full'
    m = letter('ann@a.test', 'full@strange.test')
    net.a.send('ann', [m['To']], m)
    until(lambda: [r for r in queued(net.a, m['To']) if '4.2.2' in str(r)], 'the deferral')
    net.strange.answers.clear()
    until(lambda: [x for x in net.strange.letters if m['Subject'].encode() in x], 'the letter')


@pytest.mark.parametrize('to', ['nobody@b.test', 'nobody@p.test', 'x@null.test'])
def test_a_bounce_arrives_and_says_what_to_do(net, to):
    if 'p.test' in to:
        net.need_postfix()
    m = letter('ann@a.test', to)
    net.a.send('ann', [to], m)
    report = until(lambda: bounce_about(net, 'ann', to), 'the report')
    assert report.get_content_type() == 'multipart/report' and report['Auto-Submitted']
    words = report.get_body(('plain',)).get_content()
    assert to in words and words.strip()[0].isupper()
    assert any(part.get_content_type() == 'message/delivery-status' for part in report.walk())


def test_the_story_of_a_letter_is_told_in_words(net):
    m = letter('ann@a.test', 'bea@b.test')
    net.a.send('ann', ['bea@b.test'], m)
    until(lambda: arrived(net.b, 'bea', m['Subject']), 'the letter')
    until(lambda: 'DANE' in net.a.command('trace', 'bea@b.test').stdout, 'the story with its end')
    told = net.a.command('trace', 'bea@b.test').stdout
    assert 'mail.b.test' in told and 'logged in as ann@a.test' in told, told
