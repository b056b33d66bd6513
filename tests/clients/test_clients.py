"""Unmodified clients send and fetch; the octets are compared."""
import email
import imaplib
import os
import secrets
import smtplib
import subprocess

import pytest

from kit import paths, wire
from kit.clients import FILE, FOLDER, MESSAGE, Look, letter, program, run, trusting


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


def test_imaplib_folders(demo, account):
    with imaplib.IMAP4('localhost', demo.ports['imap'], timeout=paths.PATIENCE) as imap:
        imap.starttls(trusting(demo))
        imap.login(account, demo.password)
        name = f'"{wire.utf7(FOLDER)}"'
        assert imap.namespace() == ('OK', [b'(("" "/")) NIL NIL'])
        assert imap.create('"two words"')[0] == imap.rename('"two words"', name)[0] == imap.subscribe(name)[0] == 'OK'
        assert any(name.encode() in line for line in imap.list('""', '%')[1])
        assert [line.split(b' "/" ')[1] for line in imap.lsub()[1] if b'Gr' in line] == [name.encode()]
        assert imap.append(name, r'(\Seen)', None, MESSAGE)[0] == 'OK'
        assert imap.status(name, '(MESSAGES UNSEEN)')[1][0].endswith(b'(MESSAGES 1 UNSEEN 0)')
        imap.select(name)
        assert imap.uid('MOVE', '1', 'Archive')[0] == 'OK'
        assert imap.uid('SEARCH', 'CHARSET', 'UTF-8', 'ALL')[1] == [b'']
        assert imap.getquotaroot('INBOX')[0] == 'OK'
        assert imap.close()[0] == imap.unsubscribe(name)[0] == imap.delete(name)[0] == 'OK'
        assert imap.logout()[0] == 'BYE'


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
    run([program('swaks'), '--server', '127.0.0.1', '--port', str(demo.ports['submission']), '--tls',
         '--tls-verify', '--tls-ca-path', demo.ready['ca'], '--from', sender,
         '--to', recipient, '--auth', 'LOGIN', '--auth-user', sender, '--auth-password', demo.password,
         '--helo', 'client.example'])
    assert b'This is a test mailing' in only_body(demo, recipient)


@pytest.mark.parametrize('port, starttls', [('submissions', 'off'), ('submission', 'on')])
def test_msmtp(demo, port, starttls):
    sender, recipient = demo.new_users(2)
    whole = letter('third', 'see the file\n', FILE)
    run([program('msmtp'), '--host=localhost', f'--port={demo.ports[port]}', '--tls=on', f'--tls-starttls={starttls}',
         f'--tls-trust-file={demo.ready["ca"]}', '--auth=plain', f'--user={sender}',
         f'--passwordeval=echo {demo.password}', f'--from={sender}', recipient], whole.replace(b'\r\n', b'\n'))
    assert only_body(demo, recipient).endswith(whole)


def test_msmtp_learns_of_a_wrong_password(demo, account):
    done = subprocess.run([program('msmtp'), '--host=localhost', f'--port={demo.ports["submissions"]}', '--tls=on',
                           '--tls-starttls=off', f'--tls-trust-file={demo.ready["ca"]}', '--auth=plain',
                           f'--user={account}', '--passwordeval=echo wrong', f'--from={account}', account],
                          input=MESSAGE, capture_output=True, timeout=6 * paths.PATIENCE)
    assert done.returncode == os.EX_NOPERM, done.stderr


def test_curl_sends_and_fetches(demo, tmp_path):
    sender, recipient = demo.new_users(2)
    curl = [program('curl'), '--silent', '--show-error', '--cacert', demo.ready['ca']]
    file = tmp_path / 'message.eml'
    file.write_bytes(MESSAGE)
    run([*curl, f'smtp://127.0.0.1:{demo.ports["smtp"]}/client.example', '--mail-from', 'sender@example.net',
         '--mail-rcpt', recipient, '--upload-file', str(file)])
    run([*curl, f'smtps://localhost:{demo.ports["submissions"]}/client.example', '--mail-from', sender,
         '--user', f'{sender}:{demo.password}', '--mail-rcpt', recipient, '--upload-file', str(file)])
    for number in (1, 2):
        fetched = run([*curl, '--user', f'{recipient}:{demo.password}',
                       f'imaps://localhost:{demo.ports["imaps"]}/INBOX;MAILINDEX={number}'])
        assert fetched.endswith(MESSAGE)


def test_curl_does_what_imap_can(demo, account, tmp_path):
    """By STARTTLS: folders, a message up, a search, flags, a move, an expunge."""
    file = tmp_path / 'message.eml'
    file.write_bytes(MESSAGE)

    def imap(path='', command=None, *more):
        return run([program('curl'), '--silent', '--show-error', '--cacert', demo.ready['ca'], '--ssl-reqd', '--user',
                    f'{account}:{demo.password}', f'imap://localhost:{demo.ports["imap"]}/{path}',
                    *(['--request', command] if command else []), *more]).decode()
    imap('', f'CREATE "{wire.utf7(FOLDER)}"')
    assert f'"{wire.utf7(FOLDER)}"' in imap()
    for _ in range(2):
        imap('INBOX', None, '--upload-file', str(file))
    assert imap('INBOX?SUBJECT%20%22from%20a%20CLIENT%22').strip() == '* SEARCH 1 2'
    assert '\\Flagged' in imap('INBOX', 'STORE 1 +FLAGS (\\Flagged)')
    imap('INBOX', f'MOVE 1 "{wire.utf7(FOLDER)}"')
    imap('INBOX', 'STORE 1 +FLAGS.SILENT (\\Deleted)')
    assert '* 1 EXPUNGE' in imap('INBOX', 'EXPUNGE')
    look = Look(demo, account)
    assert look.messages() == []
    assert [m.flags for m in look.messages(FOLDER)] == [['\\Flagged', '\\Seen']]


def test_the_stored_message_parses(demo, account):
    with smtplib.SMTP('127.0.0.1', demo.ports['smtp'], timeout=paths.PATIENCE) as smtp:
        smtp.sendmail('sender@example.net', [account], MESSAGE)
    message = email.message_from_bytes(only_body(demo, account))
    assert message['Return-Path'] == '<sender@example.net>'
    assert message['Subject'] == 'from a client'
    assert len(message.get_all('Received')) == 1
    assert message.defects == []
