"""The stress's judge and views: what they must refuse, each fault by itself."""
import collections

import pytest

from stress import judge
from stress.history import History
from stress.view import Message, View

BOX, OTHER = 'F1', 'F2'


class Case:
    """A mailbox with UID 1, appended without flags between 1 and 2; times of facts are before those of the judge."""

    def __init__(self):
        self.history = History()
        self.history.inbox = BOX
        self.history.is_called(10, BOX)
        self.history.is_called(20, OTHER)
        self.history.born(10, [1], (1, 2), [(b'one', frozenset())])
        self.fresh = {BOX: {1: message(b'one')}, OTHER: {}}

    def change(self, start, end, on=(), off=()):
        self.history.changed(BOX, [1], (start, end), on, off)

    def copied(self, *flags):
        self.history.born(20, [5], (6, 7), [(b'one', ((BOX, 1), 6, 7))])
        self.fresh[OTHER][5] = message(b'one', *flags)

    def judge(self):
        judge.judge(self.history, self.fresh)


def message(name, *flags, modseq=9):
    return Message(frozenset(flags), modseq, 100, b'today', 'M-' + name.decode(), name)


@pytest.fixture
def case():
    return Case()


def refused(case, why):
    with pytest.raises(AssertionError, match=why):
        case.judge()


def test_what_was_answered_stands(case):
    case.change(3, 4, on=['\\Flagged'])
    case.fresh[BOX][1] = message(b'one', '\\Flagged')
    case.copied('\\Flagged')
    case.judge()


def test_a_lost_flag(case):
    case.change(3, 4, on=['\\Flagged'])
    refused(case, 'not as they were last set')


def test_a_flag_nobody_gave(case):
    case.fresh[BOX][1] = message(b'one', '\\Flagged')
    refused(case, 'not as they were last set')


@pytest.mark.parametrize('flags', [(), ('\\Flagged',)])
def test_of_two_at_once_either_may_be_last(case, flags):
    case.change(3, 5, on=['\\Flagged'])
    case.change(4, 6, off=['\\Flagged'])
    case.fresh[BOX][1] = message(b'one', *flags)
    case.judge()


def test_the_later_of_two_counts(case):
    case.change(3, 4, on=['\\Flagged'])
    case.change(5, 6, off=['\\Flagged'])
    case.fresh[BOX][1] = message(b'one', '\\Flagged')
    refused(case, 'not as they were last set')


def test_a_lost_message(case):
    del case.fresh[BOX][1]
    refused(case, 'is lost')


def test_an_expunge_takes_what_is_deleted(case):
    case.change(3, 4, on=['\\Deleted'])
    case.history.expunges.append((BOX, None, 5, 6))
    del case.fresh[BOX][1]
    case.judge()


def test_an_expunge_that_took_nothing(case):
    case.change(3, 4, on=['\\Deleted'])
    case.history.expunges.append((BOX, None, 5, 6))
    case.fresh[BOX][1] = message(b'one', '\\Deleted')
    refused(case, 'outlived an expunge')


def test_an_expunge_that_took_too_much(case):
    case.history.expunges.append((BOX, None, 5, 6))
    del case.fresh[BOX][1]
    refused(case, 'is lost')


def test_a_move_that_left_the_message(case):
    case.history.moved(BOX, [1], (6, 7), 'somebody')
    case.copied()
    refused(case, 'was moved away')


def test_a_message_moved_twice(case):
    case.history.moved(BOX, [1], (6, 7), 'somebody')
    case.history.moved(BOX, [1], (6, 7), 'another')
    refused(case, 'moved away twice')


def test_a_copy_with_other_flags(case):
    case.copied('\\Seen')
    refused(case, 'not as they were last set')


def test_a_uid_given_twice(case):
    case.history.born(10, [1], (1, 2), [(b'two', frozenset())])
    refused(case, 'given twice')


