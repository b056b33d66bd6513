"""Debian's Roundcube in Chromium: a person logs in, reads, sends, moves and searches; IMAP says what came of it."""
import shutil

import pytest

from desk import programs, roundcube, webdriver
from kit import debs, paths
from kit.clients import open_mailbox, program

ENTER = '\ue007'
ROWS = '#messagelist tbody tr'
FOLDERS = '#mailboxlist a'
SUBJECT = 'Grüße aus Roundcube'


@pytest.fixture
def desk(new_server, tmp_path):
    """A server with the sample mail, Roundcube before it, and a browser."""
    _, *needed = program('php'), program('chromedriver'), program('chromium')
    server = new_server(users=5, empty=False)
    try:
        mail = roundcube.Roundcube(server, tmp_path / 'roundcube')
    except debs.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        browser = webdriver.Browser(*needed, tmp_path)
        try:
            yield server, mail, browser
        finally:
            try:
                browser.picture(paths.LOGS / 'roundcube-last.png')
            finally:
                browser.stop()
    finally:
        shutil.copytree(mail.home / 'logs', paths.LOGS / 'roundcube', dirs_exist_ok=True)
        mail.stop()


def log_in(server, mail, browser):
    browser.go(mail.url)
    browser.one('#rcmloginuser').type(server.users[0])
    browser.one('#rcmloginpwd').type(server.password)
    browser.one('#rcmloginsubmit').click()
    browser.one(ROWS, 'Welcome to Postern')


def read(browser, subject):
    """Opens a message beside the list; its text, and the names of what is attached."""
    browser.one(ROWS, subject).click()
    browser.enter_frame(browser.one('#messagecontframe'))
    said = browser.one('#messagebody').text(), browser.texts('#attachment-list li')
    browser.leave_frame()
    return said


def send(browser, recipient):
    browser.one('a.compose').click()
    browser.one('.recipient-input input').type(recipient + ',')
    browser.one('#compose-subject').type(SUBJECT)
    browser.one('#composebody').type('Erste Zeile\n.eine mit Punkt\n')
    browser.one('button.send').click()
    browser.one(ROWS, 'Welcome to Postern')


def search(browser, words, count):
    """Types words into the search field; the rows that stay, once there are so many."""
    browser.run('arguments[0].value = ""', {webdriver.ELEMENT: browser.one('#mailsearchform').number})
    browser.one('#mailsearchform').type(words + ENTER)
    found = programs.until(lambda: len(rows := browser.texts(ROWS)) == count and rows, f'no {count} rows for "{words}"',
                           webdriver.Refused)
    return '\n'.join(found)


def search_whole_text(browser):
    """The search's options: in the entire message. These words stand in two bodies and in no header."""
    browser.one('.searchbar a.options').click()
    browser.one('#searchmenu label', 'Entire message').click()
    found = search(browser, 'half past THREE', 2)
    assert "Thursday's meeting moves to 15:30" in found and 'Re: Thursday' in found


def make_folder(server, mail, browser):
    browser.go(mail.url + '?_task=settings&_action=folders')
    browser.one('a.create').click()
    browser.enter_frame(browser.one('#preferences-frame'))
    browser.one('input[name=_name]').type('Häuser & Gärten')
    browser.one('button.submit').click()
    browser.leave_frame()
    browser.one('#subscription-table li', 'Häuser & Gärten')
    with open_mailbox(server, server.users[0]) as imap:
        assert imap.command('LIST (SUBSCRIBED) "" "H&AOQ-user &- G&AOQ-rten"').untagged


@pytest.mark.soak
def test_log_in_read_send_move_search(desk):
    server, mail, browser = desk
    log_in(server, mail, browser)
    assert len(browser.texts(ROWS)) == 6
    assert [f.removesuffix('6').strip() for f in browser.texts(FOLDERS)] == [
        'Inbox', 'Drafts', 'Sent', 'Junk', 'Trash', 'Archive']

    text, attached = read(browser, 'Rechnung Nr. 4711 – Brötchen')
    assert 'anbei die Rechnung für 40 Brötchen' in text and attached[0].startswith('rechnung-4711.csv')
    with open_mailbox(server, server.users[0]) as imap:
        programs.until(lambda: imap.command('SEARCH SEEN SUBJECT 4711').untagged == [[b'* SEARCH 2']], 'not seen')

    send(browser, server.users[1])
    sent_and_received_are_whole(server)

    browser.drag(browser.one(ROWS, 'umbrella'), browser.one(FOLDERS, 'Archive'))
    programs.until(lambda: len(browser.texts(ROWS)) == 5, 'the message was not moved', webdriver.Refused)
    with open_mailbox(server, server.users[0]) as imap:
        programs.until(lambda: imap.status('Archive') == 1, 'the server has not moved it')
        assert imap.status('INBOX') == 5
    browser.one(FOLDERS, 'Archive').click()
    programs.until(lambda: 'umbrella' in ''.join(browser.texts(ROWS)), 'not in Archive', webdriver.Refused)

    browser.one(FOLDERS, 'Inbox').click()
    browser.one(ROWS, 'Welcome to Postern')
    assert 'Bäckerei' in search(browser, 'BRÖTCHEN', 1)
    read(browser, 'Rechnung')
    browser.picture(paths.LOGS / 'roundcube.png')
    search_whole_text(browser)
    make_folder(server, mail, browser)
    nothing_went_wrong(mail)


def sent_and_received_are_whole(server):
    """One copy in the sender's Sent, one in the recipient's INBOX, with the same text."""
    for number, mailbox in ((0, 'Sent'), (1, 'INBOX')):
        with open_mailbox(server, server.users[number], mailbox) as imap:
            last = imap.bodies('*').popitem()[1]
            assert b'Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_Roundcube?=' in last
            assert last.endswith(b'Erste Zeile\r\n.eine mit Punkt\r\n')


def nothing_went_wrong(mail):
    """Roundcube logged no error, and no command of its was answered NO or BAD."""
    said = [line for line in mail.dialogue().splitlines() if ' S: A0' in line]
    assert len(said) > 50 and not [line for line in said if ' NO ' in line or ' BAD ' in line]
    assert not mail.problems()
