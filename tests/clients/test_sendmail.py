"""Programs of this machine send by /usr/sbin/sendmail: cron, PHP, monitoring, mail; and are told when they may not."""
import imaplib
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile
import time

import pytest

from kit import debs, paths, server

OK, USAGE, DATAERR, NOUSER, TEMPFAIL, NOPERM = 0, 64, 65, 67, 75, 77
ME = pwd.getpwuid(os.getuid()).pw_name


class Machine:
    """A demo whose first account belongs to whoever runs the tests."""

    def __init__(self, server):
        self.server = server
        self.environment = {**os.environ, 'POSTERN_SUBMIT_SOCKET': server.ready['dir'] + '/submit.sock'}

    def sendmail(self, *words, text='', name='postern-sendmail', environment=None):
        done = subprocess.run([paths.BUILD / name, *words], input=text.encode(), capture_output=True,
                              timeout=paths.PATIENCE, env=environment or self.environment)
        return done.returncode, done.stderr.decode(), done.stdout.decode()

    def letters(self, user):
        """What lies in the user's INBOX, which is emptied."""
        with imaplib.IMAP4(self.server.ready['ports'] and '127.0.0.1', self.server.ports['imap']) as c:
            c.login(user, self.server.password)
            c.select()
            found = [c.fetch(n, '(BODY.PEEK[])')[1][0][1].decode() for n in c.search(None, 'ALL')[1][0].split()]
            if found:
                c.store('1:*', '+FLAGS', r'\Deleted')
                c.expunge()
            return found

    def letter(self, user):
        found = self.letters(user)
        assert len(found) == 1, found
        return found[0]


