"""What others' scanners find: nmap's scripts for mail and TLS, and testssl.sh, both Debian's, against the demo: nothing of weight."""
import json
import re
import subprocess
import xml.etree.ElementTree

import pytest

from kit import paths
from kit.clients import program

SMTP = ('smtp-open-relay', 'smtp-commands', 'smtp-vuln-cve2010-4344', 'smtp-vuln-cve2011-1720', 'smtp-vuln-cve2011-1764')
TLS = ('ssl-enum-ciphers', 'ssl-heartbleed', 'ssl-poodle', 'ssl-ccs-injection', 'ssl-dh-params', 'ssl-known-key', 'sslv2',
       'sslv2-drown', 'tls-ticketbleed')
OTHER = {'imap': ('imap-capabilities', 'imap-ntlm-info'), 'pop3': ('pop3-capabilities', 'pop3-ntlm-info')}
VULNERABLE = re.compile(r'(?<!NOT )(?<!LIKELY )VULNERABLE')
STARTTLS = {'smtp': 'smtp', 'submission': 'smtp', 'imap': 'imap', 'pop3': 'pop3'}
# Nmap ends its search for a relay at a reply with 530 anywhere in it, and one in some 200 of our trace ids has these digits.
MISREAD = 8
WEIGHTY = ('MEDIUM', 'HIGH', 'CRITICAL')


def nmap(demo, port, scripts, folder):
    """name of script -> what it said. Forced (+), because the demo's ports are not the usual ones."""
    out = folder / f'{port}.xml'
    done = subprocess.run([program('nmap'), '-Pn', '-n', '-p', str(demo.ports[port]), '--script', ','.join('+' + s for s in scripts),
                           '-oX', out, '127.0.0.1'], capture_output=True, text=True, timeout=18 * paths.PATIENCE)
    assert done.returncode == 0, done.stderr
    return {s.get('id'): s.get('output') for s in xml.etree.ElementTree.parse(out).iter('script')}


def judge(said):
    wrong = {name: text for name, text in said.items() if VULNERABLE.search(text)}
    assert not wrong, wrong
    if 'ssl-enum-ciphers' in said:
        assert 'least strength: A' in said['ssl-enum-ciphers'], said['ssl-enum-ciphers']
        assert not re.search(r'SSLv|TLSv1\.[01]\b|TLSv1:|warnings', said['ssl-enum-ciphers']), said['ssl-enum-ciphers']


def test_nmap_finds_no_open_relay_and_no_known_hole(demo, tmp_path):
    said = nmap(demo, 'smtp', SMTP, tmp_path)
    for _ in range(MISREAD):
        if 'authentication needed' not in said['smtp-open-relay']:
            break
        said |= nmap(demo, 'smtp', SMTP[:1], tmp_path)
    assert "doesn't seem to be an open relay" in said['smtp-open-relay'], said
    judge(said)


def test_nmap_finds_only_strong_ciphers(demo, tmp_path):
    said = nmap(demo, 'submissions', TLS, tmp_path)
    assert 'ssl-enum-ciphers' in said, said
    judge(said)


@pytest.mark.soak
@pytest.mark.parametrize('port', ['submission', 'imap', 'imaps', 'pop3', 'pop3s'])
def test_nmap_on_every_port(demo, tmp_path, port):
    judge(nmap(demo, port, (*TLS, *OTHER.get(port, ())), tmp_path))


@pytest.mark.soak
@pytest.mark.parametrize('port', ['smtp', 'submission', 'submissions', 'imap', 'imaps', 'pop3', 'pop3s', 'https'])
def test_testssl_finds_nothing_of_weight(demo, tmp_path, port):
    out = tmp_path / 'found.json'
    start = ['-t', STARTTLS[port]] if port in STARTTLS else []
    subprocess.run([program('testssl'), '--quiet', '--warnings', 'off', '--color', '0', '--nodns', 'none', '--jsonfile', out,
                    '--add-ca', demo.ready['ca'], '--ip', '127.0.0.1', *start, f'localhost:{demo.ports[port]}'],
                   stdin=subprocess.DEVNULL, capture_output=True, timeout=60 * paths.PATIENCE)
    found = json.loads(out.read_text())
    assert len(found) > 50, found
    weighty = [(f['severity'], f['id'], f['finding']) for f in found if f['severity'] in WEIGHTY]
    assert not weighty
