"""docs/benchmarks.md and its charts, written by the bench from what it measured."""
import bounds
import chart
import delivery
import imap_bench
import imap_rows
import measure
import sending

OURS = 'Postern'
IMAP_LARGE = 'IMAP and POP3 with a large mailbox'


def rate(value):
    return f'{value:,.0f}'


def cpu(value):
    return f'{value:.2f}'


def table(head, rows):
    yield f'| {" | ".join(head)} |'
    yield '|' + '---|' * len(head)
    for row in rows:
        yield f'| {" | ".join(row)} |'
    yield ''


def times(ratio):
    return f'**{ratio:,.1f}**' if ratio >= 0.95 else f'**{ratio:.2f}**'


# Delivery.

def compared(found, servers, key, form):
    """Rows of one figure: Postern's, then each peer's with Postern's over it."""
    for name, by_server in found.items():
        ours = delivery.middle(by_server[OURS], key)
        cells = [delivery.spread(by_server[OURS], key, form)]
        for one in servers[1:]:
            theirs = by_server.get(one)
            if not theirs:
                cells += ['none', '']
                continue
            ratio = ours / delivery.middle(theirs, key)
            cells += [delivery.spread(theirs, key, form), f'**{ratio:.1f}**' if key == 'visible' else f'**{ratio:.3f}**']
        yield [name, *cells]


def latencies(found, servers):
    for name, by_server in found.items():
        yield [name, *(' / '.join(f'{delivery.middle(by_server[one], key):,.1f}' for key in ('p50', 'p99'))
                       if one in by_server else 'none' for one in servers)]


def beside_disk(found):
    """What Postern reaches of the raw disk, where that was measured with it."""
    for name, by_server in found.items():
        ours = [r for r in by_server[OURS] if 'disk' in r]
        if ours:
            reached = delivery.middle(ours, 'visible') / delivery.middle(ours, 'disk')
            yield [name, rate(delivery.middle(ours, 'visible')), rate(delivery.middle(ours, 'disk')), f'**{reached:.0%}**']


def delivery_section(section):
    found, servers = section['rows'], section['servers']
    wide = ['', OURS]
    for one in servers[1:]:
        wide += [one, 'ratio']
    yield '## Delivery\n'
    yield (f'{section["measured"]}. Messages a second that were visible by IMAP, counted by copies, and how many times as many Postern took. '
           'Median of the rounds, in brackets the lowest and highest. What is behind an SMTP server is Dovecot\'s LMTP '
           'with Maildir. OpenSMTPD does not flush before its 250 (see below), and its TLS fails here. None: the peer did '
           'not take all of the messages.\n')
    yield '![Messages a second, Postern over each peer](images/bench-delivery.svg)\n'
    yield from table(wide, compared(found, servers, 'visible', rate))
    yield 'CPU seconds of all server processes for 1,000 copies, and the part of them that Postern needs:\n'
    yield from table(wide, compared(found, servers, 'cpu', cpu))
    yield 'Milliseconds from MAIL to the final 250 (median / 99th of 100):\n'
    yield from table(['', *servers], latencies(found, servers))
    disk = list(beside_disk(found))
    if disk:
        yield ('Beside the disk: messages a second, and how many writes of a message\'s size the raw disk flushed a second just '
               'after, asked by as many writers at once as there were connections, each writing over a file of its own:\n')
        yield from table(['', OURS, 'disk', 'reached'], disk)
    yield 'What bounds Postern:\n'
    for row in found:
        yield f'- **{row}.** {bounds.DELIVERY[row]}'
    yield ''


def costs(found):
    """What a message costs the disk."""
    yield '## Flushes and octets\n'
    yield ('For one message of 4 KiB to one recipient: calls of fsync and its like and writes that are flushed at once, and KiB written, by all processes of '
           'the server (Exim\'s lack what its delivering processes wrote, which nobody waits for). The last columns: '
           'flushes a second, and what the disk did in the same minute when 4 KiB were written and flushed one by one; '
           'flushes asked for at the same time share the disk\'s work, so more than that is possible.\n')
    rows = ([f'{server}, {name}', f'{r["flushes"]:.2f}', f'{r["kib"]:.1f}', rate(r["flushes"] * r["rate"]), rate(r["disk"])]
            for server, by_name in found.items() for name, r in by_name.items())
    yield from table(['', 'flushes', 'KiB', 'flushes a second', 'disk'], rows)
    yield ('OpenSMTPD and Dovecot: all of the flushes are Dovecot\'s. OpenSMTPD says 250 before anything is flushed, so a '
           'message it has accepted can be lost when the power fails.\n')


