"""The memory section: Postern with many idle TLS IMAP sessions."""
import resource
import shutil
import time

import measure
from kit import server

USERS, MANY_USERS = 20, 2000
IDLE_SESSIONS, MANY_SESSIONS = 2000, 10000
ROWS = [(USERS, IDLE_SESSIONS), (MANY_USERS, IDLE_SESSIONS), (USERS, MANY_SESSIONS), (MANY_USERS, MANY_SESSIONS)]
QUICK = [(USERS, IDLE_SESSIONS // 4)]
LETTERS_EACH = 100
TRIM_SECONDS = 20     # after which caches and stacks were given back
SPARE_FILES = 1000
COMMAND = 'postern'   # that started the demo and waits: an installed server has none


def edges_for(sessions):
    """As many as the limit of open files makes necessary: an edge has two for a session."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return -(-2 * sessions // (hard - SPARE_FILES))


def run(folder, rows, others):
    """A result for each row. `others`: the password, and where to say what is done."""
    password, tell = others
    found = []
    for users, sessions in rows:
        edges = edges_for(sessions)
        tell(f'  {sessions} idle TLS IMAP sessions over {users} accounts ...')
        shutil.rmtree(folder, ignore_errors=True)
        one = server.Server(folder, users=users, password=password, options=('--edges', str(edges)))
        one.name = 'Postern'
        with measure.metered(one), one:
            if users == USERS:
                measure.deliver(one, LETTERS_EACH * users, connections=10)
                time.sleep(TRIM_SECONDS)
            states = measure.idle_tls_sessions(one, one.users, sessions)
        found.append({'users': users, 'sessions': sessions, 'edges': edges, **row(sessions, *states)})
    return found


def row(sessions, before, after, left):
    edge = sum(after[r][1] - before.get(r, (0, 0))[1] for r in after if r.startswith('edge'))

    def each_account(state):
        count, kib = state.get('account', (0, 0))
        return kib / count if count else None

    def total(state):
        return sum(kib for room, (_, kib) in state.items() if room != COMMAND)
    return {
        'session': edge / sessions, 'idle': each_account(before), 'account': each_account(after), 'total': total(after),
        'each': total(after) / sessions, 'command': after[COMMAND][1], 'left': total(left), 'before': before,
        'after': after, 'rooms_left': left}


def table(rows, tell):
    tell('\nPrivate memory (Private_Clean + Private_Dirty of smaps_rollup), KiB')
    for one in rows:
        idle = f'{one["idle"]:.0f} idle, ' if one['idle'] else ''
        tell(f'  {one["sessions"]} sessions, {one["users"]} accounts: {one["session"]:.1f} a session in the edge; an account '
             f'process {idle}{one["account"]:.0f} with its sessions; {one["total"]} the whole server, {one["each"]:.1f} a '
             f'session; {one["left"]} after they ended')
