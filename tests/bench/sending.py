"""The sending section: submission to another server, Postfix's smtp-sink, until that has all of it."""
import json
import os
import re
import select
import statistics
import subprocess
import time

import measure
import peer_sending
import peers
from kit import server as kit_server

DOMAIN = 'sink.test'
MESSAGES = 10000
CONNECTIONS = 10
SINK_SECONDS = 240
WARMING = 200           # messages before, so that what starts on demand runs
COUNTED = re.compile(rb'mesg=\s*(\d+)')


class Sink:
    """smtp-sink on a port of its own; counts what it takes."""

    def __init__(self, folder):
        self.root, self.folder = peers.root(), folder
        self.port = kit_server.free_port_base() + kit_server.OFFSETS['smtp']
        self.taken = 0

    def __enter__(self):
        lib = self.root / 'usr/lib'
        self.folder.mkdir(parents=True, exist_ok=True)
        self.child = subprocess.Popen([self.root / 'usr/sbin/smtp-sink', '-c', '-u', 'nobody', f'127.0.0.1:{self.port}', '1024'],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      env={**os.environ, 'MAIL_CONFIG': str(self.folder),
                                           'LD_LIBRARY_PATH': f'{lib}/postfix:{lib}/x86_64-linux-gnu'})
        return self

    def __exit__(self, *problem):
        self.child.kill()
        self.child.wait()

    def wait_for(self, count):
        """When it has taken so many messages in all; the time it was."""
        deadline = time.monotonic() + SINK_SECONDS
        while self.taken < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f'only {self.taken} of {count} messages were sent on in {SINK_SECONDS} s')
            if select.select([self.child.stdout], [], [], 0.05)[0]:
                for found in COUNTED.findall(os.read(self.child.stdout.fileno(), 1 << 20)):
                    self.taken = int(found)
        return time.monotonic()


class Postern(kit_server.Server):
    """The demo with a way to the sink."""

    name = 'Postern'
    submission = 'submission'
    share = 1    # of the messages that are sent

    def towards(self, port):
        self.told('route', 'add', 'domain', DOMAIN, '--host', '[127.0.0.1]', '--port', str(port))

    def told(self, *words):
        done = self.command(*words)
        if done.returncode:
            raise RuntimeError(f'postern {" ".join(words)}: {done.stderr}')


class BarePostern(Postern):
    """Asks for a login all the same: without one it takes nothing for other servers."""

    def towards(self, port):
        super().towards(port)
        self.told('domain', 'signing', 'off', peers.DOMAIN)


# Row -> who is measured in it, from (place: name -> folder, users, password).
ROWS = {
    'login and signature': (lambda place, n, p: Postern(place('sending'), users=n, password=p),
                            lambda place, n, p: peer_sending.SigningPostfix(place('sending-signing'), n, p)),
    'neither': (lambda place, n, p: BarePostern(place('sending-bare'), users=n, password=p),
                lambda place, n, p: peer_sending.Postfix(place('sending-postfix'), n, p)),
}
SIGNED = 'login and signature'    # the row in which both do the same work


def send(server, sink, messages):
    """One run: submitted by `load`, counted at the sink."""
    before, cpu = sink.taken, measure.cpu_seconds(server)
    argv = [measure.LOAD, '--port', server.ports[server.submission], '--connections', CONNECTIONS, '--messages', messages,
            '--domain', DOMAIN, '--users', 20, '--seconds', SINK_SECONDS, '--login', server.users[0], '--password', server.password]
    started = time.monotonic()
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True)
    said = json.loads(done.stdout) if done.returncode == 0 else {'errors': 1, 'first_error': done.stderr}
    if said['errors']:
        raise RuntimeError(f'{server.name}: {said["errors"]} errors, the first: {said["first_error"]}')
    seen = sink.wait_for(before + messages)
    time.sleep(measure.SETTLE_SECONDS)
    cpu = measure.cpu_seconds(server) - cpu
    return {'accepted': said['rate'], 'sent': messages / (seen - started), 'cpu': cpu * 1000 / messages,
            'memory': measure.private_kib(server)}


def run(servers, row, folder, options, tell):
    """name of server -> list of results, in turns."""
    found = {}
    with Sink(folder / 'sink') as sink:
        for server in servers:
            server.towards(sink.port)
            send(server, sink, WARMING)
        for turn in range(options.rounds):
            for server in servers:
                messages = max(int(MESSAGES * options.share * server.share), CONNECTIONS)
                tell(f'  round {turn + 1} of {options.rounds}: {row}: {server.name}: {messages} messages from submission to '
                     'smtp-sink ...')
                found.setdefault(server.name, []).append(send(server, sink, messages))
    return found


def middle(results, key):
    return statistics.median(r[key] for r in results)


def ratios(found):
    """Of each row: (row, name of server, results, (rate, CPU) of Postern's over it or None)."""
    for row, by_server in found.items():
        ours = by_server.get('Postern')
        for name, results in by_server.items():
            both = ours and results is not ours
            yield row, name, results, tuple(middle(ours, key) / middle(results, key) for key in ('sent', 'cpu')) if both else None


def table(found, tell):
    tell('\nMessages of 4 KiB a second from submission until smtp-sink has them; CPU seconds for 1,000; private memory in KiB')
    for row, name, results, ratio in ratios(found):
        tell(f'  {row:22}{name:30}{middle(results, "sent"):10,.0f}{middle(results, "cpu"):10.2f}{middle(results, "memory"):12,.0f}'
             + ''.join(f'{r:9.3g}x' for r in ratio or ()))
