"""The certificate's private key is in the vault, and in the supervisor that reads its file: nowhere else."""
import os
import re
import signal
import subprocess

import pytest

from kit import memory, server, wire

HOLDERS = {'vault', 'posternd', 'supervisor'}


@pytest.fixture(scope='module')
def one(binaries, tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip('only root reads the memory of other processes')
    with server.Server(tmp_path_factory.mktemp('keys') / 'mail', users=2) as running:
        yield running


def private_key(directory):
    files = [path for path in directory.rglob('*.pem') if b'PRIVATE KEY' in path.read_bytes()]
    assert len(files) == 1, f'private keys: {files}'
    return files[0]


def forms_of(path):
    """As OpenSSL holds it, as it stands in the file, and in between."""
    shown = subprocess.run(['openssl', 'pkey', '-in', path, '-noout', '-text'], capture_output=True, text=True, check=True)
    scalar = re.search(r'priv:\n([0-9a-f:\s]+)', shown.stdout).group(1)
    octets = bytes.fromhex(re.sub(r'[:\s]', '', scalar)).lstrip(b'\0')
    line = path.read_bytes().splitlines()[1]
    return {'as in DER': octets, 'as a number': octets[::-1], 'as PEM': line}


def test_no_room_but_the_vault_holds_the_key_of_the_certificate(one):
    wanted = forms_of(private_key(one.directory))
    for _ in range(5):
        wire.Imap(one.ports['imaps'], tls=True).login(one.users[0], one.password)
    found = [(p.room, memory.searched(p.pid, wanted)) for p in one.processes()]
    holders = {room for room, forms in found if forms}
    assert 'vault' in holders, 'the vault is searched in vain: this test cannot find a key'
    assert holders <= HOLDERS, found


def test_while_the_vault_is_away_handshakes_wait_for_the_next(one):
    vault, = one.room('vault')
    vault.signal(signal.SIGKILL)
    wire.Imap(one.ports['imaps'], tls=True).login(one.users[1], one.password)
    assert one.room('vault')[0].pid != vault.pid
