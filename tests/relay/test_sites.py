"""Three mail sites and some strange ones, each in a network namespace: mail in every direction over TLS that is proved,
and what happens when a host on the way is dead, full, greylisting, or in the middle."""
import contextlib
import datetime
import email.message
import email.policy
import gzip
import imaplib
import itertools
import json
import pathlib
import re
import smtplib
import tempfile

import pytest

from kit import certificates, debs, paths, peers, sites, verifiers, wait

RETRY_MS = '1500ms'
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
        issued = {name: self.authority.issue_chain(f'mail.{name}') for name in self.mailing}
        # b.test names its server's key, the others the authority above it: between Postern and Postfix that is DANE-TA.
        above = certificates.tlsa(self.authority.file, usage=2)
        proofs = {name: certificates.tlsa(issued[name][0]) if name == 'b.test' else above for name in self.mailing}
        zones = {name: f'@ MX 10 mail\nmail A {s.address}\n_25._tcp.mail TLSA {proofs[name]}'
                 for name, s in self.mailing.items()}
        # Policies by MTA-STS: the right host, one without STARTTLS, one whose certificate another made.
        for name, host in {'kept.test': 'mail.b.test', 'stripped.test': 'mx.stripped.test', 'forged.test': 'mx.forged.test'}.items():
            zones[name] = f'@ MX 10 {host}.\n_mta-sts TXT "v=STSv1; id=1"\nmta-sts A {self.sts.address}\n' \
                f'_smtp._tls TXT "v=TLSRPTv1; rua=mailto:reports@b.test"\nmx A {self.middle.address}'
        # DANE that a host in the middle cannot meet.
        zones['dane.test'] = f'@ MX 10 mx\nmx A {self.middle.address}\n_25._tcp.mx TLSA 3 1 1 ' + '00' * 32 + \
            '\n_smtp._tls TXT "v=TLSRPTv1; rua=https://collect.kept.test/v1/tlsrpt,mailto:reports@b.test"'
        zones['chain.test'] = f'@ MX 10 mx\nmx A {self.middle.address}\n_25._tcp.mx TLSA {above}'
        zones['kept.test'] += f'\ncollect A {self.sts.address}'
        # IPv6 alone; IPv6 that is dead, and IPv4.
        zones['six.test'] = f'@ MX 10 mx\nmx AAAA {self.b.address6 or "::1"}'
        zones['both.test'] = f'@ MX 10 mx\nmx AAAA {sites.BRIDGE6}99\nmx A {self.strange.address}'
        zones['dead.test'] = f'@ MX 10 dead\n@ MX 20 mx\ndead A {self.dead}\nmx A {self.strange.address}'
        zones['strange.test'] = f'@ MX 10 mx\nmx A {self.strange.address}'
        zones['null.test'] = '@ MX 0 .'
        self.resolver.serve(zones, unsigned=('kept.test', 'stripped.test', 'forged.test', 'dead.test', 'strange.test'))
        hosts = self.authority.issue('mta-sts.kept.test', 'collect.kept.test', 'mta-sts.stripped.test', 'mta-sts.forged.test')
        self.sts.serve({'kept.test': STS.format(mx='mail.b.test'), 'stripped.test': STS.format(mx='mx.stripped.test'),
                        'forged.test': STS.format(mx='mx.forged.test')}, *hosts)
        foreign = certificates.Authority(self.authority.home / 'foreign').issue('mx.forged.test', 'mx.dane.test', 'mx.chain.test')
        self.middle.serve(tls=peers.tls_of(*foreign))
        self.strange.serve()
        world = self.a.world
        for site in (self.a, self.b):
            calls = [world.also(site.name, 20 + site.number), *([site.address6] if site.address6 else [])]
            site.configure(*issued[site.domain], relay_address=calls, dns_forward=[self.resolver.dns.at], dns_anchor=str(self.resolver.dns.anchor),
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
        got = wait.until(lambda: arrived(there, friend, m['Subject']), 'the letter did not come')
        assert 'DKIM-Signature' in got
        wait.until(lambda: re.search(r'"event":"mail\.sent".*"verified":"dane"', here.log_text()), 'a line about how the other side was proved did not come')


def test_mail_goes_to_postfix_and_comes_from_it(net):
    net.need_postfix()
    m = letter('ann@a.test', 'pat@p.test')
    net.a.send('ann', ['pat@p.test'], m)
    text = wait.until(lambda: [x for x in net.p.letters('pat') if m['Subject'].encode() in x], 'the letter at Postfix did not come')[0]
    assert b'DKIM-Signature:' in text and b'Bcc' not in text
    back = letter('pat@p.test', 'ann@a.test')

    with net.p.world.standing_at('p'), smtplib.SMTP(net.p.address, 25) as client:
        client.send_message(back)
    wait.until(lambda: arrived(net.a, 'ann', back['Subject']), 'the letter from Postfix did not come')
    wait.until(lambda: 'Verified TLS connection established to mail.a.test' in net.p.log_text(), 'Postfix does not tell of its proof')
    # Both name an authority (DANE-TA), not the server's own key.
    wait.until(lambda: re.search(r'"event":"mail\.sent"[^\n]*pat@p\.test[^\n]*"verified":"dane"', net.a.log_text()), 'the proof did not come')


def test_an_enforced_mta_sts_policy_is_met(net):
    m = letter('ann@a.test', 'kept@kept.test')
    net.b.command('domain', 'add', 'kept.test', check=False)
    net.b.command('alias', 'add', 'kept@kept.test', 'bea@b.test')
    net.a.send('ann', ['kept@kept.test'], m)
    wait.until(lambda: arrived(net.b, 'bea', m['Subject']), 'the letter did not come')
    assert ('mta-sts.kept.test', '/.well-known/mta-sts.txt') in [(h.split(':')[0], p) for h, p in net.sts.asked]


REFUSED = [('stripped.test', 'mta-sts'), ('forged.test', 'mta-sts'), ('dane.test', 'dane'), ('chain.test', 'dane')]


@pytest.mark.parametrize('domain, why', REFUSED)
def test_a_host_in_the_middle_gets_nothing(net, domain, why):
    refused(net, domain, why)


def refused(net, domain, why):
    if domain == 'stripped.test':
        net.middle.answers['STARTTLS'] = '502 not here'
    m = letter('ann@a.test', f'x@{domain}')
    net.a.send('ann', [m['To']], m)
    row = wait.until(lambda: [r for r in queued(net.a, m['To']) if r.get('attempts')], 'a refusal did not come')[0]
    net.middle.answers.clear()
    assert why in str(row).lower(), row
    assert not [x for x in net.middle.letters if m['Subject'].encode() in x]
    net.a.command('queue', 'drop', str(row['item']))


def test_a_dead_host_is_passed_over(net):
    m = letter('ann@a.test', 'x@dead.test')
    net.a.send('ann', [m['To']], m)
    wait.until(lambda: [x for x in net.strange.letters if m['Subject'].encode() in x], 'the letter at the second host did not come')


def test_mail_goes_over_ipv6_alone(net):
    if not net.b.address6:
        pytest.skip('no namespaces, so no IPv6 address of its own')
    net.b.command('domain', 'add', 'six.test', check=False)
    net.b.command('alias', 'add', 'bea@six.test', 'bea@b.test', check=False)
    m = letter('ann@a.test', 'bea@six.test')
    net.a.send('ann', [m['To']], m)
    got = wait.until(lambda: arrived(net.b, 'bea', m['Subject']), 'the letter did not come')
    assert f'[IPv6:{net.a.address6}]' in str(got.get_all('Received')), got.get_all('Received')


def test_dead_ipv6_gives_way_to_ipv4_and_the_address_called_from_is_chosen(net):
    m = letter('ann@a.test', 'x@both.test')
    net.strange.callers.clear()
    net.a.send('ann', [m['To']], m)
    wait.until(lambda: [x for x in net.strange.letters if m['Subject'].encode() in x], 'the letter over IPv4 did not come')
    assert net.strange.callers == [net.a.world.address(22)]


def test_greylisting_is_waited_out(net):
    seen = []

    def grey(line):
        seen.append(line)
        return '451 4.7.1 Greylisted, come back in a second' if len(seen) == 1 else None
    net.strange.answers['RCPT'] = grey
    m = letter('ann@a.test', 'grey@strange.test')
    net.a.send('ann', [m['To']], m)
    wait.until(lambda: [x for x in net.strange.letters if m['Subject'].encode() in x], 'the second try did not come')
    net.strange.answers.clear()
    assert len(seen) >= 2


def test_a_full_mailbox_elsewhere_is_tried_again(net):
    net.strange.answers['RCPT'] = '452 4.2.2 Mailbox full'
    m = letter('ann@a.test', 'full@strange.test')
    net.a.send('ann', [m['To']], m)
    wait.until(lambda: [r for r in queued(net.a, m['To']) if '4.2.2' in str(r)], 'the deferral did not come')
    net.strange.answers.clear()
    wait.until(lambda: [x for x in net.strange.letters if m['Subject'].encode() in x], 'the letter did not come')


@pytest.mark.parametrize('to', ['nobody@b.test', 'nobody@p.test', 'x@null.test'])
def test_a_bounce_arrives_and_says_what_to_do(net, to):
    if 'p.test' in to:
        net.need_postfix()
    m = letter('ann@a.test', to)
    net.a.send('ann', [to], m)
    report = wait.until(lambda: bounce_about(net, 'ann', to), 'the report did not come')
    assert report.get_content_type() == 'multipart/report' and report['Auto-Submitted']
    words = report.get_body(('plain',)).get_content()
    assert to in words and words.strip()[0].isupper()
    assert any(part.get_content_type() == 'message/delivery-status' for part in report.walk())


def test_the_story_of_a_letter_is_told_in_words(net):
    m = letter('ann@a.test', 'bea@b.test')
    net.a.send('ann', ['bea@b.test'], m)
    wait.until(lambda: arrived(net.b, 'bea', m['Subject']), 'the letter did not come')
    wait.until(lambda: 'DANE' in net.a.command('trace', 'bea@b.test').stdout, 'the story with its end did not come')
    told = net.a.command('trace', 'bea@b.test').stdout
    assert 'mail.b.test' in told and 'logged in as ann@a.test' in told, told


# ---- reports about TLS (RFC 8460) ----

MEMBERS = {'organization-name': str, 'date-range': dict, 'contact-info': str, 'report-id': str, 'policies': list}
RESULTS = {'starttls-not-supported', 'certificate-host-mismatch', 'certificate-expired', 'certificate-not-trusted',
           'validation-failure', 'tlsa-invalid', 'dnssec-invalid', 'dane-required', 'sts-policy-fetch-error',
           'sts-policy-invalid', 'sts-webpki-invalid'}


def report_of(packed, domain):
    """The JSON, checked member by member against section 4.4: its policies."""
    report = json.loads(gzip.decompress(packed))
    assert {k: type(v) for k, v in report.items()} == MEMBERS
    assert report['organization-name'] == 'a.test' and report['contact-info'] == 'postmaster@a.test'
    began, ended = (datetime.datetime.fromisoformat(report['date-range'][k].replace('Z', '+00:00'))
                    for k in ('start-datetime', 'end-datetime'))
    assert began.time() == datetime.time(0) and began < ended <= datetime.datetime.now(datetime.timezone.utc)
    for p in report['policies']:
        assert p['policy']['policy-type'] in ('sts', 'tlsa', 'no-policy-found')
        assert p['policy']['policy-domain'] == (f'mx.{domain}' if p['policy']['policy-type'] == 'tlsa' else domain)
        assert all(isinstance(line, str) for line in p['policy'].get('policy-string', []))
        failed = sum(f['failed-session-count'] for f in p.get('failure-details', []))
        assert failed == p['summary']['total-failure-session-count']
        assert {f['result-type'] for f in p.get('failure-details', [])} <= RESULTS
    return report['policies']


def mailed_report(net, domain):
    """The report that came by mail, whole: (its policies, its id)."""
    m = next((m for m in inbox(net.b, 'reports') if m['TLS-Report-Domain'] == domain), None)
    if not m:
        return None
    assert m['TLS-Report-Submitter'] == 'mail.a.test' and m['From'].addresses[0].domain == 'a.test'
    about = re.fullmatch(r'Report Domain: (\S+) Submitter: (\S+) Report-ID: <(\S+)>', ' '.join(m['Subject'].split()))
    assert about and about.groups()[:2] == (domain, 'mail.a.test'), m['Subject']
    assert m.get_content_type() == 'multipart/report' and m.get_param('report-type') == 'tlsrpt'
    words, packed = m.iter_parts()
    assert words.get_content_type() == 'text/plain' and packed.get_content_type() == 'application/tlsrpt+gzip'
    name = packed.get_filename().split('!')
    assert name[:2] == ['mail.a.test', domain] and int(name[2]) % 86400 == 0 and name[4].endswith('.json.gz')
    return report_of(packed.get_payload(decode=True), domain), about[3]


def signatures(net, domain):
    """What python3-dkim says of the mailed report's."""
    rows = json.loads(net.a.command('domain', 'records', 'a.test', '--json').stdout)
    with net.b.world.standing_at('b'):
        client = imaplib.IMAP4(net.b.address, 143)
    client.starttls()
    client.login('reports@b.test', net.b.password)
    client.select('INBOX', readonly=True)
    number = client.search(None, 'HEADER', 'TLS-Report-Domain', domain)[1][0].split()[0]
    octets = client.fetch(number, '(BODY.PEEK[])')[1][0][1]
    client.logout()
    octets = octets[octets.index(b'DKIM-Signature'):]
    return verifiers.by_dkimpy(octets, {r['name']: r['value'] for r in rows if '_domainkey' in r['name']})


def test_domains_are_told_how_tls_went(net):
    """A day's failures and successes, by mail and by HTTPS, as RFC 8460 has it."""
    counted = {r['domain']: r for r in json.loads(net.a.command('queue', 'tls', '--json').stdout)['rows']}
    for domain, why in REFUSED[:3]:
        if domain not in counted:
            refused(net, domain, why)
    if 'kept.test' not in counted:
        test_an_enforced_mta_sts_policy_is_met(net)
    net.a.command('queue', 'tls-tell')
    (stripped,), report_id = wait.until(lambda: mailed_report(net, 'stripped.test'), 'the report for stripped.test did not come')
    assert stripped['policy']['policy-type'] == 'sts' and stripped['policy']['mx-host'] == ['mx.stripped.test']
    assert 'mode: enforce' in stripped['policy']['policy-string'] and stripped['summary']['total-successful-session-count'] == 0
    detail = stripped['failure-details'][0]
    assert detail['result-type'] == 'starttls-not-supported' and detail['receiving-mx-hostname'] == 'mx.stripped.test'
    assert detail['receiving-ip'] == net.middle.address and detail['sending-mta-ip'] == net.a.world.address(22)
    (forged,), _ = wait.until(lambda: mailed_report(net, 'forged.test'), 'the report for forged.test did not come')
    assert forged['failure-details'][0]['result-type'] == 'certificate-not-trusted'
    (kept,), _ = wait.until(lambda: mailed_report(net, 'kept.test'), 'the report for kept.test did not come')
    assert kept['summary']['total-failure-session-count'] == 0 < kept['summary']['total-successful-session-count']
    path, fields, body = wait.until(lambda: net.sts.posted, 'the report at the collector did not come')[0]
    assert path == '/v1/tlsrpt' and fields['Content-Type'] == 'application/tlsrpt+gzip'
    (dane,) = report_of(body, 'dane.test')
    assert dane['policy']['policy-type'] == 'tlsa' and dane['policy']['policy-domain'] == 'mx.dane.test'
    assert dane['policy']['policy-string'] == ['3 1 1 ' + '00' * 32]
    assert wait.until(lambda: mailed_report(net, 'dane.test'), 'the mail for dane.test did not come')[0] == [dane]
    assert sorted(signatures(net, 'stripped.test').values()) == [True, True]
    wait.until(lambda: f'"report":"{report_id}"' in net.a.log_text(), 'the log does not tell of the report')
    # What was told is forgotten, and the reports' own sessions are not counted.
    left = [r['domain'] for r in json.loads(net.a.command('queue', 'tls', '--json').stdout)['rows']]
    assert not {d for d, _ in REFUSED[:3]} & set(left), left
