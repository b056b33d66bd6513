"""What needs a server with a configuration of its own: devices without TLS, and rules by country."""
import json
import os
import subprocess

import pytest

from kit import daemon, paths, server, wait, wire

ACCOUNT, PASSWORD = 'anna@example.org', 'four easy words here'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('devices')


def places(folder, country):
    """A database that knows this machine, put in place of the one before."""
    done = subprocess.run(['perl', paths.ROOT / 'tests/kit/places.pl', 'country', folder / 'new.mmdb'],
                          input=f'127.0.0.0/8 {country} -\n', text=True, capture_output=True)
    if done.returncode:
        pytest.skip('libmaxmind-db-writer-perl is missing')
    os.replace(folder / 'new.mmdb', folder / 'country.mmdb')


@pytest.fixture(scope='module')
def house(folder):
    """posternd without a demo's openings, with one account."""
    places(folder, 'DE')
    more = (f'listen-imaps = {{ "127.0.0.1:{server.free_port_base() + 993}" }}\nlog = file\n'
            f'country-database = \'{folder}/country.mmdb\'\nlogin-without-tls = {{ "127.0.0.0/30" }}\n')
    with daemon.Daemon(daemon.write(folder, daemon.certify(folder), more=more)[0]) as one:
        one.ready()
        assert one.command('domain', 'add', 'example.org').returncode == 0
        assert one.command('account', 'add', ACCOUNT, '--password-stdin', octets=PASSWORD.encode()).returncode == 0
        yield one


def ask(house, *words, octets=b''):
    done = house.command(*words, '--json', octets=octets)
    return done.returncode, json.loads(done.stdout)


def add(house, name, *options):
    return ask(house, 'account', 'app-password', 'add', name, '--account', ACCOUNT, *options)


def from_address(house, address):
    return wire.Smtp(house.ports['submission'], source=address)


def test_a_device_without_tls(house):
    printer = ('--protocol', 'smtp', '--network', '127.0.0.2/32', '--without-tls')
    usual = add(house, 'usual')[1]['secret']
    assert add(house, 'all', '--without-tls')[0] == 1
    assert add(house, 'elsewhere', '--protocol', 'smtp', '--network', '127.0.0.9/32', '--without-tls')[0] == 1
    with from_address(house, '127.0.0.2') as smtp:
        assert 'AUTH' not in smtp.extensions.text
    status, made = add(house, 'printer', *printer)
    assert status == 0
    with from_address(house, '127.0.0.2') as smtp:
        assert 'AUTH PLAIN LOGIN' in smtp.extensions.text and 'SCRAM' not in smtp.extensions.text
        assert smtp.login(ACCOUNT, PASSWORD).code == 535
        assert smtp.login(ACCOUNT, usual).code == 535
        assert smtp.login(ACCOUNT, made['secret']).code == 235
        assert smtp.command(f'MAIL FROM:<{ACCOUNT}>').code == 250
    for address in ('127.0.0.1', '127.0.0.3'):
        with from_address(house, address) as smtp:
            assert 'AUTH' not in smtp.extensions.text
            assert smtp.login(ACCOUNT, made['secret']).code == 538
    with wire.Imap(house.ports['imap'], source='127.0.0.2') as imap:
        assert 'LOGINDISABLED' in str(imap.command('CAPABILITY').untagged)
    assert ask(house, 'account', 'app-password', 'revoke', 'printer', '--account', ACCOUNT)[0] == 0
    with from_address(house, '127.0.0.2') as smtp:
        assert 'AUTH' not in smtp.extensions.text
    assert house.logged('app-password add without TLS') and house.logged('PLAIN without TLS')


def logs_in(house):
    with wire.Imap(house.ports['imaps'], tls=True) as imap:
        imap.send(f'a LOGIN {ACCOUNT} "{PASSWORD}"\r\n')
        return imap.line().startswith(b'a OK ')


def test_a_rule_by_country_and_a_database_that_is_replaced(house, folder):
    assert logs_in(house)
    status, made = ask(house, 'account', 'rule', 'add', '--account', ACCOUNT, '--country', 'DE')
    assert status == 0 and logs_in(house)
    places(folder, 'FR')
    wait.until(lambda: not logs_in(house))
    (folder / 'country.mmdb').write_bytes(b'overwritten in place')
    wait.until(lambda: house.logged('places.refused'))
    assert not logs_in(house)    # the one before stays in use
    assert ask(house, 'account', 'rule', 'delete', str(made['rule']), '--account', ACCOUNT)[0] == 0
    assert logs_in(house)
