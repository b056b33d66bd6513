"""Unmodified clients that fetch mail, by POP3 and by IMAP: they fetch, leave and remove; the octets are compared."""
import poplib
import subprocess

import pytest

from kit import paths, wire
from kit.clients import FILE, FOLDER, MESSAGE, Look, letter, program, run, trusting


def deliver(demo, account, count=1):
    """So many messages, each a little longer than the one before."""
    messages = [MESSAGE + b'more\r\n' * i for i in range(count)]
    with wire.Smtp(demo.ports['smtp']) as smtp:
        for message in messages:
            assert smtp.message('sender@example.net', [account], message).code == 250
    return messages


def left(demo, account):
    with wire.Imap(demo.ports['imap']) as imap:
        imap.login(account, demo.password)
        return imap.select()


def logged_in(demo, account, client):
    assert client.user(account).startswith(b'+OK')
    assert client.pass_(demo.password).startswith(b'+OK')
    return client


@pytest.mark.smoke
def test_poplib(demo, account):
    messages = deliver(demo, account, 3)
    client = poplib.POP3('127.0.0.1', demo.ports['pop3'], timeout=paths.PATIENCE)
    assert client.capa()['SASL'] == ['PLAIN']
    assert client.utf8().startswith(b'+OK')
    logged_in(demo, account, client)
    assert client.stat()[0] == 3
    sizes = [int(line.split()[1]) for line in client.list()[1]]
    for number, message in enumerate(messages, 1):
        _, lines, octets = client.retr(number)
        whole = b'\r\n'.join(lines) + b'\r\n'
        assert whole.endswith(message) and octets == len(whole) == sizes[number - 1]
    assert client.top(1, 1)[1][-1] == b'.a line with a dot'
    assert len({line.split()[1] for line in client.uidl()[1]}) == 3
    client.dele(2)
    client.rset()
    client.dele(1)
    client.noop()
    assert client.quit().startswith(b'+OK')
    assert left(demo, account) == 2


def test_poplib_over_tls(demo, account):
    deliver(demo, account)
    client = poplib.POP3_SSL('127.0.0.1', demo.ports['pop3s'], context=trusting(demo), timeout=paths.PATIENCE)
    assert logged_in(demo, account, client).stat()[0] == 1
    client.quit()
    client = poplib.POP3('127.0.0.1', demo.ports['pop3'], timeout=paths.PATIENCE)
    client.stls(context=trusting(demo))
    assert 'STLS' not in client.capa()
    assert logged_in(demo, account, client).stat()[0] == 1
    client.quit()


def test_poplib_learns_of_a_wrong_password(demo, account):
    client = poplib.POP3('127.0.0.1', demo.ports['pop3'], timeout=paths.PATIENCE)
    client.user(account)
    with pytest.raises(poplib.error_proto, match=r'\[AUTH\]'):
        client.pass_('wrong')
    client.quit()


def test_curl(demo, account):
    messages = deliver(demo, account, 2)
    curl = [program('curl'), '--silent', '--show-error', '--cacert', demo.ready['ca'], '--user',
            f'{account}:{demo.password}']
    secure = f'pop3s://127.0.0.1:{demo.ports["pop3s"]}'
    assert run([*curl, f'{secure}/2']).endswith(messages[1])
    assert len(run([*curl, f'{secure}/']).split(b'\r\n')) == 3
    plain = f'pop3://127.0.0.1:{demo.ports["pop3"]}'
    assert run([*curl, '--ssl-reqd', f'{plain}/1']).endswith(messages[0])
    assert run([*curl, '--request', 'UIDL', f'{plain}/']).count(b'\r\n') == 2
    run([*curl, '--request', 'DELE', '--head', f'{plain}/1'])
    assert left(demo, account) == 1


def fetchmail(demo, account, folder, *options, status=0, protocol='pop3'):
    """Runs it once; the messages that it gave on, with LF."""
    got = folder / 'got'
    got.unlink(missing_ok=True)
    settings = folder / 'fetchmailrc'
    settings.write_text(f'poll localhost protocol {protocol} username "{account}" password "{demo.password}" '
                        f'mda "cat >>{got}"\n')
    settings.chmod(0o700)
    done = subprocess.run([program('fetchmail'), '--fetchmailrc', str(settings), '--nodetach', '--nosyslog',
                           '--sslcertck', '--sslcertfile', demo.ready['ca'], '--pidfile', str(folder / 'pid'), '--idfile', str(folder / 'ids'),
                           *options],
                          env={'PATH': '/usr/bin:/bin', 'HOME': str(folder), 'FETCHMAILHOME': str(folder)},
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=6 * paths.PATIENCE)
    assert done.returncode == status, f'status {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}'
    return got.read_bytes() if got.exists() else b''


