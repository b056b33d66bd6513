"""Every program of the release build is hardened."""
import platform
import re
import subprocess

import pytest

from kit import paths

PROGRAMS = ['postern', 'posternd', 'postern-vault', 'postern-watch', 'postern-auth', 'postern-inspect', 'postern-queue',
            'postern-edge', 'postern-web', 'postern-resolve', 'postern-relay', 'postern-fetch', 'postern-account']
ROOMS = PROGRAMS[2:]
# What libc makes system calls of that the rooms' filters refuse; their kin with `at` are let through where a room has files.
REFUSED = {'rename', 'unlink', 'remove', 'link', 'symlink', 'readlink', 'mkdir', 'rmdir', 'mknod', 'creat', 'access',
           'chmod', 'chown', 'lchown', 'truncate', 'truncate64', 'utime', 'utimes', 'system', 'popen', 'fork', 'vfork'}


def readelf(program, *options):
    return subprocess.run(['readelf', '-W', *options, paths.BUILD / program], capture_output=True, text=True,
                          check=True).stdout


@pytest.mark.skipif(paths.SANITIZED, reason='the sanitizer build is not the release build')
@pytest.mark.parametrize('program', ROOMS)
def test_a_room_calls_nothing_that_its_filter_refuses(program):
    called = set(re.findall(r'UND (\w+)@', readelf(program, '--dyn-syms')))
    assert 'prctl' in called    # by which each enters its jail: the names are read at all
    assert not called & REFUSED


@pytest.mark.skipif(paths.SANITIZED, reason='the sanitizer build is not the release build')
@pytest.mark.parametrize('program', PROGRAMS)
def test_program_is_hardened(program):
    headers = readelf(program, '-h', '-l', '-d')
    assert re.search(r'Type:\s+DYN', headers), 'not position independent'
    assert 'GNU_RELRO' in headers and re.search(r'BIND_NOW|Flags:.*NOW', headers), 'not full RELRO'
    assert re.search(r'GNU_STACK\s+\S+\s+\S+\s+\S+\s+\S+\s+\S+\s+RW\s', headers), 'the stack is executable'
    assert not re.search(r'R(UN)?PATH', headers), 'looks for libraries in a folder of its own'
    symbols = readelf(program, '--dyn-syms')
    assert '__stack_chk_fail' in symbols, 'no stack protector'
    assert re.search(r'__\w+_chk\b', symbols), 'no FORTIFY'
    if platform.machine() == 'x86_64':
        # Debian's own start files carry no CET mark, so the linker drops it from the program; the code has it.
        code = subprocess.run(['objdump', '-d', paths.BUILD / program], capture_output=True, text=True, check=True).stdout
        assert code.count('endbr64') > 50, 'not compiled for CET'
