"""What IMAP clients do, one step each. All choices come from the step's own generator."""
from kit import load
from stress import responses
from stress.view import FLAGS

SIZES = (200, 200, 400, 1500, 1500, 6000, 80000)
NAMES = ('a', 'b', 'c')


# Choosing.

def some_uids(s, rng, most=5):
    """A few of the messages, mostly neighbours, seldom all."""
    known = s.view.known()
    at, count, kind = rng.random(), rng.randint(1, most), rng.random()
    if not known:
        return []
    if kind < 0.05:
        return known
    if kind < 0.6:
        first = int(at * len(known))
        return known[first:first + count]
    return sorted({known[int(rng.random() * len(known))] for _ in range(count)})


def named(s, rng, uids):
    """('UID ' or '', the set) that means these messages."""
    if s.uid_only or rng.random() < 0.5:
        return 'UID ', responses.as_set(uids)
    return '', responses.as_set(s.view.number(u) for u in uids)


def names_of(s, uids):
    return {u: s.view.messages[u].name for u in uids}


# Changing flags.

def store(s, rng):
    uids = some_uids(s, rng)
    if uids:
        change_flags(s, rng, uids, *named(s, rng, uids))


def change_flags(s, rng, uids, prefix, text):
    how = rng.choice('++--=').replace('=', '')
    flags = set(rng.sample(FLAGS, rng.choice([1, 1, 2, 3])))
    silent = '.SILENT' if rng.random() < 0.35 else ''
    since, condition = None, ''
    conditional, strict = rng.random() < 0.5, rng.random() < 0.7
    before = {u: (s.view.messages[u].flags, s.view.messages[u].modseq) for u in uids}
    if s.tells_modseq and conditional and None not in [m for _, m in before.values()]:
        since = (min if strict else max)(m for _, m in before.values())
        condition = f'(UNCHANGEDSINCE {since}) '
    on = flags if how != '-' else set()
    off = flags if how == '-' else set(FLAGS) - flags if not how else set()
    s.at_stake = lambda span: s.history.changed(s.view.id, uids, span, on, off)
    said = s.do(f'{prefix}STORE {text} {condition}{how}FLAGS{silent} ({" ".join(sorted(flags))})')
    gone = not said.ok    # RFC 2180 4.2: some are, the others are changed
    if gone and not s.view.writes:
        return
    refused = refused_uids(s, said, prefix)
    if refused:
        check_refused(s, since, refused)
    done = [u for u in uids if u not in refused]
    for uid in done:
        note_change(s, said, uid, before[uid], (on, off, since))
    if not silent or s.tells_modseq:
        s.expect_answers(done)
        assert not gone or s.owed or s.gone, said.text
    for uid in done:
        if silent and uid not in s.flags_told and uid in s.view.messages:
            message = s.view.messages[uid]
            message.flags = (message.flags - off) | on


def note_change(s, said, uid, before, change):
    """A conditional change of a message that was still as the client knew it changed nothing but what differs."""
    flags, modseq = before
    on, off, since = change
    if since is not None and modseq > since:
        s.owed.add(uid)    # neither refused nor changed: it can only be gone
        return
    if since is not None and modseq == since:
        on, off = on - flags, off & flags
    s.history.changed(s.view.id, [uid], said.span, on, off)


def refused_uids(s, said, prefix):
    found = said.one(responses.MODIFIED)
    if not found:
        return set()
    numbers = responses.numbers(found[1])
    return set(numbers) if prefix else {s.view.uids[n - 1] for n in numbers}


def check_refused(s, since, refused):
    assert since is not None, 'MODIFIED without UNCHANGEDSINCE'
    s.history.counts['refused'] += len(refused)
    for uid in refused:
        message = s.view.messages.get(uid)
        assert not message or message.modseq > since or uid in s.owed, \
            f'message {uid} was refused as changed since {since}, but it is of {message.modseq}'


# Copies, moves, removals.

def copy(s, rng):
    transfer(s, rng, 'COPY')


def move(s, rng):
    transfer(s, rng, 'MOVE')


