"""Who plays, from which networks, and what is expected of the server."""
from replay import hostile, innocent
from replay.world import Scenario

# name, what it does, networks, account, the least answer
HOSTILE = [
    ('brute force', hostile.brute_force, ['203.0.112.0/24'], 'user1@example.test', 'banned'),
    ('spraying', hostile.spraying, ['203.0.114.0/24'], None, 'banned'),
    ('stuffing', hostile.stuffing, ['203.0.115.0/24'], None, 'banned'),
    ('distributed guessing', hostile.distributed, ['203.0.116.0/24'], 'user3@example.test', 'delay'),
    ('harvesting', hostile.harvesting, ['203.0.117.0/24'], None, 'banned'),
    ('relay probing', hostile.probing, ['203.0.118.0/24'], None, 'banned'),
    ('connection storm', hostile.storm, ['203.0.119.0/24'], None, 'banned'),
    ('smuggling', hostile.smuggling, ['203.0.120.0/24'], None, 'banned'),
    ('early talk', hostile.early_talk, ['203.0.121.0/24'], None, 'banned'),
    ('slow clients', hostile.slow, ['203.0.125.0/24'], None, 'banned'),
    ('stolen account', hostile.thief, [], 'user4@example.test', 'contained'),
]
INNOCENT = [
    ('phone, old password', innocent.old_password, ['198.51.100.0/24'], 'user10@example.test'),
    ('office behind one address', innocent.office, ['198.51.101.0/24'], None),
    ('newsletter', innocent.newsletter, ['198.51.102.0/24'], 'user11@example.test'),
    ('traveller', innocent.traveller, ['198.51.103.0/24', '192.0.2.0/24', '198.18.0.0/24'], 'user12@example.test'),
    ('twenty connections', innocent.many_connections, ['198.51.104.0/24'], 'user13@example.test'),
    ('phone in a tunnel', innocent.tunnel, ['198.51.107.0/24'], 'user15@example.test'),
    ('retrying server', innocent.retrying_server, ['198.51.105.0/24'], None),
    ('first newsletter of a new account', innocent.first_newsletter, ['198.51.106.0/24'], 'user14@example.test'),
]
ORDER = ['delay', 'tarpit', 'suspected', 'banned', 'contained']
LEAST = {name: least for name, *_, least in HOSTILE}


def scenarios(place, only=()):
    return [(Scenario(place, name, networks, account), act)
            for name, act, networks, account, *_ in HOSTILE + INNOCENT if not only or name in only]


def problems(played):
    """What is not as it should be, in sentences."""
    found = []
    for s in played:
        if s.name in LEAST:
            if not s.answered or ORDER.index(s.answered) < ORDER.index(LEAST[s.name]):
                found.append(f'{s.name}: answered by {s.answered or "nothing"}, and not by {LEAST[s.name]}')
        else:
            found += [f'{s.name}: {hurt}' for hurt in s.hurt]
            found += [f'{s.name}: {step}' for step in s.steps if step in ('banned', 'contained')]
    return found


def table(played):
    lines = ['| scenario | delay | tarpit | banned | account | through | slowed | refused | hurt |',
             '|---|---|---|---|---|---|---|---|---|']
    for s in played:
        account = s.steps.get('contained') or s.steps.get('suspected')
        word = 'contained' if 'contained' in s.steps else 'suspected' if 'suspected' in s.steps else ''
        hurt = 'none' if not s.hurt and s.name not in LEAST else '; '.join(sorted(set(s.hurt)))[:80]
        cells = [s.name, *(seconds(s.steps.get(g)) for g in ('delay', 'tarpit', 'banned')),
                 f'{word} {seconds(account)}'.strip(), str(s.through), str(s.slowed), str(s.refused), hurt]
        lines.append('| ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def seconds(value):
    return '' if value is None else f'{value:.1f} s'
