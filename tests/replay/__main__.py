"""Plays attackers and innocents against a server of its own, all at the same time, and tells what came of each.

    python3 tests/replay [--only NAME,...] [--write FILE]

Columns: seconds until each step was taken, attempts that were let through until then and after, those that waited in vain
and those that were refused; of innocents what hurt them. Exit status 1: an attacker went unanswered, or an innocent was
hurt. `--write` puts the table into docs/detection-measured.md.
"""
import argparse
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from kit import server, sink  # noqa: E402
from replay import cast  # noqa: E402
from replay.world import Place  # noqa: E402

HEAD = '''# Detection, measured

What `make replay` printed: attackers and innocents play against one server at the same time, each from networks of its
own. Seconds count from the scenario's beginning until the step was seen in `postern ban list` or the log (looked at four
times a second). "Through" are attempts that the server heard out (of a stolen account: letters that left), "slowed"
those that left before they were greeted, "refused" those that were closed at once. An innocent is hurt when a right login or
a letter is refused or a greeting takes longer than 1.5 seconds.

'''


def main():
    parser = argparse.ArgumentParser(description='Plays attackers and innocents against a server.')
    parser.add_argument('--only', default='', help='scenarios, with commas between them')
    parser.add_argument('--write', help='a file for the table')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='replay-') as folder, sink.Sink() as far:
        with server.Server(pathlib.Path(folder) / 'mail', users=40, options=('--proxy',)) as one:
            place = Place(one, far)
            played = cast.scenarios(place, [n for n in options.only.split(',') if n])
            place.play(played)
    table = cast.table([s for s, _ in played])
    print(table)
    if options.write:
        pathlib.Path(options.write).write_text(HEAD + table + '\n')
    wrong = cast.problems([s for s, _ in played])
    print('\n'.join(wrong) if wrong else '\nEvery attacker was answered, and no innocent was hurt.')
    return 1 if wrong else 0


sys.exit(main())
