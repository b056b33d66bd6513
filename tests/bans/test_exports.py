"""What other programs read of attacks: EVE, RFC 5424, nftables, fail2ban."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from kit import daemon, debs, paths, wait, wire

FILTER = paths.ROOT / 'packaging' / 'fail2ban' / 'postern.conf'
SYSLOG = re.compile(r'<8[3-6]>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z - postern - [a-z.-]{1,32} '
                    r'\[postern@32473( [a-z_-]+="([^"\\\]]|\\["\\\]])*")*\] [\x20-\x7e]+')


@pytest.fixture(scope='module')
def house(binaries, tmp_path_factory):
    folder = tmp_path_factory.mktemp('exports')
    certificate = daemon.certify(tmp_path_factory.mktemp('certificate'))
    file, _ = daemon.write(folder, certificate, more='log = file\nexport = { "eve", "syslog" }\n')
    with daemon.Daemon(file) as one:
        one.ready()
        for network in ('198.51.100.7', '198.51.100.0/24', '2001:db8:7::/48'):
            assert one.command('ban', 'add', network, '--for', '1h', '--reason', 'a "quoted" ] reason').returncode == 0
        assert one.command('ban', 'add', '192.0.2.1', '--grade', 'delay').returncode == 0
        with wire.Imap(one.ports['imap']) as imap:
            imap.command('STARTTLS')
            imap.start_tls()
            imap.command('LOGIN "nobody@example.org" "x"')
        yield one


def lines(house, name):
    file = house.file.parent / 'ledger' / name
    wait.until(lambda: file.exists() and 'login.refused' in file.read_text(), f'{name} has no refused login')
    return file.read_text().splitlines()


def test_eve(house):
    alerts = [json.loads(line) for line in lines(house, 'eve.json')]
    for alert in alerts:
        assert alert['event_type'] == 'alert' and 1 <= alert['alert']['severity'] <= 3
        assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0000', alert['timestamp'])
    events = {alert['postern']['event']: alert for alert in alerts}
    assert events['ban.added']['alert']['action'] == 'blocked'
    assert events['login.refused']['src_ip'] == '127.0.0.1'
    assert {a['src_ip'] for a in alerts if a['postern']['event'] == 'ban.added'} >= {'198.51.100.7', '2001:db8:7::'}


def test_syslog(house):
    found = lines(house, 'syslog.log')
    for line in found:
        assert SYSLOG.fullmatch(line), line
    assert any(r'why="a \"quoted\" \] reason"' in line for line in found)


def test_nftables(house, tmp_path):
    text = house.command('ban', 'export').stdout.decode()
    assert '198.51.100.7 timeout' in text and '2001:db8:7::/48 timeout' in text and '192.0.2.1' not in text
    (tmp_path / 'bans.nft').write_text(text)
    nft = shutil.which('nft', path='/usr/sbin:/usr/bin')
    if not nft:
        pytest.skip('nft is not installed')
    done = subprocess.run(['unshare', '-rn', nft, '-c', '-f', tmp_path / 'bans.nft'], capture_output=True, text=True)
    if 'Operation not permitted' in done.stderr:
        pytest.skip('this machine lets nobody check rules of nftables')
    assert done.returncode == 0, done.stderr


def test_fail2ban(house):
    try:    # unpacked, because its installation starts a daemon
        root = debs.unpack(paths.ROOT / 'build' / 'fail2ban', ['fail2ban'])
    except debs.Unavailable as why:
        pytest.skip(str(why))
    log = house.file.parent / 'ledger' / 'postern.log'
    wait.until(lambda: 'login.refused' in log.read_text())
    done = subprocess.run(['/usr/bin/python3', root / 'usr/bin/fail2ban-regex', '-c', root / 'etc/fail2ban', log, FILTER],
                          capture_output=True, text=True,
                          env={**os.environ, 'PYTHONPATH': str(root / 'usr/lib/python3/dist-packages')})
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r'Failregex: (\d+) total', done.stdout)
    assert found and int(found[1]) >= 1, done.stdout
    assert pathlib.Path(log).read_text().count('login.refused') <= int(found[1])
