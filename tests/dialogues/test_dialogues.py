"""Each dialogue file is one test."""
import pathlib

import pytest

from kit import dialogue

HERE = pathlib.Path(__file__).resolve().parent
FILES = sorted(HERE.rglob('*.txt'))


def named(file):
    return str(file.relative_to(HERE).with_suffix('')) if isinstance(file, pathlib.Path) else 'none'


@pytest.mark.smoke
@pytest.mark.parametrize('file', FILES, ids=named)
def test_dialogue(demo, file):
    dialogue.Play(file, demo).run()
