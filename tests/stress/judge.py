"""Holds what a fresh connection sees against everything that was answered."""
import bisect
import collections
import math

from stress.history import clock


def judge(history, fresh):
    """`fresh`: MAILBOXID -> {uid: Message}, read while all was quiet; all mailboxes there are."""
    for box, messages in fresh.items():
        for uid, message in messages.items():
            history.saw(box, uid, message)
            history.state(box, uid, message.modseq, message.flags)
    history.settle(fresh)
    removed_by_pop = candidates_of_pop(history)
    for (box, uid), letter in history.letters.items():
        if box not in fresh:
            continue
        if uid in fresh[box]:
            must_be_there(history, box, uid, letter, removed_by_pop)
            wrong = letter.wrong_flags(fresh[box][uid].flags, clock(), clock())
            assert not wrong, told(history, box, uid, f'the flags {wrong} are not as they were last set: now '
                                   f'{sorted(fresh[box][uid].flags)}')
        else:
            was_removed(history, box, uid, letter, removed_by_pop)
    deliveries_found(history)
    all_or_none(history)
    snapshots_explained(history)
    reads_explained(history, fresh)
    lists_explained(history, fresh, removed_by_pop)
    modseqs_rise(history)


def told(history, box, uid, problem):
    """The problem, and what was noted of the message."""
    letter = history.letters[box, uid]
    lines = [f'message {uid} ({letter.name}) of {box}: {problem}', f'born {letter.start:.6f}-{letter.end:.6f} with '
             f'{letter.flags if not isinstance(letter.flags, tuple) else "the flags it was copied with"}']
    lines += [f'  {c.start:.6f}-{c.end:.6f} +{sorted(c.on)} -{sorted(c.off)}' for c in letter.changes]
    lines += [f'  moved {letter.moved}'] if letter.moved else []
    lines += [f'  expunge {e}' for e in history.expunges if e[0] == box and (e[1] is None or uid in e[1])]
    lines += [f'  RENAME of INBOX to {e}' for e in history.emptied if box == history.inbox]
    lines += [f'  the same is {uid} of {box}' for (box, uid), one in history.letters.items() if one.name == letter.name]
    return '\n'.join(lines)


def candidates_of_pop(history):
    """For each removal by POP3 the messages it may have meant: those with this id when the session began. It meant one
    for sure that is alone and was there before: another may be forgotten since, with a checkpoint."""
    by_id = collections.defaultdict(list)
    inbox = history.inbox
    for (box, uid), letter in history.letters.items():
        if box == inbox and letter.emailid:
            by_id[letter.emailid].append(uid)
    found = collections.defaultdict(list)
    for emailid, login_start, login_end, start, end in history.popped:
        meant = [uid for uid in by_id[emailid] if history.letters[inbox, uid].made[0] < login_end]
        for uid in meant:
            alone = len(meant) == 1 and history.letters[inbox, uid].made[1] < login_start
            found[inbox, uid].append((alone and end < math.inf, start, end))
    return found


def must_be_there(history, box, uid, letter, popped):
    assert not letter.moved, told(history, box, uid, 'is still there, but was moved away')
    assert not any(sure for sure, _, _ in popped[box, uid]), told(history, box, uid, 'POP3 removed it; it is there')
    if box == history.inbox:
        assert all(letter.end >= start for _, start, _ in history.emptied), told(
            history, box, uid, 'was in INBOX before a RENAME of INBOX, and is there still')
    for where, uids, start, end in history.expunges:
        if where == box and (uids is None or uid in uids) and letter.end < start and end < math.inf:
            assert not letter.surely_deleted(start, end), told(history, box, uid, 'has outlived an expunge')


def was_removed(history, box, uid, letter, popped):
    if letter.moved or popped[box, uid]:
        return
    if box == history.inbox and any(to not in history.fresh and letter.start < end for to, _, end in history.emptied):
        return    # it went along with a mailbox that was deleted since
    if any(name in d.found for d in history.doubts if (name := d.sources.get((box, uid)))):
        return
    for where, uids, start, end in history.expunges:
        if where == box and (uids is None or uid in uids) and letter.might_have('\\Deleted', True, start, end):
            return
    if box == history.inbox and not letter.emailid and letter.name in history.taken_by_pop:
        return    # before anybody saw it by IMAP
    if box == history.inbox and history.renames[letter.name]:
        history.renames[letter.name] -= 1
        return
    raise AssertionError(told(history, box, uid, 'is lost: nobody removed it'))


