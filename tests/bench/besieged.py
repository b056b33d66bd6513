"""The pressure section: what honest clients see of Postern, and of Postfix with Dovecot, while a crowd attacks them."""
import contextlib

import peer_postfix
from kit import daemon, pressure

ONE, MANY = 10_000, 2_000
SECONDS, SETTLE = 20, 10
USERS, PASSWORD = 3, 'three brown horses'


class Strict(peer_postfix.PostfixDovecot):
    """Clients on loopback are strangers, as they are to Postern here: Postfix's limits count them too."""

    def postfix(self):
        super().postfix()
        main = self.home / 'postfix' / 'main.cf'
        main.write_text(main.read_text().replace('mynetworks = 127.0.0.0/8', 'mynetworks ='))


@contextlib.contextmanager
def postern(folder):
    folder.mkdir(parents=True)
    folder.chmod(0o711)
    certificate = folder.with_name('pressure-certificate')
    certificate.mkdir(exist_ok=True)
    with daemon.inhabited(folder, daemon.certify(certificate), PASSWORD) as one:
        yield pressure.Target(one.ports, daemon.ACCOUNT, PASSWORD, one.rooms)


@contextlib.contextmanager
def postfix(folder):
    with Strict(folder, USERS, PASSWORD) as one:
        yield pressure.Target(one.ports, one.users[0], one.password, one.processes)


SERVERS = {'Postern': postern, 'Postfix + Dovecot': postfix}


def run(place, options, tell):
    """name of server -> a row for each kind of attack."""
    found = {}
    one, many = int(ONE * options.share), int(MANY * options.share)
    for name, make in SERVERS.items():
        if name != 'Postern' and not options.peers:
            continue
        for kind in pressure.KINDS:
            tell(f'  {name}: {one} connections from one network and {many} from {many // 4} others {kind} ...')
            with make(place(f'pressure-{name.split()[0].lower()}')) as target:
                row = pressure.attacked(target, kind, one, many, SECONDS * options.share, SETTLE * options.share)
            found.setdefault(name, []).append(row)
    return found


def cells(name, row):
    def ms(seconds):
        return f'{1000 * seconds:,.0f}'

    act = [f'{ms(row[what]["median"])} / {ms(row[what]["most"])}, {row[what]["failed"]} of {row[what]["times"]} failed'
           for what in ('deliver', 'login')]
    siege = row['siege']
    return [row['kind'], name, *act, f'{row["mib"]:,.0f}', f'{row["files"]:,}', f'{siege.get("served", 0):,}']


HEAD = ['attack', 'server', 'a delivery, ms: median / longest', 'a login, ms: median / longest', 'memory, MiB',
        'descriptors of one process', 'attackers greeted']


def rows(found):
    return [cells(name, row) for kind in pressure.KINDS for name, mine in found.items() for row in mine if row['kind'] == kind]


def table(found, tell):
    tell('\n' + ' | '.join(HEAD))
    for row in rows(found):
        tell('  ' + ' | '.join(row))


PAGE = '''# Under pressure

12,000 connections from this machine's own network 127.0.0.0/8: 10,000 from one /24 and 2,000 from 500 others, half of them
to the SMTP port and half to IMAP over TLS. **stall**: half a command and nothing more. **trickle**: an endless command, an
octet every half second. **storm**: connect, read the greeting, leave, come again. Whoever is sent away comes again a second
later. Meanwhile an honest client from elsewhere delivers letters and logs in, a new connection each time; memory is the
private memory of all processes together, at its most.

{table}

{machine}. {measured}. A delivery or a login has ten seconds. The attackers' process has a lower priority than the servers, as it would have a machine of its own.
Postern has its defaults ([limits.md](limits.md)); Postfix has Debian's defaults (50 connections from one address; no client
is in `mynetworks`, so its limits count), Dovecot the configuration of [benchmarks.md](benchmarks.md), with many more
processes and clients than Debian's. "Attackers greeted" counts those at the SMTP port.

What makes the difference: Postern counts by network as well as by address, refuses before it makes anything for a client, and
holds a connection for about 10 KiB (35 with TLS) where Postfix has a process for each, of which there are 100: when
strangers have them all, nobody else is greeted until one of them leaves.

The same attack is a test: `tests/attacks/test_pressure.py`, with 2,900 connections in `make check` and with all 12,000 in
`make soak`. Again: `tests/bench/bench --only pressure`.
'''


def page(folder, found, machine, measured):
    lines = ['| ' + ' | '.join(HEAD) + ' |', '|' + '---|' * len(HEAD)]
    lines += ['| ' + ' | '.join(row) + ' |' for row in rows(found)]
    (folder / 'pressure.md').write_text(PAGE.format(table='\n'.join(lines), machine=machine, measured=measured))
