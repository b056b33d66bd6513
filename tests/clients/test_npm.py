"""imapflow and nodemailer, the libraries many programs of today are made with."""
import base64
import json
import pathlib
import subprocess

import pytest

from kit import npm, paths
from kit.clients import FILE, FOLDER, MESSAGE, Look, deliver, letter, program, the_file, the_text

HERE = pathlib.Path(__file__).resolve().parent
VERSIONS = {'nodemailer': '10.6.0', 'imapflow': '1.7.8'}


@pytest.fixture
def plan(demo, account):
    """What both scripts are told."""
    try:
        for package, version in VERSIONS.items():
            npm.folder(package, version)
    except npm.Missing as missing:
        pytest.skip(str(missing))
    return {'user': account, 'password': demo.password, 'ca': demo.ready['ca'], **demo.ports}


class Script:
    """One run; what it says comes line by line."""

    def __init__(self, name, plan, folder):
        file = folder / 'plan.json'
        file.write_text(json.dumps(plan))
        argv = ['timeout', str(6 * paths.PATIENCE), program('node'), str(HERE / name), str(file)]
        self.child = subprocess.Popen(argv, env=npm.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
        self.said = {}

    def until(self, step=None):
        """Reads up to that step, or to the end, which must be a good one."""
        for line in self.child.stdout:
            said = json.loads(line)
            self.said[said['step']] = said['value']
            if said['step'] == step:
                return self.said
        problem = self.child.stderr.read()
        assert self.child.wait(paths.PATIENCE) == 0 and not step, f'after {list(self.said)}: {problem}'
        return self.said

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.child.terminate()    # timeout(1) passes it on
        self.child.wait()
        self.child.stdout.close()
        self.child.stderr.close()


def test_imapflow(demo, account, plan, tmp_path):
    letters = [letter('first Grüße', 'needle in the first\n'), letter('second', 'hay\n'),
               letter('third', 'see the file\n', FILE)]
    deliver(demo, account, *letters)
    plan = {**plan, 'folder': FOLDER, 'message': base64.b64encode(MESSAGE).decode()}
    with Script('imapflow_session.js', plan, tmp_path) as script:
        script.until('idling')
        deliver(demo, account, letter('just arrived', 'now\n'))
        said = script.until()
    assert {'CONDSTORE', 'QRESYNC', 'UTF8=ACCEPT', 'IMAP4REV2'} <= set(said['enabled'])
    found = {path: (use, subscribed) for path, use, subscribed, _ in said['folders']}
    assert {'Ordner/' + FOLDER, 'Пошта'} <= set(found) and 'to be deleted' not in found
    assert found['Sent'][0] == '\\Sent' and found['Пошта'][1]
    assert [m['subject'] for m in said['messages']] == ['first Grüße', 'second', 'third']
    assert {m['from'] for m in said['messages']} == {'Jürgen'}
    for message, octets in zip(said['messages'], letters):
        source = base64.b64decode(message['source'])
        assert source.endswith(octets) and message['size'] == len(source)
    assert len({m['emailId'] for m in said['messages']}) == 3
    assert said['messages'][2]['parts'] == [['1', 'text/plain'], ['2', 'application/octet-stream']]
    assert said['file'] == {'name': 'straße.bin', 'octets': base64.b64encode(FILE).decode()}
    assert [said[s] for s in ('body', 'subject', 'either', 'header')] == [[1], [1], [2, 3], [1, 2, 3]]
    assert (said['moved'], said['copied'], said['changed'], said['appended']) == ([[2, 1]], [[1, 1]], [1], 1)
    assert said['status']['messages'] == 1 and said['quota'] and said['secure'] == [True, True]
    assert said['exists'] == 2 and '\\Answered' in said['flags'] and said['gone']
    look = Look(demo, account)
    assert (look.subjects(), look.subjects('Ordner/' + FOLDER)) == (['first Grüße'], ['second'])
    (draft,) = look.messages('Drafts')
    assert set(draft.flags) >= {'\\Draft', '\\Seen'}


def test_nodemailer(demo, account, plan, tmp_path):
    (friend,) = demo.new_users(1)
    (tmp_path / 'file.bin').write_bytes(FILE)
    with Script('nodemailer_send.js', {**plan, 'to': friend, 'file': str(tmp_path / 'file.bin')}, tmp_path) as script:
        said = script.until()
    assert said['verified'] and said['secure'] == said['upgraded'] == [friend]
    assert (said['pooled'], said['wrong'], said['other']) == (10, 'EAUTH', 553)
    messages = Look(demo, friend).messages()
    assert sorted(str(m['subject']) for m in messages) == sorted(
        ['by TLS from the start', 'by STARTTLS: Дон', *(f'pooled {i}' for i in range(10))])
    for message in messages[:2]:
        assert message['from'].addresses[0].display_name == 'Größer, J.'
        assert the_text(message) == 'written by a program: äöü\n.\n..\nFrom here\n'
        assert the_file(message) == FILE
