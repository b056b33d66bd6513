"""What each ROOM.md says of system calls is what the room's filter permits.

A room that is started by hand prints its list. The calls that every room may
make stand in docs/jail.md; a ROOM.md names the others in backquotes behind
"System calls". `*` marks a call whose arguments are restricted.
"""
import re
import subprocess

import pytest

from kit.paths import BUILD, ROOT

ROOMS = ['vault', 'watch', 'auth', 'inspect', 'queue', 'edge', 'web', 'resolve', 'relay', 'fetch', 'account']


def permitted(room):
    program = BUILD / f'postern-{room}'
    out = subprocess.run([program], capture_output=True, text=True, timeout=20)
    assert out.returncode == 2, out.stderr
    return set(out.stdout.split())


def backquoted(text):
    return set(' '.join(re.findall(r'`([^`]*)`', text)).split())


def common():
    text = (ROOT / 'docs' / 'jail.md').read_text()
    block = re.search(r'```\n(.*?)```', text, re.S)
    return set(block.group(1).split())


@pytest.mark.parametrize('room', ROOMS)
def test_room_md_lists_what_the_filter_allows(room):
    text = (ROOT / 'src' / room / 'ROOM.md').read_text()
    assert '**System calls' in text
    listed = backquoted(text.split('**System calls', 1)[1])
    # A call that is restricted for all may be permitted whole to one.
    whole = {call for call in common() if call.rstrip('*') not in listed}
    assert whole | listed == permitted(room), f'src/{room}/ROOM.md'
    assert not listed & common()
