"""The room resolve, in its jail, between its askers and nsd with signed zones."""
import socket
import struct
import threading
import time

import pytest

from kit import dns, paths, rooms

ZONES = {
    'example.test': '''
        @ MX 10 mx
        @ MX 20 mx.other.test.
        mx A 127.0.0.2
        mx AAAA ::1
        _25._tcp.mx TLSA 3 1 1 ''' + 'ab' * 32 + '''
        _mta-sts TXT "v=STSv1; " "id=1"
        alias CNAME mx
        chain CNAME alias
        across CNAME www.other.test.
        gone CNAME nothing
        LONG
        CROWD
        * .wild A 127.0.0.4
    '''.replace('* .', '*.'),
    'other.test': 'www A 127.0.0.3\nmx A 127.0.0.3\n',
    'damaged.test': 'www A 127.0.0.5\n@ MX 0 www\n',
}


ZONES['example.test'] = ZONES['example.test'].replace(
    'LONG', '\n'.join(f'long TXT "{i:03}{"x" * 197}"' for i in range(30))).replace(
    'CROWD', '\n'.join(f'crowd A 10.0.{i // 200}.{i % 200 + 1}' for i in range(250)))


def lines(zones):
    return {name: '\n'.join(line.strip() for line in text.strip().split('\n')) for name, text in zones.items()}


@pytest.fixture(scope='module')
def served(tmp_path_factory):
    with dns.Dns(tmp_path_factory.mktemp('dns'), lines(ZONES), unsigned=['other.test']) as one:
        one.damage('damaged.test')
        yield one


@pytest.fixture(scope='module')
def validating(served):
    with rooms.Rooms({'dns-forward': served.at}, {'dns-anchor': served.anchor}) as one:
        yield one


@pytest.fixture(scope='module')
def plain(served):
    """Without anchors."""
    with rooms.Rooms({'dns-forward': served.at}) as one:
        yield one


def test_signed_records_are_secure(validating):
    mx = validating.look('example.test', 'MX')
    assert mx['finding'] == 'found' and mx['secure'] and 0 < mx['ttl'] <= 60
    name = b'\x02mx\x07example\x04test\0'.hex()
    assert set(mx['records']) == {'000a' + name, '0014' + b'\x02mx\x05other\x04test\0'.hex()}, 'names are whole'
    assert validating.look('MX.Example.Test')['records'] == ['7f000002']
    assert validating.look('mx.example.test', 'AAAA')['records'] == ['00' * 15 + '01']
    tlsa = validating.look('_25._tcp.mx.example.test', 'TLSA')
    assert tlsa['secure'] and tlsa['records'] == ['030101' + 'ab' * 32]
    assert validating.look('_mta-sts.example.test', 'TXT')['records'] == [b'\x09v=STSv1; \x04id=1'.hex()]


def test_unsigned_records_are_not(validating):
    found = validating.look('www.other.test')
    assert found['finding'] == 'found' and not found['secure'] and found['records'] == ['7f000003']


def test_without_anchors_nothing_is(plain):
    found = plain.look('mx.example.test')
    assert found['finding'] == 'found' and not found['secure']
    assert plain.look('www.damaged.test')['finding'] == 'found'


@pytest.mark.parametrize('name, kind', [('www.damaged.test', 'A'), ('damaged.test', 'MX'), ('nothing.damaged.test', 'A')])
def test_wrong_signatures_are_bogus(validating, name, kind):
    found = validating.look(name, kind)
    assert found['finding'] == 'bogus' and not found['secure'] and found['records'] == []
    assert 'damaged.test' in found['why']


def test_what_is_not_there(validating):
    name = validating.look('nothing.example.test')
    assert (name['finding'], name['secure'], name['records']) == ('no_name', True, [])
    data = validating.look('mx.example.test', 'TXT')
    assert (data['finding'], data['secure'], data['records']) == ('no_data', True, [])
    assert validating.look('nothing.other.test')['finding'] == 'no_name'
    assert not validating.look('nothing.other.test')['secure']


def test_aliases_are_followed(validating):
    found = validating.look('chain.example.test')
    assert (found['records'], found['secure'], found['canonical']) == (['7f000002'], True, 'mx.example.test')
    across = validating.look('across.example.test')
    assert (across['records'], across['secure'], across['canonical']) == (['7f000003'], False, 'www.other.test')
    gone = validating.look('gone.example.test')
    assert (gone['finding'], gone['secure']) == ('no_name', True)