def deliveries_found(history):
    """Each accepted delivery came to one UID, unless POP3 took it, or RENAME of INBOX to a mailbox that is deleted
    now, before anybody saw it by IMAP."""
    gone = max([end for to, _, end in history.emptied if to not in history.fresh], default=0)
    lost = {name for name, (start, _) in history.sent.items() if start >= gone} - history.taken_by_pop
    assert not lost, f'accepted by SMTP and not there: {sorted(lost)[:5]}'
    history.sent.clear()


def all_or_none(history):
    """RFC 3502: the messages of one APPEND."""
    for doubt in history.doubts:
        assert not (doubt.whole and doubt.found and doubt.names), f'{doubt.found} are there, {doubt.names} are not'


def snapshots_explained(history):
    """What POP3 shows at login: all that were there before and are still, as often as they are there."""
    for start, end, ids in history.snapshots:
        must = collections.Counter(letter.emailid for (box, uid), letter in history.letters.items()
                                   if box == history.inbox and letter.end < start and not history.is_gone(box, uid))
        missing = must - ids
        assert not missing, f'POP3 did not show {dict(missing)} at login ({start:.6f}-{end:.6f})'


def reads_explained(history, fresh):
    """What a client knew after its NOOP are flags that others had given, and not replaced before."""
    latest = collections.defaultdict(list)
    for box, uid, start, end, flags, modseq, who in history.reads:
        letter = history.letters.get((box, uid))
        assert letter or box not in fresh, f'{who} saw message {uid} of {box}, which nobody made'
        if not letter:
            continue
        wrong = letter.wrong_flags(flags, start, end)
        assert not wrong, told(history, box, uid, f'{who} knew {sorted(flags)} after NOOP ({start:.6f}-{end:.6f}): '
                               f'{wrong} were not so then')
        if modseq is not None:
            latest[box, uid].append((start, end, modseq, who))
    for (box, uid), told_modseqs in latest.items():
        rises(f'MODSEQ of message {uid} in {box}', told_modseqs)
        history.highest[box] += told_modseqs


def lists_explained(history, fresh, popped):
    """Which messages a client had after its NOOP: all that were there before, none that were gone before."""
    by_box = collections.defaultdict(list)
    for (box, uid), letter in history.letters.items():
        by_box[box].append((uid, letter))
    for box, start, end, uids, who in history.lists:
        if box not in fresh:
            continue
        for uid, letter in by_box[box]:
            if uid in uids:
                gone = letter.moved and letter.moved[1] < start
                gone = gone or any(sure and e < start for sure, _, e in popped[box, uid])
                assert not gone, told(history, box, uid, f'{who} still had it after NOOP ({start:.6f}-{end:.6f})')
                assert letter.start < end, told(history, box, uid, f'{who} had it before it was made')
            elif uid in fresh[box]:
                assert letter.end >= start, told(history, box, uid, f'{who} did not have it after NOOP '
                                                 f'({start:.6f}-{end:.6f})')


def modseqs_rise(history):
    for box, told_modseqs in history.highest.items():
        rises(f'HIGHESTMODSEQ of {box}', [t for t in told_modseqs if t[3].endswith('HIGHESTMODSEQ')], told_modseqs)


def rises(what, later, earlier=None):
    """No reading of `later` is below one of `earlier` that had ended before it began."""
    ended = sorted((end, modseq, who) for _, end, modseq, who in (later if earlier is None else earlier))
    best, so_far = [], (0, '')
    for _, modseq, who in ended:
        so_far = max(so_far, (modseq, who))
        best.append(so_far)
    ends = [end for end, _, _ in ended]
    for start, _, modseq, who in later:
        at = bisect.bisect_left(ends, start)
        before = best[at - 1] if at else (0, '')
        assert modseq >= before[0], f'{what} was {before[0]} to {before[1]}, then {modseq} to {who}'
