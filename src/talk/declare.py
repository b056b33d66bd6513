"""Reads *.talk declarations and checks them.

The language, by line ('#' begins a comment, one tab makes a line belong to the
item above, two or more spaces begin a description):

    pair edge auth                       who talks; the file is edge-auth.talk
    about TEXT                           describes the item above
    states fresh open                    the channel's states, the first one first
    include facts.talk                   records and enums shared between pairs
    enum verdict ok unknown              or one value a line, indented, described
    record row                           a struct; indented fields
    message NAME by ROOM [answer NAME] [once] [in STATE...] [then STATE]

Fields are NAME TYPE [secret] [optional]; types are u8 u16 u32 u64 i64 bool, id,
bytesN, str MAX, enum NAME, a record's name, list TYPE MAX, body MAX, fd.
A MAX may end in K or M.
"""

import re
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9_]*$")
SCALARS = {  # type: C type, octets, table's name
    "u8": ("uint8_t", 1, "U8"), "u16": ("uint16_t", 2, "U16"), "u32": ("uint32_t", 4, "U32"),
    "u64": ("uint64_t", 8, "U64"), "i64": ("int64_t", 8, "I64"), "bool": ("bool", 1, "BOOL"),
}
TYPES_TEXT = "u8 u16 u32 u64 i64 bool id bytesN str MAX, enum NAME, RECORD, list TYPE MAX, body MAX, fd"
C_WORDS = set("""auto break case char const continue default do double else enum extern float for goto if inline int
long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
bool true false asm typeof""".split())
STR_MAX = 128 * 1024  # what a packet can hold beside the other fields
FDS_MAX, MESSAGES_MAX, STATES_MAX, ENUM_MAX, BYTES_MAX = 4, 64, 30, 255, 4096


class Problem(Exception):
    def __init__(self, path, line, text):
        super().__init__(f"{path}:{line}: {text}")


class Type:
    """kind is one of the scalars, id bytes str enum record list body fd."""

    def __init__(self, kind, maximum=0, item=None, element=None):
        self.kind, self.max, self.item, self.element = kind, maximum, item, element

    def wire_min(self):
        if self.kind in SCALARS:
            return SCALARS[self.kind][1]
        if self.kind == "record":
            return sum(f.wire_min() for f in self.item.fields)
        return {"id": 16, "bytes": self.max, "str": 4, "enum": 1, "list": 4, "body": 5, "fd": 0}[self.kind]


class Field:
    def __init__(self, line, name, kind, flags, about):
        self.line, self.name, self.type, self.about = line, name, kind, about
        self.secret, self.optional = "secret" in flags, "optional" in flags

    def wire_min(self):
        return 1 if self.optional else self.type.wire_min()


class Item:
    """An enum, a record or a message."""

    def __init__(self, kind, unit, line, name):
        self.kind, self.unit, self.line, self.name, self.about = kind, unit, line, name, ""
        self.fields = []   # of records and messages
        self.values = []   # of enums: (name, about)
        self.by = self.answer = self.then = None
        self.once = False
        self.states = None
        self.number = 0
        self.is_answer = False

    def fds(self):
        return sum(f.type.kind in ("body", "fd") for f in self.fields)


class Unit:
    """One file: a pair, or declarations that pairs include."""

    def __init__(self, path):
        self.path = Path(path)
        self.stem = self.path.name[:-5]
        self.prefix = self.stem.replace("-", "_")
        self.sides, self.about, self.states = None, "", []
        self.includes, self.items = [], []

    def of(self, kind):
        return [i for i in self.items if i.kind == kind]

    def message(self, name):
        return next((m for m in self.of("message") if m.name == name), None)

    def find(self, kind, name):
        for unit in [self] + self.includes:
            for item in unit.items:
                if item.kind == kind and item.name == name:
                    return item
        return None


