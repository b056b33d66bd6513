"""Packages from npm that tests use: installed below build/npm when one is first needed, never committed.

None of their scripts run.
"""
import json
import os
import shutil
import subprocess

from . import paths

FOLDER = paths.ROOT / 'build' / 'npm'
MODULES = FOLDER / 'node_modules'
INSTALL_SECONDS = 300


class Missing(Exception):
    """A package is not here and cannot be had."""


def folder(package, version):
    """Where the package lies; installs it first when it is not there."""
    there = MODULES / package
    if not there.is_dir():
        install(package, version)
    return there


def folder_with(package, version, overrides):
    """The same in a tree of its own, where some of what it depends on has other versions than it asks for."""
    tree = FOLDER.with_name(f'npm-{package.lower()}')
    if not (tree / 'node_modules' / package).is_dir():
        tree.mkdir(parents=True, exist_ok=True)
        (tree / 'package.json').write_text(json.dumps({'dependencies': {package: version}, 'overrides': overrides}))
        install(package, version, tree, named=False)
    return tree / 'node_modules' / package


def install(package, version, tree=FOLDER, named=True):
    npm = shutil.which('npm')
    if not npm:
        raise Missing('npm is not installed')
    tree.mkdir(parents=True, exist_ok=True)
    argv = [npm, 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', str(tree),
            *([f'{package}@{version}'] if named else [])]
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=tree,
                              timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise Missing(f'npm did not install {package} within {INSTALL_SECONDS} seconds') from None
    if done.returncode:
        raise Missing(f'npm cannot install {package}: {done.stderr.strip()[-300:]}')


def environment():
    """So that a script outside finds what is installed."""
    return {**os.environ, 'NODE_PATH': str(MODULES)}
