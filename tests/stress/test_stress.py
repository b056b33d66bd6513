"""Several clients of all kinds at once on one account: what each was told, and the model, agree at every checkpoint.

POSTERN_SEED repeats the choices of a run; the clients' races are the machine's.
"""
import os
import random

import pytest

from kit import paths
from stress import crowd, responses, steps

SEEDS = [int(os.environ['POSTERN_SEED'])] if 'POSTERN_SEED' in os.environ else \
    [random.SystemRandom().randrange(1 << 32) for _ in range(40 if paths.SOAK else 2)]
CHANGES = 16384    # that the server's journal of a mailbox holds
ROUNDS, STEPS = (10, 60) if paths.SOAK else (2, 30) if paths.SANITIZED else (5, 30)
MESSAGES, CHANGED = (10, 50) if paths.SANITIZED else (20, 100)    # of either there must be more than that


def run(server, account, seed, kills=()):
    counts = crowd.run(server, account, seed, ROUNDS, STEPS, kills)
    assert counts['messages'] > MESSAGES and counts['changes'] > CHANGED, counts
    assert counts['kills'] == (ROUNDS if kills else 0), counts


def named(seed):
    return f'POSTERN_SEED={seed}'


@pytest.mark.parametrize('seed', [pytest.param(SEEDS[0], marks=pytest.mark.smoke), *SEEDS[1:]], ids=named)
def test_several_clients_agree(demo, account, seed):
    run(demo, account, seed)


@pytest.mark.parametrize('seed', SEEDS[::4], ids=named)
def test_they_agree_whatever_is_killed(new_server, seed):
    """The account, the edges, or all at once: what was acknowledged stands, the rest is whole or not there."""
    server = new_server(users=1)
    run(server, server.users[0], seed, ['account', 'account', 'edge-client', 'edge-mx', None])


def test_who_hears_nothing_for_long_is_told_all(demo, account):
    """More changes than the server keeps a journal of, and more news than it sends at once."""
    one = crowd.Crowd(demo, account, SEEDS[0])
    rng = random.Random(SEEDS[0])
    clients = {c.name: c for c in one.clients}
    busy, quiet = clients['newest'], [clients[n] for n in ('plain', 'rev2', 'condstore', 'qresync', 'numbers')]
    for client in [busy, *quiet]:
        client.select('INBOX')
    for _ in range(10):
        steps.append_to(busy, rng, 'INBOX', [200] * 100)
    for client in [busy, *quiet]:
        client.noop(rng)
        client.learn()
    for turn in range(CHANGES // 1000 + 2):
        change_all(busy, '+-'[turn % 2])
    remove(busy, busy.view.known()[100:300:2])
    steps.append_to(busy, rng, 'INBOX', [200] * 100)
    one.checkpoint()
    one.close()


def change_all(client, sign):
    said = client.do(f'UID STORE 1:* {sign}FLAGS.SILENT (red)')
    assert said.ok, said.text
    on, off = ({'red'}, set()) if sign == '+' else (set(), {'red'})
    client.history.changed(client.view.id, client.view.known(), said.span, on, off)
    for message in client.view.messages.values():
        message.flags = (message.flags | on) - off


def remove(client, uids):
    text, view = responses.as_set(uids), client.view
    said = client.do(f'UID STORE {text} +FLAGS (\\Deleted)')
    client.history.changed(view.id, uids, said.span, {'\\Deleted'}, set())
    said = client.do(f'UID EXPUNGE {text}')
    client.history.note('expunges', client.history.expunges, (view.id, frozenset(uids), *said.span))
    assert not set(uids) & set(view.uids)
