"""Two sides a program keeps alike, a Maildir and an account: changed at random, and what must come of it.

Both sides offer the same calls. A message is known by the token in its
Message-ID; no folder holds a message twice, and no two programs move
one into the same folder, so that what both sides must look like afterwards
follows from the changes alone, whoever changed what.
"""
import base64
import dataclasses
import hashlib
import os
import random
import re

from . import wire

FLAGS = {'D': '\\Draft', 'F': '\\Flagged', 'R': '\\Answered', 'S': '\\Seen'}    # in the order Maildir asks for
TOKEN = re.compile(rb'(?mi)^message-id: <([^@>]+)@')
# Lines the programs put into what they upload, to find it again.
OWN_LINES = re.compile(rb'(?mi)^x-(?:tuid|offlineimap): [^\n]*\n')
EMPTY = 'empty'    # how the names of folders begin that nobody puts anything into


def digest(octets):
    """Of a message, its line ends made LF and the programs' own lines left out."""
    return hashlib.sha256(OWN_LINES.sub(b'', octets.replace(b'\r\n', b'\n'))).hexdigest()[:16]


def token_of(octets):
    return TOKEN.search(octets).group(1).decode()


def in_letters(flags):
    given = {flag.lower() for flag in flags}
    return frozenset(letter for letter, name in FLAGS.items() if name.lower() in given)


@dataclasses.dataclass
class Item:
    key: object           # a UID, or the path of a file
    flags: frozenset      # letters
    digest: str


class Far:
    """An account, by IMAP."""
    name = 'far'

    def __init__(self, port, user, password):
        self.imap = wire.Imap(port)
        self.imap.login(user, password)
        self.selected = None

    def must(self, command, *literals):
        answer = self.imap.command(command, *literals)
        assert answer.ok, f'{command}: {answer.status} {answer.text}'
        return answer

    def folders(self):
        return wire.listed(self.imap)

    def select(self, folder):
        self.selected = folder
        return self.must(f'SELECT "{wire.utf7(folder)}"')

    def numbers(self, folder):
        """(UIDVALIDITY, UIDNEXT)."""
        line = self.must(f'STATUS "{wire.utf7(folder)}" (UIDVALIDITY UIDNEXT)').starting(b'* STATUS ')[0][0]
        return tuple(int(re.search(rb'%s (\d+)' % item, line).group(1)) for item in (b'UIDVALIDITY', b'UIDNEXT'))

    def items(self, folder):
        """token -> Item."""
        self.select(folder)
        found = {}
        for uid, flags, octets in wire.letters(self.must(wire.LETTERS)):
            token = token_of(octets)
            assert token not in found, f'{token} is twice in {folder}'
            found[token] = Item(uid, in_letters(flags), digest(octets))
        return found

    def add(self, folder, octets, flags):
        names = ' '.join(FLAGS[f] for f in sorted(flags))
        self.must(f'APPEND "{wire.utf7(folder)}" ({names}) {{}}', octets)

    def flip(self, folder, item, letter):
        self.select(folder)
        sign = '-' if letter in item.flags else '+'
        self.must(f'UID STORE {item.key} {sign}FLAGS ({FLAGS[letter]})')

    def remove(self, folder, item):
        self.select(folder)
        self.must(f'UID STORE {item.key} +FLAGS.SILENT (\\Deleted)')
        self.must(f'UID EXPUNGE {item.key}')

    def move(self, folder, item, target):
        self.select(folder)
        self.must(f'UID MOVE {item.key} "{wire.utf7(target)}"')

    def create(self, folder):
        self.must(f'CREATE "{wire.utf7(folder)}"')

    def delete(self, folder):
        self.must(f'DELETE "{wire.utf7(folder)}"')


