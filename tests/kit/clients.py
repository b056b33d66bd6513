"""What tests of unmodified clients share: a message, and how programs are run."""
import shutil
import ssl
import subprocess

import pytest

from . import paths

MESSAGE = (b'From: Sender <sender@example.net>\r\nTo: somebody@example.test\r\nSubject: from a client\r\n'
           b'Date: Tue, 3 Mar 2026 10:00:00 +0000\r\nMessage-ID: <client@example.net>\r\n\r\n'
           b'.a line with a dot\r\n\r\n..two\r\nlast line\r\n')


def program(name):
    found = shutil.which(name)
    if not found:
        pytest.skip(f'{name} is not installed')
    return found


def run(argv, octets=b''):
    done = subprocess.run(argv, input=octets, capture_output=True, timeout=6 * paths.PATIENCE)
    assert done.returncode == 0, f'{argv[0]}: status {done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}'
    return done.stdout


def trusting(demo):
    """A context that trusts the demo's certificate and checks the chain."""
    context = ssl.create_default_context(cafile=demo.ready['ca'])
    context.check_hostname = False
    return context
