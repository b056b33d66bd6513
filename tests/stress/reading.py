"""Steps of IMAP clients that read: FETCH and SEARCH."""
from kit import load
from stress import responses
from stress.steps import change_flags, named, some_uids
from stress.view import FLAGS

MANY = 40

def fetch(s, rng):
    what = rng.choice([flags, flags, flags, whole, whole, whole, part, envelope, changed_since, many])
    uids = some_uids(s, rng, 4)
    if uids:
        what(s, rng, uids)


def flags(s, rng, uids):
    prefix, text = named(s, rng, uids)
    said = s.do(f'{prefix}FETCH {text} (FLAGS)')
    assert said.ok or b'EXPUNGEISSUED' in said.text, said.text
    s.expect_answers(uids)


def fetch_one(s, rng, uid, item):
    """That item of one message; None when it was removed."""
    view = s.view
    prefix, text = named(s, rng, [uid])
    number = view.number(uid)
    said = s.do(f'{prefix}FETCH {text} ({item})')
    assert said.ok or b'EXPUNGEISSUED' in said.text, said.text
    for pieces in said.untagged:
        if pieces[0].startswith(b'* %d FETCH (' % number):
            one = responses.items(pieces, pieces[0].index(b'('))
            found = [v for k, v in one.items() if k.startswith((b'BODY', b'ENVELOPE'))]
            if found:
                return said, found[0]
    s.expect_answers([uid])
    return said, None


def whole(s, rng, uids):
    r"""The whole message; without PEEK that makes it \Seen."""
    uid, peek, view = uids[0], rng.choice(['', '.PEEK']), s.view
    name, size = view.messages[uid].name, view.messages[uid].size
    s.at_stake = lambda span: s.history.changed(view.id, [uid], span, {'\\Seen'}, set())
    said, octets = fetch_one(s, rng, uid, f'BODY{peek}[]')
    if octets is None:
        if view.writes and not peek:    # it may have been marked before it went
            s.history.changed(view.id, [uid], said.span, {'\\Seen'}, set())
        return
    assert load.name_if_whole(octets) == name, f'message {uid} is not {name}'
    assert len(octets) == size, f'message {uid} has {len(octets)} octets, RFC822.SIZE said {size}'
    if view.writes and not peek:
        s.history.changed(view.id, [uid], said.span, {'\\Seen'}, set())


def many(s, rng, uids):
    """All bodies, or as many as fill a connection's buffers: others expunge while they are sent."""
    known = s.view.known()
    first = int(rng.random() * len(known) / 2)
    wanted, view = known[first:first + MANY], s.view
    before = {view.number(u): (u, view.messages[u].name) for u in wanted}
    prefix, text = named(s, rng, wanted)
    said = s.do(f'{prefix}FETCH {text} (BODY.PEEK[])')
    assert said.ok or b'EXPUNGEISSUED' in said.text, said.text
    answered = set()
    for pieces in said.untagged:
        found = responses.NUMBERED.match(pieces[0])
        if len(pieces) > 1 and found and found[2] == b'FETCH':
            uid, name = before[int(found[1])]    # what was expunged meanwhile is told behind the last of them
            assert load.name_if_whole(pieces[1]) == name, f'message {uid} is not {name}'
            answered.add(uid)
    s.owed |= {u for u in wanted if u not in answered and u in view.messages}


def part(s, rng, uids):
    uid = uids[-1]
    name, size = s.view.messages[uid].name, s.view.messages[uid].size
    body = s.history.bodies[name]
    start, count = int(rng.random() * (size + 100)), rng.choice([1, 10, 500, 20000])
    said, octets = fetch_one(s, rng, uid, f'BODY.PEEK[TEXT]<{start}.{count}>')
    if octets is not None:
        octets = b'' if octets == b'NIL' else octets
        assert octets == body[start:start + count], f'octets {start}.{count} of message {uid} are others'


def envelope(s, rng, uids):
    name = s.view.messages[uids[0]].name
    said, found = fetch_one(s, rng, uids[0], 'ENVELOPE')
    assert found is None or found[1] == name, f'message {uids[0]} has the Subject {found[1]}, not {name}'


