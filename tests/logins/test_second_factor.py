"""Codes by time, what they mean for mail, rules, and hashes brought along, through the real server."""
import json

import pytest

from kit import totp, wire

BCRYPT = '$2b$05$abcdefghijklmnopqrstuuZqvqfv/o8oyiBvZ1dPEOJ3b3ZPo1wYa'    # of "four easy words here"


def ask(demo, *words, octets=b''):
    done = demo.command(*words, '--json', octets=octets)
    return done.returncode, json.loads(done.stdout)


def answer(demo, account, password):
    with wire.Imap(demo.ports['imaps'], tls=True) as imap:
        imap.send(f'a LOGIN {account} "{password}"\r\n')
        return imap.line().decode()


@pytest.mark.smoke
def test_a_second_factor(demo, account):
    with wire.Imap(demo.ports['imap']) as imap:
        imap.login(account, demo.password)
        status, made = ask(demo, 'account', 'second-factor', 'totp', '--account', account)
        assert status == 0 and len(made['codes']) == 10
        assert b'BYE' in imap.line()
    check = ['account', 'second-factor', 'check', '--account', account]
    code = totp.code_of(made['uri']).encode()
    assert ask(demo, *check, octets=code)[0] == 0
    assert ask(demo, *check, octets=code)[0] == 1
    assert ask(demo, *check, octets=made['codes'][3].upper().encode())[0] == 0
    assert 'use an app password' in answer(demo, account, demo.password)
    assert 'use an app password' not in answer(demo, account, 'wrong')
    secret = ask(demo, 'account', 'app-password', 'add', 'phone', '--account', account)[1]['secret']
    assert answer(demo, account, secret).startswith('a OK ')
    assert ask(demo, 'account', 'second-factor', 'show', '--account', account)[1]['codes'] == 9
    assert ask(demo, 'account', 'second-factor', 'off', '--account', account)[0] == 0
    assert answer(demo, account, demo.password).startswith('a OK ')


def test_rules(demo, account):
    add = ['account', 'rule', 'add', '--account', account]
    status, made = ask(demo, *add, '--protocol', 'imap', '--network', '198.51.100.0/24')
    assert status == 0
    assert 'your network' in answer(demo, account, demo.password)
    assert 'your network' not in answer(demo, account, 'wrong')
    with wire.Pop3(demo.ports['pop3']) as pop3:
        assert pop3.login(account, demo.password).startswith(b'+OK')
    assert ask(demo, 'account', 'rule', 'delete', str(made['rule']), '--account', account)[0] == 0
    assert answer(demo, account, demo.password).startswith('a OK ')
    assert ask(demo, *add)[0] == 1


def test_a_hash_from_another_server(demo, account):
    name = account.replace('@', '-brought@')
    assert ask(demo, 'account', 'add', name, '--hash', '-', octets=BCRYPT.encode())[0] == 0
    assert answer(demo, name, 'four easy words here').startswith('a OK ')
    assert answer(demo, name, 'four easy words her').startswith('a NO ')
    assert ask(demo, 'account', 'password', name, '--hash', '$1$weak$hash')[0] == 1
