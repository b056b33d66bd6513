"""The queue between the whole server and another one: what is late, held, failed, and what a kill -9 leaves of it."""
import imaplib
import json
import random
import re
import signal
import threading
import time

import pytest

from kit import dns, paths, server, sink, wait, wire

FAR = 'far.test'
USER = 'user1@example.test'
LETTER = b'From: user1@example.test\r\nTo: friend@far.test\r\nSubject: %s\r\n\r\nHello.\r\n'
KILLS = 60 if paths.SOAK else 6
VICTIMS = ('queue', 'relay', 'edge-client', 'auth', None)


@pytest.fixture
def far(tmp_path, new_server):
    """A server and the sink behind far.test."""
    zone = 'mx A 127.0.0.1\n@ MX 10 mx\n'
    with dns.Dns(tmp_path / 'dns', {FAR: zone}, unsigned=[FAR]) as names, sink.Sink() as other:
        yield new_server(users=3, options=('--dns', names.at, '--relay-port', str(other.port))), other


def login(one):
    smtp = wire.Smtp(one.ports['submission'])
    smtp.login(USER, one.password)
    return smtp


def send(one, subject, *recipients, more=''):
    with login(one) as smtp:
        for line in [f'MAIL FROM:<{USER}>{more}', *(f'RCPT TO:<{r}>' for r in recipients)]:
            assert smtp.command(line).code == 250
        assert smtp.data(LETTER % subject.encode()).code == 250


def queue(one, *words):
    done = one.command('--json', 'queue', *words)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def rows(one, *words):
    return queue(one, 'list', *words)['rows']


def inbox(one):
    with imaplib.IMAP4('127.0.0.1', one.ports['imap']) as c:
        c.login(USER, one.password)
        c.select()
        return [c.fetch(n, '(BODY.PEEK[])')[1][0][1] for n in c.search(None, 'ALL')[1][0].split()]


def test_what_is_late_waits_and_is_steered(far):
    one, other = far
    other.server.refuse = lambda text: '450 4.2.0 greylisted, come again' if 'late' in text else None
    send(one, 'two', f'late@{FAR}', f'prompt@{FAR}')
    other.until(1)
    row = wait.until(lambda: [r for r in rows(one) if r['attempts'] == 1])[0]
    assert (row['state'], row['code'], row['status'], row['recipient']) == ('waiting', 450, '4.2.0', f'late@{FAR}')
    assert 'greylisted' in row['why'] and row['host'] == f'mx.{FAR}'
    assert row['next'] > time.time() + 180
    shown = queue(one, 'show', row['delivery'][:12])
    assert shown['sender'] == USER and len(shown['rows']) == 1 and shown['expires'] > time.time() + 4 * 86400
    assert queue(one, 'hold', '--destination', FAR) == {'items': 1}
    other.server.refuse = lambda text: None
    assert queue(one, 'flush') == {'items': 0}
    assert rows(one)[0]['state'] == 'held'
    assert queue(one, 'release', '--sender', USER) == {'items': 1}
    other.until(2)
    wait.until(lambda: not rows(one))
    assert one.command('queue', 'drop', str(row['item'])).returncode == 1


def test_a_failure_comes_back_as_a_report(far):
    one, other = far
    other.server.refuse = lambda text: '550 5.1.1 no such user' if 'nobody' in text else None
    send(one, 'lost', f'nobody@{FAR}')
    letter = wait.until(lambda: inbox(one))[0]
    assert b'multipart/report' in letter and b'no such user' in letter and f'nobody@{FAR}'.encode() in letter
    wait.until(lambda: not rows(one))
    for _ in range(2):
        send(one, 'lost', f'nobody@{FAR}')
    wait.until(lambda: len(inbox(one)) == 3)
    send(one, 'in vain', f'nobody@{FAR}')
    assert b'queue lift' in wait.until(lambda: inbox(one)[3:])[0]
    assert [r['address'] for r in queue(one, 'suppressed')['rows']] == [f'nobody@{FAR}']
    assert one.command('queue', 'lift', f'nobody@{FAR}').returncode == 0
    other.server.refuse = lambda text: None
    send(one, 'found', f'nobody@{FAR}')
    other.until(1)


def test_a_letter_waits_for_its_time(far):
    one, other = far
    send(one, 'tomorrow', f'friend@{FAR}', more=' HOLDFOR=86400')
    row = rows(one)[0]
    assert row['state'] == 'held' and not other.taken
    assert queue(one, 'show', str(row['item']))['hold_until'] > time.time() + 86000
    one.stop()
    one.start()
    assert rows(one)[0]['state'] == 'held'
    assert queue(one, 'release', str(row['item'])) == {'items': 1}
    other.until(1)


def kill(one, room):
    if room is None:
        one.kill()
        one.start()
        return
    for process in one.processes():
        if process.room == room:
            process.signal(signal.SIGKILL)


class Sender(threading.Thread):
    """Sends letters one after the other and writes down which were accepted."""

    def __init__(self, one):
        super().__init__(daemon=True)
        self.one, self.accepted, self.number, self.stopping = one, [], 0, False

    def run(self):
        while not self.stopping:
            self.number += 1
            name = f'{"nobody" if self.number % 5 == 0 else "friend"}-{self.number}'
            try:
                send(self.one, name, f'{name}@{FAR}')
                self.accepted.append(name)
            except (AssertionError, OSError, wire.Closed):
                time.sleep(0.05)


def test_a_kill_loses_no_letter_and_no_report(far):
    one, other = far
    rng = random.Random(5)
    other.server.refuse = lambda text: '554 5.7.1 not wanted' if 'nobody' in text else None
    other.server.pause = 0.02
    sender = Sender(one)
    sender.start()
    for i in range(KILLS):
        time.sleep(rng.uniform(0.2, 0.7) * paths.SLOWER)
        kill(one, VICTIMS[i % len(VICTIMS)])
    time.sleep(1)
    sender.stopping = True
    sender.join(60 * paths.SLOWER)
    assert len(sender.accepted) > 5

    def settled():
        one.command('queue', 'flush')
        one.hurry_the_queue()
        time.sleep(0.3)
        return not rows(one)

    wait.until(settled, seconds=90)
    arrived = set(re.findall(rb'Subject: (friend-\d+)', b''.join(t.message for t in other.taken)))
    reported = set(re.findall(rb'Subject: (nobody-\d+)', b''.join(inbox(one))))
    for name in sender.accepted:
        assert name.encode() in arrived | reported, name
