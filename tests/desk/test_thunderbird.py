"""Debian's Thunderbird under Xvfb: a person lists, reads, moves, gets mail by IDLE, sends and searches; IMAP says what
came of it."""
import pathlib
import re
import time

import pytest

from desk import programs, thunderbird
from kit import paths
from kit.clients import deliver, letter, open_mailbox, program

ARRIVAL = (b'From: Night Shift <night@example.net>\r\nTo: user1@example.test\r\nSubject: arrived by itself\r\n'
           b'Date: Fri, 06 Nov 2026 23:15:00 +0100\r\nMessage-ID: <night.1@example.net>\r\n\r\nIDLE told of it.\r\n')
AT_ONCE = 5     # seconds; Thunderbird itself would ask every ten minutes
SENT = re.compile(r'SendData: (?:\d+ )?(.*)')
REFUSED = re.compile(r'CreateNewLineFromSocket: \d+ (?:NO|BAD).*')


@pytest.fixture
def desk(new_server, tmp_path):
    """A server with the sample mail, and Thunderbird with the account user1."""
    for name in ('thunderbird', 'Xvfb', 'xdotool'):
        program(name)
    server = new_server(users=5, empty=False)
    mail = thunderbird.Thunderbird(server, tmp_path / 'thunderbird', pathlib.Path(server.ready['ca']))
    try:
        yield server, mail
    finally:
        try:
            mail.eye.picture(paths.LOGS / 'thunderbird-last.png')
        finally:
            mail.stop()
        (paths.LOGS / 'thunderbird-imap.log').write_text(mail.dialogue())


def read(mail, row, words):
    mail.click(mail.row('message', row))
    programs.until(lambda: words in mail.message_text(), f'"{words}" is not shown')


def move(server, mail):
    mail.drag(mail.row('message', 'umbrella'), mail.row('folder', 'Archives'))
    with open_mailbox(server, server.users[0]) as imap:
        programs.until(lambda: imap.status('Archive') == 1, 'the server has not moved it')
        assert imap.status('INBOX') == 5
    programs.until(lambda: not any('umbrella' in row for row in mail.rows('message')), 'still listed')


def star_and_delete(server, mail):
    """By the keys for it. The deleted message goes to Trash."""
    read(mail, 'Welcome to Postern', 'Maschinenraum')
    mail.keys('s')
    read(mail, 'a very small picture', 'One pixel, red')
    mail.keys('Delete')
    with open_mailbox(server, server.users[0]) as imap:
        programs.until(lambda: imap.status('Trash') == 1, 'the server has not moved it')
        assert imap.command('SEARCH FLAGGED').untagged[-1] == [b'* SEARCH 1']


def change_elsewhere(server, mail):
    """Another session expunges a message while Thunderbird waits in IDLE."""
    wait_for_idle(mail)
    with open_mailbox(server, server.users[0]) as imap:
        assert imap.command('STORE 1 +FLAGS.SILENT (\\Deleted)').ok and imap.command('EXPUNGE').ok
    programs.until(lambda: not any('Welcome' in row for row in mail.rows('message')), 'still listed', seconds=AT_ONCE)


def outlive_a_restart(server, mail):
    """The server ends and comes back, and has another message; "Get Messages" logs in again and shows it."""
    server.stop()
    server.start()
    deliver(server, server.users[0], letter('after the restart', 'Good morning.\n'))
    mail.keys('F5')
    mail.row('message', 'after the restart')


def wait_for_idle(mail):
    programs.until(lambda: SENT.findall(mail.dialogue())[-1] == 'IDLE', 'Thunderbird is not in IDLE')


def arrive(server, mail):
    """A message comes in while Thunderbird waits in IDLE; nobody touches anything."""
    wait_for_idle(mail)
    deliver(server, server.users[0], ARRIVAL)
    started = time.monotonic()
    mail.row('message', 'arrived by itself')
    assert time.monotonic() - started < AT_ONCE


def send(server, mail):
    mail.keys('ctrl+n')
    mail.part('msgcompose', '#msgSubject')
    mail.focus('^Write: ')
    mail.click(mail.part('msgcompose', '#toAddrInput'))
    mail.type(server.users[1] + ',')
    mail.click(mail.part('msgcompose', '#msgSubject'))
    mail.type('Greetings from Thunderbird')
    mail.click(mail.part('msgcompose', '#messageEditor'))
    mail.type('first line\n.one with a dot')
    mail.keys('ctrl+Return')
    for number, mailbox in ((1, 'INBOX'), (0, 'Sent')):
        with open_mailbox(server, server.users[number], mailbox) as imap:
            programs.until(lambda: imap.command('NOOP').ok and
                           imap.command('SEARCH SUBJECT "from Thunderbird"').untagged[0] != [b'* SEARCH'], 'not sent')
            assert imap.bodies('*').popitem()[1].endswith(b'first line\r\n.one with a dot\r\n')


def search(mail, attribute, words, count):
    """Search Messages with "Run search on server": it asks the server, and lists so many."""
    for css in ('#clear-button', '#searchTermList menulist.search-menulist'):
        mail.click(mail.part('mailnews:search', css))
    time.sleep(0.5)      # the menu opens
    mail.type(attribute + '\n')
    mail.click(mail.part('mailnews:search', 'input.search-value-input'))
    mail.type(words)
    before = len(asked(mail))
    mail.click(mail.part('mailnews:search', '#search-button'))
    programs.until(lambda: len(asked(mail)) > before, 'the server was not asked')
    listed = ('return Services.wm.getMostRecentWindow("mailnews:search").document.getElementById("threadTree")'
              '.view.rowCount;')
    programs.until(lambda: mail.look(listed) == count, f'not {count} found for "{words}"')


def asked(mail):
    return [line for line in SENT.findall(mail.dialogue()) if 'SEARCH' in line]


def search_on_server(mail):
    mail.focus('Thunderbird')
    mail.keys('ctrl+shift+f')
    mail.part('mailnews:search', '#checkSearchOnline')
    mail.focus('^Search Messages$')
    mail.click(mail.part('mailnews:search', '#checkSearchOnline'))
    search(mail, 'body', 'half past THREE', 2)
    assert 'BODY "half past THREE"' in asked(mail)[-1]
    search(mail, 'subject', 'BRöTCHEN', 1)


@pytest.mark.soak
def test_list_read_move_arrive_send_search(desk):
    server, mail = desk
    programs.until(lambda: len(mail.rows('message')) == 5, 'the list is not complete')    # two of six are one thread
    assert mail.rows('folder') == [server.users[0], 'Inbox', 'Drafts', 'Sent', 'Archives', 'Spam', 'Trash',
                                   'Local Folders']

    read(mail, 'Rechnung Nr. 4711 – Brötchen', 'anbei die Rechnung für 40 Brötchen')
    assert mail.look('return shown().document.getElementById("attachmentName").value;') == 'rechnung-4711.csv'
    with open_mailbox(server, server.users[0]) as imap:
        programs.until(lambda: imap.command('SEARCH SEEN').untagged == [[b'* SEARCH 2']], 'not marked as read')

    move(server, mail)
    arrive(server, mail)
    read(mail, 'Rechnung', 'Guten Morgen')
    mail.eye.picture(paths.LOGS / 'thunderbird.png')
    star_and_delete(server, mail)
    change_elsewhere(server, mail)
    outlive_a_restart(server, mail)
    send(server, mail)
    search_on_server(mail)
    assert not REFUSED.findall(mail.dialogue())
