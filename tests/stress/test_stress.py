"""Several clients of all kinds at once on one account: what each was told, and the model, agree at every checkpoint.

POSTERN_SEED repeats the choices of a run; the clients' races are the machine's.
"""
import os
import random

import pytest

from kit import paths
from stress import crowd

SEEDS = [int(os.environ['POSTERN_SEED'])] if 'POSTERN_SEED' in os.environ else \
    [random.SystemRandom().randrange(1 << 32) for _ in range(40 if paths.SOAK else 3)]


@pytest.mark.parametrize('number', range(len(SEEDS)))
def test_several_clients_agree(demo, account, number):
    seed = SEEDS[number]
    print(f'POSTERN_SEED={seed}')
    counts = crowd.run(demo, account, seed, rounds=5, count=30)
    assert counts['messages'] > 50 and counts['changes'] > 100, counts
