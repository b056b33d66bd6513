"""Certificates of one's own: an authority, what it issues, and their TLSA records."""
import hashlib
import pathlib
import subprocess


def openssl(*words, octets=None):
    done = subprocess.run(['openssl', *map(str, words)], input=octets, capture_output=True)
    if done.returncode:
        raise RuntimeError(f'openssl {words[0]}: {done.stderr.decode()}')
    return done.stdout


class Authority:
    """Its certificate is `file`; what it issues lies beside."""

    def __init__(self, directory, name='Test Authority'):
        self.home = pathlib.Path(directory)
        self.home.mkdir(parents=True, exist_ok=True)
        self.file, self.key = self.home / 'ca.pem', self.home / 'ca-key.pem'
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3',
                '-subj', f'/CN={name}', '-keyout', self.key, '-out', self.file)

    def issue(self, *names):
        """(certificate, key) for these DNS names."""
        base = self.home / names[0]
        openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', f'/CN={names[0]}',
                '-keyout', f'{base}.key', '-out', f'{base}.csr')
        extensions = base.with_name(base.name + '.ext')
        extensions.write_text('subjectAltName=' + ','.join(f'DNS:{n}' for n in names) + '\n')
        openssl('x509', '-req', '-in', f'{base}.csr', '-CA', self.file, '-CAkey', self.key, '-CAcreateserial', '-days', '3',
                '-extfile', extensions, '-out', f'{base}.pem')
        return pathlib.Path(f'{base}.pem'), pathlib.Path(f'{base}.key')

    def issue_chain(self, *names):
        """The same; the authority's certificate stands behind the server's."""
        certificate, key = self.issue(*names)
        certificate.write_bytes(certificate.read_bytes() + self.file.read_bytes())
        return certificate, key


def tlsa(certificate, usage=3):
    """'3 1 1 HEX' of the certificate's key; usage 2 for an authority's."""
    public = openssl('x509', '-in', certificate, '-noout', '-pubkey')
    return f'{usage} 1 1 ' + hashlib.sha256(openssl('pkey', '-pubin', '-outform', 'DER', octets=public)).hexdigest()
