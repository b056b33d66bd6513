"""Name servers of one's own: zones a test writes, signed or not, served by nsd; unbound in front where somebody needs
a resolver. Both are Debian's, unpacked and never installed.

Each signed zone is a trust anchor by itself, so no root and no parents are needed: `anchor` is the file for --dns-anchor.
"""
import os
import pathlib
import signal
import subprocess
import time

from . import debs, paths, server

PACKAGES = ['nsd', 'unbound', 'ldnsutils', 'libldns3']
LIBRARIES = ['libevent-2.1-7', 'libfstrm0', 'libprotobuf-c1', 'libpython3.11', 'libhiredis0.14', 'libnghttp2-14', 'libunbound8']
HEAD = '''$ORIGIN {name}.
$TTL 60
@ SOA ns.{name}. hostmaster.{name}. {serial} 3600 600 86400 60
@ NS ns.{name}.
'''
KEY_ALGORITHM = 'ECDSAP256SHA256'


def root():
    return debs.unpack(paths.ROOT / 'build' / 'peers-dns', PACKAGES + debs.missing(LIBRARIES))


def plainly(argv, environment):
    return subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Dns:
    """Serves `zones`, {'example.net': 'records in zone-file form'}, at address:port until stopped.

    `unsigned` names those without DNSSEC. `launch` starts a process, elsewhere than here if it likes. With `resolver` the
    address is unbound's, which validates and sets AD; nsd is then at port + 1.
    """

    def __init__(self, directory, zones, unsigned=(), address='127.0.0.1', port=None, resolver=False, launch=plainly):
        self.home = pathlib.Path(directory)
        self.home.mkdir(parents=True, exist_ok=True)
        self.root, self.unsigned, self.launch, self.address = root(), set(unsigned), launch, address
        self.port = port or server.free_port_base() + server.OFFSETS['smtp']
        self.nsd_port = self.port + 1 if resolver else self.port
        self.resolver = resolver
        self.zones, self.keys, self.serial, self.children = dict(zones), {}, 1, []
        self.environment = {**os.environ, 'LD_LIBRARY_PATH': f'{self.root}/usr/lib/x86_64-linux-gnu'}
        self.anchor = self.home / 'anchors'

    @property
    def at(self):
        return f'{self.address}:{self.port}'

    def start(self):
        for name in self.zones:
            self._write(name)
        self.anchor.write_text(''.join((self.home / f'{key}.key').read_text() for key in self.keys.values()))
        self._nsd()
        if self.resolver:
            self._unbound()
        return self

    def change(self, name, text):
        """The zone's new contents, served when this returns."""
        self.zones[name] = text
        self.serial += 1
        self._write(name)
        self.children[0].send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10 * paths.SLOWER
        while f' {self.serial} ' not in self._ask(name, 'SOA') and time.monotonic() < deadline:
            time.sleep(0.05)

    def damage(self, name):
        """Every signature of the zone stops being right."""
        self.serial += 1
        self._write(name)
        path = self.home / f'{name}.zone.signed'
        lines = [line if '\tRRSIG\t' not in line else line[:-12] + 'AAAAAAAA' + line[-4:]
                 for line in path.read_text().split('\n')]
        path.write_text('\n'.join(lines))
        self.children[0].send_signal(signal.SIGHUP)
        time.sleep(0.5)

    def stop(self):
        for child in reversed(self.children):
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
        self.children = []

    __enter__ = start

    def __exit__(self, *problem):
        self.stop()

    def _tool(self, name, *argv):
        done = subprocess.run([self.root / 'usr/bin' / name, *map(str, argv)], cwd=self.home, env=self.environment,
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f'{name}: {done.stderr}')
        return done.stdout.strip()

    def _write(self, name):
        (self.home / f'{name}.zone').write_text(HEAD.format(name=name, serial=self.serial) + self.zones[name] + '\n')
        if name in self.unsigned:
            return
        if name not in self.keys:
            self.keys[name] = self._tool('ldns-keygen', '-a', KEY_ALGORITHM, '-k', '-r', '/dev/urandom', name)
        self._tool('ldns-signzone', '-n', f'{name}.zone', self.keys[name])

    def _ask(self, name, kind):
        try:
            return self._tool('drill', '-p', self.nsd_port, f'@{self.address}', name, kind)
        except RuntimeError:
            return ''

    def _nsd(self):
        zones = ''.join(f'zone:\n name: {name}\n zonefile: {name}.zone{"" if name in self.unsigned else ".signed"}\n'
                        for name in self.zones)
        (self.home / 'nsd.conf').write_text(
            f'server:\n ip-address: {self.address}@{self.nsd_port}\n username: ""\n chroot: ""\n zonesdir: {self.home}\n'
            f' database: ""\n pidfile: {self.home}/nsd.pid\n xfrdfile: {self.home}/xfrd\n zonelistfile: {self.home}/list\n'
            f' xfrdir: {self.home}\n logfile: {self.home}/nsd.log\n server-count: 1\nremote-control:\n control-enable: no\n{zones}')
        self._run('nsd', '-d', '-c', self.home / 'nsd.conf')

    def _unbound(self):
        stubs = ''.join(f'stub-zone:\n name: {name}\n stub-addr: {self.address}@{self.nsd_port}\n' for name in self.zones)
        (self.home / 'unbound.conf').write_text(
            f'server:\n interface: {self.address}@{self.port}\n username: ""\n chroot: ""\n directory: {self.home}\n'
            f' pidfile: {self.home}/unbound.pid\n logfile: {self.home}/unbound.log\n use-syslog: no\n do-ip6: no\n'
            f' access-control: 0.0.0.0/0 allow\n do-not-query-localhost: no\n module-config: "validator iterator"\n'
            f' trust-anchor-file: {self.anchor}\n local-zone: test. nodefault\nremote-control:\n control-enable: no\n{stubs}')
        self._run('unbound', '-d', '-c', self.home / 'unbound.conf')

    def _run(self, name, *argv):
        self.children.append(self.launch([str(self.root / 'usr/sbin' / name), *map(str, argv)], self.environment))
        time.sleep(0.3)
        if self.children[-1].poll() is not None:
            log = self.home / f'{name}.log'
            raise RuntimeError(f'{name} does not start: {log.read_text() if log.exists() else ""}')
