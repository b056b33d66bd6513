"""ARCHITECTURE.md's table of libraries against what the programs are linked to."""
import re
import subprocess

from kit import paths

PROGRAMS = {'supervisor': 'posternd', 'the command': 'postern', 'sendmail': 'postern-sendmail',
            **{room: f'postern-{room}' for room in ('edge', 'auth', 'vault', 'inspect', 'account', 'queue', 'watch', 'web',
                                                    'resolve', 'relay', 'fetch')}}
ROOMS = set(PROGRAMS) - {'the command', 'sendmail'}
NAMES = {'libxcrypt': 'libcrypt', 'OpenSSL 3': 'libcrypto', 'SQLite 3': 'libsqlite3', 'zlib': 'libz', 'zstd': 'libzstd',
         'ICU': 'libicuuc', 'jansson': 'libjansson'}
WITH_OTHERS = {'libssl', 'libicui18n', 'libicudata'}    # parts of OpenSSL and ICU
OF_THE_SYSTEM = {'libc', 'libm', 'libpthread', 'ld-linux-x86-64'}


def linked(program):
    told = subprocess.run(['readelf', '-d', str(paths.BUILD / program)], capture_output=True, text=True, check=True).stdout
    return {name.split('.so')[0] for name in re.findall(r'\(NEEDED\).*\[(.*)\]', told)} - OF_THE_SYSTEM - WITH_OTHERS


def stands_in_page():
    page = (paths.ROOT / 'ARCHITECTURE.md').read_text()
    table = page.split('| library | for | who links it |')[1].split('\n\n')[0]
    found = {who: set() for who in PROGRAMS}
    for library, _, who in re.findall(r'^\| (.*?) \| (.*) \| (.*) \|$', table, re.M):
        for one in re.sub(r' \(.*?\)', '', who).split(', '):
            for program in ROOMS if one == 'all rooms' else [one]:
                found[program].add(NAMES.get(library, library))
    return found


def test_the_table_tells_what_each_program_is_linked_to():
    assert stands_in_page() == {who: linked(program) for who, program in PROGRAMS.items()}
