"""Nobody gets mail through this server to another without an account: not by any way of writing an address.

Each form is an address that some server once took for its own and passed on. Here it is refused, or stays here.
"""
import itertools
import re

import pytest

from kit import wire

HERE = 'example.test'
FORMS = [
    '<victim@elsewhere.example>',
    f'<victim%elsewhere.example@{HERE}>',
    f'<victim@elsewhere.example@{HERE}>',
    f'<"victim@elsewhere.example"@{HERE}>',
    f'<"victim%elsewhere.example"@{HERE}>',
    f'<elsewhere.example!victim@{HERE}>',
    f'<"elsewhere.example!victim"@{HERE}>',
    f'<@{HERE}:victim@elsewhere.example>',
    f'<@{HERE},@other.example:victim@elsewhere.example>',
    f'<{HERE}!victim@elsewhere.example>',
    f'<victim@elsewhere.example%{HERE}>',
    f'<victim%elsewhere.example%{HERE}@{HERE}>',
    '<victim@[192.0.2.1]>',
    '<victim@[127.0.0.1]>',
    '<victim@[IPv6:2001:db8::1]>',
    '<victim%elsewhere.example@[127.0.0.1]>',
    '<victim@localhost>',
    f'<victim@mail.{HERE}.>',
    f'<victim@{HERE}.elsewhere.example>',
    f'<victim@elsewhere.example.{HERE}>',
    '<"victim@elsewhere.example">',
    '<victim%elsewhere.example>',
    '<elsewhere.example!victim>',
    '<victim@elsewhere.example',
    'victim@elsewhere.example',
    f'<"victim@elsewhere.example>"@{HERE}>',
    f'<victim@elsewhere.example> <user1@{HERE}>',
    f'<victim@elsewhere.example\x00@{HERE}>',
    f'<victim@elsewhere.example;user1@{HERE}>',
    f'<victim@elsewhere.example,user1@{HERE}>',
    f'<victim+@elsewhere.example@{HERE}>',
    '<user1+victim@elsewhere.example>',
    '<victim@xn--elsewhere-.example>',
    '<victim@ｅｌｓｅｗｈｅｒｅ.example>',
    f'<srs0=aaaa=bb=elsewhere.example=victim@{HERE}>',
    f'<SRS1=aaaa={HERE}==bbbb=cc=elsewhere.example=victim@{HERE}>',
    '<postmaster@elsewhere.example>',
]
STRANGERS = (f'10.{n // 250}.{n % 250}.77' for n in itertools.count())    # who tries twice is not heard for long
SENDERS = ['', 'somebody@strange.example', f'user1@{HERE}', f'postmaster@{HERE}']


def refused(smtp, form, more=''):
    """No address but a real one here is accepted; whatever is said, DATA then is not."""
    reply = smtp.command(f'RCPT TO:{form}{more}')
    assert 400 <= reply.code < 600, (form, reply)
    reply = smtp.command('DATA')
    assert reply.code == 503, (form, reply)


@pytest.mark.parametrize('sender', SENDERS)
def test_port_25_passes_nothing_on(demo, sender):
    for form in FORMS:
        with wire.Smtp(demo.ports['smtp']) as smtp:
            smtp.xclient(addr=next(STRANGERS))    # as anybody on the Internet
            more = ' SMTPUTF8' if not form.isascii() else ''
            assert smtp.command(f'MAIL FROM:<{sender}>{more}').code == 250
            refused(smtp, form)


@pytest.mark.parametrize('more', [' NOTIFY=NEVER', ' ORCPT=rfc822;user1@example.test', ' NOTIFY=SUCCESS ORCPT=rfc822;a@b'])
def test_parameters_open_nothing(demo, more):
    with wire.Smtp(demo.ports['smtp']) as smtp:
        assert smtp.command('MAIL FROM:<user1@example.test> AUTH=user1@example.test').code == 250
        refused(smtp, '<victim@elsewhere.example>', more)


def test_submission_without_a_login_takes_no_sender(demo):
    for port, tls in (('submission', False), ('submissions', True)):
        with wire.Smtp(demo.ports[port], tls=tls) as smtp:
            for sender in SENDERS:
                assert smtp.command(f'MAIL FROM:<{sender}>').code == 530
                assert smtp.command('RCPT TO:<victim@elsewhere.example>').code == 503


def test_a_failed_login_is_none(demo):
    with wire.Smtp(demo.ports['submission']) as smtp:
        assert smtp.login('user1@example.test', 'wrong').code == 535
        assert smtp.command('MAIL FROM:<user1@example.test>').code == 530


def test_a_login_ends_with_its_connection(demo, account):
    """What one client proved counts for no other, nor for the same one behind another name."""
    with wire.Smtp(demo.ports['submission']) as smtp:
        assert smtp.login(account, demo.password).code == 235
        smtp.xclient(addr=next(STRANGERS))
        assert smtp.command(f'MAIL FROM:<{account}>').code == 530


def test_a_login_sends_as_nobody_else(demo, account):
    with wire.Smtp(demo.ports['submission']) as smtp:
        assert smtp.login(account, demo.password).code == 235
        for sender in ('boss@elsewhere.example', 'postmaster@example.test', f'"{account}"@elsewhere.example',
                       f'{account}%elsewhere.example@example.test'):
            assert re.match('55[03]|501', str(smtp.command(f'MAIL FROM:<{sender}>').code)), sender


def test_nobody_makes_a_relay_of_it(demo):
    """There is no configuration of an open one: no route takes mail for everybody."""
    for match in ([], ['*'], ['.'], ['*.example'], ['']):
        done = demo.command('route', 'add', 'relayed', *match, '--host', '192.0.2.1')
        assert done.returncode != 0, (match, done.stdout)
    assert demo.command('alias', 'add', '*@elsewhere.example', 'user1@example.test').returncode != 0
    assert demo.command('domain', 'add', '*').returncode != 0
