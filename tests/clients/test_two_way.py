"""mbsync and offlineimap keep a Maildir and an account alike, whoever changes what."""
import itertools
import os

from kit import paths, two_way, wire
from kit.clients import program, run

SEED = int(os.environ.get('POSTERN_SEED', 20260303))
ROUNDS = 30 if paths.SOAK else 3
CHANGES = 25
NEAR_FOLDERS = ['Projekte', 'Projekte/Größe & Maß', 'two words']
FAR_FOLDERS = ['Рукописи', 'Archive/2026', 'Пошта/日本語']


def mbsync(demo, account, folder):
    """Where its Maildirs are, and a function that runs it once: over STARTTLS and TLS from the start in turn."""
    near = folder / 'near'
    near.mkdir()
    files = []
    for secure, port in (('STARTTLS', demo.ports['imap']), ('IMAPS', demo.ports['imaps'])):
        files.append(folder / secure)
        files[-1].write_text(
            f'IMAPStore far\nHost localhost\nPort {port}\nUser {account}\nPass "{demo.password}"\n'
            f'SSLType {secure}\nSystemCertificates no\nCertificateFile {demo.ready["ca"]}\n\n'
            f'MaildirStore near\nPath {near}/\nInbox {near}/INBOX\nSubFolders Verbatim\n\n'
            f'Channel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\nRemove Both\nExpunge Both\n'
            f'SyncState *\n')
    turn = itertools.cycle(files)
    return near, lambda: run([program('mbsync'), '--config', str(next(turn)), '--all'])


def test_mbsync(demo, account, tmp_path):
    near, synchronise = mbsync(demo, account, tmp_path)
    far = two_way.Far(demo.ports['imap'], account, demo.password)
    pair = two_way.TwoWay(two_way.Near(near, wire.utf7, wire.from_utf7), far, synchronise, SEED)
    pair.begin(NEAR_FOLDERS, FAR_FOLDERS)
    for _ in range(ROUNDS):
        pair.round(CHANGES)
    pair.folders_go()
    pair.nothing_to_do()


def offlineimap(demo, account, folder):
    settings, near = folder / 'offlineimaprc', folder / 'near'
    near.mkdir()
    settings.write_text(f'[general]\naccounts = one\nmetadata = {folder}/state\nui = quiet\nfsync = false\n\n'
                        f'[Account one]\nlocalrepository = near\nremoterepository = far\nutf8foldernames = yes\n\n'
                        f'[Repository near]\ntype = Maildir\nlocalfolders = {near}\nsep = /\n\n'
                        f'[Repository far]\ntype = IMAP\nremotehost = localhost\nremoteport = {demo.ports["imaps"]}\n'
                        f'remoteuser = {account}\nremotepass = {demo.password}\nssl = yes\n'
                        f'sslcacertfile = {demo.ready["ca"]}\nmaxconnections = 3\nexpunge = yes\n')
    return near, lambda: run([program('offlineimap'), '-c', str(settings), '-o'])


def test_offlineimap(demo, account, tmp_path):
    near, synchronise = offlineimap(demo, account, tmp_path)
    far = two_way.Far(demo.ports['imap'], account, demo.password)
    pair = two_way.TwoWay(two_way.Near(near), far, synchronise, SEED)
    pair.begin(NEAR_FOLDERS, FAR_FOLDERS)
    for _ in range(ROUNDS):
        pair.round(CHANGES)
    pair.nothing_to_do()
