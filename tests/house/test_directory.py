"""What an administrator changed holds for the very next recipient, in sessions that are open already."""
import contextlib
import signal
import threading

import pytest

from kit import paths, server, wire

ROUNDS = 12
BUSY = 4      # sessions that keep everybody known meanwhile


@pytest.fixture(scope='module')
def house(binaries, tmp_path_factory):
    with server.Server(tmp_path_factory.mktemp('house') / 'mail', users=12) as one:
        yield one


def postern(one, *words, octets=b''):
    done = one.command(*words, octets=octets)
    assert done.returncode == 0, done.stderr


def rcpt(smtp, address):
    """The code of a RCPT in a transaction of its own."""
    code = smtp.envelope('a@sender.example', [address])[1].code
    smtp.command('RSET')
    return code


@contextlib.contextmanager
def known(one, address):
    """An open session in which the address was accepted, twice."""
    with wire.Smtp(one.ports['smtp']) as smtp:
        assert [rcpt(smtp, address), rcpt(smtp, address)] == [250, 250]
        yield smtp


@contextlib.contextmanager
def busy(one, address):
    """Sessions that ask for the address without end."""
    over = threading.Event()

    def ask():
        with wire.Smtp(one.ports['smtp']) as smtp:
            while not over.is_set():
                rcpt(smtp, address)

    threads = [threading.Thread(target=ask) for _ in range(BUSY)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(paths.PATIENCE)


def test_who_is_known_is_not_asked_for_again(house):
    user = house.new_users(1)[0]
    with known(house, user) as smtp:
        auth = house.room('auth')[0]
        auth.signal(signal.SIGSTOP)
        try:
            assert rcpt(smtp, user) == 250
        finally:
            auth.signal(signal.SIGCONT)


def test_a_deleted_alias_is_refused_at_once(house):
    user, alias = house.new_users(1)[0], 'sales@example.test'
    for _ in range(ROUNDS):
        postern(house, 'alias', 'add', alias, user)
        with busy(house, alias), known(house, alias) as smtp:
            postern(house, 'alias', 'delete', alias)
            assert rcpt(smtp, alias) == 550


def test_a_disabled_account_is_refused_at_once_and_an_enabled_one_taken(house):
    user = house.new_users(1)[0]
    with busy(house, user), known(house, user) as smtp:
        for _ in range(ROUNDS):
            postern(house, 'account', 'disable', user)
            assert rcpt(smtp, user) == 550
            postern(house, 'account', 'enable', user)
            assert rcpt(smtp, user) == 250


def test_a_deleted_account_is_refused_at_once_also_under_its_tags(house):
    user = house.new_users(1)[0]
    tagged = user.replace('@', '+shop@')
    with known(house, tagged) as smtp:
        postern(house, 'account', 'delete', user, '--yes')
        assert rcpt(smtp, tagged) == 550
        assert rcpt(smtp, user) == 550


def test_an_alias_takes_over_from_the_address_without_its_tag(house):
    user, other = house.new_users(2)
    tagged = user.replace('@', '+new@')
    with known(house, tagged) as smtp:
        postern(house, 'alias', 'add', tagged, other)
        smtp.message('a@sender.example', [tagged], b'Subject: whose\r\n\r\nx\r\n')
    with wire.Imap(house.ports['imap']) as imap:
        imap.login(other, house.password)
        assert imap.select('INBOX') == 1


def test_a_killed_auth_takes_what_it_said_along(house):
    user, alias = house.new_users(1)[0], 'gone@example.test'
    postern(house, 'alias', 'add', alias, user)
    with known(house, alias) as smtp:
        house.room('auth')[0].signal(signal.SIGKILL)
        assert rcpt(smtp, alias) in (250, 451)    # its successor is on its way
        postern(house, 'alias', 'delete', alias)
        assert rcpt(smtp, alias) == 550
