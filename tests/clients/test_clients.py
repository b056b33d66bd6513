"""Unmodified clients send and fetch; the octets are compared."""
import email
import imaplib
import secrets
import smtplib

import pytest

from kit import paths, wire
from kit.clients import MESSAGE, program, run, trusting


def only_body(demo, account):
    with wire.Imap(demo.ports['imap']) as imap:
        imap.login(account, demo.password)
        assert imap.select() == 1
        return imap.bodies()[1]


@pytest.mark.smoke
def test_smtplib_sends_and_imaplib_fetches(demo, account):
    with smtplib.SMTP('127.0.0.1', demo.ports['smtp'], timeout=paths.PATIENCE) as smtp:
        assert smtp.sendmail('sender@example.net', [account], MESSAGE, mail_options=['BODY=8BITMIME']) == {}
    with imaplib.IMAP4('127.0.0.1', demo.ports['imap'], timeout=paths.PATIENCE) as imap:
        imap.login(account, demo.password)
        assert imap.select('INBOX') == ('OK', [b'1'])
        status, parts = imap.fetch('1', '(BODY.PEEK[])')
        assert status == 'OK' and parts[0][1].endswith(MESSAGE)


@pytest.mark.smoke
def test_smtplib_submits_over_tls(demo):
    sender, recipient = demo.new_users(2)
    with smtplib.SMTP_SSL('127.0.0.1', demo.ports['submissions'], context=trusting(demo), timeout=paths.PATIENCE) as smtp:
        smtp.login(sender, demo.password)
        smtp.sendmail(sender, [recipient], MESSAGE)
    assert only_body(demo, recipient).endswith(MESSAGE)


def test_smtplib_starttls_on_587(demo):
    sender, recipient = demo.new_users(2)
    with smtplib.SMTP('127.0.0.1', demo.ports['submission'], timeout=paths.PATIENCE) as smtp:
        smtp.starttls(context=trusting(demo))
        smtp.login(sender, demo.password)
        smtp.sendmail(sender, [recipient], MESSAGE)
    assert only_body(demo, recipient).endswith(MESSAGE)


def test_smtplib_learns_of_a_wrong_password(demo, account):
    with smtplib.SMTP_SSL('127.0.0.1', demo.ports['submissions'], context=trusting(demo), timeout=paths.PATIENCE) as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login(account, 'wrong')


@pytest.mark.smoke
def test_imaplib_append_flags_search_copy(demo, account):
    with imaplib.IMAP4_SSL('127.0.0.1', demo.ports['imaps'], ssl_context=trusting(demo), timeout=paths.PATIENCE) as imap:
        imap.login(account, demo.password)
        assert imap.append('INBOX', r'(\Flagged)', '"03-Mar-2026 10:00:00 +0000"', MESSAGE)[0] == 'OK'
        assert imap.create('kept')[0] == 'OK'
        imap.select('INBOX')
        assert imap.search(None, 'FLAGGED', 'SUBJECT', '"client"') == ('OK', [b'1'])
        assert imap.copy('1', 'kept')[0] == 'OK'
        assert imap.store('1', '+FLAGS', r'(\Deleted)')[0] == 'OK'
        assert imap.expunge() == ('OK', [b'1'])
        assert imap.select('kept') == ('OK', [b'1'])
        assert imap.fetch('1', '(RFC822)')[1][0][1] == MESSAGE
        assert imap.close()[0] == 'OK'


@pytest.mark.parametrize('lines', [2, 20000])
def test_imaplib_searches_texts_short_and_long(demo, account, lines):
    """A text that is the whole message is not stored twice: in a row, and in a file of its own."""
    text = ''.join(f'Line {n}: {secrets.token_hex(30)}\r\n' for n in range(lines))
    with imaplib.IMAP4_SSL('127.0.0.1', demo.ports['imaps'], ssl_context=trusting(demo), timeout=paths.PATIENCE) as imap:
        imap.login(account, demo.password)
        imap.append('INBOX', None, None, b'Subject: long\r\n\r\n' + text.encode())
        imap.append('INBOX', None, None, b'Subject: short\r\n\r\nline\r\n')
        imap.select('INBOX')
        assert imap.search(None, 'BODY', f'"LINE {lines - 1}: {text[-22:-2]}"') == ('OK', [b''])
        assert imap.search(None, 'BODY', f'"LINE {lines - 1}: {text.splitlines()[-1].split()[2]}"') == ('OK', [b'1'])
        assert imap.search(None, 'TEXT', '"line"') == ('OK', [b'1 2'])
        assert imap.search(None, 'NOT', 'BODY', f'"line {lines - 1}:"') == ('OK', [b'2'])


