"""A running server as attackers and owners meet it: clients of any address (by PROXY v2), and what the server does about
them, seen from outside."""
import ipaddress
import json
import socket
import threading
import time

from kit import paths, wait, wire

PATIENCE = 3    # seconds until a client that is not greeted or answered goes away
LOOK = 0.25     # between looks at the bans


class Refused(Exception):
    """The server does not serve this client."""


class Slowed(Exception):
    """It does, but not in time."""


class Client:
    """One connection from an address, read by lines; IPv4, as PROXY says. `first` is said before the greeting."""

    def __init__(self, place, door, source, patience=PATIENCE, first=b''):
        self.socket = socket.create_connection(('127.0.0.1', place.ports[door]), 10)
        self.socket.sendall(wire.proxy_v2(source) + first)
        self.socket.settimeout(patience)
        self.came = b''
        try:
            self.greeting = self.line()
        except OSError as problem:
            self.close()
            raise (Slowed if isinstance(problem, TimeoutError) else Refused)(str(problem)) from problem
        if not self.greeting.startswith((b'220', b'* OK', b'+OK')):
            self.close()
            raise Refused(self.greeting.decode())

    def line(self):
        while b'\n' not in self.came:
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionResetError('the connection ended')
            self.came += piece
        line, _, self.came = self.came.partition(b'\n')
        return line.rstrip(b'\r')

    def say(self, text):
        self.socket.sendall(text if isinstance(text, bytes) else text.encode())

    def ask(self, text):
        """The last line of the answer to one command of SMTP or IMAP."""
        self.say(text + '\r\n')
        return self.answer(text.split(' ')[0])

    def answer(self, tag=''):
        while True:
            line = self.line().decode(errors='replace')
            if line.startswith(f'{tag} ') or line[:3].isdigit() and line[3:4] in ('', ' ') or line.startswith('* BYE'):
                return line

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.close()


class Scenario:
    """What one party does, and what came of it."""

    def __init__(self, place, name, networks, account=None):
        self.place, self.name, self.account = place, name, account
        self.networks = [ipaddress.ip_network(n) for n in networks]
        self.through = self.slowed = self.refused = 0
        self.hurt = []    # of innocents: what happened to them
        self.steps = {}   # grade, or what became of the account -> seconds
        self.began = None

    def seen(self, step, at):
        self.steps.setdefault(step, round(max(0.0, at - self.began), 1))

    def attempt(self, act):
        """Counts what becomes of one try; False: it was refused."""
        try:
            act()
            self.through += 1
        except Slowed:
            self.slowed += 1
        except (Refused, ConnectionError):
            self.refused += 1
            return False
        except TimeoutError:
            self.through += 1    # it was heard, and its answer waits
        return True

    def of_network(self, text):
        network = ipaddress.ip_network(text, strict=False)
        return network.version == 4 and any(network.overlaps(n) for n in self.networks)

    @property
    def answered(self):
        """The last step that was taken against it."""
        return next((s for s in ('contained', 'banned', 'suspected', 'tarpit', 'delay') if s in self.steps), None)


class Place:
    """The server, its accounts, and an eye on what it does."""

    def __init__(self, one, far):
        """`far` is the sink that takes the mail for everybody elsewhere."""
        self.one, self.ports, self.password, self.far = one, one.ports, one.password, far
        self.scenarios, self.stopping, self.log_at = [], False, 0
        self.rush = threading.Lock()
        self.ask('route', 'add', 'domain', '--host', '[127.0.0.1]', '--port', str(far.port))
        self.accounts = {row['address']: row['account'] for row in self.ask('account', 'list')['rows']}

    def ask(self, *words):
        done = self.one.command('--json', *words, timeout=60)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def login(self, source, user, password=None, patience=60):
        """A person's login by IMAP: seconds that it took. Raises what a client would meet."""
        began = time.monotonic()
        with Client(self, 'imap', source, patience) as c:
            answer = c.ask(f'a LOGIN "{user}" "{password or self.password}"')
        if not answer.startswith('a OK'):
            raise PermissionError(answer)
        return time.monotonic() - began

    def left(self, sender):
        """How many letters of that sender another server has got; those that are held never go."""
        def waits():
            rows = self.ask('queue', 'list', '--sender', sender)['rows']
            return any(row['state'] in ('waiting', 'delivering') for row in rows)
        wait.until(lambda: not waits(), 'letters neither go nor are held')
        return sum(f'<{sender}>' in letter.sender for letter in self.far.taken)

    # ---- the eye ----

    def watch(self):
        while not self.stopping:
            self.look()
            time.sleep(LOOK)
        self.look()

    def look(self):
        rows, now = self.ask('ban', 'list').get('rows', []), time.monotonic()
        for scenario in [s for s in self.scenarios if s.began]:
            for row in rows:
                if scenario.of_network(row['network']):
                    scenario.seen(row['grade'], now)
        for line in self.new_lines():
            word = {'account.contained': 'contained', 'account.suspected': 'suspected'}.get(line['event'])
            for scenario in self.scenarios if word else ():
                if scenario.began and scenario.account and line['fields'].get('account') == self.accounts[scenario.account]:
                    scenario.seen(word, now)

    def new_lines(self):
        log = self.one.directory / 'ledger' / 'postern.log'
        octets = log.read_bytes()[self.log_at:] if log.exists() else b''
        whole = octets[:octets.rfind(b'\n') + 1]
        self.log_at += len(whole)
        return [json.loads(line) for line in whole.splitlines()]

    def play(self, scenarios):
        """All of them at the same time; `scenarios` are (Scenario, what it does)."""
        self.scenarios = [s for s, _ in scenarios]
        eye = threading.Thread(target=self.watch)
        eye.start()
        threads = [threading.Thread(target=self.perform, args=pair) for pair in scenarios]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(600 * paths.SLOWER)
        self.stopping = True
        eye.join()

    @staticmethod
    def perform(scenario, act):
        scenario.began = time.monotonic()
        try:
            act(scenario)
        except Exception as problem:    # what an innocent did not expect hurts it
            scenario.hurt.append(f'{type(problem).__name__}: {problem}')
