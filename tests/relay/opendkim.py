"""Run by verifiers.py in a network of its own: serves zones.json on port 53 and has opendkim-testmsg look at each
message of the folder; prints what it said of each.
"""
import json
import pathlib
import subprocess
import sys

from kit import dns


def main(folder):
    zones = json.loads((folder / 'zones.json').read_text())
    said = []
    with dns.Dns(folder / 'dns', zones, unsigned=zones, port=53):
        for i in range(len(list(folder.glob('*.eml')))):
            with open(folder / f'{i}.eml', 'rb') as message:
                done = subprocess.run(['/usr/sbin/opendkim-testmsg'], stdin=message, capture_output=True, text=True, timeout=30)
            said.append((done.stdout + done.stderr).strip() or ('' if done.returncode == 0 else f'status {done.returncode}'))
    print(json.dumps(said))


main(pathlib.Path(sys.argv[1]))
