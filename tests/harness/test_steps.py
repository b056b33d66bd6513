"""The steps of `make check`: one that gives way goes on beside the others, and all are counted."""
import threading

import pytest

from kit import steps


@pytest.fixture
def run(monkeypatch, tmp_path):
    monkeypatch.setattr(steps, 'LOGS', tmp_path / 'logs')
    monkeypatch.setattr(steps, 'GIVES_WAY', {'patient', 'later'})
    return steps.Run(1)


def test_what_gives_way_goes_on_beside_the_rest(run):
    met = threading.Event()

    def patient(run):
        assert met.wait(10)
        yield steps.Result('patient', 'passed', note=run.command('patient', ['nice'])[1])

    def later(run):
        yield steps.Result('later', 'passed')

    def first(run):
        met.set()
        yield steps.Result('first', 'passed', note=run.command('first', ['nice'])[1])

    run.steps([('patient', patient), ('later', later), ('first', first)])
    assert [r.name for r in run.results if r.name != 'first'] == ['patient', 'later']
    niceness = {r.name: r.note.strip() for r in run.results}
    assert niceness['first'] != '19' and niceness['patient'] == '19'


def test_a_fault_of_the_driver_is_a_failed_step(run):
    def patient(run):
        raise ValueError('no such place')

    run.steps([('patient', patient), ('first', patient)])
    assert [r.outcome for r in run.results] == ['failed', 'failed']
    assert all('no such place' in r.note for r in run.results)