def changed_since(s, rng, uids):
    """RFC 7162 3.1.4.1: all that changed since, and nothing else."""
    since = s.view.messages[uids[0]].modseq
    if not s.tells_modseq or since is None:
        return
    vanished = ' VANISHED' if s.has('QRESYNC') and rng.random() < 0.7 else ''
    said = s.do(f'UID FETCH 1:* (FLAGS) (CHANGEDSINCE {since}{vanished})')
    assert said.ok, said.text
    for uid in s.view.known():
        modseq = s.view.messages[uid].modseq
        assert uid not in s.answered_for or modseq is None or modseq > since, f'{uid} is of {modseq}, not after {since}'
        if modseq is not None and modseq > since and uid not in s.answered_for:
            s.owed.add(uid)


# SEARCH: what it finds is what the client knows, but for messages of which news came with the answer.

def search(s, rng):
    flag = rng.choice(FLAGS)
    word = flag.strip('\\').upper() if flag.startswith('\\') else f'KEYWORD {flag}'
    size = rng.choice([500, 1000, 3000])
    uids = some_uids(s, rng)
    if not uids:
        return
    message = s.view.messages[uids[0]]
    keys = [(word, lambda u, m: flag in m.flags),
            (f'NOT {word}', lambda u, m: flag not in m.flags),
            (f'OR {word} DELETED SMALLER {size}', lambda u, m: m.flags & {flag, '\\Deleted'} and m.size < size),
            (f'SUBJECT {message.name.decode()}', lambda u, m: message.name in m.name),
            (f'UID {responses.as_set(uids)} UNSEEN', lambda u, m: u in uids and '\\Seen' not in m.flags)]
    if s.tells_modseq and message.modseq:
        since = message.modseq
        keys.append((f'MODSEQ {since}', lambda u, m: m.modseq >= since))
    key, fits = rng.choice(keys)
    expected = {u for u, m in s.view.messages.items() if fits(u, m)}
    saved = rng.random() < 0.4
    found = run_search(s, rng, key, saved, expected)
    if saved and found:
        use_saved(s, rng, found)


def run_search(s, rng, key, saved, expected):
    before, view = list(s.view.uids), s.view
    uid = 'UID ' if s.uid_only or rng.random() < 0.5 else ''
    said = s.do(f'{uid}SEARCH {"RETURN (SAVE ALL) " if saved else ""}{key}')
    assert said.ok, said.text
    numbers = found_by(said, extended=saved or s.has('IMAP4rev2'), uid=bool(uid))
    found = set(numbers) if uid else {before[n - 1] for n in numbers}
    assert found <= set(before) | set(view.uids), f'SEARCH found {sorted(found - set(before))}, which are not there'
    untouched = {u for u in before if u not in s.flags_told}
    wrong = (found - expected) & untouched
    assert not wrong, f'SEARCH {key} found {sorted(wrong)}, which do not fit'
    s.owed |= (expected - found) & untouched & set(view.uids)
    return sorted(found)


def found_by(said, extended, uid):
    word = b'* ESEARCH' if extended else b'* SEARCH'
    one = responses.values(next(u for u in said.untagged if u[0].startswith(word)), 2)
    if not extended:
        return [int(n) for n in one[1:] if isinstance(n, bytes)]
    assert (b'UID' in one) == uid, one
    return responses.numbers(one[one.index(b'ALL') + 1]) if b'ALL' in one else []


def use_saved(s, rng, found):
    """RFC 5182: "$" means those of the messages found that are there still."""
    if rng.random() < 0.3:
        s.noop(rng)
    there = [u for u in found if u in s.view.messages and s.view.messages[u].flags is not None]
    if rng.random() < 0.5:
        said = s.do('UID FETCH $ (FLAGS)')
        assert said.ok, said.text
        s.expect_answers(there)
    elif there:
        change_flags(s, rng, there, rng.choice(['', 'UID ']), '$')