BODY = MESSAGE.split(b'\r\n\r\n', 1)[1].replace(b'\r\n', b'\n')
NOTHING_NEW = 1


def test_fetchmail(demo, account, tmp_path):
    """With TLS from the start: what is new, once; then everything, and nothing stays."""
    port = ['--service', str(demo.ports['pop3s']), '--ssl']
    deliver(demo, account, 2)
    assert fetchmail(demo, account, tmp_path, *port, '--keep', '--uidl').count(BODY) == 2
    assert fetchmail(demo, account, tmp_path, *port, '--keep', '--uidl', status=NOTHING_NEW) == b''
    deliver(demo, account)
    assert fetchmail(demo, account, tmp_path, *port, '--keep', '--uidl').count(BODY) == 1
    assert left(demo, account) == 3
    assert fetchmail(demo, account, tmp_path, *port, '--all').count(BODY) == 3
    assert left(demo, account) == 0


def test_fetchmail_with_stls(demo, account, tmp_path):
    deliver(demo, account)
    port = ['--service', str(demo.ports['pop3']), '--sslproto', 'TLS1.2+']
    assert fetchmail(demo, account, tmp_path, *port).count(BODY) == 1
    assert left(demo, account) == 0


def test_fetchmail_by_imap(demo, account, tmp_path):
    """What is new, from two folders; then everything, and nothing stays."""
    look = Look(demo, account)
    look.create(FOLDER)
    look.imap.command(f'APPEND "{wire.utf7(FOLDER)}" {{}}', MESSAGE)
    deliver(demo, account, 2)
    port = ['--service', str(demo.ports['imaps']), '--ssl', '--folder', f'INBOX,{wire.utf7(FOLDER)}']
    assert fetchmail(demo, account, tmp_path, *port, '--keep', protocol='imap').count(BODY) == 3
    assert [m.flags for m in look.messages(FOLDER)] == [['\\Seen']]
    assert fetchmail(demo, account, tmp_path, *port, '--keep', status=NOTHING_NEW, protocol='imap') == b''
    assert fetchmail(demo, account, tmp_path, *port, '--all', protocol='imap').count(BODY) == 3
    assert look.messages() == look.messages(FOLDER) == []


def getmail(demo, account, folder, delete, kind='POP3', port='pop3s', more=''):
    """Runs it once; the messages that it gave on, with LF. When a child of its ends before it
    begins to wait for it, getmail waits for a minute: so the child takes its time."""
    got = folder / 'got'
    got.unlink(missing_ok=True)
    settings = folder / 'getmailrc'
    settings.write_text(f'[retriever]\ntype = Simple{kind}SSLRetriever\nserver = localhost\n'
                        f'port = {demo.ports[port]}\nusername = {account}\npassword = {demo.password}\n'
                        f'ca_certs = {demo.ready["ca"]}\n{more}'
                        f'[destination]\ntype = MDA_external\npath = /bin/sh\n'
                        f'arguments = ("-c", "cat >>{got}; sleep 0.2")\n'
                        f'allow_root_commands = true\n'
                        f'[options]\nread_all = false\ndelete = {str(delete).lower()}\n')
    run([program('getmail'), f'--getmaildir={folder}', f'--rcfile={settings}'])
    return got.read_bytes() if got.exists() else b''


def test_getmail(demo, account, tmp_path):
    deliver(demo, account, 2)
    assert getmail(demo, account, tmp_path, delete=False).count(BODY) == 2
    assert getmail(demo, account, tmp_path, delete=False) == b''    # by their unique ids they are known
    deliver(demo, account)
    assert getmail(demo, account, tmp_path, delete=True).count(BODY) == 1
    assert left(demo, account) == 0


def test_getmail_by_imap(demo, account, tmp_path):
    """A large attachment on its way; then all goes to another folder."""
    deliver(demo, account)
    whole = letter('third', 'see the file\n', FILE)
    with wire.Smtp(demo.ports['smtp']) as smtp:
        assert smtp.message('sender@example.net', [account], whole).code == 250
    by_imap = {'kind': 'IMAP', 'port': 'imaps', 'more': 'mailboxes = ("INBOX",)\nmove_on_delete = Archive\n'}
    got = getmail(demo, account, tmp_path, delete=False, **by_imap)
    assert got.count(BODY) == 1 and whole.split(b'\r\n\r\n', 1)[1].replace(b'\r\n', b'\n') in got
    assert getmail(demo, account, tmp_path, delete=False, **by_imap) == b''
    deliver(demo, account)
    assert getmail(demo, account, tmp_path, delete=True, **by_imap).count(BODY) == 1
    look = Look(demo, account)
    assert (len(look.messages()), len(look.messages('Archive'))) == (0, 3)