class Near:
    """A tree of Maildirs, each folder in a folder of its name, which the program writes by `encoded`."""
    name = 'near'

    def __init__(self, root, encoded=str, decoded=str):
        self.root, self.encoded, self.decoded = root, encoded, decoded
        self.count = 0

    def path(self, folder):
        return self.root / self.encoded(folder)

    def folders(self):
        found = [cur.parent.relative_to(self.root) for cur in self.root.rglob('cur') if cur.is_dir()]
        return sorted(self.decoded(str(path)) for path in found)

    def items(self, folder):
        found = {}
        for file in sorted(self.path(folder).glob('cur/*')) + sorted(self.path(folder).glob('new/*')):
            octets = file.read_bytes()
            token = token_of(octets)
            assert token not in found, f'{token} is twice in {folder}'
            found[token] = Item(file, frozenset(file.name.partition(':2,')[2]), digest(octets))
        return found

    def fresh(self, folder, flags):
        """The path of a new message's file."""
        self.count += 1
        where = 'cur' if flags else 'new'
        info = ':2,' + ''.join(sorted(flags)) if flags else ''
        return self.path(folder) / where / f'{1700000000 + self.count}.M{self.count}P{os.getpid()}.client{info}'

    def add(self, folder, octets, flags):
        self.fresh(folder, flags).write_bytes(octets.replace(b'\r\n', b'\n'))

    def flip(self, folder, item, letter):
        flags = item.flags ^ {letter}
        to = self.path(folder) / 'cur' / (item.key.name.partition(':2,')[0] + ':2,' + ''.join(sorted(flags)))
        item.key.rename(to)
        item.key = to

    def remove(self, folder, item):
        item.key.unlink()

    def move(self, folder, item, target):
        item.key.rename(self.fresh(target, item.flags))

    def create(self, folder):
        for part in ('cur', 'new', 'tmp'):
            (self.path(folder) / part).mkdir(parents=True)

    def delete(self, folder):
        (self.path(folder) / 'cur').rmdir()


def look(side):
    """(folder, token) -> (digest, flags) of everything there."""
    return {(folder, token): (item.digest, item.flags)
            for folder in side.folders() for token, item in side.items(folder).items()}


@dataclasses.dataclass
class Changes:
    """What one side did since both were alike."""
    flips: dict = dataclasses.field(default_factory=dict)      # place -> letters
    removed: set = dataclasses.field(default_factory=set)
    added: dict = dataclasses.field(default_factory=dict)      # place -> (digest, flags)
    done: list = dataclasses.field(default_factory=list)       # in words, for a failure's reader


def message(rng, token):
    """A message unlike all others: sizes from nothing to some packets, umlauts raw and encoded, an attachment."""
    parts = [b'From: "M\xc3\xbcller" <sender@example.net>' if rng.random() < 0.2 else b'From: sender@example.net',
             b'To: somebody@example.test', b'Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= ' + token.encode(),
             b'Date: Tue, 3 Mar 2026 10:00:00 +0000', b'Message-ID: <%s@example.net>' % token.encode()]
    if rng.random() < 0.3:
        packed = base64.encodebytes(rng.randbytes(rng.choice((0, 1, 3000, 200000)))).rstrip()
        parts += [b'MIME-Version: 1.0', b'Content-Type: multipart/mixed; boundary=frontier', b'', b'--frontier', b'',
                  b'see the file', b'--frontier', b'Content-Type: application/octet-stream; name=file.bin',
                  b'Content-Transfer-Encoding: base64', b'', packed.replace(b'\n', b'\r\n'), b'--frontier--']
    else:
        parts += [b'', *(b'line %d. with a dot, \xe2\x82\xac\r\n.' % n for n in range(rng.choice((0, 1, 40, 900))))]
    return b'\r\n'.join(parts) + b'\r\n'


