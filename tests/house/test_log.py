"""The log: one JSON object a line, with the trace id, and nothing of what letters say."""
import json
import os
import time

from kit import wait, wire

FULL = 64 << 20    # octets, where a log is turned
SECRET = 'Zwetschgendatschi-7741'


def test_lines_are_json_with_the_trace_and_never_a_subject(new_server):
    one = new_server(users=1)
    with wire.Smtp(one.ports['smtp']) as smtp:
        body = f'Subject: {SECRET}\r\nFrom: a@sender.example\r\n\r\n{SECRET}\r\n'.encode()
        reply = smtp.message('a@sender.example', one.users, body)
        assert reply.code == 250, reply
    log = one.directory / 'ledger' / 'postern.log'
    deadline = time.monotonic() + 10
    while 'smtp.accepted' not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    with wire.Imap(one.ports['imap']) as imap:
        imap.login(one.users[0], one.password)
        imap.select('INBOX')
    one.stop()
    text = log.read_text()
    assert SECRET not in text and one.password not in text
    lines = [json.loads(line) for line in text.splitlines()]
    accepted = [line for line in lines if line['event'] == 'smtp.accepted']
    assert len(accepted) == 1 and len(accepted[0]['trace']) == 32
    kept = [line for line in lines if line['event'] == 'delivery.kept']
    assert [line['trace'] for line in kept] == [accepted[0]['trace']]
    assert str(reply).count(accepted[0]['trace']) == 1


def test_a_full_log_is_turned(new_server):
    one = new_server(users=1)
    one.stop()
    log = one.directory / 'ledger' / 'postern.log'
    os.truncate(log, FULL)
    one.start()
    with wire.Smtp(one.ports['smtp']) as smtp:
        body = b'Subject: turn\r\nFrom: a@sender.example\r\n\r\nturn\r\n'
        assert smtp.message('a@sender.example', one.users, body).code == 250
    wait.until(lambda: log.exists() and 'delivery.kept' in log.read_text(), 'the new log')
    assert log.with_name('postern.log.1').stat().st_size >= FULL
    assert log.stat().st_size < FULL and 'room.ended' not in log.read_text()
