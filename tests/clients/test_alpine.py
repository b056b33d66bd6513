"""alpine in a terminal: what a person does with it, over TLS on both sides; the password is typed."""
import pytest

from kit import terminal
from kit.clients import FILE, FOLDER, Look, deliver, letter, program, the_file, the_text
from kit.terminal import ENTER, control

DOWN = control('n')
SETTINGS = '''
personal-name=Größer
user-domain=example.test
inbox-path={{localhost:{imaps}/ssl/user={user}}}INBOX
folder-collections=Mail {{localhost:{imaps}/ssl/user={user}}}[]
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
        pine = terminal.Terminal([program('alpine')], {}, tmp_path)
        log_in(pine, demo.password)
        pine.see('Folder: INBOX')
        return pine
    return start


def gone(text):
    """That it is on the screen no more. (What alpine says below comes and goes as it has time.)"""
    return f'(?s)^(?!.*{text})'


def log_in(pine, password):
    pine.see('ENTER PASSWORD')
    pine.do(password + ENTER, 'Preserve password')
    pine.keys('n')


def test_reads_searches_files_and_deletes(demo, account, alpine, tmp_path):
    look = Look(demo, account)
    look.create(FOLDER)
    deliver(demo, account, letter('first Grüße', 'needle in the first\n'), letter('second', 'hay\n'),
            letter('third', 'see the file\n', FILE))
    with alpine() as pine:
        pine.do('i', 'third')
        pine.do(';', 'SELECT criteria')
        pine.do('tb', 'to match')
        pine.do('needle' + ENTER, r'(?s)X N +1.*first(?!.*second)')
        pine.do('z', 'second')
        pine.do('*', 'Flag New')
        pine.do(ENTER, gone('Flag New'))
        pine.do(ENTER, 'needle in the first')
        pine.do('<n', r'Message 2 of 3')
        pine.do('s', 'SAVE')
        pine.do(control('t'), 'SELECT FOLDER')
        pine.do('w', 'Word to search')
        pine.do('Gr' + ENTER, gone('Word to search'))
        pine.do(ENTER, 'MESSAGE INDEX')
        pine.do('d', ' D +2 Mar')
        pine.do('x', 'Message 2 of 2')
        pine.do(ENTER, 'see the file')
        pine.do('>', 'straße')
        pine.do('n', 'ATTACHMENT INDEX')
        pine.do('s', 'Copy attachment')
        pine.do(ENTER, gone('Copy attachment'))
        pine.keys('q')
        pine.ends()
    assert (tmp_path / 'straße.bin').read_bytes() == FILE
    assert look.subjects(FOLDER) == ['second']
    first, third = look.messages()
    assert set(first.flags) >= {'\\Flagged', '\\Seen'} and '\\Seen' in third.flags


def test_makes_folders_and_lists_them(demo, account, alpine):
    """It knows only ASCII for a new name."""
    look = Look(demo, account)
    look.create(FOLDER)
    with alpine() as pine:
        pine.see('INBOX')
        pine.do('l', FOLDER)
        pine.do('a', 'Folder name to add')
        pine.do('made by hand' + ENTER, r'made by hand\[/\]|made by hand +')
        pine.keys('q')
        pine.ends()
    assert 'made by hand' in look.folders()


def test_sends_with_a_file_and_keeps_a_copy(demo, account, alpine, tmp_path):
    (friend,) = demo.new_users(1)
    (tmp_path / 'file.bin').write_bytes(FILE)
    with alpine() as pine:
        pine.do('c', 'Message Text')
        pine.keys(friend + 3 * DOWN + 'Grüße с Дона')
        pine.do(control('j'), 'File to attach')
        pine.do(str(tmp_path / 'file.bin') + ENTER, 'Attachment comment')
        pine.do(ENTER, r'1\. .*file\.bin')
        pine.do(2 * DOWN + 'written by a person: äöü' + ENTER + '.' + ENTER + '..' + ENTER + 'From here', 'From here')
        pine.keys(control('x'))
        log_in(pine, demo.password)
        pine.see('MAIN MENU')
        pine.keys('q')
        pine.ends()
    for there, folder in ((friend, 'INBOX'), (account, 'Sent')):
        (message,) = Look(demo, there).messages(folder)
        assert message['subject'] == 'Grüße с Дона'
        assert message['from'].addresses[0].display_name == 'Größer'
        assert the_text(message).rstrip('\n') == 'written by a person: äöü\n.\n..\nFrom here'
        assert the_file(message) == FILE


def test_answers(demo, account, alpine):
    (friend,) = demo.new_users(1)
    deliver(demo, account, letter('a question', 'which\n', sender=friend))
    with alpine() as pine:
        pine.do('i', 'a question')
        pine.do('r', 'Include original')
        pine.do('y', 'Reply to all')
        pine.do('n', 'which')
        pine.keys('this one' + ENTER + control('x'))
        log_in(pine, demo.password)
        pine.see('MESSAGE INDEX')
        pine.keys('q')
        pine.ends()
    (answer,) = Look(demo, friend).messages()
    (question,) = Look(demo, account).messages()
    assert answer['subject'] == 'Re: a question'
    assert answer['in-reply-to'] == question['message-id']
    assert 'this one\n' in the_text(answer) and '> which\n' in the_text(answer)
    assert '\\Answered' in question.flags
