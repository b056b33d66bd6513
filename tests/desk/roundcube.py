"""Debian's Roundcube, unpacked below build/desk and served by PHP's own server on loopback, with SQLite."""
import pathlib
import secrets
import shutil
import socket
import sqlite3

from desk import programs
from kit import debs, paths
from kit.server import HOST

FOLDER = paths.ROOT / 'build' / 'desk' / 'roundcube'
PACKAGES = ['roundcube-core', 'php-pear', 'php-auth-sasl', 'php-mail-mime', 'php-net-socket', 'php-net-smtp',
            'php-net-sieve', 'php-masterminds-html5', 'php-guzzlehttp-guzzle', 'php-guzzlehttp-promises',
            'php-guzzlehttp-psr7', 'php-psr-http-client', 'php-psr-http-factory', 'php-psr-http-message',
            'php-getallheaders', 'php-symfony-deprecation-contracts', 'libjs-bootstrap4', 'libjs-codemirror',
            'libjs-jquery', 'libjs-jquery-minicolors', 'libjs-jquery-ui', 'libjs-jstimezonedetect', 'libjs-popper.js']
CONFIG = '''<?php
$config['db_dsnw'] = 'sqlite:///{home}/roundcube.db?mode=0600';
$config['imap_host'] = 'ssl://localhost:{imaps}';
$config['smtp_host'] = 'ssl://localhost:{submissions}';
$config['imap_conn_options'] = $config['smtp_conn_options'] =
	['ssl' => ['verify_peer' => true, 'verify_peer_name' => true, 'cafile' => '{ca}']];
$config['imap_debug'] = $config['smtp_debug'] = true;
$config['des_key'] = '{key}';
$config['log_dir'] = '{home}/logs/';
$config['temp_dir'] = '{home}/temp/';
$config['mime_types'] = '{root}/etc/roundcube/mimetypes.php';
$config['enable_spellcheck'] = false;
$config['plugins'] = [];
'''


class Roundcube:
    """One Roundcube in front of a server of ours; everything it keeps is in `home`."""

    def __init__(self, server, home):
        self.home = pathlib.Path(home)
        self.root = debs.unpack(FOLDER, PACKAGES)
        self.program = self.root / 'usr/share/roundcube'
        self._configure(server)
        self.port = free_port()
        self.url = f'http://{HOST}:{self.port}/'
        self.child = programs.start(
            ['php', '-d', f'auto_prepend_file={self.home}/prepend.php',
             '-d', f'include_path=.:{self.root}/usr/share/php', '-d', 'error_reporting=E_ALL & ~E_DEPRECATED',
             '-S', f'{HOST}:{self.port}', '-t', self.program],
            'roundcube', ROUNDCUBE_CONFIG_DIR=str(self.home / 'config'))
        programs.until(self._answers, 'PHP does not serve', OSError)

    def _configure(self, server):
        for name in ('config', 'logs', 'temp'):
            (self.home / name).mkdir(parents=True)
        shutil.copy(self.root / 'etc/roundcube/defaults.inc.php', self.home / 'config')
        (self.home / 'config/config.inc.php').write_text(CONFIG.format(
            home=self.home, root=self.root, ca=server.ready['ca'], key=secrets.token_hex(12), **server.ports))
        (self.home / 'prepend.php').write_text(f"<?php define('INSTALL_PATH', '{self.program}/');\n")
        with sqlite3.connect(self.home / 'roundcube.db') as database:
            database.executescript((self.program / 'SQL/sqlite.initial.sql').read_text())

    def _answers(self):
        with socket.create_connection((HOST, self.port), 1):
            return True

    def dialogue(self):
        """What it and the server said to each other by IMAP."""
        log = self.home / 'logs/imap.log'
        return log.read_text(errors='replace') if log.exists() else ''

    def problems(self):
        """What it says went wrong."""
        log = self.home / 'logs/errors.log'
        return log.read_text(errors='replace') if log.exists() else ''

    def stop(self):
        programs.end(self.child)


def free_port():
    with socket.socket() as s:
        s.bind((HOST, 0))
        return s.getsockname()[1]


def version():
    return debs.versions(FOLDER, ['roundcube-core'])[0]
