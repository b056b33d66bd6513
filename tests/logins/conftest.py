import json

import pytest


@pytest.fixture
def account(demo):
    """An unused account, without app passwords afterwards: while there are any, SCRAM is offered to everybody."""
    user = demo.new_users(1)[0]
    yield user
    listed = demo.command('--json', 'account', 'app-password', 'list', '--account', user)
    for row in json.loads(listed.stdout).get('rows', []) if listed.returncode == 0 else []:
        demo.command('account', 'app-password', 'revoke', row['name'], '--account', user)
