"""Administration over HTTPS: who gets in, from where, with what, what they may do, what ends it, and what is on record."""
import http.client
import json
import re
import socket
import ssl
import subprocess
import time

import pytest

from kit import memory, paths, server, totp, wait, wire

HERE, THERE = '127.0.0.9', '198.51.100.7'    # inside and outside of administration-from, which is loopback
ADMINISTRATOR, OWNER, OTHER, GUESSED = (f'user{n}@example.test' for n in (1, 2, 3, 4))


@pytest.fixture(scope='module')
def house(binaries, tmp_path_factory):
    """Every port hears whom a proxy speaks for, so that clients can come from anywhere; no demo's opening is theirs."""
    with server.Server(tmp_path_factory.mktemp('house') / 'mail', users=4, options=['--proxy']) as one:
        yield one
        assert not one.new_sanitizer_reports()


@pytest.fixture(scope='module')
def factor(house):
    """The administrator's second factor."""
    done = house.command('account', 'second-factor', 'totp', '--account', ADMINISTRATOR, '--json')
    return json.loads(done.stdout)


def trusting(ca, *protocols):
    context = ssl.create_default_context(cafile=ca)
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


class Visit:
    """One connection over HTTPS, from an address that the proxy says."""

    def __init__(self, house, client=HERE):
        plain = socket.create_connection((server.HOST, house.ports['https']), paths.PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)    # as http.client does where it connects
        plain.sendall(wire.proxy_v2(client))
        self.http = http.client.HTTPSConnection(server.HOST)
        self.http.sock = trusting(house.ready['ca']).wrap_socket(plain, server_hostname=server.HOST)
        self.http.auto_open = 0

    def ask(self, name, token=None, **members):
        headers = {'Authorization': f'Bearer {token}'} if token else {}
        self.http.request('POST', f'/v1/{name}', json.dumps(members), headers)
        self.answer = self.http.getresponse()
        return self.answer.status, json.loads(self.answer.read())

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.http.close()


def ask(house, name, token=None, client=HERE, **members):
    with Visit(house, client) as one:
        return one.ask(name, token, **members)


def log_in(house, user, code='', client=HERE):
    status, said = ask(house, 'login', client=client, user=user, password=house.password, code=code)
    assert status == 200, said
    return said['token']


def records(house, event):
    done = house.command('--json', 'audit', 'show', '--limit', '200')
    return [r['fields'] for r in json.loads(done.stdout)['rows'] if r['event'] == event]


def recorded(house, event, **fields):
    """The newest such record; most events are on the disk a moment later."""
    return wait.until(lambda: [r for r in records(house, event) if fields.items() <= r.items()])[0]


@pytest.mark.smoke
def test_an_administrator(house, factor):
    status, said = ask(house, 'login', user=ADMINISTRATOR, password=house.password)
    assert status == 401 and 'second factor' in said['error']
    code = totp.code_of(factor['uri'])
    status, said = ask(house, 'login', user=ADMINISTRATOR, password=house.password, code=code)
    assert status == 200 and said['administrator'] and said['address'] == ADMINISTRATOR
    assert re.fullmatch('[0-9a-f]{64}', said['token'])
    token = said['token']
    again, why = ask(house, 'login', user=ADMINISTRATOR, password=house.password, code=code)
    assert again == 401 and 'good once' in why['error']
    with Visit(house) as one:    # one connection for many requests
        assert one.ask('status', token)[0] == 200
        assert one.ask('account-quota', token, address=OTHER, octets=10**9)[0] == 200
        assert one.ask('account-show', token, address=OTHER)[1]['quota'] == 10**9
        assert one.ask('logout', token)[0] == 200
        assert one.ask('status', token)[0] == 401
    wish, = [r for r in records(house, 'admin.asked') if r['act'] == 'account-quota' and r['target'] == OTHER]
    done, = [r for r in records(house, 'admin.act') if r['act'] == 'account-quota' and r['target'] == OTHER]
    assert wish['user'] == done['user'] == ADMINISTRATOR and wish['client'] == done['client'] == HERE
    wait.until(lambda: [r['verdict'] for r in records(house, 'login.refused') if r['user'] == ADMINISTRATOR] ==
               ['refused', 'barred'])
    recorded(house, 'login.accepted', user=ADMINISTRATOR, protocol='admin', client=HERE, mechanism='password and code')
    recorded(house, 'login.ended', account=said['account'], why='logged out')


def test_a_recovery_code_is_good_once(house, factor):
    token = log_in(house, ADMINISTRATOR, factor['codes'][2])
    assert ask(house, 'status', token)[0] == 200
    assert ask(house, 'login', user=ADMINISTRATOR, password=house.password, code=factor['codes'][2])[0] == 401


