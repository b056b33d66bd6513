"""neomutt in a terminal: what a person does with it, over TLS on both sides."""
import re

import pytest

from kit import terminal
from kit.clients import FILE, FOLDER, Look, deliver, letter, program, the_file, the_text
from kit.terminal import ENTER, control

SETTINGS = '''
set imap_user="{user}" imap_pass="{password}"
set folder="{imap_url}/" spoolfile="+INBOX" record="+Sent" postponed="+Drafts"
set smtp_url="{smtp_url}" smtp_pass="{password}"
set from="{user}" realname="Größer" use_from=yes hostname=client.example
set certificate_file="{ca}" ssl_force_tls=yes ssl_starttls=yes
set imap_idle=yes timeout=1 mail_check=1 imap_check_subscribed=no
set editor="{folder}/editor" edit_headers=no autoedit=no fast_reply=yes include=yes
set charset=utf-8 send_charset="us-ascii:utf-8" sort=date
set confirm_append=no confirm_create=no delete=yes move=no quit=yes wait_key=no sleep_time=0 beep=no help=no mark_old=no
set pager_index_lines=0 menu_scroll=yes
'''
TYPED_FOLDER = FOLDER.replace(' ', control('v') + ' ')    # a blank by itself completes the name


WAYS = {'TLS': ('imaps', 'imaps', 'smtps', 'submissions'), 'STARTTLS': ('imap', 'imap', 'smtp', 'submission')}


@pytest.fixture
def neomutt(demo, account, tmp_path, request):
    """Starts it on the account's INBOX."""
    imap, imap_port, smtp, smtp_port = WAYS[getattr(request, 'param', 'TLS')]
    values = {'user': account, 'password': demo.password, 'ca': demo.ready['ca'], 'folder': tmp_path,
              'imap_url': f'{imap}://localhost:{demo.ports[imap_port]}',
              'smtp_url': f'{smtp}://{account.replace("@", "%40")}@localhost:{demo.ports[smtp_port]}'}
    (tmp_path / 'muttrc').write_text(SETTINGS.format(**values))
    editor = tmp_path / 'editor'
    editor.write_text('#!/bin/sh\nprintf "written by a person: äöü\\n.\\n..\\nFrom here\\n" >>"$1"\n')
    editor.chmod(0o700)

    def start():
        argv = [program('neomutt'), '-n', '-F', str(tmp_path / 'muttrc'), '-d', '2', '-l', str(tmp_path / 'log')]
        return terminal.Terminal(argv, {}, tmp_path)
    return start


def test_reads_searches_files_and_deletes(demo, account, neomutt, tmp_path):
    look = Look(demo, account)
    look.create(FOLDER)
    deliver(demo, account, letter('first Grüße', 'needle in the first\n'), letter('second', 'hay\n'),
            letter('third', 'see the file\n', FILE))
    with neomutt() as mutt:
        mutt.see('first Grüße')
        mutt.see('third')
        mutt.do('=' + ENTER, 'needle in the first')
        mutt.do('q', 'third')
        mutt.do('*' + ENTER, 'see the file')
        mutt.do('v', r'straße\.bin')
        mutt.do('js', 'Save to file')
        mutt.do(control('u') + str(tmp_path / 'saved') + ENTER, 'Attachment saved')
        assert (tmp_path / 'saved').read_bytes() == FILE
        mutt.do('qq', 'second')
        mutt.do('l=b needle' + ENTER, r'(?s)first(?!.*second)')
        mutt.do('F', ' ! ')
        mutt.do('lall' + ENTER, 'third')
        mutt.do('=d', r'1 +D.*first')
        mutt.do('s' + control('u') + '=' + TYPED_FOLDER + ENTER, r'2 ND.*second')
        mutt.do('$', r'(?s)third(?!.*second)')
        mutt.do('c=' + TYPED_FOLDER + ENTER, 'second')
        mutt.keys('q')
        mutt.ends()
    assert look.subjects() == ['third']
    assert look.subjects(FOLDER) == ['second']
    (third,) = look.messages()
    assert third.flags == ['\\Seen']


def test_makes_folders_and_lists_them(demo, account, neomutt):
    look = Look(demo, account)
    look.create('Пошта/日本語')
    with neomutt() as mutt:
        mutt.see('INBOX')
        mutt.do('c?', r'Mailboxes \[0\]')
        mutt.do('\t', 'Archive')
        mutt.do('C', 'Create mailbox:')
        mutt.keys(control('e') + TYPED_FOLDER + ENTER)
        mutt.see(FOLDER)
        mutt.see('Пошта')
        mutt.keys('qq')
        mutt.ends()
    assert FOLDER in look.folders()


@pytest.mark.parametrize('neomutt', WAYS, indirect=True)
def test_sends_with_a_file_and_keeps_a_copy(demo, account, neomutt, tmp_path):
    (friend,) = demo.new_users(1)
    (tmp_path / 'straße.bin').write_bytes(FILE)
    with neomutt() as mutt:
        mutt.see('INBOX')
        mutt.do('m', 'To:')
        mutt.do(friend + ENTER, 'Subject:')
        mutt.do('Grüße с Дона' + ENTER, 'Compose')
        mutt.do('a', 'Attach file')
        mutt.do(str(tmp_path / 'straße.bin') + ENTER, r'2 .*straße\.bin')
        mutt.do('y', 'Mail sent')
        mutt.keys('q')
        mutt.ends()
    for there, folder in ((friend, 'INBOX'), (account, 'Sent')):
        (message,) = Look(demo, there).messages(folder)
        assert message['subject'] == 'Grüße с Дона'
        assert message['from'].addresses[0].display_name == 'Größer'
        assert the_text(message) == 'written by a person: äöü\n.\n..\nFrom here\n'
        assert the_file(message) == FILE


def test_answers_what_arrives_while_it_waits(demo, neomutt, account, tmp_path):
    (friend,) = demo.new_users(1)
    with neomutt() as mutt:
        mutt.see('INBOX')
        deliver(demo, account, letter('just arrived', 'a question\n', sender=friend))
        mutt.see('just arrived')
        mutt.do('=r', 'Compose')
        mutt.do('y', 'Mail sent')
        mutt.do('$q', '')
        mutt.ends()
    (answer,) = Look(demo, friend).messages()
    (question,) = Look(demo, account).messages()
    assert answer['subject'] == 'Re: just arrived'
    assert answer['in-reply-to'] == question['message-id']
    assert '> a question\n' in the_text(answer)
    assert '\\Answered' in question.flags
    assert re.search(r'> a[0-9]+ IDLE', (tmp_path / 'log0').read_text(errors='replace'))