def test_a_delivery_that_did_not_come(case):
    case.history.sent[b'two'] = (1, 2)
    refused(case, 'accepted by SMTP')


def test_a_message_nobody_made(case):
    case.fresh[BOX][2] = message(b'two')
    refused(case, 'nobody put')


@pytest.mark.parametrize('names', [[b'two'], [b'two', b'three']])
def test_a_command_in_doubt(case, names):
    """Its one message may be there; of several not just one."""
    case.history.doubt(1, names, {}, True)
    case.fresh[BOX][2] = message(b'two')
    if len(names) == 1:
        case.judge()
    else:
        refused(case, 'are not')


@pytest.mark.parametrize('start', [3.5, 5])
def test_flags_that_were_changed_before_a_noop(case, start):
    """Not told though the change had ended; told though it went on."""
    case.change(3, 4, on=['\\Flagged'])
    case.fresh[BOX][1] = message(b'one', '\\Flagged')
    case.history.reads.append((BOX, 1, start, start + 1, frozenset(), None, 'somebody'))
    if start > 4:
        refused(case, 'after NOOP')
    else:
        case.judge()


def test_a_noop_that_did_not_tell_of_a_message(case):
    case.history.lists.append((BOX, 3, 4, frozenset(), 'somebody'))
    refused(case, 'did not have it')


def test_a_modseq_that_fell(case):
    case.history.highest[BOX] += [(3, 4, 12, 'a by HIGHESTMODSEQ'), (5, 6, 11, 'b by HIGHESTMODSEQ')]
    refused(case, 'HIGHESTMODSEQ')


def test_two_states_at_one_modseq(case):
    case.history.state(BOX, 1, 9, frozenset(['\\Seen']))
    refused(case, 'at the same')


def test_pop3_that_removes_nothing(case):
    case.history.popped.append(('M-one', 3, 4, 5, 6))
    refused(case, 'POP3 removed it')


def test_pop3_that_perhaps_meant_another(case):
    case.history.popped.append(('M-one', 1.5, 4, 5, 6))
    case.judge()


def test_pop3_that_hides_a_message(case):
    case.history.snapshots.append((3, 4, collections.Counter()))
    refused(case, 'POP3 did not show')


# Views.

@pytest.fixture
def view():
    """Three messages with the UIDs 2, 4 and 6."""
    one = View('INBOX', True)
    one.exists(3)
    for number in (1, 2, 3):
        one.fetched(number, [b'* %d FETCH (UID %d MODSEQ (5))' % (number, 2 * number)], 10)
    return one


@pytest.mark.parametrize('what, why', [
    (lambda v: v.exists(2), 'none was expunged'),
    (lambda v: v.expunge(4), 'EXPUNGE 4 of 3'),
    (lambda v: v.fetched(4, [b'* 4 FETCH (UID 8)'], 10), 'FETCH 4 of 3'),
    (lambda v: v.fetched(2, [b'* 2 FETCH (UID 5)'], 10), 'has now 5'),
    (lambda v: v.fetched(2, [b'* 2 FETCH (MODSEQ (4))'], 10), 'MODSEQ fell'),
    (lambda v: (v.exists(4), v.fetched(4, [b'* 4 FETCH (UID 3)'], 10)), 'do not ascend'),
    (lambda v: v.vanished(5), 'not there'),
    (lambda v: v.vanished_earlier(4), 'is there'),
])
def test_a_view_refuses(view, what, why):
    with pytest.raises(AssertionError, match=why):
        what(view)


def test_a_view_comes_back_whole(view):
    again = View('INBOX', True, view)
    again.exists(2)
    again.vanished_earlier(4)
    again.put_back(limited=False)
    assert again.uids == [2, 6] and again.messages[6].modseq == 5


def test_a_view_comes_back_with_one_too_few(view):
    again = View('INBOX', True, view)
    again.exists(2)
    with pytest.raises(AssertionError, match='3 messages should be there'):
        again.put_back(limited=False)
