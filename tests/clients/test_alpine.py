"""alpine in a terminal: what a person does with it, over TLS on both sides; the password is typed."""
import pytest

from kit import terminal
from kit.clients import FILE, FOLDER, Look, deliver, letter, program, the_file, the_text
from kit.terminal import ENTER, control

SETTINGS = '''
personal-name=Größer
user-domain=example.test
inbox-path={{localhost:{imaps}/ssl/user={user}}}INBOX
folder-collections="Mail {{localhost:{imaps}/ssl/user={user}}}[]"
smtp-server=localhost:{submissions}/ssl/user={user}
customized-hdrs=From: Größer <{user}>
default-fcc=Sent
postponed-folder=Drafts
system-certs-file={ca}
feature-list=enable-aggregate-command-set,enable-flag-cmd,expunge-without-confirm-everywhere,quit-without-confirm,
	no-quell-folder-internal-msg,allow-changing-from,enable-full-header-cmd,save-will-not-delete,
	auto-move-read-msgs,send-without-confirm,quell-content-id,enable-exit-via-lessthan-command,select-without-confirm
keyboard-character-set=UTF-8
display-character-set=UTF-8
mail-check-interval=15
last-version-used=9.99
remote-abook-metafile=no
'''


@pytest.fixture
def alpine(demo, account, tmp_path):
    settings = SETTINGS.format(user=account, ca=demo.ready['ca'], **demo.ports)
    (tmp_path / '.pinerc').write_text(settings)

    def start():
        return terminal.Terminal([program('alpine')], {}, tmp_path)
    return start


def test_reads_searches_files_and_deletes(demo, account, alpine, tmp_path):
    look = Look(demo, account)
    look.create(FOLDER)
    deliver(demo, account, letter('first Grüße', 'needle in the first\n'), letter('second', 'hay\n'),
            letter('third', 'see the file\n', FILE))
    with alpine() as pine:
        pine.see('zzz')
