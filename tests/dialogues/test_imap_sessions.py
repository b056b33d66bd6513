"""Several IMAP sessions of one account at once: a phone's ten, and removals under an answer nobody reads."""
import re
import time

import pytest

from kit import paths, wire

MESSAGES, SIZE = 800, 30000    # more than the buffers between server and client hold
BODY = b'Subject: big %d\r\n\r\n' + b'0123456789abcdef0123456789abcdef0123456789abcdef0123456789\r\n' * (SIZE // 60)


def session(demo, user, *enable, mailbox='INBOX'):
    connection = wire.Imap(demo.port('imap'))
    connection.login(user, demo.password)
    if enable:
        assert connection.command('ENABLE ' + ' '.join(enable)).ok
    connection.select(mailbox)
    return connection


def fill(demo, user, mailbox=b'INBOX'):
    """Eight APPENDs of a hundred messages each."""
    with wire.Imap(demo.port('imap')) as connection:
        connection.login(user, demo.password)
        for start in range(0, MESSAGES, 100):
            bodies = [BODY % n for n in range(start, start + 100)]
            connection.send(b'a APPEND %s' % mailbox + b''.join(b' {%d+}\r\n%s' % (len(b), b) for b in bodies) + b'\r\n')
            assert connection.finish(b'a').ok


def read_bodies(connection, tag):
    """The numbers whose bodies came, each looked at, and the answer."""
    numbers = []
    while not (response := connection.response())[0].startswith(tag + b' '):
        assert b'EXPUNGE' not in response[0] and b'VANISHED' not in response[0], response[0]
        found = re.fullmatch(rb'\* (\d+) FETCH \((?:UID \d+ )?BODY\[\] \{\d+\}', response[0])
        assert found, response[0]
        assert re.fullmatch(rb'Subject: big %d\r\n\r\n.*' % (int(found[1]) - 1), response[1], re.S)
        assert len(response[1]) == len(BODY % (int(found[1]) - 1)) and response[2] == b')'
        numbers.append(int(found[1]))
    assert numbers == sorted(set(numbers))
    return numbers, response[0]


def expunge_all(connection):
    begun = time.monotonic()
    assert connection.command('STORE 1:* +FLAGS.SILENT (\\Deleted)').ok
    answer = connection.command('EXPUNGE')
    assert answer.ok
    assert time.monotonic() - begun < paths.PATIENCE, 'who does not read keeps others waiting'
    return answer


@pytest.mark.parametrize('uid', [False, True], ids=['by-number', 'by-uid'])
@pytest.mark.parametrize('dialect', [(), ('QRESYNC',)], ids=['plain', 'qresync'])
def test_expunge_under_a_fetch_nobody_reads(demo, account, uid, dialect):
    fill(demo, account)
    with session(demo, account, *dialect) as slow, session(demo, account, 'QRESYNC') as quick, \
            session(demo, account) as idle:
        idle.send(b'i IDLE\r\n')
        assert idle.line().startswith(b'+')
        slow.send(b'a %sFETCH 1:* BODY.PEEK[]\r\n' % (b'UID ' if uid else b''))
        first = slow.response()    # it has begun to come
        answer = expunge_all(quick)
        assert b'VANISHED 1:%d' % MESSAGES in b''.join(u[0] for u in answer.untagged)
        left = MESSAGES
        while left:
            line = idle.line()
            left -= line.endswith(b' EXPUNGE')
        assert first[0].startswith(b'* 1 FETCH')
        if uid:
            told_by_uid(slow, dialect)
        else:
            told_by_number(slow, dialect)
        assert slow.command('UID SEARCH ALL').untagged == [[b'* SEARCH']]
        assert slow.command('STATUS INBOX (MESSAGES)').untagged == [[b'* STATUS INBOX (MESSAGES 0)']]


def told_by_number(slow, dialect):
    """FETCH tells no removal: it fails in the end, and the next command tells them all (RFC 9051 7.5.1)."""
    numbers, answer = read_bodies(slow, b'a')
    assert len(numbers) < MESSAGES - 1, 'everything came: the mailbox is too small for this test'
    assert answer.startswith(b'a NO [EXPUNGEISSUED] ')
    told = [u[0] for u in slow.command('NOOP').untagged]
    if dialect:
        assert told[0] == b'* VANISHED 1:%d' % MESSAGES
    else:
        assert len([t for t in told if t.endswith(b' EXPUNGE')]) == MESSAGES


def told_by_uid(slow, dialect):
    """UID FETCH passes over what is gone, and tells the removals before its own answer."""
    told = []
    while not (response := slow.response())[0].startswith(b'a '):
        told.append(response[0])
    bodies = [t for t in told if b' FETCH ' in t and b'BODY[]' in t]
    assert len(bodies) < MESSAGES - 1
    assert response[0].startswith(b'a OK ')
    ends = [t for t in told if b'EXPUNGE' in t or b'VANISHED' in t]
    assert told.index(ends[0]) > told.index(bodies[-1])
    assert ends == [b'* VANISHED 1:%d' % MESSAGES] if dialect else len(ends) == MESSAGES


def test_a_session_that_fell_far_behind(demo, account):
    """More changes than the journal keeps: a plain and a QRESYNC session that said nothing meanwhile still hear of all."""
    many, batch = 9000, 100
    with wire.Imap(demo.port('imap')) as busy:
        busy.login(account, demo.password)
        for _ in range(many // batch):
            busy.send(b'a APPEND INBOX' + b' {8+}\r\na: b\r\n\r\n' * batch + b'\r\n')
            assert busy.finish(b'a').ok
        busy.select()
        with session(demo, account) as plain, session(demo, account, 'QRESYNC') as quick:
            for change in ('STORE 1:* +FLAGS.SILENT (\\Flagged)', 'STORE 1:* +FLAGS.SILENT (\\Seen)',
                           f'STORE 2:{many // 2} -FLAGS.SILENT (\\Flagged)', 'STORE 1,10:20,5000:8000 +FLAGS.SILENT (\\Deleted)',
                           'EXPUNGE', 'APPEND INBOX (\\Draft) {8+}\r\na: b\r\n\r\n'):
                assert busy.command(change).ok, change
            left = busy.command('UID FETCH 1:* FLAGS').untagged
            assert heard(plain, many) == heard(quick, many) == {int(u[0].split()[4]): flags(u[0]) for u in left}


def test_a_mailbox_deleted_under_a_fetch_nobody_reads(demo, account):
    """Renamed, then deleted: what is sent is whole, and the session ends with a reason."""
    with wire.Imap(demo.port('imap')) as other:
        other.login(account, demo.password)
        assert other.command('CREATE doomed').ok
        fill(demo, account, b'doomed')
        with session(demo, account, mailbox='doomed') as slow:
            slow.send(b'a FETCH 1:* BODY.PEEK[]\r\n')
            assert slow.response()[0].startswith(b'* 1 FETCH')
            assert other.command('RENAME doomed doomed2').ok
            assert other.command('DELETE doomed2').ok
            while (response := slow.response())[0].startswith(b'* ') and b' FETCH ' in response[0]:
                assert len(response) == 3 and len(response[1]) >= SIZE
            assert response[0].startswith(b'* BYE '), response[0]
            assert slow.at_end()
        assert other.command('LIST "" doomed*').untagged == []


def flags(line):
    return frozenset(re.search(rb'FLAGS \(([^)]*)\)', line)[1].split()) - {b'\\Recent'}


def heard(connection, many):
    """What a session that knew of `many` messages without flags knows after its next command: flags by UID."""
    uids, known = list(range(1, many + 1)), {uid: frozenset() for uid in range(1, many + 1)}
    for (line, *_) in connection.command('NOOP').untagged:
        if line.endswith(b' EXPUNGE'):
            del known[uids.pop(int(line.split()[1]) - 1)]
        elif line.startswith(b'* VANISHED '):
            gone = {uid for part in line.split()[2].split(b',') for uid in
                    range(int(part.split(b':')[0]), int(part.split(b':')[-1]) + 1)}
            assert gone <= set(uids)
            uids = [uid for uid in uids if uid not in gone]
            known = {uid: known[uid] for uid in uids}
        elif b' FETCH ' in line:
            known[uids[int(line.split()[1]) - 1]] = flags(line)
        elif line.endswith(b' EXISTS'):
            new = int(line.split()[1]) - len(uids)
            assert new == 1, line
    for (line,) in connection.command(f'UID FETCH {many + 1}:* FLAGS').untagged:
        known[many + 1] = flags(line)
    return known


def test_a_phone_opens_ten(demo, account):
    """Ten connections of one account from one device, all in IDLE, hear of a letter at once; a second device too."""
    phone = [session(demo, account) for _ in range(10)]
    laptop = [session(demo, account, 'QRESYNC', 'IMAP4rev2') for _ in range(10)]
    for connection in phone + laptop:
        connection.send(b'i IDLE\r\n')
        assert connection.line().startswith(b'+')
    with wire.Smtp(demo.port('smtp')) as smtp:
        answer = smtp.message('sender@example.net', [account], b'Subject: to all\r\n\r\nHello\r\n')
        assert answer.code == 250, str(answer)
    for connection in phone + laptop:
        assert connection.line() == b'* 1 EXISTS'
    recent = [int(re.fullmatch(rb'\* (\d+) RECENT', connection.line())[1]) for connection in phone]
    assert sum(recent) <= 1, 'a message is recent in one session only (RFC 3501 2.3.2)'
    for connection in phone:
        connection.send(b'DONE\r\n')
        assert connection.finish(b'i').ok
    with session(demo, account) as desk:
        assert desk.command('STORE 1 +FLAGS.SILENT (\\Deleted)').ok
        assert desk.command('EXPUNGE').ok
    for connection in laptop:
        assert re.match(rb'\* 1 FETCH \(FLAGS \(\\Deleted\) UID 1 MODSEQ', connection.line())
        assert connection.line() == b'* VANISHED 1'
    for connection in phone + laptop:
        connection.close()
