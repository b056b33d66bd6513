"""What a server's responses say: lists, sets, codes."""
import re

TOKEN = re.compile(rb'\s*(?:(\()|(\))|"((?:[^"\\]|\\.)*)"|([^\s()"\[{]+(?:\[[^\]]*\](?:<\d+>)?)?))')
LITERAL = re.compile(rb'~?\{\d+\+?\}$')
NUMBERED = re.compile(rb'\* (\d+) (EXISTS|EXPUNGE|RECENT|FETCH)\b ?')
VANISHED = re.compile(rb'\* VANISHED (\(EARLIER\) )?(\S+)$')
COPYUID = re.compile(rb'\[COPYUID (\d+) (\S+) (\S+)\]')
APPENDUID = re.compile(rb'\[APPENDUID (\d+) (\S+)\]')
MODIFIED = re.compile(rb'\[MODIFIED (\S+)\]')


def values(pieces, start=0):
    """The response from that place of its first piece on: atoms and strings as octets, lists as lists."""
    stack = [[]]
    for number, piece in enumerate(pieces):
        if number % 2:
            stack[-1].append(piece)
            continue
        text, at = LITERAL.sub(b'', piece), start if number == 0 else 0
        while found := TOKEN.match(text, at):
            at = found.end()
            if found[1]:
                stack.append([])
            elif found[2]:
                done = stack.pop()
                stack[-1].append(done)
            else:
                stack[-1].append(found[4] if found[4] is not None else re.sub(rb'\\(.)', rb'\1', found[3]))
        assert not text[at:].strip(), f'cannot be read: {text[at:]!r} in {pieces!r}'
    assert len(stack) == 1, f'brackets do not match: {pieces!r}'
    return stack[0]


def items(pieces, start):
    """The items of a FETCH (or STATUS) response by name, in capitals."""
    found = values(pieces, start)[-1]
    return {name.upper(): value for name, value in zip(found[::2], found[1::2])}


def numbers(text):
    """The numbers of a set, in the order it has them."""
    found = []
    for part in text.split(b','):
        first, _, last = part.partition(b':')
        a, b = int(first), int(last or first)
        found += range(a, b + 1) if a <= b else range(a, b - 1, -1)
    return found


def as_set(wanted):
    """The shortest set of ascending numbers."""
    runs = []
    for n in sorted(wanted):
        if runs and runs[-1][1] == n - 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ','.join(f'{a}' if a == b else f'{a}:{b}' for a, b in runs)


def code(text, name):
    """The number of a response code like [UIDNEXT 5], or the word of [MAILBOXID (F1)]; None when it is not there."""
    found = re.search(rb'\[%s \(?([^\s)\]]+)\)?' % name, text)
    return found and (int(found[1]) if found[1].isdigit() else found[1].decode())
