"""Every word the IMAP tables of the source know is spoken in some dialogue; what lacks one is told by name."""
import functools
import re

import pytest

from kit import dialogue, paths

SOURCE = paths.ROOT / 'src'
GRAMMAR = SOURCE / 'grammar/imap'
DIALOGUES = sorted((paths.ROOT / 'tests/dialogues/imap').glob('*.txt'))
# What no client can bring about on a healthy server, or on the demo: shown by the test named here instead.
ELSEWHERE = {
    'CORRUPTION': 'tests/house/test_refusals.py',
    'UNAVAILABLE': 'tests/house/test_refusals.py',
    'NOTSAVED': 'src/account/imap/session_test.c',    # memory is refused there
    'PRIVACYREQUIRED': 'tests/cli/test_check.py',     # the demo permits a login without TLS
}


def table(path, pattern):
    found = re.findall(pattern, (SOURCE / path).read_text(encoding='utf-8'))
    assert found, f'{path} has no table like that any more'
    return sorted(set(found))


def tables(path, *patterns):
    """The first strings of the rows between each table's first line and its end."""
    text = (SOURCE / path).read_text(encoding='utf-8')
    words = set()
    for head in patterns:
        rows = re.search(re.escape(head) + r'.*?\n\t*\};', text, re.S)
        assert rows, f'{path} has no {head}'
        words |= set(re.findall(r'STR_INIT\("([^"]+)"\)', rows.group()))
    return sorted(word.replace('\\\\', '\\') for word in words)


VERBS = table('grammar/imap/imap_verbs.h', r'VERB\(\w+, "([\w-]+)", [^,]+, ([^,]+),')
CODES = table('grammar/imap/imap_codes.h', r'#define IMAP_CODE_\w+ "([A-Z-]+)"')
CAPABILITIES = [name for name, offered in
                table('account/imap/capabilities.h', r'CAPABILITY\("([^"]+)", (true|false)') if offered == 'true']
WORDS = sorted({
    *tables('grammar/imap/imap_search.c', '} words[] = {', '} options[] = {'),
    *tables('grammar/imap/imap_fetch.c', ' macros[] = {', ' items[] = {', '} contents[] = {', ' texts[] = {'),
    *tables('grammar/imap/imap_list.c', ' status_items[] = {', ' select_options[] = {', ' return_options[] = {'),
    *tables('grammar/imap/imap_flags.c', ' flags[] = {', ' uses[] = {'),
    *tables('account/imap/enable.c', '} switches[] = {'),
    'NOT', 'OR', 'UNCHANGEDSINCE', 'CHANGEDSINCE', 'VANISHED', 'FLAGS.SILENT', '+FLAGS', '-FLAGS', 'CHARSET', 'RETURN',
})


@functools.cache
def said(speaker):
    """All that clients (C) or servers (S) say in IMAP dialogues, a line each."""
    return '\n'.join(step.text for file in DIALOGUES for step in dialogue.read(file) if step.verb[0] == speaker)


def spoken(word):
    """A word of its own that clients send, in any case."""
    before = '' if word.startswith(('+', '-', '\\')) else r'((?<![\w.=-])|(?<=\d\.))'
    return re.search(rf'{before}{re.escape(word)}(?![\w.=-])', said('C').replace('\\\\', '\\'), re.I)


@pytest.mark.parametrize('name, flags', VERBS, ids=[name for name, _ in VERBS])
def test_command(name, flags):
    assert re.search(rf'^\S+ {name}\b', said('C'), re.M | re.I), f'no dialogue sends {name}'
    if 'UID' in flags:
        assert re.search(rf'^\S+ UID {name}\b', said('C'), re.M | re.I), f'no dialogue sends UID {name}'


@pytest.mark.parametrize('code', CODES)
def test_response_code(code):
    if code in ELSEWHERE:
        assert f'[{code}' in (paths.ROOT / ELSEWHERE[code]).read_text(encoding='utf-8'), f'{ELSEWHERE[code]} lacks [{code}]'
    else:
        assert re.search(rf'\[{code}[\] ]', said('S').replace('\\[', '[')), f'in no dialogue the server says [{code}]'


@pytest.mark.parametrize('word', WORDS)
def test_word(word):
    assert spoken(word), f'no dialogue sends {word}'


@pytest.mark.parametrize('name', CAPABILITIES)
def test_capability(name):
    words = said('S').replace('\\+', '+')
    assert re.search(rf'[ =]{re.escape(name)}( |$|}})', words, re.M), f'no dialogue looks for the capability {name}'


def test_codes_are_named_from_the_list():
    """A response code written by hand in a string would escape this file."""
    files = [*(SOURCE / 'account/imap').glob('*.c'), SOURCE / 'edge/imap.c', SOURCE / 'account/sessions.c']
    for file in files:
        if re.search(r'(_test|_fuzz|stage)\.c$', file.name):
            continue
        for line in file.read_text(encoding='utf-8').splitlines():
            assert not re.search(r'"[^"]*\[[A-Z][A-Z-]+[\] ]', line.replace('BODY[', '').replace('[SYS', '')), line