def test_an_owner_sees_the_own_account_and_changes_nothing(house):
    token = log_in(house, OWNER)
    status, said = ask(house, 'audit-show', token)
    assert status == 200 and said['rows'] and len({r['fields']['account'] for r in said['rows']}) == 1
    assert ask(house, 'audit-show', token, address=OTHER)[0] == 403
    for name, members in (('account-list', {}), ('account-quota', {'address': OWNER, 'octets': 0}), ('status', {}),
                          ('account-admin', {'address': OWNER, 'administrator': True})):
        status, said = ask(house, name, token, **members)
        assert status == 403 and 'own account' in said['error']
    recorded(house, 'admin.refused', act='account-admin', user=OWNER, client=HERE)


def test_rights_follow_what_an_administrator_says(house, factor):
    token = log_in(house, OTHER)
    assert house.command('account', 'administrator', 'on', OTHER).returncode == 0
    assert ask(house, 'account-list', token)[0] == 401, 'its session was begun without a code'
    assert ask(house, 'login', user=OTHER, password=house.password)[0] == 401
    assert house.command('account', 'administrator', 'off', OTHER).returncode == 0
    token = log_in(house, OTHER)
    chief = log_in(house, ADMINISTRATOR, factor['codes'][3])
    assert ask(house, 'account-password', chief, address=OTHER, password='four quite other words')[0] == 200
    assert ask(house, 'audit-show', token)[0] == 401
    recorded(house, 'login.ended', why="the account's secrets or rights changed")


def test_from_elsewhere_nobody_administrates(house, factor):
    """Nothing is even read: the right password and code, and a session's token, are not."""
    token = log_in(house, ADMINISTRATOR, factor['codes'][4])
    for name, shown, members in (('login', None, {'user': ADMINISTRATOR, 'password': house.password,
                                                  'code': factor['codes'][5]}), ('status', token, {})):
        status, said = ask(house, name, shown, THERE, **members)
        assert status == 403 and 'administration-from' in said['error']
    recorded(house, 'admin.refused', client=THERE)
    assert not [r for r in records(house, 'login.accepted') if r['client'] == THERE]
    assert log_in(house, ADMINISTRATOR, factor['codes'][5])    # it was not used up


def test_guessing_takes_its_time(house):
    took = []
    for n in range(6):
        begun = time.monotonic()
        with Visit(house, '127.0.7.7') as one:
            status, said = one.ask('login', user=GUESSED, password=f'wrong{n}')
            assert status == 401 and one.answer.getheader('Connection') == 'close'
        took.append(time.monotonic() - begun)
    assert max(took[:2]) < 1 * paths.SLOWER and took[-1] > 1, took


def test_neither_web_nor_the_edge_keeps_what_passed(house):
    token = log_in(house, OWNER)
    for _ in range(5):
        assert ask(house, 'audit-show', token)[0] == 200
    wanted = {'password': house.password.encode(), 'token': token.encode(), 'its octets': bytes.fromhex(token)}
    for room in ('web', 'edge-client'):
        for process in house.room(room):
            assert not memory.searched(process.pid, wanted), room


def test_no_other_protocol_is_let_in(house):
    """ALPACA: neither mail where HTTP is spoken nor HTTP where mail is."""
    for door, wanted, refused in (('https', 'http/1.1', 'imap'), ('imaps', 'imap', 'http/1.1')):
        for protocol in (wanted, refused):
            with socket.create_connection((server.HOST, house.ports[door]), paths.PATIENCE) as plain:
                plain.sendall(wire.proxy_v2(HERE))
                try:
                    with trusting(house.ready['ca'], protocol).wrap_socket(plain, server_hostname=server.HOST) as s:
                        assert protocol == wanted and s.selected_alpn_protocol() == wanted
                except ssl.SSLError:
                    assert protocol == refused


def test_a_connection_that_waits_does_not_hold_up_the_end(house):
    with Visit(house) as one:
        one.ask('status')
        begun = time.monotonic()
        with Visit(house):
            assert house.stop() == 0
        assert time.monotonic() - begun < 5 * paths.SLOWER


def test_as_the_manual_says_it(demo):
    """docs/admin-api.md, with curl alone."""
    user = demo.new_users(2)[1]    # not the administrator
    url, curl = f'https://127.0.0.1:{demo.ports["https"]}/', ['curl', '-sS', '--fail-with-body', '--cacert', demo.ready['ca']]

    def answer(*words):
        done = subprocess.run([*curl, *words], capture_output=True, timeout=paths.PATIENCE)
        return done.returncode, json.loads(done.stdout)

    login = json.dumps({'user': user, 'password': demo.password})
    status, said = answer(f'{url}v1/login', '-d', login)
    assert status == 0 and not said['administrator']
    bearer = ['-H', f'Authorization: Bearer {said["token"]}']
    assert answer(f'{url}v1/audit-show', '-d', '{}', *bearer)[0] == 0
    assert answer(f'{url}v1/logout', '-d', '{}', *bearer) == (0, {})
    assert answer(f'{url}v1/audit-show', '-d', '{}', *bearer)[0] != 0
