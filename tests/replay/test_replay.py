"""The short form of `make replay`: the quickest attackers, and people beside them."""
from kit import paths, sink
from replay import cast, hostile
from replay.world import Place

PLAYED = ['brute force', 'spraying', 'stuffing', 'harvesting', 'early talk', 'stolen account', 'twenty connections',
          'newsletter', 'retrying server']
SOON = 8        # seconds until each attacker's first answer
THROUGH = {'brute force': 40, 'spraying': 40, 'stuffing': 40, 'harvesting': 40, 'early talk': 400, 'stolen account': 150}


def test_attackers_are_answered_soon_and_nobody_else_is_hurt(new_server, monkeypatch):
    monkeypatch.setattr(hostile, 'SECONDS', 2 * paths.SLOWER)
    with sink.Sink() as far:
        place = Place(new_server(users=28, options=('--proxy',)), far)
        played = cast.scenarios(place, PLAYED)
        place.play(played)
    seen = [s for s, _ in played]
    told = '\n' + cast.table(seen)
    assert not cast.problems(seen), told
    for s in seen:
        if s.name in THROUGH:
            assert min(s.steps.values()) < SOON * paths.SLOWER, told
            assert s.through <= THROUGH[s.name], told
