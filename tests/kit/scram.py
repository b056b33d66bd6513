"""A SCRAM-SHA-256 client (RFC 5802, 7677) of our own, with and without tls-server-end-point."""
import base64
import hashlib
import hmac
import secrets

from . import wire


def b64(octets):
    return base64.b64encode(octets).decode()


class Client:
    """One exchange: first() and final() are the client's messages; trusts() looks at the server's last."""

    def __init__(self, user, password, header='n,,', binding=b''):
        self.user, self.password, self.header, self.binding = user, password, header, binding
        self.nonce = secrets.token_hex(12)

    def first(self):
        name = self.user.replace('=', '=3D').replace(',', '=2C')
        self.bare = f'n={name},r={self.nonce}'
        return self.header + self.bare

    def final(self, challenge):
        fields = dict(f.split('=', 1) for f in challenge.split(','))
        assert fields['r'].startswith(self.nonce) and len(fields['r']) >= len(self.nonce) + 16
        assert int(fields['i']) >= 4096
        self.salt = fields['s']
        salted = hashlib.pbkdf2_hmac('sha256', self.password.encode(), base64.b64decode(self.salt), int(fields['i']))
        client = hmac.digest(salted, b'Client Key', 'sha256')
        bare = f'c={b64(self.header.encode() + self.binding)},r={fields["r"]}'
        message = f'{self.bare},{challenge},{bare}'.encode()
        signature = hmac.digest(hashlib.sha256(client).digest(), message, 'sha256')
        self.expected = 'v=' + b64(hmac.digest(hmac.digest(salted, b'Server Key', 'sha256'), message, 'sha256'))
        return f'{bare},p={b64(bytes(a ^ b for a, b in zip(client, signature)))}'

    def trusts(self, last):
        return last == self.expected


def end_point(line):
    """The channel binding of a TLS connection: the hash of the server's certificate."""
    return hashlib.sha256(line.socket.getpeercert(binary_form=True)).digest()


def bound(line, user, password):
    return Client(user, password, 'p=tls-server-end-point,,', end_point(line))


COMMANDS = {wire.Smtp: 'AUTH {}', wire.Imap: 'a AUTHENTICATE {}', wire.Pop3: 'AUTH {}'}


def said(line):
    """What a line of the server carries: its challenge decoded, or the line itself."""
    text = line.line().decode()
    for before in ('334 ', '+ '):
        if text.startswith(before):
            return base64.b64decode(text[len(before):]).decode()
    return text


def login(line, client):
    """Runs it on a connection of kit/wire; what the server said in the end."""
    mechanism = 'SCRAM-SHA-256-PLUS' if client.header.startswith('p=') else 'SCRAM-SHA-256'
    line.send(COMMANDS[type(line)].format(mechanism) + '\r\n')
    assert said(line) == ''
    line.send(b64(client.first().encode()) + '\r\n')
    challenge = said(line)
    if not challenge.startswith('r='):
        return challenge
    line.send(b64(client.final(challenge).encode()) + '\r\n')
    last = said(line)
    if not last.startswith('v='):
        return last
    assert client.trusts(last)
    line.send('\r\n')
    return said(line)
