"""The delivery section: what is sent, in turns to each server, and the table on the terminal."""
import statistics

import measure

# name, what the load generator is told, messages for Postern, messages for a peer
ROWS = [
    ('4 KiB, 1 recipient, 1 connection', {'connections': 1}, 3000, 600),
    ('4 KiB, 1 recipient, 10 connections', {'connections': 10}, 12000, 800),
    ('4 KiB, 1 recipient, 50 connections', {'connections': 50}, 12000, 800),
    ('4 KiB, 10 recipients, 10 connections', {'connections': 10, 'recipients': 10}, 2000, 160),
    ('4 KiB, one message a connection, 10 at once', {'connections': 10, 'per_connection': 1}, 6000, 600),
    ('4 KiB over STARTTLS, 10 connections', {'connections': 10, 'starttls': True}, 12000, 800),
    ('100 KiB, 1 recipient, 10 connections', {'connections': 10, 'size': 100 << 10}, 2000, 400),
    ('1 MiB, 1 recipient, 10 connections', {'connections': 10, 'size': 1 << 20}, 300, 160),
]


def run(servers, folder, options, tell):
    """name of row -> name of server -> list of results, in turns. `options`: rounds, share. Postern's results also
    have what the raw disk did just then: flushed writes of a message's size, as many at once as connections."""
    found = {}
    for turn in range(options.rounds):
        for name, told, ours, theirs in ROWS[1::3] if options.quick else ROWS:
            for one in servers:
                if told.get('starttls') and not getattr(one, 'tls', True):
                    continue
                messages = ours if one.name == 'Postern' else theirs * one.share
                messages = max(int(messages * options.share), told['connections'])
                tell(f'  round {turn + 1} of {options.rounds}: {one.name}: {name} ({messages} messages) ...')
                result = attempt(one, messages, told, tell)
                if result and one.name == 'Postern':
                    result['disk'] = measure.raw_disk_at_once(folder, told.get('size', measure.SIZE), told['connections'])
                if result:
                    found.setdefault(name, {}).setdefault(one.name, []).append(result)
    return found


def attempt(server, messages, told, tell):
    """A peer that gets stuck under the load has no figure; that Postern does is an error."""
    try:
        return measure.deliver(server, messages, **told)
    except (RuntimeError, TimeoutError) as why:
        if server.name == 'Postern':
            raise
        tell(f'    none: {why}')
    return None


def middle(results, key):
    return statistics.median(r[key] for r in results)


def spread(results, key, form):
    values = [r[key] for r in results]
    return f'{form(statistics.median(values))} ({form(min(values))}–{form(max(values))})'


def table(found, tell):
    tell('\nMessages visible by IMAP a second; CPU seconds of the whole server for 1,000 of them;')
    tell('milliseconds from MAIL to the answer (median, 99th of 100); Postern\'s rate and CPU over the peer\'s')
    for row, by_server in found.items():
        tell(f'  {row}')
        ours = by_server.get('Postern')
        for name, results in by_server.items():
            rate, cpu = spread(results, 'visible', '{:,.0f}'.format), spread(results, 'cpu', '{:.2f}'.format)
            line = f'    {name:20}{rate:>26}{cpu:>26}{middle(results, "p50"):9.1f}{middle(results, "p99"):9.1f}'
            if results is ours:
                line += f'{middle(ours, "visible") / middle(ours, "disk"):9.0%} of the raw disk'
            if ours and results is not ours:
                line += ''.join(f'{middle(ours, key) / middle(results, key):9.3g}x' for key in ('visible', 'cpu'))
            tell(line)
