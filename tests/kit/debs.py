"""Debian packages unpacked into a folder of ours, never installed: nothing of theirs is started or configured."""
import shutil
import subprocess


class Unavailable(Exception):
    """The packages cannot be had here; says why."""


def unpack(folder, packages):
    """Downloads and unpacks them to folder/root, which it returns; the files stay in folder/deb. Once for a list."""
    done, names = folder / 'unpacked', ' '.join(packages)
    if not done.exists() or done.read_text() != names:
        shutil.rmtree(folder, ignore_errors=True)
        (folder / 'deb').mkdir(parents=True)
        download(folder / 'deb', packages)
        for deb in sorted((folder / 'deb').glob('*.deb')):
            subprocess.run(['dpkg', '-x', deb, folder / 'root'], check=True)
        done.write_text(names)
    return folder / 'root'


def download(folder, packages):
    print('Fetching', ', '.join(packages), '...', flush=True)
    argv = ['apt-get', 'download', '-q', *packages]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        subprocess.run(['apt-get', 'update', '-q'], capture_output=True)
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f'apt-get cannot download them: {done.stderr.strip()[-300:]}')


def missing(packages):
    """Those that are not installed on this machine."""
    have = subprocess.run(['dpkg-query', '-W', '-f', '${Package} ${db:Status-Status}\n', *packages],
                          capture_output=True, text=True).stdout
    return [p for p in packages if f'{p} installed' not in have]


def versions(folder, packages):
    """['postfix 3.7.11-0+deb12u1', ...] of what was unpacked."""
    names = sorted(f.name for f in (folder / 'deb').glob('*.deb') if f.name.startswith(tuple(f'{p}_' for p in packages)))
    return [n.split('_')[0] + ' ' + n.split('_')[1].replace('%3a', ':') for n in names]
