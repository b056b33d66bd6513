"""The memory section: Postern with many idle TLS IMAP sessions."""
import shutil
import time

import measure
from kit import server

IDLE_SESSIONS = 2000
USERS = 20
TRIM_SECONDS = 20     # after which caches and stacks were given back


def run(folder, counts_of_users, sessions, others):
    """A row for each number of accounts. `others`: the password, and where to say what is done."""
    password, tell = others
    rows = []
    for users in counts_of_users:
        tell(f'  {sessions} idle TLS IMAP sessions over {users} accounts ...')
        shutil.rmtree(folder, ignore_errors=True)
        one = server.Server(folder, users=users, password=password)
        one.name = 'Postern'
        with measure.metered(one), one:
            if users == USERS:
                measure.deliver(one, 100 * users, connections=10)
            if sessions == IDLE_SESSIONS:
                time.sleep(TRIM_SECONDS)
            before, after = measure.idle_tls_sessions(one, one.users, sessions)
        rows.append({'users': users, 'sessions': sessions, **row(sessions, before, after)})
    return rows


def row(sessions, before, after):
    edge = sum(after[r][1] - before.get(r, (0, 0))[1] for r in after if r.startswith('edge'))

    def each_account(state):
        count, kib = state.get('account', (0, 0))
        return kib / count if count else None
    return {'session': edge / sessions, 'idle': each_account(before), 'account': each_account(after),
            'total': sum(kib for _, kib in after.values()), 'before': before, 'after': after}


def table(rows, tell):
    tell('\nPrivate memory (Private_Clean + Private_Dirty of smaps_rollup), KiB')
    for one in rows:
        idle = f'{one["idle"]:.0f} idle, ' if one['idle'] else ''
        tell(f'  {one["sessions"]} sessions, {one["users"]} accounts: {one["session"]:.1f} a session in the edge; an account '
             f'process {idle}{one["account"]:.0f} with its sessions; {one["total"]} the whole server')
