"""Fixtures of every server test; tests/README.md tells how they are meant."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from kit import paths, server, wire  # noqa: E402

USERS = 1000


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker('soak') and not paths.SOAK:
            item.add_marker(pytest.mark.skip(reason='long; make soak runs it'))


@pytest.fixture(scope='session')
def binaries():
    if not (paths.BUILD / 'postern').exists():
        pytest.fail(f'{paths.BUILD}/postern is not there: make build')
    return paths.BUILD


@pytest.fixture
def new_server(binaries, tmp_path):
    """Starts servers of the test's own: new_server(users=3, empty=True, directory=None, ...)."""
    started = []

    def start(directory=None, **options):
        one = server.Server(directory or tmp_path / f'mail{len(started)}', **options)
        started.append(one)
        return one.start()

    yield start
    for one in started:
        with one_stops(one):
            report = one.new_sanitizer_reports()
            assert not report, report


class one_stops:
    """Stops a server whatever the body finds."""

    def __init__(self, one):
        self.one = one

    def __enter__(self):
        return self.one

    def __exit__(self, *problem):
        self.one.__exit__(*problem)


@pytest.fixture(scope='session')
def shared_demo(binaries, tmp_path_factory):
    one = server.Server(tmp_path_factory.mktemp('demo') / 'mail', users=USERS)
    with one_stops(one):
        yield one.start()


@pytest.fixture
def demo(shared_demo):
    """The server most tests share; demo.new_users(n) are accounts nobody else uses."""
    yield shared_demo
    report = shared_demo.new_sanitizer_reports()
    assert not report, report
    assert shared_demo.child.poll() is None, 'the server ended during the test'


@pytest.fixture
def account(demo):
    """One unused account on the shared server."""
    return demo.new_users(1)[0]


@pytest.fixture
def smtp(demo):
    with wire.Smtp(demo.ports['smtp']) as connection:
        yield connection


@pytest.fixture
def mailbox(demo, account):
    """An IMAP session of the unused account."""
    with wire.Imap(demo.ports['imap']) as connection:
        connection.login(account, demo.password)
        yield connection


@pytest.fixture(scope='session')
def data():
    """The folder of sample data; skips where it is missing."""
    if not paths.DATA.is_dir():
        pytest.skip(f'no sample data at {paths.DATA} (POSTERN_DATA names it)')
    return paths.DATA
