"""The checks of the source and the counting must be able to fail."""
import pathlib
import subprocess
import sys

import pytest

from kit import steps

TESTS = pathlib.Path(__file__).resolve().parents[1]


def check(script, root):
    done = subprocess.run([sys.executable, TESTS / script, root], capture_output=True, text=True)
    return done.returncode, done.stdout


def tree(root, files):
    for name, text in {'src/base/a.h': '', **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize('name,text', [
    ('src/base/x.c', '#include "run/fiber.h"\n'),
    ('src/grammar/x.c', '#include "config/load.h"\n'),
    ('src/run/x.c', '#include "talk/a_b.h"\n'),
    ('src/talk/x.c', '#include "engine/seal.h"\n'),
    ('src/edge/x.c', '#include "auth/password.h"\n'),
    ('src/edge/x.c', '#include "x.h"\n'),
    ('src/edge/x.c', '#include "../auth/password.h"\n'),
])
def test_layers_sees(tmp_path, name, text):
    status, said = check('layers', tree(tmp_path, {'src/edge/ROOM.md': 'x\n', name: text}))
    assert status == 1 and name in said


def test_layers_wants_a_door_on_each_room(tmp_path):
    assert check('layers', tree(tmp_path, {'src/edge/x.c': ''}))[0] == 1
    assert check('layers', tree(tmp_path, {'src/edge/ROOM.md': 'x\n' * 21}))[0] == 1
    assert check('layers', tree(tmp_path, {'src/edge/ROOM.md': 'x\n' * 20}))[0] == 0


def test_layers_lets_a_room_use_what_is_below(tmp_path):
    files = {'src/account/ROOM.md': 'x\n', 'src/account/imap/x.c': '#include "account/store/s.h"\n#include "talk/a_b.h"\n'
             '#include "engine/seal.h"\n#include "grammar/imap.h"\n#include <stdio.h>\n'}
    assert check('layers', tree(tmp_path, files))[0] == 0


def function(lines, above=''):
    return f'{above}void f(void)\n{{\n' + '\tg();\n' * (lines - 3) + '}\n'


@pytest.mark.parametrize('text', [
    function(76),
    'int x;\n' * 701,
    '\tint x = ' + '1' * 110 + ';\n',
    '    int x;\n',
    'int x; \n',
    'int x;\r\n',
    'void f(char *a)\n{\n\tstrcpy(a, "x");\n}\n',
    'void *f(void)\n{\n\treturn malloc(3);\n}\n',
    '/* ' + 'TO' + 'DO */\n',
])
def test_style_sees(tmp_path, text):
    status, said = check('style', tree(tmp_path, {'src/base/x.c': text}))
    assert status == 1 and 'src/base/x.c' in said, said


@pytest.mark.parametrize('text', [
    function(75),
    function(300, '/* table: one row a command */\n'),
    '/* strcpy() and malloc() are named here only */\nconst char *s = "malloc(";\n',
    'void f(void)\n{\n\tx.free(a->malloc(3));\n}\n',
])
def test_style_lets_pass(tmp_path, text):
    status, said = check('style', tree(tmp_path, {'src/base/x.c': text}))
    assert status == 0, said


def outcomes(out, status=0):
    return [(r.name, r.outcome) for r in steps.tap_results('p', out, status, 1)]


def test_each_cmocka_test_counts():
    out = '1..3\nok 1 - a\nnot ok 2 - b\nnot ok 3 # SKIP c\n'
    assert outcomes(out, 1) == [('p: a', 'passed'), ('p: b', 'failed'), ('p: c', 'skipped')]


def test_a_program_that_dies_is_a_failure():
    assert ('failed' in dict(outcomes('1..3\nok 1 - a\n', 139)).values())
    assert dict(outcomes('', 139)) == {'p': 'failed'}
    assert 'failed' in dict(outcomes('1..1\nok 1 - a\nSUMMARY: AddressSanitizer\n', 1)).values()


def test_other_programs_count_as_one():
    assert outcomes('....\nOK\n') == [('p', 'passed')]


def test_what_failed_of_a_build():
    out = '[1/3] cc a\n[2/3] cc b\nFAILED: b.o\nclang -fcolor-diagnostics b.c\nb.c:1: error: x\n[3/3] cc c\nninja: stopped\n'
    said = steps.what_failed(out)
    assert 'b.c:1: error: x' in said and 'cc a' not in said and 'cc c' not in said and '-fcolor' not in said