def test_imaplib_authenticate(demo, account):
    with imaplib.IMAP4_SSL('127.0.0.1', demo.ports['imaps'], ssl_context=trusting(demo), timeout=paths.PATIENCE) as imap:
        assert imap.authenticate('PLAIN', lambda _: f'\0{account}\0{demo.password}'.encode())[0] == 'OK'


def test_imaplib_idle_by_hand(demo, account, mailbox):
    """imaplib of Python 3.11 has no IDLE; a second client sends while the first waits."""
    mailbox.select()
    mailbox.send(b'i IDLE\r\n')
    assert mailbox.line().startswith(b'+')
    with smtplib.SMTP('127.0.0.1', demo.ports['smtp'], timeout=paths.PATIENCE) as smtp:
        smtp.sendmail('sender@example.net', [account], MESSAGE)
    while mailbox.line() != b'* 1 EXISTS':
        pass
    mailbox.send(b'DONE\r\n')
    assert mailbox.finish(b'i').ok


def test_swaks(demo, account):
    run([program('swaks'), '--server', '127.0.0.1', '--port', str(demo.ports['smtp']), '--from', 'sender@example.net',
         '--to', account, '--data', '-', '--helo', 'client.example'], MESSAGE.replace(b'\r\n', b'\n'))
    assert b'Subject: from a client\r\n' in only_body(demo, account)


def test_swaks_with_tls_and_login(demo):
    sender, recipient = demo.new_users(2)
    run([program('swaks'), '--server', '127.0.0.1', '--port', str(demo.ports['submission']), '--tls', '--from', sender,
         '--to', recipient, '--auth', 'LOGIN', '--auth-user', sender, '--auth-password', demo.password,
         '--helo', 'client.example'])
    assert b'This is a test mailing' in only_body(demo, recipient)


def test_msmtp(demo):
    sender, recipient = demo.new_users(2)
    run([program('msmtp'), '--host=127.0.0.1', f'--port={demo.ports["submissions"]}', '--tls=on', '--tls-starttls=off',
         '--tls-certcheck=off', '--auth=plain', f'--user={sender}', f'--passwordeval=echo {demo.password}',
         f'--from={sender}', recipient], MESSAGE.replace(b'\r\n', b'\n'))
    assert only_body(demo, recipient).endswith(MESSAGE)


def test_curl_sends_and_fetches(demo, account, tmp_path):
    curl = program('curl')
    file = tmp_path / 'message.eml'
    file.write_bytes(MESSAGE)
    run([curl, '--silent', '--show-error', f'smtp://127.0.0.1:{demo.ports["smtp"]}/client.example', '--mail-from',
         'sender@example.net', '--mail-rcpt', account, '--upload-file', str(file)])
    fetched = run([curl, '--silent', '--show-error', '--insecure', '--user', f'{account}:{demo.password}',
                   f'imaps://127.0.0.1:{demo.ports["imaps"]}/INBOX;MAILINDEX=1'])
    assert fetched.endswith(MESSAGE)


def test_the_stored_message_parses(demo, account):
    with smtplib.SMTP('127.0.0.1', demo.ports['smtp'], timeout=paths.PATIENCE) as smtp:
        smtp.sendmail('sender@example.net', [account], MESSAGE)
    message = email.message_from_bytes(only_body(demo, account))
    assert message['Return-Path'] == '<sender@example.net>'
    assert message['Subject'] == 'from a client'
    assert len(message.get_all('Received')) == 1
    assert message.defects == []