class Disturber:
    """Changes one side at random and keeps the account of it."""

    def __init__(self, side, rng, targets):
        self.side, self.rng, self.targets = side, rng, targets
        self.made = self.rounds = 0

    def add(self, changes, items):
        self.made += 1
        folder, token = self.rng.choice(sorted(items)), f'{self.side.name}{self.made}'
        octets, flags = message(self.rng, token), frozenset(self.rng.sample(sorted(FLAGS), self.rng.randrange(3)))
        self.side.add(folder, octets, flags)
        changes.added[folder, token] = digest(octets), flags
        changes.done.append(f'add {token} to {folder}')

    def pick(self, items):
        """Some message: folder, token, item."""
        folder = self.rng.choice([f for f in sorted(items) if items[f]])
        token = self.rng.choice(sorted(items[folder]))
        return folder, token, items[folder][token]

    def flip(self, changes, items):
        folder, token, item = self.pick(items)
        letter = self.rng.choice(sorted(FLAGS))
        self.side.flip(folder, item, letter)
        item.flags = item.flags ^ {letter}
        place = folder, token
        changes.flips[place] = changes.flips.get(place, frozenset()) ^ {letter}
        changes.done.append(f'flip {letter} of {token} in {folder}')

    def remove(self, changes, items):
        folder, token, item = self.pick(items)
        self.side.remove(folder, item)
        del items[folder][token]
        changes.removed.add((folder, token))
        changes.done.append(f'remove {token} from {folder}')

    def move(self, changes, items):
        folder, token, item = self.pick(items)
        target = self.rng.choice([t for t in self.targets if t != folder])
        if token in items[target] or (target, token) in changes.added:
            return
        self.side.move(folder, item, target)
        del items[folder][token]
        changes.removed.add((folder, token))
        changes.added[target, token] = item.digest, item.flags
        changes.done.append(f'move {token} from {folder} to {target}')

    def disturb(self, count):
        """A new folder and so many changes; messages that come in this round are left alone until the next."""
        changes = Changes()
        self.rounds += 1
        self.side.create(f'{self.side.name} {self.rounds}')
        items = {folder: self.side.items(folder) for folder in self.side.folders() if not folder.startswith(EMPTY)}
        for _ in range(count):
            what = self.rng.choices((self.add, self.flip, self.remove, self.move), (4, 6, 2, 3))[0]
            if what == self.add or any(items.values()):
                what(changes, items)
        return changes


def merged(before, near, far):
    """What both sides must be after `before` was changed by both."""
    removed = near.removed | far.removed
    after = {}
    for place, (content, flags) in before.items():
        if place not in removed:
            flips = near.flips.get(place, frozenset()) | far.flips.get(place, frozenset())
            after[place] = content, flags ^ flips
    return {**after, **near.added, **far.added}


def differences(expected, found):
    """Both as sorted lines, only where they differ; empty when they are alike."""
    return [f'{place}: must be {expected.get(place)}, is {found.get(place)}'
            for place in sorted({*expected, *found}) if expected.get(place) != found.get(place)]


class TwoWay:
    """Rounds of changes on both sides with a run of the program after each."""

    def __init__(self, near, far, synchronise, seed):
        self.near, self.far, self.synchronise = near, far, synchronise
        self.seed = seed
        self.rng = random.Random(seed)
        self.state = {}
        self.validities = {}

    def begin(self, near_folders, far_folders):
        """Folders on either side; then both know all of them."""
        for folder in far_folders:
            self.far.create(folder)
        for folder in near_folders:
            self.near.create(folder)
        self.synchronise()
        self.same_folders()
        self.sides = (Disturber(self.near, self.rng, near_folders), Disturber(self.far, self.rng, far_folders))

    def same_folders(self):
        near, far = self.near.folders(), self.far.folders()
        assert near == far, f'near {near}, far {far}'
        for folder in self.far.folders():
            validity = self.far.numbers(folder)[0]
            assert self.validities.setdefault(folder, validity) == validity, f'{folder} has a new UIDVALIDITY'

    def round(self, count):
        near, far = (side.disturb(count) for side in self.sides)
        self.state = merged(self.state, near, far)
        self.synchronise()
        for side in (self.near, self.far):
            wrong = differences(self.state, look(side))
            assert not wrong, '\n'.join([f'seed {self.seed}; {side.name} is not what it must be:', *wrong,
                                         'near:', *near.done, 'far:', *far.done])
        self.same_folders()

    def folders_go(self):
        """Empty folders made on either side come to the other, and go again when it removes them."""
        pairs = [(self.near, self.far), (self.far, self.near)]
        for maker, _ in pairs:
            maker.create(f'{EMPTY} {maker.name}')
        self.synchronise()
        self.same_folders()
        for maker, other in pairs:
            other.delete(f'{EMPTY} {maker.name}')
        self.synchronise()
        self.same_folders()
        assert not [f for f in self.far.folders() if f.startswith(EMPTY)]

    def nothing_to_do(self):
        """Another run finds both alike and touches neither."""
        before = look(self.near), look(self.far), [self.far.numbers(f) for f in self.far.folders()]
        self.synchronise()
        assert before == (look(self.near), look(self.far), [self.far.numbers(f) for f in self.far.folders()])