@pytest.fixture(scope='module')
def machine(binaries):
    """In a folder that other users may pass through."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix='postern-sendmail-'))
    folder.chmod(0o711)
    try:
        with server.Server(folder / 'mail', users=3) as one:
            yield Machine(one)
            assert not one.new_sanitizer_reports()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


USER1, USER2 = 'user1@example.test', 'user2@example.test'


def test_cron(machine):
    """As Debian's cron calls it: a job's output for its owner, who is named without a domain."""
    status, told, _ = machine.sendmail('-i', '-FCronDaemon', '-B8BITMIME', '-oem', ME, text=(
        f'From: {ME} (Cron Daemon)\nTo: {ME}\nSubject: Cron <{ME}@host> backup\nMIME-Version: 1.0\n'
        'Content-Type: text/plain; charset=UTF-8\n\nfertig für heute\n.\nnoch eine Zeile\n'))
    assert (status, told) == (OK, '')
    letter = machine.letter(USER1)
    assert f'\r\nFrom: "Cron Daemon" <{USER1}>\r\n' in letter and letter.count('From:') == 1
    assert f'Return-Path: <{USER1}>' in letter and 'fertig für heute\r\n.\r\nnoch eine Zeile\r\n' in letter
    assert 'Message-ID:' in letter and 'Date:' in letter and 'from unknown\r\n' in letter


def test_a_from_without_a_domain_gets_the_accounts(machine):
    """In every spelling; one that has a domain stays as it is written."""
    for written, want in ((f'{ME}', USER1), ('=?utf-8?q?J=C3=B6rg?= <joerg>', '=?utf-8?q?J=C3=B6rg?= <joerg@example.test>'),
                          (f'"B, or \\"C\\"" <b>, {USER2}', f'"B, or \\"C\\"" <b@example.test>, {USER2}'),
                          (f'as.it.is@far.test  (somebody)', 'as.it.is@far.test  (somebody)')):
        status, told, _ = machine.sendmail('-i', USER1, text=f'Subject: a\nFrom: {written}\nTo: {USER1}\n\nx\n')
        assert (status, told) == (OK, '')
        assert f'\r\nFrom: {want}\r\nTo:' in machine.letter(USER1)


def test_php(machine):
    """mail() of PHP: -t -i, recipients from the header, Bcc among them and not shown to anybody."""
    status, told, _ = machine.sendmail('-t', '-i', text=(
        f'To: One <{USER1}>,\n "Two, the second" <{USER2}>\nSubject: Ihr Kontaktformular\nFrom: {USER1}\n'
        f'Bcc: user3@example.test\n\nHallo\n'))
    assert (status, told) == (OK, '')
    letters = [machine.letter(u) for u in (USER1, USER2, 'user3@example.test')]
    assert all('Bcc' not in one and 'Hallo' in one for one in letters)


def test_monitoring(machine):
    """Text alone, a name and a sender on the command line, letters of options together."""
    status, told, _ = machine.sendmail('-oi', '-F', 'Ada "the" Monitor', '-f', USER1, USER2, text='disk full\n.\n')
    assert (status, told) == (OK, '')
    letter = machine.letter(USER2)
    assert f'From: "Ada \\"the\\" Monitor" <{USER1}>' in letter and letter.endswith('\r\n\r\ndisk full\r\n.\r\n')


def test_a_dot_ends_a_message_without_i(machine):
    assert machine.sendmail(USER1, text='Subject: a\n\none\n.\ntwo\n')[0] == OK
    assert machine.letter(USER1).endswith('\r\none\r\n')


def test_sent_again_goes_to_whom_it_is_sent_again(machine):
    assert machine.sendmail('-ti', text=f'To: {USER1}\nResent-To: {USER2}\nSubject: a\n\n1\n')[0] == OK
    assert machine.letters(USER1) == [] and 'Resent-To' in machine.letter(USER2)


def test_crlf_comes_through_as_one_line_end(machine):
    assert machine.sendmail('-i', USER1, text='Subject: a\r\n\r\none\r\ntwo')[0] == OK
    assert machine.letter(USER1).endswith('\r\none\r\ntwo\r\n')


@pytest.mark.parametrize('words,text,status,said', [
    (['nobody@example.test'], 'a', NOUSER, 'nobody@example.test is refused, and nobody gets the message'),
    (['-f', USER2, USER1], 'a', NOPERM, 'does not belong to your account'),
    (['-t'], 'Subject: a\n\nb', USAGE, 'names no recipient'),
    ([], 'a', USAGE, 'name the recipients'),
    (['-bd'], '', USAGE, 'posternd'),
    (['-j'], '', USAGE, '-j'),
    (['-f'], '', USAGE, 'lacks its argument'),
    (['-B', '9BIT', USER1], '', USAGE, '8BITMIME'),
    (['not\x01clean@example.test'], 'a', USAGE, 'characters'),
])
def test_what_is_wrong_is_said(machine, words, text, status, said):
    got, told, _ = machine.sendmail(*words, text=text)
    assert got == status and said in told, told
    assert machine.letters(USER1) == [] and machine.letters(USER2) == []


def test_all_recipients_or_none(machine):
    assert machine.sendmail(USER1, 'nobody@example.test', text='a')[0] == NOUSER
    assert machine.letters(USER1) == []


def test_without_a_server_it_can_be_tried_again(machine, tmp_path):
    status, told, _ = machine.sendmail(USER1, text='a', environment={'POSTERN_SUBMIT_SOCKET': str(tmp_path / 'no.sock')})
    assert status == TEMPFAIL and 'Nothing was kept' in told


@pytest.mark.skipif(os.getuid() != 0, reason='only root can be somebody else')
def test_whom_the_configuration_does_not_name(machine):
    """Another user of the machine reaches the socket and gets nowhere."""
    program = shutil.copy(paths.BUILD / 'postern-sendmail', '/tmp/postern-sendmail-of-nobody')
    try:
        done = subprocess.run([program, USER1], input=b'a', capture_output=True, timeout=paths.PATIENCE, user=65534,
                              group=65534, env=machine.environment)
    finally:
        os.unlink(program)
    assert done.returncode == NOPERM and b'local-users' in done.stderr and b'65534' in done.stderr
    assert machine.letters(USER1) == []


def test_smtp_on_standard_input(machine):
    status, _, said = machine.sendmail('-bs', text=(
        f'EHLO x\r\nMAIL FROM:<{USER1}>\r\nRCPT TO:<{USER2}>\r\nDATA\r\nSubject: bs\r\n\r\n1\r\n.\r\nQUIT\r\n'))
    assert status == OK and f'250-XACCOUNT {USER1}\r\n' in said and '250 2.0.0 Kept as' in said and '221' in said
    assert 'Subject: bs' in machine.letter(USER2)


def test_the_queue_is_shown(machine, tmp_path):
    """-bp and mailq hand over to the administrator's command, which says so where no server of this machine is found."""
    (tmp_path / 'mailq').symlink_to(paths.BUILD / 'postern-sendmail')
    shown = subprocess.run([paths.BUILD / 'postern', 'queue', 'list'], capture_output=True, timeout=paths.PATIENCE)
    for argv in ([paths.BUILD / 'postern-sendmail', '-bp'], [tmp_path / 'mailq']):
        done = subprocess.run(argv, capture_output=True, timeout=paths.PATIENCE)
        assert (done.returncode, done.stdout, done.stderr) == (shown.returncode, shown.stdout, shown.stderr), done


def test_other_names(machine, tmp_path):
    for name in ('newaliases', 'mailq'):
        (tmp_path / name).symlink_to(paths.BUILD / 'postern-sendmail')
    assert subprocess.run([tmp_path / 'newaliases'], timeout=paths.PATIENCE).returncode == OK
    assert machine.sendmail('-bi')[0] == OK and machine.sendmail('-q')[0] == OK


def test_mail_of_bsd(machine, tmp_path):
    """bsd-mailx, which Debian's reports go out with; it knows sendmail by its path."""
    try:
        root = debs.unpack(paths.ROOT / 'build/peers/mail', ['bsd-mailx', 'liblockfile1'])
    except debs.Unavailable as why:
        pytest.skip(f'bsd-mailx: {why}')
    library = next(root.glob('usr/lib/*/liblockfile.so.1')).parent
    settings = tmp_path / 'mailrc'
    settings.write_text(f'set sendmail={paths.BUILD}/postern-sendmail\n')
    done = subprocess.run([root / 'usr/bin/bsd-mailx', '-n', '-s', 'report of the night', USER2], input=b'all is well\n', capture_output=True,
                          timeout=paths.PATIENCE, env={**machine.environment, 'MAILRC': str(settings), 'LD_LIBRARY_PATH': str(library)})
    assert done.returncode == 0, done.stderr
    for _ in range(50):
        found = machine.letters(USER2)
        if found:
            break
        time.sleep(0.1)
    assert 'Subject: report of the night' in found[0] and 'all is well' in found[0]
