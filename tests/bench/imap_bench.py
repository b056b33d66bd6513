"""The IMAP and POP3 section: fills the mailboxes, then runs the rows in turns."""
import contextlib
import statistics

import imap_client
import imap_mail
import imap_rows
import measure

ACCOUNTS = 60      # of each kind: all log in, the first has the large INBOX


class Sides:
    """Postern and each mailbox format of Dovecot, filled alike."""

    def __init__(self, postern, dovecot, share):
        self.postern, self.dovecot = postern, dovecot
        self.all = []
        if postern:
            self.all.append(imap_rows.Side('Postern', postern, postern.users, 'EHLO', 'postern', share))
        if dovecot:
            for kind in dict.fromkeys(dovecot.formats.values()):
                users = [user for user, has in dovecot.formats.items() if has == kind]
                self.all.append(imap_rows.Side(f'Dovecot {kind}', dovecot, users, dovecot.hello, kind, share))

    def fill(self, messages, tell):
        with self.unflushed():
            for side in self.all:
                tell(f'  {side.name}: filling an INBOX with {messages:,} messages ...')
                # Dovecot rewrites its lists after each APPEND, and takes several messages in one; Postern does neither.
                connections, together = (10, 1) if side.kind == 'postern' else (1, 500)
                sessions = [side.login() for _ in range(connections)]
                imap_client.fill(sessions, 'INBOX', map(imap_mail.message, range(messages)), together)
                for session in sessions:
                    session.close()
                imap_rows.many_logins(side, range(1, len(side.users)), select=True)

    @contextlib.contextmanager
    def unflushed(self):
        """Dovecot without its flushes meanwhile: filling is not measured."""
        for value in ('never', 'optimized'):
            if self.dovecot:
                self.dovecot.stop()
                self.dovecot.fsync = value
                self.dovecot.write_configuration()
                self.dovecot.resume()
            if value == 'never':
                yield

    def restart(self):
        """Both anew, and Dovecot without its caches: so begin the cold rows."""
        if self.dovecot:
            self.dovecot.stop()
            self.dovecot.forget_caches()
            self.dovecot.resume()
        if self.postern:
            self.postern.stop()
            self.postern.start()
        for one in filter(None, (self.postern, self.dovecot)):
            measure.restarted(one)


def run(sides, options, tell):
    """name of row -> name of side -> list of {'each': seconds an operation, 'cpu': CPU seconds of it}"""
    found = {}
    sides.fill(options.messages, tell)
    for turn in range(options.rounds):
        sides.restart()
        for row in imap_rows.ROWS:
            tell(f'  round {turn + 1} of {options.rounds}: {row.name} ...')
            for side in sides.all:
                if side.kind == 'postern' or side.kind in row.kinds:
                    row.run(side)
                    found.setdefault(row.name, {}).setdefault(side.name, []).append(side.result)
    return found


def middle(by_side, name, key='each'):
    return statistics.median(r[key] for r in by_side[name])


def best(by_side):
    """The name of Dovecot's fastest format."""
    formats = [name for name in by_side if name != 'Postern']
    return min(formats, key=lambda name: middle(by_side, name)) if formats else None


def ratios(by_side):
    """How many times as fast as Dovecot's best format Postern is, and its CPU seconds over those of that format."""
    other = best(by_side)
    if not other or 'Postern' not in by_side:
        return None
    ours, theirs = (middle(by_side, name, 'cpu') for name in ('Postern', other))
    return middle(by_side, other) / middle(by_side, 'Postern'), ours / theirs if ours and theirs else None


def shown(row, value):
    """Seconds of an operation in the row's unit."""
    if row.unit == '/s':
        return f'{1 / value:,.0f}'
    return f'{value * 1000:,.0f}' if value >= 0.1 else f'{value * 1000:.1f}' if value >= 0.001 else f'{value * 1000:.2f}'


def table(found, tell):
    tell('\nIMAP and POP3: milliseconds of an operation, or operations a second (/s); CPU ms of the whole server')
    for row in imap_rows.ROWS:
        by_side = found[row.name]
        tell(f'  {row.name} [{row.unit}]')
        for name in by_side:
            cpu = middle(by_side, name, 'cpu') * 1000
            tell(f'    {name:20}{shown(row, middle(by_side, name)):>12}{cpu:>12.2f} CPU ms')
        both = ratios(by_side)
        if both:
            cpu = f', CPU {both[1]:.2f}x' if both[1] is not None else ''
            tell(f'    {"ratio":20}{both[0]:>11.2f}x to {best(by_side)}{cpu}')