def delivery_bars(section):
    for name, by_server in section['rows'].items():
        for one in [s for s in section['servers'][1:] if s in by_server]:
            label = name if len(section['servers']) == 2 else f'{name}: {one.split()[0]}'
            yield label, delivery.middle(by_server[OURS], 'visible') / delivery.middle(by_server[one], 'visible')


# IMAP and POP3.

def sending_section(section):
    yield '## Sending\n'
    yield (f'{section["measured"]}. Messages of 4 KiB submitted over 10 connections to one account, sent on to Postfix\'s '
           'smtp-sink on the same machine, until that has all of them. Both sides keep a message durably before their 250. '
           'In the row "neither" no one signs: Postfix alone. Postern\'s ten logins stay, as it takes nothing for other '
           f'servers without one. In the row "{sending.SIGNED}" both sides check a login with Argon2id, let the login write in '
           'its own names alone, and sign header and body with RSA-2048: Postfix has Dovecot check the login and OpenDKIM '
           'sign; that knows RSA only, so Postern makes one more signature, by Ed25519. Postern seals each message for its '
           'queue in both.\n')
    rows = []
    for row, name, results, ratio in sending.ratios(section['rows']):
        cells = [form(sending.middle(results, key)) for key, form in
                 (('sent', rate), ('cpu', cpu), ('memory', rate))]
        rows.append([f'{row}: {name}', *cells, *(times(r) for r in ratio or ())] + ([] if ratio else ['', '']))
    yield from table(['', 'messages a second', 'CPU s for 1,000', 'private KiB', 'ratio', 'of its CPU'], rows)
    yield f'What bounds Postern: {bounds.SENDING}\n'


def imap_row(row, by_side, sides, marks):
    ratio = imap_bench.ratios(by_side)
    name = f'{row.name} ({"a second" if row.unit == "/s" else "ms"})'
    if row.mark:
        name += f' [{marks.index(row.mark) + 1}]'
    best = imap_bench.best(by_side)
    cells = []
    for side in sides:
        value = imap_bench.shown(row, imap_bench.middle(by_side, side)) if side in by_side else ''
        cells.append(f'*{value}*' if side == best and len(by_side) > 2 else value)
    if not ratio: # the formats asked for have no such row
        return [name, *cells, '', '']
    return [name, *cells, times(ratio[0]), '' if ratio[1] is None else f'{ratio[1]:.2f}']


def imap_section(section):
    yield '## IMAP and POP3\n'
    yield (f'{section["measured"]}. An INBOX of {section["messages"]:,} messages of 4 KiB, a quarter of them of several parts. "All" is all of '
           'them. Milliseconds of an operation, or operations a second. The ratio is to Dovecot\'s best format (in '
           'italics): how many times as fast Postern is; the last column is Postern\'s CPU time over that format\'s, of all '
           'processes (counted in steps of 10 ms, so empty where too little came together). Cold: the first time after '
           'both servers were started, Dovecot\'s caches removed (what it makes itself from the messages), the system\'s '
           'file cache not. One client in Python drives both; it reads whole answers without looking into them.\n')
    yield '![Speed in the IMAP and POP3 rows, Postern over Dovecot\'s best format](images/bench-imap.svg)\n'
    yield from imap_table(section)
    yield '\nWhat bounds Postern:\n'
    for row in imap_measured(section):
        yield f'- **{row.name}.** {bounds.IMAP[row.name]}'
    yield ''


def imap_large_section(section):
    """The same rows over a larger INBOX."""
    yield f'## {IMAP_LARGE}\n'
    yield (f'{section["measured"]}. As above, with an INBOX of {section["messages"]:,} messages. Rows that concern a thousand '
           'messages, or one, are the same in it.\n')
    yield from imap_table(section)
    yield f'\nWhat bounds Postern here: {bounds.IMAP_LARGE}\n'


def imap_measured(section):
    return [row for row in imap_rows.ROWS if row.name in section['rows']]


def imap_table(section):
    found, rows = section['rows'], imap_measured(section)
    sides = list(dict.fromkeys(side for by_side in found.values() for side in by_side))
    marks = list(dict.fromkeys(row.mark for row in rows if row.mark))
    yield from table(['', *sides, 'ratio', 'CPU'], (imap_row(row, found[row.name], sides, marks) for row in rows))
    for number, mark in enumerate(marks, 1):
        yield f'[{number}] {mark}.  '


