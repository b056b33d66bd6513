"""What a run of steps says at its end: the slowest, what was skipped and what failed, by name, and the counts."""


def table_of_slowest(results):
    slow = sorted((r for r in results if r.seconds >= 1), key=lambda r: -r.seconds)[:12]
    if slow:
        print('\nThe slowest:')
        for r in slow:
            print(f'  {r.seconds:8.1f} s  {r.name}')


def report(results):
    """What failed and what was skipped, by name; then the closing line."""
    table_of_slowest(results)
    failed = [r for r in results if r.outcome == 'failed']
    skipped = [r for r in results if r.outcome == 'skipped']
    if skipped:
        print('\nSkipped:')
        for r in skipped:
            print(f'  {r.name}: {r.note}')
    if failed:
        print('\nFailed:')
        for r in failed:
            print(f'  {r.name}')
            for line in r.note.rstrip().split('\n')[-40:]:
                print(f'      {line}')
    passed = len(results) - len(failed) - len(skipped)
    print(f'\n{passed} passed, {len(failed)} failed, {len(skipped)} skipped', flush=True)
    return 1 if failed else 0
