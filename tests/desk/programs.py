"""Programs with windows, run for a test: begun with a log, ended with everything they begun themselves."""
import os
import signal
import subprocess
import time

from kit import paths, processes

DEAF_SECONDS = 10


def start(argv, name, **environment):
    """Runs argv, its output to build/check/desk-NAME.log; it dies with the tests."""
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    with open(log_of(name), 'wb') as log:
        return subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', *map(str, argv)], stdin=subprocess.DEVNULL,
                                stdout=log, stderr=log, env={**os.environ, **environment})


def log_of(name):
    return paths.LOGS / f'desk-{name}-{os.getpid()}.log'


def end(child):
    """SIGTERM, and for what is deaf to it SIGKILL; all descendants included."""
    everyone = processes.tree(child.pid)
    child.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + DEAF_SECONDS
    while time.monotonic() < deadline and (child.poll() is None or any(p.alive() for p in everyone)):
        time.sleep(0.05)
    for process in everyone:
        if process.alive():
            process.signal(signal.SIGKILL)
    child.wait()


def until(look, otherwise, refusals=(), seconds=3 * paths.PATIENCE):
    """What look() gives once that is something; a refusal meanwhile is no answer yet."""
    deadline = time.monotonic() + seconds
    problem = ''
    while time.monotonic() < deadline:
        try:
            found = look()
            if found:
                return found
        except refusals as refused:
            problem = f' ({refused})'
        time.sleep(0.1)
    raise AssertionError(f'{otherwise} within {seconds} seconds{problem}')