def test_wildcards(validating):
    found = validating.look('any.wild.example.test')
    assert found['records'] == ['7f000004'] and found['secure'] and found['canonical'] == ''


def test_what_is_no_name_is_not_asked(validating):
    for name in ('a..b', '.', 'x' * 64 + '.test', 'sp\\032ace.test'):
        assert validating.look(name)['finding'] == 'no_name'


def test_many_at_once(validating):
    names = [f'n{i}.wild.example.test' for i in range(400)] + ['mx.example.test'] * 100
    started = time.monotonic()
    answers = validating.all([f'look {name} 1' for name in names])
    assert {a['finding'] for a in answers} == {'found'} and all(a['secure'] for a in answers)
    assert time.monotonic() - started < 20 * paths.SLOWER


class Counting:
    """Hands questions on to a name server, counts them by name, and may fall silent."""

    def __init__(self, server):
        host, port = server.rsplit(':', 1)
        self.server, self.seen, self.silent = (host, int(port)), {}, False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.at = '127.0.0.1:%d' % self.socket.getsockname()[1]

    def __enter__(self):
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *problem):
        self.socket.sendto(b'', self.socket.getsockname())
        self.thread.join(10)
        self.socket.close()

    @staticmethod
    def question(packet):
        labels, at = [], 12
        while packet[at]:
            labels.append(packet[at + 1:at + 1 + packet[at]].decode('ascii').lower())
            at += packet[at] + 1
        return '.'.join(labels), struct.unpack('>H', packet[at + 1:at + 3])[0]

    def _serve(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as up:
            up.settimeout(5)
            while True:
                packet, asker = self.socket.recvfrom(4096)
                if not packet:
                    return
                key = self.question(packet)
                self.seen[key] = self.seen.get(key, 0) + 1
                if self.silent:
                    continue
                up.sendto(packet, self.server)
                self.socket.sendto(up.recv(65536), asker)


def test_the_cache_answers_what_was_asked_before(served):
    with Counting(served.at) as between, rooms.Rooms({'dns-forward': between.at}) as one:
        for _ in range(5):
            assert one.look('mx.example.test')['finding'] == 'found'
            assert one.look('nothing.example.test')['finding'] == 'no_name'
        assert between.seen[('mx.example.test', 1)] == 1 and between.seen[('nothing.example.test', 1)] == 1
        together = one.all(['look example.test 15'] * 50)
        assert {a['finding'] for a in together} == {'found'} and between.seen[('example.test', 15)] == 1


def test_a_dead_server_costs_a_bounded_time(served):
    with Counting(served.at) as between, rooms.Rooms({'dns-forward': between.at}) as one:
        assert one.look('mx.example.test')['finding'] == 'found'
        between.silent = True
        started = time.monotonic()
        answers = one.all(['look example.test 15', 'look www.other.test 1', 'look mx.example.test 1'])
        took = time.monotonic() - started
        assert [a['finding'] for a in answers] == ['failed', 'failed', 'found'], 'the cache goes on answering'
        assert answers[0]['why'] and took < 25 * paths.SLOWER
        between.silent = False
        deadline = time.monotonic() + 30 * paths.SLOWER
        while one.look('example.test', 'MX')['finding'] != 'found':
            assert time.monotonic() < deadline, 'a server that is back is asked again'
            time.sleep(0.5)


def test_nobody_there(tmp_path):
    with rooms.Rooms({'dns-forward': '127.0.0.1:1'}) as one:
        found = one.look('mx.example.test')
        assert found['finding'] == 'failed' and found['why']


def test_from_the_root_down():
    """The room comes up with Debian's keys of the root; only names are asked here that no server is asked about."""
    with rooms.Rooms({}) as one:
        assert one.look('localhost')['records'] == ['7f000001']
        assert one.look('hidden.onion')['finding'] == 'no_name'
        assert one.look('nothing.invalid')['finding'] == 'no_name'


def test_what_is_too_long_for_udp_comes_by_tcp(served):
    with rooms.Rooms({'dns-forward': served.at}) as one:
        found = one.look('long.example.test', 'TXT')
        assert len(found['records']) == 30 and len(found['records'][0]) == 2 * 201


def test_of_too_many_records_the_first_are_told(served):
    with rooms.Rooms({'dns-forward': served.at}) as one:
        assert len(one.look('crowd.example.test')['records']) == 200


def test_no_look_ups_at_all():
    with rooms.Rooms({'dns-forward': 'none'}) as one:
        found = one.look('mx.example.test')
        assert found['finding'] == 'failed' and 'dns-forward' in found['why']
