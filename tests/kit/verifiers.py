"""Verifiers of DKIM that others wrote. Each is told what DNS holds, as {name: text}, and says for each selector of a
message whether its signature holds; a signature whose kind it does not know is left out.
"""
import json
import os
import re
import subprocess
import sys

from . import dns, npm, paths
from .clients import program

HERE = paths.ROOT / 'tests' / 'relay'
MAILAUTH = '4.13.3'
FIELD = re.compile(rb'^dkim-signature:.*?(?=^[^ \t])', re.I | re.M | re.S)
PYTHON_LIBRARIES = '/usr/lib/python3/dist-packages'


def selectors(message):
    """Of the message's signatures, from the top."""
    return [re.search(rb'\bs=\s*([^;\s]+)', field)[1].decode() for field in FIELD.findall(message)]


def by_dkimpy(message, records):
    """python3-dkim: which of the signatures hold."""
    if PYTHON_LIBRARIES not in sys.path:
        sys.path.append(PYTHON_LIBRARIES)    # Debian's package, whichever python runs the tests
    import dkim

    def ask(name, timeout=5):
        return records.get(name.decode().rstrip('.').lower(), '').encode() or None

    said = {}
    for i, selector in enumerate(selectors(message)):
        try:
            said[selector] = dkim.DKIM(message).verify(idx=i, dnsfunc=ask)
        except dkim.DKIMException as trouble:
            said[selector] = str(trouble)
    return said


def by_mailauth(message, records, folder):
    """npm's mailauth."""
    npm.folder('mailauth', MAILAUTH)
    (folder / 'message').write_bytes(message)
    (folder / 'records.json').write_text(json.dumps(records))
    done = subprocess.run([program('node'), HERE / 'mailauth.js', folder / 'message', folder / 'records.json'],
                          env=npm.environment(), capture_output=True, text=True, timeout=paths.PATIENCE)
    assert done.returncode == 0, done.stderr
    return {one['selector']: one['result'] == 'pass' or one['result'] for one in json.loads(done.stdout)}


def can_have_namespaces():
    return subprocess.run(['unshare', '-mn', 'true'], capture_output=True).returncode == 0


def by_opendkim(messages, records, folder):
    """opendkim-testmsg, which knows RSA only and asks the system's DNS: so it runs where that is ours. For each message:
    what it complains of, '' when all is well.
    """
    zones = {}
    for name, text in records.items():
        labels = name.split('.')
        zone = '.'.join(labels[-2:])
        pieces = ' '.join(f'"{text[i:i + 255]}"' for i in range(0, len(text), 255))
        zones[zone] = zones.get(zone, '') + f'{name}. TXT ( {pieces} )\n'
    for i, message in enumerate(messages):
        (folder / f'{i}.eml').write_bytes(message)
    (folder / 'resolv.conf').write_text('nameserver 127.0.0.1\noptions timeout:2 attempts:2\n')
    (folder / 'zones.json').write_text(json.dumps(zones))
    dns.root()    # unpacked outside, where there is a network
    done = subprocess.run(
        ['unshare', '-mn', 'sh', '-c', 'ip link set lo up && mount --bind "$1/resolv.conf" /etc/resolv.conf && exec "$2" "$3" "$1"',
         'sh', folder, sys.executable, HERE / 'opendkim.py'],
        capture_output=True, text=True, timeout=6 * paths.PATIENCE, env={**os.environ, 'PYTHONPATH': str(HERE.parent)})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
