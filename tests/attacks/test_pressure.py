"""Crowds that stall, trickle or storm: mail and logins from elsewhere go on, memory and descriptors stay bounded."""
import pytest

from kit import daemon, paths, pressure

ONE, MANY = 10_000, 2_000            # the long form
PEOPLE_SECONDS = 1                   # what a delivery or a login may take meanwhile
CEILING_MIB = 512                    # of the whole server
FILES = 131_072                      # what an edge may open


@pytest.fixture(scope='module')
def target(binaries, tmp_path_factory):
    certificate = daemon.certify(tmp_path_factory.mktemp('certificate'))
    folder = tmp_path_factory.mktemp('pressure') / 'mail'
    folder.mkdir(mode=0o711)
    with daemon.inhabited(folder, certificate, 'three brown horses') as one:
        yield pressure.Target(one.ports, daemon.ACCOUNT, 'three brown horses', one.rooms, folder=folder)


def holds(row, one):
    print(row)    # pytest -rP shows it
    for name in ('deliver', 'login'):
        assert row[name]['failed'] == 0, row
        assert row[name]['most'] < PEOPLE_SECONDS * paths.SLOWER, row    # which says what the disk took, too
    assert row['mib'] < CEILING_MIB * paths.SLOWER and row['files'] < FILES / 2, row
    if one > 2200:    # more than a network may have on two edges
        assert row['siege']['refused'] > 0, row


@pytest.mark.parametrize('kind', pressure.KINDS)
def test_people_are_served(target, kind):
    holds(pressure.attacked(target, kind, 2500, 400, seconds=2, settle=1), 2500)


@pytest.mark.soak
@pytest.mark.parametrize('kind', pressure.KINDS)
def test_people_are_served_by_a_besieged_server(target, kind):
    holds(pressure.attacked(target, kind, ONE, MANY, seconds=20, settle=10), ONE)