class Reader:
    def __init__(self, path):
        self.unit, self.at, self.last = Unit(path), 0, None

    def fail(self, text, line=None):
        raise Problem(self.unit.path, line or self.at, text)

    def name(self, word, what):
        if not NAME.match(word):
            self.fail(f'"{word}" cannot name a {what}; use lower-case letters, digits and _')
        if word in C_WORDS:
            self.fail(f'"{word}" is a word of C and cannot name a {what}; choose another')
        return word

    def number(self, word, maximum):
        m = re.match(r"([0-9]+)([KM]?)$", word)
        value = int(m[1]) * {"": 1, "K": 1024, "M": 1024 * 1024}[m[2]] if m else 0
        if not 1 <= value <= maximum:
            self.fail(f'"{word}" is no limit here; write a number from 1 to {maximum}')
        return value

    def read(self):
        if not self.unit.path.name.endswith(".talk"):
            raise Problem(self.unit.path, 1, "a declaration's file name ends in .talk")
        for self.at, raw in enumerate(self.unit.path.read_text("utf-8").split("\n"), 1):
            line = re.sub(r"(^|\s+)#.*$", "", raw).rstrip()
            if not line:
                continue
            if line[0] == "\t":
                self.inner(line[1:])
            elif line[0] == " ":
                self.fail("a line begins with spaces; indent with one tab")
            else:
                self.outer(line)
        Checker(self.unit).check()
        return self.unit

    def outer(self, line):
        verb, _, rest = line.partition(" ")
        handler = getattr(self, "on_" + verb, None)
        if not handler:
            self.fail(f'unknown word "{verb}"; a line begins with pair, about, states, include, enum, record '
                      "or message, and a field with one tab")
        handler(rest.strip())

    def on_pair(self, rest):
        sides = [self.name(w, "room") for w in rest.split()]
        if len(sides) != 2 or sides[0] == sides[1]:
            self.fail("a pair names two different rooms: pair edge auth")
        if self.unit.stem != "-".join(sides):
            self.fail(f'the file of this pair is called {"-".join(sides)}.talk')
        self.unit.sides, self.last = sides, self.unit

    def on_about(self, rest):
        if not self.last:
            self.fail("about describes the item above it, and there is none")
        self.last.about = (self.last.about + " " + rest).strip()

    def on_states(self, rest):
        self.unit.states = [self.name(w, "state") for w in rest.split()]
        if not 1 <= len(self.unit.states) <= STATES_MAX:
            self.fail(f"a channel has 1 to {STATES_MAX} states")

    def on_include(self, rest):
        path = self.unit.path.parent / rest
        if not path.is_file():
            self.fail(f"there is no {path}")
        unit = Reader(path).read()
        if unit.sides:
            self.fail(f"{rest} declares a pair; include files that hold only records and enums")
        self.unit.includes += [u for u in [unit] + unit.includes
                               if u.stem not in [o.stem for o in self.unit.includes]]

    def add(self, kind, name):
        item = Item(kind, self.unit, self.at, self.name(name, kind))
        if self.unit.find(kind, name):
            self.fail(f"there is a {kind} {name} already; rename one")
        self.unit.items.append(item)
        self.last = item
        return item

    def on_enum(self, rest):
        words = rest.split()
        if not words:
            self.fail("an enum has a name: enum verdict ok unknown")
        item = self.add("enum", words[0])
        item.values = [(self.name_of_value(w), "") for w in words[1:]]

    def name_of_value(self, word):
        if not NAME.match(word):
            self.fail(f'"{word}" cannot name a value; use lower-case letters, digits and _')
        return word

    def on_record(self, rest):
        self.add("record", rest)

    def on_message(self, rest):
        words = rest.split()
        if len(words) < 3 or words[1] != "by":
            self.fail("a message names its sender: message recipient by edge")
        item = self.add("message", words[0])
        item.by = words[2]
        words = words[3:]
        while words:
            word = words.pop(0)
            if word == "once":
                item.once = True
            elif word in ("answer", "then") and words:
                setattr(item, word, words.pop(0))
            elif word == "in" and words:
                item.states = []
                while words and words[0] not in ("once", "answer", "then"):
                    item.states.append(words.pop(0))
            else:
                self.fail(f'"{word}" is not understood; after the sender come answer NAME, once, in STATE..., then STATE')

    def inner(self, line):
        if line[:1] == "\t":
            self.fail("two tabs; fields stand behind one")
        left, _, about = re.sub(r"\s{2,}|\t+", "\0", line, count=1).partition("\0")
        words = left.split()
        if not isinstance(self.last, Item):
            self.fail("a field belongs to a record, an enum or a message, and there is none above")
        if self.last.kind == "enum":
            if len(words) != 1:
                self.fail("one value a line, its description behind two spaces")
            self.last.values.append((self.name_of_value(words[0]), about))
            return
        flags = []
        while len(words) > 2 and words[-1] in ("secret", "optional"):
            flags.append(words.pop())
        name = self.name(words[0], "field")
        if len(words) < 2:
            self.fail(f'field {name} has no type; types are {TYPES_TEXT}')
        if name in [f.name for f in self.last.fields]:
            self.fail(f"{self.last.name} has a field {name} already")
        kind, rest = self.type(words[1:])
        if rest:
            self.fail(f'"{" ".join(rest)}" behind the type is not understood; a description follows two spaces')
        self.last.fields.append(Field(self.at, name, kind, flags, about))

    def type(self, words):
        word, rest = words[0], words[1:]
        if word in SCALARS or word in ("id", "fd"):
            return Type(word), rest
        if re.match(r"bytes[0-9]+$", word):
            return Type("bytes", self.number(word[5:], BYTES_MAX)), rest
        if word in ("str", "body"):
            if not rest:
                self.fail(f"{word} needs a limit: {word} 320")
            return Type(word, self.number(rest[0], STR_MAX if word == "str" else 2**32 - 1)), rest[1:]
        if word == "enum":
            item = self.unit.find("enum", rest[0]) if rest else None
            if not item:
                self.fail(f'no enum {rest[0] if rest else ""}; declare it above or include its file')
            return Type("enum", len(item.values), item), rest[1:]
        if word == "list":
            return self.list_type(rest)
        item = self.unit.find("record", word)
        if not item or item is self.last:
            self.fail(f'unknown type "{word}"; types are {TYPES_TEXT}, and records declared above')
        return Type("record", 0, item), rest

    def list_type(self, words):
        if not words:
            self.fail("list needs a type and a limit: list u64 100")
        element, rest = self.type(words)
        if element.kind in ("list", "body", "fd"):
            self.fail(f"a list of {element.kind} cannot be; put it in a record, or send several messages")
        if not rest:
            self.fail("list needs a limit behind its type: list u64 100")
        return Type("list", self.number(rest[0], STR_MAX), None, element), rest[1:]


