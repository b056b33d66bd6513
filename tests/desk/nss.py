"""What NSS keeps in a profile: a trusted certificate authority (cert9.db) and stored passwords (key4.db, logins.json).

Called by Python's ctypes in the library that the program itself brings, so that both agree on the formats.
"""
import base64
import ctypes
import json
import pathlib
import ssl
import time
import uuid

TRUSTED_FOR_TLS = b'C,,'
NO_KEY = 0


class Item(ctypes.Structure):
    _fields_ = [('type', ctypes.c_int), ('data', ctypes.c_void_p), ('len', ctypes.c_uint)]


def item(octets=b''):
    made = Item(0, ctypes.cast(ctypes.c_char_p(octets), ctypes.c_void_p) if octets else None, len(octets))
    made.keep = octets      # the structure itself holds only the address
    return made


class Profile:
    """The databases of one profile folder, open while the block lasts."""

    def __init__(self, library, folder):
        # Its own helpers first: the loader would take the machine's, which may be older.
        for helper in ('libmozsqlite3.so', 'libnssutil3.so'):
            ctypes.CDLL(str(pathlib.Path(library).with_name(helper)), ctypes.RTLD_GLOBAL)
        self.nss = ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
        self.folder = pathlib.Path(folder)
        for name in ('PK11_GetInternalKeySlot', 'CERT_NewTempCertificate', 'CERT_GetDefaultCertDB'):
            getattr(self.nss, name).restype = ctypes.c_void_p

    def __enter__(self):
        self._do('NSS_InitReadWrite', f'sql:{self.folder}'.encode())
        self.slot = ctypes.c_void_p(self.nss.PK11_GetInternalKeySlot())
        if self.nss.PK11_NeedUserInit(self.slot):
            self._do('PK11_InitPin', self.slot, None, None)
        return self

    def __exit__(self, *problem):
        self.nss.PK11_FreeSlot(self.slot)
        self._do('NSS_Shutdown')

    def _do(self, name, *arguments):
        if getattr(self.nss, name)(*arguments):
            raise OSError(f'{name} failed: NSS error {self.nss.PORT_GetError()}')

    def trust(self, pem):
        """Makes the certificate an authority for servers."""
        database = ctypes.c_void_p(self.nss.CERT_GetDefaultCertDB())
        der = item(ssl.PEM_cert_to_DER_cert(pem))
        certificate = ctypes.c_void_p(self.nss.CERT_NewTempCertificate(database, ctypes.byref(der), None, 0, 1))
        self._do('PK11_ImportCert', self.slot, certificate, ctypes.c_ulong(NO_KEY), b'Test authority', 0)
        trust = (ctypes.c_uint * 3)()
        self._do('CERT_DecodeTrustString', trust, TRUSTED_FOR_TLS)
        self._do('CERT_ChangeCertTrust', database, certificate, trust)
        self.nss.CERT_DestroyCertificate(certificate)

    def sealed(self, text):
        """The text under the profile's own key, as logins.json wants it."""
        plain, any_key, result = item(text.encode()), item(), item()
        self._do('PK11SDR_Encrypt', ctypes.byref(any_key), ctypes.byref(plain), ctypes.byref(result), None)
        return base64.b64encode(ctypes.string_at(result.data, result.len)).decode()

    def store_passwords(self, logins):
        """logins: (origin as 'imap://localhost', user, password)."""
        now = int(time.time() * 1000)
        rows = [{'id': number, 'hostname': origin, 'httpRealm': origin, 'formSubmitURL': None,
                 'usernameField': '', 'passwordField': '',
                 'encryptedUsername': self.sealed(user), 'encryptedPassword': self.sealed(password),
                 'guid': f'{{{uuid.uuid4()}}}', 'encType': 1, 'timeCreated': now, 'timeLastUsed': now,
                 'timePasswordChanged': now, 'timesUsed': 1}
                for number, (origin, user, password) in enumerate(logins, 1)]
        (self.folder / 'logins.json').write_text(json.dumps({'nextId': len(rows) + 1, 'logins': rows, 'version': 3}))