def imap_bars(section):
    return [(name, imap_bench.ratios(by_side)[0]) for name, by_side in section['rows'].items()]


def stalls_section(section):
    found, one = section['rows'], section['one']
    count = next(iter(found.values()))['stalled']
    yield '## Deliveries while others stall\n'
    yield (f'{section["measured"]}. 10 connections send messages of 4 KiB to 20 accounts, alone, and while {count:,} others from 40 '
           'loopback addresses say nothing more: half of them after EHLO, half in the middle of a message. Counted is what '
           f'was accepted within {measure.LOAD_SECONDS} s, and the milliseconds from MAIL to 250 (median / 99th of 100) of what '
           'was. The last column: how many of the silent ones were served up to where they fell silent.\n')
    rows = []
    for name, mine in found.items():
        cells = [f'{measure.middle(mine[state], "rate"):,.0f}' for state in ('alone', 'beside')]
        cells += [' / '.join(f'{measure.middle(mine[state], key):,.1f}' for key in ('p50', 'p99'))
                  if measure.middle(mine[state], 'messages') else 'none' for state in ('alone', 'beside')]
        rows.append([name, *cells, f'{min(mine["reached"]):,}'])
    yield from table(['', 'a second, alone', 'beside them', 'ms, alone', 'beside them', 'served'], rows)
    yield bounds.STALLS + '\n'
    yield (f'When all of them come from one address, {one["let_in"]} are let in (`connections-per-address`); the others read '
           f'`{one["refusal"]}`, and somebody else `{one["other"].split(" ")[0]}`.\n')


def memory_section(section):
    yield '## Memory\n'
    yield (f'{section["measured"]}. Private memory (Private_Clean and Private_Dirty of smaps_rollup), KiB; of the whole server: all of '
           f'its processes, without the demo\'s command that started it ({section["rows"][0]["command"]:,} KiB), which an '
           'installed server has not. An idle account has no session, and has given its caches back. '
           'The last column: ten seconds after all sessions ended at once.\n')
    rows = ([f'{row["sessions"]:,} idle TLS sessions over {row["users"]:,} accounts', f'{row["session"]:.1f}',
             f'{row["idle"]:.0f}' if row['idle'] else 'none runs', f'{row["account"]:.0f}', f'{row["total"]:,}',
             f'**{row["each"]:.1f}**', f'{row["left"]:,}'] for row in section['rows'])
    yield from table(['', 'in the edge, a session', 'idle account process', 'with its sessions', 'whole server', 'a session',
                      'afterwards'], rows)


HEADINGS = ('Delivery', 'Flushes and octets', 'Deliveries while others stall', 'Sending', 'IMAP and POP3', IMAP_LARGE,
            'Memory')


def fresh(measured):
    """The sections that were measured now."""
    if 'delivery' in measured:
        yield from delivery_section(measured['delivery'])
        if measured['delivery'].get('flushes'):
            yield from costs(measured['delivery']['flushes'])
    for name, section in (('stalls', stalls_section), ('sending', sending_section), ('imap', imap_section),
                          ('imap_large', imap_large_section), ('memory', memory_section)):
        if name in measured:
            yield from section(measured[name])


def by_heading(text):
    return {block.split('\n', 1)[0]: block.rstrip() for block in text.split('\n## ')[1:]}


def write(folder, measured):
    """`measured`: head (lines) and what was measured now; the other sections of the page stay as they are."""
    lines = ['# Benchmarks\n',
             'Written by `make bench`, which measures Postern beside Debian\'s mail servers on one machine, in turns, with '
             'the same load generators and the same durability: each acknowledged message is flushed to the disk (who '
             'does otherwise is marked). A message counts when IMAP shows it. On a machine that does other work too the '
             'ratios count, not the figures.\n']
    lines += [f'- {line}' for line in measured['head']]
    page = folder / 'benchmarks.md'
    blocks = by_heading(page.read_text()) if page.exists() else {}
    blocks.update(by_heading('\n' + '\n'.join(fresh(measured))))
    lines += [f'\n## {blocks[heading]}' for heading in HEADINGS if heading in blocks]
    page.write_text('\n'.join(lines) + '\n')
    if 'delivery' in measured:
        (folder / 'images' / 'bench-delivery.svg').write_text(
            chart.draw('Messages a second: Postern over the peer', list(delivery_bars(measured['delivery']))))
    if 'imap' in measured:
        (folder / 'images' / 'bench-imap.svg').write_text(
            chart.draw('IMAP and POP3: Postern\'s speed over that of Dovecot\'s best format', imap_bars(measured['imap'])))
