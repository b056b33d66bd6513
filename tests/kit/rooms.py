"""The rooms resolve and fetch, started alone and in their jails, and asked by hand (tests/relay/rooms.c)."""
import json
import socket
import subprocess

from . import paths

TYPES = {'A': 1, 'PTR': 12, 'MX': 15, 'TXT': 16, 'AAAA': 28, 'TLSA': 52}


class Rooms:
    """`options` as {'dns-forward': '127.0.0.1:5300'}; `files` the same for those that name a file."""

    def __init__(self, options, files=None):
        self.argv = [paths.BUILD / 'tests' / 'relay' / 'rooms', paths.BUILD,
                     *(f'{name}={value}' for name, value in options.items()),
                     *(f'{name}@{path}' for name, path in (files or {}).items())]

    def __enter__(self):
        ours, theirs = socket.socketpair()
        self.child = subprocess.Popen(list(map(str, self.argv)), stdin=theirs)
        theirs.close()
        ours.settimeout(60 * paths.SLOWER)
        self.socket, self.lines, self.asked = ours, ours.makefile('rb'), 0
        return self

    def __exit__(self, *problem):
        self.socket.shutdown(socket.SHUT_WR)
        self.lines.close()
        self.socket.close()
        status = self.child.wait(20)
        assert problem[0] or status == 0, 'a room ended in disorder'

    def all(self, questions):
        """The answers to lines of rooms.c, asked together, in the order of the questions."""
        first = self.asked
        self.asked += len(questions)
        self.socket.sendall(''.join(q + '\n' for q in questions).encode())
        answers = {}
        while len(answers) < len(questions):
            answer = json.loads(self.lines.readline())
            answers[answer.pop('n') - first] = answer
        return [answers[i] for i in range(len(questions))]

    def look(self, name, kind='A'):
        return self.all([f'look {name} {TYPES[kind]}'])[0]

    def get(self, host, path='/', port=0, octets=65536):
        return self.all([f'get {host} {port} {path} {octets}'])[0]

    def post(self, host, path, kind, body, port=0):
        return self.all([f'post {host} {port} {path} {kind} {body}'])[0]
