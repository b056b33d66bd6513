"""docs/benchmarks.md, written by the bench from what it measured."""
import statistics

# What bounds each row, as perf, strace and counts of context switches told; looked at again when the row changes.
BOUNDS = {
    '4 KiB, 1 recipient, 1 connection':
        'Latency: one flush (the data, then the disk\'s own cache) and eight hand-overs between processes, one after '
        'the other; while the account\'s log is new, a third wait for the growing file.',
    '4 KiB, 1 recipient, 10 connections':
        'CPU, three quarters of it the account\'s. The load goes to 20 accounts, so that nearly every message is a '
        'commit and a flush of its own: a quarter of the account\'s time is fdatasync, a seventh sealing the nine '
        'pages of a commit, a ninth compression, the rest SQLite, copying and waking.',
    '4 KiB, 1 recipient, 50 connections':
        'As with 10; one message in twenty shares another\'s commit, and the edge takes more from each poll.',
    '4 KiB, 10 recipients, 10 connections':
        'Ten commits in ten accounts: all of the account\'s cost is paid for each copy, while dialogue and parsing '
        'are shared.',
    '4 KiB, one message a connection, 10 at once':
        'As with 10 connections; accepting and greeting doubles the edge\'s cost, most of it in the kernel.',
    '4 KiB over STARTTLS, 10 connections':
        'As with 10 connections: ten handshakes, then some 20 microseconds of cipher for each message.',
    '100 KiB, 1 recipient, 10 connections':
        'The account: sealing (a quarter), compressing text and search text (a tenth), and the bytes to the disk: '
        'log, then database.',
    '1 MiB, 1 recipient, 10 connections':
        'The account again: sealing and compression share over half of its time; body files are written and flushed '
        'before their row.',
}


def spread(values, form):
    return f'{form(statistics.median(values))} ({form(min(values))}–{form(max(values))})'


def rate(value):
    return f'{value:,.0f}'


def cpu(value):
    return f'{value:.2f}'


def delivery_rows(found, ours, theirs):
    for row, by_server in found.items():
        a, b = by_server[ours], by_server[theirs]
        middle = {k: statistics.median(r[k] for r in a) / statistics.median(r[k] for r in b) for k in ('visible', 'cpu')}
        yield (f'| {row} | {spread([r["visible"] for r in a], rate)} | {spread([r["visible"] for r in b], rate)} '
               f'| **{middle["visible"]:.1f}** | {spread([r["cpu"] for r in a], cpu)} '
               f'| {spread([r["cpu"] for r in b], cpu)} | **{middle["cpu"]:.3f}** '
               f'| {statistics.median(r["p50"] for r in a):.1f} / {statistics.median(r["p99"] for r in a):.1f} '
               f'| {statistics.median(r["p50"] for r in b):.1f} / {statistics.median(r["p99"] for r in b):.1f} |')


def delivery(found, ours, theirs):
    yield '## Delivery\n'
    yield (f'Messages a second that were visible by IMAP, counted by copies; CPU seconds of all server processes for '
           f'1,000 copies; milliseconds from MAIL to the final 250 (median / 99th of 100). {ours} is A, {theirs} is B. '
           f'Median of the rounds, in brackets the lowest and highest.\n')
    yield '| | A: messages/s | B: messages/s | A to B | A: CPU s | B: CPU s | A to B | A: ms | B: ms |'
    yield '|---|---|---|---|---|---|---|---|---|'
    yield from delivery_rows(found, ours, theirs)
    yield '\nWhat bounds Postern:\n'
    for row in found:
        yield f'- **{row}.** {BOUNDS[row]}'


def memory(found, sessions):
    yield '\n## Memory\n'
    yield ('Private memory (Private_Clean and Private_Dirty of smaps_rollup), KiB. An idle account has no session, '
           'and has given its caches back.\n')
    yield '| | in the edge, a session | idle account process | with its sessions | whole server |'
    yield '|---|---|---|---|---|'
    for row in found:
        idle = f'{row["idle"]:.0f}' if row['idle'] else 'none runs'
        yield (f'| {sessions} idle TLS sessions over {row["users"]} accounts | {row["session"]:.1f} | {idle} '
               f'| {row["account"]:.0f} | {row["total"]:,} |')


def write(path, measured):
    """`measured`: head (lines), delivery, names, memory, sessions."""
    lines = ['# Benchmarks\n',
             'Written by `make bench`, which measures Postern beside Debian\'s Postfix with Dovecot on one machine, in '
             'turns, with the same load generator and the same durability: each acknowledged message is flushed to the '
             'disk. A message counts when IMAP shows it. On a machine that does other work too the ratios count, not '
             'the figures.\n']
    lines += [f'- {line}' for line in measured['head']]
    lines.append('')
    lines += delivery(measured['delivery'], *measured['names'])
    lines += memory(measured['memory'], measured['sessions'])
    path.write_text('\n'.join(lines) + '\n')
