"""Codes by time (RFC 6238), of our own."""
import base64
import hmac
import struct
import time
import urllib.parse


def code_of(uri, at=None):
    """The code that a person's program would show for an otpauth:// URI."""
    secret = urllib.parse.parse_qs(urllib.parse.urlsplit(uri).query)['secret'][0]
    digest = hmac.digest(base64.b32decode(secret), struct.pack('>Q', int(at or time.time()) // 30), 'sha1')
    place = digest[19] & 15
    return f'{(struct.unpack(">I", digest[place:place + 4])[0] & 0x7fffffff) % 10**6:06}'
