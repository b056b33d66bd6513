"""Where things lie: the tree, the binaries under test, the sample data."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('POSTERN_BUILD', ROOT / 'build'))
DATA = pathlib.Path(os.environ.get('POSTERN_DATA', ROOT.parent / 'shared' / 'data'))
LOGS = ROOT / 'build' / 'check'
SANITIZED = BUILD.name == 'asan'
SOAK = bool(os.environ.get('POSTERN_SOAK'))
# What is waited for, in seconds; sanitized programs are given more.
SLOWER = 5 if SANITIZED else 1
PATIENCE = 10 * SLOWER
