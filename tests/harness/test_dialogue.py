"""The dialogue runner itself, against a server of three lines: it must be able to fail."""
import pathlib
import socket
import threading

import pytest

from kit import dialogue


class Pretend:
    """Says fixed lines: a greeting, then one answer for each line it reads."""

    def __init__(self, answers):
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.answers = answers
        self.heard = b''
        self.password = 'p'
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with self.listener.accept()[0] as connection:
            connection.sendall(self.answers[0])
            for answer in self.answers[1:]:
                self.heard += connection.recv(65536)
                connection.sendall(answer)

    def port(self, name):
        return self.listener.getsockname()[1] if name == 'smtp' else None

    def new_users(self, count):
        return [f'user{i}@example.test' for i in range(1, count + 1)]


def play(tmp_path, text, answers):
    file = tmp_path / 'one.txt'
    file.write_text(text)
    pretend = Pretend(answers)
    one = dialogue.Play(file, pretend)
    one.run()
    return one, pretend


def test_marks_places_and_escapes(tmp_path):
    _, pretend = play(tmp_path, r'''# a comment
OPEN smtp
S: 220 ... ready
C: HELO \x00{user1}\\
S*: 250-...
S: 250 id {{id=[0-9a-f]+}}!
C: {id}
S: again ab
EOF
''', [b'220 x.example ready\r\n', b'250-a\r\n250-b\r\n250 id ab!\r\n', b'again ab\r\n'])
    assert pretend.heard == b'HELO \0user1@example.test\\\r\nab\r\n'


def test_any_order_and_until(tmp_path):
    play(tmp_path, 'OPEN smtp\nS&: b\nS&: a\nS>: d\nEOF\n', [b'a\r\nb\r\nc\r\nd\r\n'])
    play(tmp_path, 'OPEN smtp\nS+: c\nS+: a\nS: d\nEOF\n', [b'a\r\nb\r\nc\r\nd\r\n'])
    with pytest.raises(dialogue.Wrong):
        play(tmp_path, 'OPEN smtp\nS&: c\nS&: a\nEOF\n', [b'a\r\nb\r\nc\r\nd\r\n'])


@pytest.mark.parametrize('text', [
    'OPEN smtp\nS: 220 ready\n',            # another text
    'OPEN smtp\nS: 220 rea.y no\n',         # a dot is a dot
    'OPEN smtp\nS: 220 {{\\d+}}\n',         # a mark that does not match
    'OPEN smtp\nS&: 220 no\n',
    'OPEN smtp\nS>: 250 ...\n',             # ends before it comes
    'OPEN smtp\nEOF\n',
    'OPEN imap\n',
    'OPEN smtp\nC: {nobody}\n',
])
def test_it_can_fail(tmp_path, text):
    with pytest.raises(dialogue.Wrong):
        play(tmp_path, text, [b'220 read no\r\n'])


@pytest.mark.parametrize('text', ['S 220 x', 'C', 'HELO x', 'OPEN: smtp', 'S+: x'])
def test_a_file_nobody_understands(tmp_path, text):
    with pytest.raises(dialogue.Wrong):
        play(tmp_path, text + '\n', [b'220 x\r\n'])


def test_whole_replies(tmp_path):
    play(tmp_path, 'OPEN smtp\nR: 250\nEOF\n', [b'250-a\r\n250 b\r\n'])
    play(tmp_path, 'OPEN smtp\nR: 250 SIZE {{n=\\d+}}\nC: {n}\n', [b'250-SIZE 12\r\n250 b\r\n'])
    for text in ('R: 220', 'R: 250 SIZE', 'R: 250 !b'):
        with pytest.raises(dialogue.Wrong):
            play(tmp_path, f'OPEN smtp\n{text}\n', [b'250-SIZE 12\r\n250 b\r\n'])


def test_every_dialogue_can_be_read():
    folder = pathlib.Path(__file__).resolve().parent.parent / 'dialogues'
    for file in folder.rglob('*.txt'):
        dialogue.read(file)
