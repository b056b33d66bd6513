"""Every POP3 command is spoken in some dialogue, and every response code the source prints is looked for in some test."""
import re

import pytest

from kit import dialogue, paths

HERE = paths.ROOT / 'tests'
SOURCES = [paths.ROOT / 'src/edge/pop3.c', paths.ROOT / 'src/account/sessions.c', *(paths.ROOT / 'src/account/pop3').glob('*.c')]
CODE = re.compile(r'\[(AUTH|SYS/TEMP|SYS/PERM|IN-USE|LOGIN-DELAY|UTF8|LANG)\]')
STEPS = [step for file in sorted((HERE / 'dialogues/pop3').glob('*.txt')) for step in dialogue.read(file)]
VERBS = re.findall(r'^VERB\(\w+, "(\w+)"', (paths.ROOT / 'src/grammar/pop3/pop3_verbs.h').read_text(), re.M)
CODES = sorted({code for file in SOURCES if not re.search(r'_(test|fuzz)\.c$', file.name)
                for code in CODE.findall(file.read_text())})


def said(speaker):
    return '\n'.join(step.text.replace('\\r\\n', '\n') for step in STEPS if step.verb[0] == speaker)


@pytest.mark.parametrize('verb', VERBS)
def test_command(verb):
    assert re.search(rf'^{verb}\b', said('C'), re.M | re.I), f'no dialogue sends {verb}'


@pytest.mark.parametrize('code', CODES)
def test_response_code(code):
    refusals = (HERE / 'house/test_refusals.py').read_text()
    assert f'[{code}]' in said('S') + refusals, f'no test looks for [{code}]'


def test_the_tables_are_found():
    assert len(VERBS) == 15 and CODES == ['AUTH', 'SYS/PERM', 'SYS/TEMP']