def transfer(s, rng, verb):
    uids, to = some_uids(s, rng, 3)[:20], s.crowd.some_mailbox(rng)
    if not uids:
        return
    prefix, text = named(s, rng, uids)
    names, view = names_of(s, uids), s.view
    sources = {(view.id, u): n for u, n in names.items()} if verb == 'MOVE' else {}
    s.at_stake = lambda span: s.history.doubt(span[0], list(names.values()), sources)
    said = s.do(f'{prefix}{verb} {text} "{to}"')
    if not said.ok:    # then nothing was copied
        gone = b'EXPUNGEISSUED' in said.text and set(uids) & set(s.gone)
        assert gone or s.crowd.is_passing(to) or not view.writes, said.text
        return
    found = said.one(responses.COPYUID)
    sources, targets = (responses.numbers(found[2]), responses.numbers(found[3])) if found else ([], [])
    assert len(sources) == len(targets) and set(sources) <= set(uids), f'{found and found[0]} for {uids}'
    assert targets == sorted(set(targets)), f'COPYUID gives UIDs that do not ascend: {targets}'
    if found:
        s.history.born(int(found[1]), targets, said.span, [(names[u], ((view.id, u), *said.span)) for u in sources])
    s.owed |= {u for u in uids if u not in sources and u in view.messages}
    if verb == 'MOVE':
        s.history.moved(view.id, sources, said.span, s.name)
        left = set(sources) & set(view.uids)
        assert not left, f'{sorted(left)} were moved and not expunged'
        take_highest(s, said)


def expunge(s, rng):
    which = some_uids(s, rng, 8) if s.uid_only or rng.random() < 0.4 else None
    if which == []:
        return
    view, uids = s.view, which and frozenset(which)
    s.at_stake = lambda span: s.history.expunges.append((view.id, uids, *span))
    said = s.do(f'UID EXPUNGE {responses.as_set(which)}' if which else 'EXPUNGE')
    if not said.ok:
        assert not view.writes, said.text
        return
    s.history.note('expunges', s.history.expunges, (view.id, uids, *said.span))
    take_highest(s, said)


def take_highest(s, said):
    """RFC 7162 3.2.7: with the tagged OK everything up to there was told."""
    modseq = responses.code(said.text, b'HIGHESTMODSEQ')
    assert modseq or not s.has('QRESYNC'), 'no HIGHESTMODSEQ'
    if modseq:
        s.view.see(modseq)
        s.note_highest(s.view.id, said.span, modseq)


def leave(s, rng):
    verb, view = rng.choice(['CLOSE', 'UNSELECT']), s.view
    if verb == 'CLOSE' and view.writes:
        s.at_stake = lambda span: s.history.expunges.append((view.id, None, *span))
    said = s.do(verb)
    assert said.ok, said.text
    if verb == 'CLOSE' and view.writes:
        s.history.note('expunges', s.history.expunges, (view.id, None, *said.span))
    s.view = None
    enter(s, rng)


def enter(s, rng):
    name = s.crowd.some_mailbox(rng)
    s.select(name, 'EXAMINE' if rng.random() < s.examines else 'SELECT')


def append(s, rng):
    append_to(s, rng, s.crowd.some_mailbox(rng), [rng.choice(SIZES) for _ in range(rng.choice([1, 1, 1, 2, 3]))])


def append_to(s, rng, to, sizes):
    """One message or several, with flags."""
    count = len(sizes)
    flags = [frozenset(rng.sample(FLAGS, rng.choice([0, 0, 1, 2]))) for _ in range(count)]
    names = [f'{s.name}-{rng.getrandbits(48):x}-{i}'.encode() for i in range(count)]
    octets = [load.message(n, size) for n, size in zip(names, sizes)]
    for name, one in zip(names, octets):
        s.history.writes(name, one.split(b'\r\n\r\n', 1)[1])
    s.at_stake = lambda span: s.history.doubt(span[0], list(names), {}, True)
    said = s.do(f'APPEND "{to}"' + ''.join(f' ({" ".join(sorted(f))}) {{}}' for f in flags), *octets)
    if not said.ok:
        assert s.crowd.is_passing(to) and b'TRYCREATE' in said.text, said.text
        return
    found = said.one(responses.APPENDUID)
    uids = responses.numbers(found[2])
    assert len(uids) == count and uids == sorted(set(uids)), said.text
    s.history.born(int(found[1]), uids, said.span, list(zip(names, flags)))


