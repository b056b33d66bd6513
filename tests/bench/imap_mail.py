"""The messages of the IMAP rows: the same each time, with text like text, some of several parts."""
import base64
import functools
import random

WORDS = 3000
SIZE = 4096
NEEDLE_EVERY = 100    # one message in so many has the words that are searched for
SUBJECT_NEEDLE, BODY_NEEDLE = 'marmalade', 'chrysanthemum'


@functools.cache
def vocabulary():
    chance = random.Random(0)
    syllables = [c + v for c in 'bcdfghklmnprstvw' for v in 'aeiou']
    return [''.join(chance.choices(syllables, k=chance.randint(1, 4))) for _ in range(WORDS)]


def text(chance, words, size):
    lines, have = [], 0
    while have < size:
        line = ' '.join(chance.choices(words, k=11))
        lines.append(line)
        have += len(line) + 2
    return '\r\n'.join(lines)


def several_parts(chance, words, needle):
    data = base64.encodebytes(chance.randbytes(1000)).decode().replace('\n', '\r\n')
    return ('Content-Type: multipart/mixed; boundary="edge of part"\r\n\r\n--edge of part\r\n'
            f'Content-Type: text/plain; charset=utf-8\r\n\r\n{needle}{text(chance, words, SIZE - 2200)}\r\n'
            '--edge of part\r\n'
            'Content-Type: application/octet-stream; name="data.bin"\r\nContent-Transfer-Encoding: base64\r\n'
            f'Content-Disposition: attachment; filename="data.bin"\r\n\r\n{data}--edge of part--\r\n')


def one_part(chance, words, needle):
    return f'Content-Type: text/plain; charset=utf-8\r\n\r\n{needle}{text(chance, words, SIZE - 500)}\r\n'


def message(number):
    chance = random.Random(number)
    words = vocabulary()
    hit = number % NEEDLE_EVERY == 0
    subject = ' '.join(chance.choices(words, k=5)) + (f' {SUBJECT_NEEDLE}' if hit else '')
    head = (f'From: {words[number % 97].title()} <p{number % 97}@load.example>\r\n'
            'To: user@example.test, other@example.test\r\n'
            f'Cc: third@example.test\r\nSubject: {subject}\r\nDate: Tue, 3 Mar 2026 10:00:{number % 60:02} +0000\r\n'
            f'Message-ID: <{number}@load.example>\r\nIn-Reply-To: <{max(number - 3, 0)}@load.example>\r\n'
            'MIME-Version: 1.0\r\n')
    body = several_parts if number % 4 == 0 else one_part
    return (head + body(chance, words, f'{BODY_NEEDLE} ' if hit else '')).encode()
