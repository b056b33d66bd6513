"""Several clients of all kinds at once on one account: what each was told, and the model, agree at every checkpoint.

POSTERN_SEED repeats the choices of a run; the clients' races are the machine's.
"""
import os
import random

import pytest

from kit import paths
from stress import crowd

SEEDS = [int(os.environ['POSTERN_SEED'])] if 'POSTERN_SEED' in os.environ else \
    [random.SystemRandom().randrange(1 << 32) for _ in range(40 if paths.SOAK else 2)]
ROUNDS, STEPS = (10, 60) if paths.SOAK else (2, 30) if paths.SANITIZED else (5, 30)


def run(server, account, seed, kills=()):
    print(f'POSTERN_SEED={seed}')
    counts = crowd.run(server, account, seed, ROUNDS, STEPS, kills)
    assert counts['messages'] > 20 and counts['changes'] > 100 and counts['kills'] == (ROUNDS if kills else 0), counts


@pytest.mark.parametrize('number', [pytest.param(0, marks=pytest.mark.smoke), *range(1, len(SEEDS))])
def test_several_clients_agree(demo, account, number):
    run(demo, account, SEEDS[number])


def test_they_agree_whatever_is_killed(new_server):
    """The account's process, the edges, or all at once: what was acknowledged stands, the rest is whole or not there."""
    server = new_server(users=1)
    run(server, server.users[0], SEEDS[0], ['account', 'account', 'edge-client', 'edge-mx', None])