# Mailboxes: each client makes, renames and deletes its own; all others use them.

def mailboxes(s, rng):
    name, other = (f's-{s.name}-{n}' for n in rng.sample(NAMES, 2))
    what = rng.choice(['CREATE', 'CREATE', 'RENAME', 'DELETE'])
    s.at_stake = lambda span: setattr(s, 'unsure', True)
    said = s.do(f'RENAME "{name}" "{other}"' if what == 'RENAME' else f'{what} "{name}"')
    may = name not in s.own if what == 'CREATE' else name in s.own
    may = may and not (what == 'RENAME' and other in s.own)
    if s.crowd.kills and said.ok != may:    # an earlier one, its answer lost, was done after this client looked
        look_again(s)
        return
    assert said.ok == may, f'{what} {name} {other} with {s.own}: {said.text}'
    if not may:
        return
    if what == 'CREATE':
        s.own[name] = responses.code(said.text, b'MAILBOXID')
        status_of(s, name)
        return
    mailboxid = s.own.pop(name)
    if what == 'RENAME':
        s.own[other] = mailboxid
        status_of(s, other)
    elif s.view and s.view.id == mailboxid:
        s.view = None


def rename_inbox(s, rng):
    """RFC 9051 6.3.6: all its messages go to a new mailbox, INBOX stays. Not where the answer could be lost."""
    name = f's-{s.name}-{rng.choice(NAMES)}'
    if name in s.own or s.crowd.kills or s.crowd.is_passing(s.view.mailbox):
        return
    said = s.do(f'RENAME INBOX "{name}"')
    assert said.ok, said.text
    s.own[name] = id_of(s, name)
    s.history.note('RENAMEs of INBOX', s.history.emptied, (s.own[name], *said.span))


def id_of(s, name):
    found = s.do(f'STATUS "{name}" (MAILBOXID UIDVALIDITY)')
    one = responses.items(found.untagged[0], 2)
    mailboxid = one[b'MAILBOXID'][0].decode()
    s.history.is_called(int(one[b'UIDVALIDITY']), mailboxid)
    return mailboxid


def look_again(s):
    """Which of its own mailboxes are there, when an answer was lost."""
    s.own = {name: id_of(s, name) for name in listed(s)}
    s.unsure = False


def listed(s):
    said = s.do(f'LIST "" "s-{s.name}-*"')
    assert said.ok, said.text
    return {responses.values(u, 2)[-1].decode() for u in said.untagged if u[0].startswith(b'* LIST')}


def names(s, rng):
    """LIST gives what this client has made, and the mailboxes that are always there."""
    found = listed(s)
    if s.crowd.kills and found != set(s.own):
        look_again(s)
        return
    assert found == set(s.own), f'LIST has {sorted(found)}, there are {sorted(s.own)}'


def status(s, rng):
    status_of(s, s.crowd.some_mailbox(rng))


def status_of(s, name):
    more = ' HIGHESTMODSEQ' if s.tells_modseq else ''
    said = s.do(f'STATUS "{name}" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE MAILBOXID{more})')
    if not said.ok:
        assert s.crowd.is_passing(name) and name not in s.own, said.text
        return
    one = responses.items(next(u for u in said.untagged if u[0].startswith(b'* STATUS')), 2)
    mailboxid = one[b'MAILBOXID'][0].decode()
    s.history.is_called(int(one[b'UIDVALIDITY']), mailboxid)
    assert name not in s.own or s.own[name] == mailboxid, f'{name} has the id {mailboxid}, had {s.own[name]}'
    count, unseen, deleted, uidnext = (int(one[i]) for i in (b'MESSAGES', b'UNSEEN', b'DELETED', b'UIDNEXT'))
    assert count < uidnext and unseen <= count and deleted <= count, one
    if more:
        s.note_highest(mailboxid, said.span, int(one[b'HIGHESTMODSEQ']))


# Waiting and coming back.

def noop(s, rng):
    s.noop(rng)


def idle(s, rng):
    s.idle_begin()
    s.idle_hear(rng.random() * 0.1)
    s.idle_end()


def go_away(s, rng):
    s.noop(rng)
    s.learn()
    s.go_away(rng)
