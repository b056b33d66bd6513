"""A mail program at work in folders of its own: APPEND, STORE, MOVE, EXPUNGE, and what each message may look like."""
import collections
import random
import re
import threading
import time

from . import load, wire

FOLDERS = ('Work', 'Moved')
FLAGS = ('\\Seen', '\\Flagged', '\\Answered', 'Urgent')
LIVE_MAX = 30
GONE = None    # the state of a message that is not there; of one that is: (folder, its flags)


class Refused(Exception):
    """A command was answered NO: the session ends, and the next one looks at what is there."""


class Reader:
    """One account's program. For each message it knows the states it may be in: one after an answer, two without."""

    def __init__(self, server, account, number, sizes=(500, 4000, 300000)):
        self.server, self.account, self.sizes = server, account, sizes
        self.rng = random.Random(number)
        self.prefix = b'r%d' % number
        self.states = {}                              # name -> set of states
        self.uids = {folder: {} for folder in FOLDERS}    # folder -> name -> uid, as this session knows it
        self.count = collections.Counter()            # acknowledged, by command
        self.problems = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.go, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *problem):
        self.ended.set()
        self.thread.join(60)

    def go(self):
        while not self.ended.is_set():
            try:
                with wire.Imap(self.server.ports['imap']) as imap:
                    if self.begin(imap):
                        self.work(imap)
            except (*load.BROKEN, Refused):
                pass
            except Exception as problem:  # kept for the test to see
                self.problems.append(problem)
                return
            time.sleep(0.05)

    # What is there.

    def begin(self, imap):
        """Logs in and looks at what is there; False when the server says not now."""
        if not imap.command(f'LOGIN "{self.account}" "{self.server.password}"').ok:
            return False
        for folder in FOLDERS:
            imap.command(f'CREATE {folder}')
        return self.look(imap)

    def look(self, imap):
        """Each message is in a state it may be in, in one place, whole; then that is its state."""
        found = {}
        for folder in FOLDERS:
            self.uids[folder] = {}
            if not imap.command(f'SELECT {folder}').ok:
                return False
            answer = imap.command(wire.LETTERS)
            if not answer.ok:
                return False
            for uid, flags, octets in wire.letters(answer):
                name = load.name_if_whole(octets)
                assert name not in found, f'{self.account}: {name} is there twice'
                found[name] = (folder, frozenset(flags))
                self.uids[folder][name] = uid
        for name in found.keys() - self.states.keys():
            raise AssertionError(f'{self.account}: {name} is there and nobody sent it')
        for name, states in self.states.items():
            state = found.get(name, GONE)
            assert state in states, f'{self.account}: {name} is {state}, and may be {states}'
        self.states = {name: {found[name]} for name in found}
        return True

    # What it does.

    def work(self, imap):
        selected = None
        for _ in range(200):
            if self.ended.is_set():
                return
            folder = self.rng.choice(FOLDERS)
            mine = self.uids[folder]
            if not mine or (len(mine) < LIVE_MAX and self.rng.random() < 0.3):
                self.append(imap, folder)
                continue
            if selected != folder:
                if not imap.command(f'SELECT {folder}').ok:
                    return
                selected = folder
            name = self.rng.choice(sorted(mine))
            self.rng.choice([self.flag, self.flag, self.move, self.remove])(imap, folder, name)

    def attempt(self, imap, names, change, command, *literals):
        """Sends a command that changes those messages; without an OK each may be as before or as after."""
        before = {name: self.states.get(name, {GONE}) for name in names}
        after = {name: {change(state) for state in states} for name, states in before.items()}
        for name in names:
            self.states[name] = before[name] | after[name]
        answer = imap.command(command, *literals)
        assert answer.status in ('OK', 'NO'), f'{command}: {answer.status} {answer.text}'
        if not answer.ok:    # then, too, a change may hold: when the disk failed nobody knows what it kept
            raise Refused
        for name in names:
            self.states[name] = after[name]
        self.count[command.split()[1 if command.startswith('UID') else 0]] += 1
        return answer

    def append(self, imap, folder):
        name = b'%s-%d' % (self.prefix, self.count['tried'])
        self.count['tried'] += 1
        flags = frozenset(self.rng.sample(FLAGS, 2))
        answer = self.attempt(imap, [name], lambda state: (folder, flags),
                              f'APPEND {folder} ({" ".join(sorted(flags))}) {{}}',
                              load.message(name, self.rng.choice(self.sizes)))
        self.uids[folder][name] = int(re.search(rb'APPENDUID \d+ (\d+)', answer.text).group(1))

    def flag(self, imap, folder, name):
        chosen = frozenset(self.rng.sample(FLAGS, self.rng.choice([1, 2])))
        sign = self.rng.choice('+-')
        self.attempt(imap, [name], lambda s: (s[0], s[1] | chosen if sign == '+' else s[1] - chosen),
                     f'UID STORE {self.uids[folder][name]} {sign}FLAGS.SILENT ({" ".join(sorted(chosen))})')

    def move(self, imap, folder, name):
        other = FOLDERS[1 - FOLDERS.index(folder)]
        uid = self.uids[folder][name]
        answer = self.attempt(imap, [name], lambda s: (other, s[1]), f'UID MOVE {uid} {other}')
        del self.uids[folder][name]
        said = b' '.join([answer.text, *(u[0] for u in answer.untagged)])
        self.uids[other][name] = int(re.search(rb'COPYUID \d+ %d (\d+)' % uid, said).group(1))

    def remove(self, imap, folder, name):
        uid = self.uids[folder][name]
        self.attempt(imap, [name], lambda s: (s[0], s[1] | {'\\Deleted'}),
                     f'UID STORE {uid} +FLAGS.SILENT (\\Deleted)')
        self.attempt(imap, [name], lambda s: GONE, f'UID EXPUNGE {uid}')
        del self.uids[folder][name], self.states[name]