class Checker:
    def __init__(self, unit):
        self.unit = unit

    def fail(self, item, text):
        raise Problem(self.unit.path, item.line, text)

    def check(self):
        unit = self.unit
        for item in unit.items:
            getattr(self, item.kind)(item)
        if not unit.sides and unit.of("message"):
            self.fail(unit.of("message")[0], "messages belong to a pair; begin the file with: pair edge auth")
        if unit.sides and not 1 <= len(unit.of("message")) <= MESSAGES_MAX:
            raise Problem(unit.path, 1, f"a pair has 1 to {MESSAGES_MAX} messages")

    def enum(self, item):
        names = [v[0] for v in item.values]
        if not 1 <= len(names) <= ENUM_MAX or len(set(names)) != len(names):
            self.fail(item, f"enum {item.name} needs 1 to {ENUM_MAX} different values")

    def flags(self, item):
        for f in item.fields:
            if f.optional and f.type.kind != "fd":
                self.fail(f, "only a descriptor may be optional; give other types a value that means none")

    def record(self, item):
        if not item.fields:
            self.fail(item, f"record {item.name} has no fields; add one behind a tab")
        self.flags(item)
        for f in item.fields:
            if f.type.kind in ("body", "fd"):
                self.fail(f, f"a record cannot hold a {f.type.kind}; put it into the message")

    def message(self, item):
        self.flags(item)
        item.number = self.unit.of("message").index(item) + 1
        if self.unit.sides and item.by not in self.unit.sides:
            self.fail(item, f'{item.by} is not of this pair; the sender is {" or ".join(self.unit.sides)}')
        if item.fds() > FDS_MAX:
            self.fail(item, f"{item.name} may carry {item.fds()} descriptors, more than {FDS_MAX}; split it")
        for state in (item.states or []) + ([item.then] if item.then else []):
            if state not in self.unit.states:
                self.fail(item, f"there is no state {state}; add it to the line: states ...")
        if item.answer:
            self.answer(item)

    def answer(self, item):
        answer = self.unit.message(item.answer)
        if not answer:
            self.fail(item, f"there is no message {item.answer} to answer {item.name} with")
        if answer.by == item.by:
            self.fail(item, f"{item.answer} is sent by {answer.by} itself; the other side must answer")
        if answer.answer:
            self.fail(answer, f"{answer.name} is an answer and cannot want one")
        if answer.states is not None or answer.once or answer.then:
            self.fail(answer, f"{answer.name} is an answer, permitted whenever its call was; take away in, once and then")
        answer.is_answer = True


def read_all(paths):
    """All units, or the list of everything that is wrong."""
    units, problems = [], []
    for path in paths:
        try:
            units.append(Reader(path).read())
        except Problem as problem:
            problems.append(str(problem))
    return units, problems
