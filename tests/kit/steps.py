"""The steps of tests/check, in order: each yields Results."""
import concurrent.futures
import copy
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / 'build'
SANITIZED = BUILD / 'asan'
LOGS = BUILD / 'check'
CRASHES = BUILD / 'crashes'
DATA = pathlib.Path(os.environ.get('POSTERN_DATA', ROOT.parent / 'shared' / 'data'))
PYTHON = '/usr/bin/python3'
MESON = '/usr/bin/meson' if os.path.exists('/usr/bin/meson') else 'meson'
SIGN_OF_LIFE = 5
FUZZ_AT_ONCE = 2
FUZZ_MEMORY_MB = 1024
UNIT_AT_ONCE = 2
SANITIZED_IS_SLOWER = 10    # and gives way
# They wait for nothing: they take what the suites that drive a server leave of the processors.
GIVES_WAY = {'unit-asan', 'fuzz'}

SANITIZERS = {
    'ASAN_OPTIONS': 'abort_on_error=0:detect_stack_use_after_return=0:strict_string_checks=1',
    'UBSAN_OPTIONS': 'print_stacktrace=1:halt_on_error=1',
}


@dataclasses.dataclass
class Result:
    name: str
    outcome: str          # passed, failed, skipped
    seconds: float = 0.0
    note: str = ''        # why it failed or was skipped


class Run:
    """One run of the steps: keeps the results and says what is going on."""

    def __init__(self, fuzz_seconds):
        self.results = []
        self.fuzz_seconds = fuzz_seconds
        self.latest = ''
        self.broken = {}      # build directory -> why it can't be used
        self.before = []      # what stands before each command line
        shutil.rmtree(LOGS, ignore_errors=True)
        LOGS.mkdir(parents=True)

    def steps(self, steps):
        """Runs them in order; those of GIVES_WAY go on beside what follows them, one after the other."""
        lane = copy.copy(self)    # a `latest` of its own; the results are the same list
        lane.before = ['nice', '-n', '19']
        with concurrent.futures.ThreadPoolExecutor(1) as beside:
            given = []
            for name, body in steps:
                if name in GIVES_WAY:
                    given.append(beside.submit(lane.step, name, body))
                else:
                    self.step(name, body)
            for step in given:
                step.result()    # a fault of the driver is heard here, too

    def step(self, name, body):
        print(f'{name} ...', flush=True)
        started = time.monotonic()
        self.latest = ''
        done = threading.Event()
        beat = threading.Thread(target=self._signs_of_life, args=(name, done), daemon=True)
        beat.start()
        try:
            mine = list(body(self))
        except Exception as problem:  # a fault of the driver is a failed step, not a lost run
            mine = [Result(name, 'failed', 0, f'{type(problem).__name__}: {problem}')]
        done.set()
        beat.join()
        self.results += mine
        count = {o: sum(r.outcome == o for r in mine) for o in ('passed', 'failed', 'skipped')}
        said = ', '.join(f'{n} {o}' for o, n in count.items() if n) or 'nothing to do'
        print(f'{name}: {said} ({time.monotonic() - started:.1f} s)', flush=True)

    def _signs_of_life(self, name, done):
        while not done.wait(SIGN_OF_LIFE):
            print(f'  {name}: {self.latest[:110]}', flush=True)

    def command(self, log, argv, **kwargs):
        """Runs argv, its output to the log; returns (exit status, output)."""
        lines = []
        environment = {**os.environ, **SANITIZERS, 'POSTERN_DATA': str(DATA), **kwargs.pop('env', {})}
        where = kwargs.pop('cwd', ROOT)
        argv = [*self.before, *argv]
        with open(LOGS / f'{log}.log', 'a') as out:
            print('$', ' '.join(map(str, argv)), file=out, flush=True)
            with subprocess.Popen(argv, cwd=where, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors='replace', **kwargs) as child:
                for line in child.stdout:
                    out.write(line)
                    lines.append(line)
                    if line.strip():
                        self.latest = line.strip()
        return child.returncode, ''.join(lines)


# Builds.

def build(run, name, directory, setup, environment, *targets):
    """Configures once, then lets ninja do what is left to do: the targets, or all."""
    started = time.monotonic()
    log = f'build-{name}'
    status, out = 0, ''
    if not (directory / 'build.ninja').exists():
        status, out = run.command(log, [MESON, 'setup', directory, *setup], env=environment)
    elif '-Dwerror=true' in setup:
        werror = [o for o in introspect(directory, '--buildoptions') if o['name'] == 'werror']
        if werror and not werror[0]['value']:
            status, out = run.command(log, [MESON, 'configure', directory, '-Dwerror=true'])
    if status == 0:
        status, out = run.command(log, ['ninja', '-k', '0', '-C', directory, *targets])
    if status != 0:
        run.broken[directory] = f'the {name} build failed'
    yield Result(f'build {name}', 'failed' if status else 'passed', time.monotonic() - started, what_failed(out))


def what_failed(out):
    """Ninja's output without the steps that went well and the compilers' command lines."""
    blocks = re.split(r'(?m)^(?=\[\d+/\d+\] |ninja: )', out)
    said = ''.join(b for b in blocks if 'FAILED: ' in b) or out
    return '\n'.join(line for line in said.split('\n') if ' -fdiagnostics-color' not in line and ' -fcolor-' not in line)


def build_gcc(run):
    yield from build(run, 'gcc', BUILD, ['-Dwerror=true'], {'CC': 'gcc'})


# Binutils' linker takes half a second for each of the sanitizers' programs, this one a seventh.
CLANG = {'CC': 'clang', 'CC_LD': 'lld'}


def build_clang(run):
    """The programs as they are released; everything else clang compiles in the sanitizers' build."""
    yield from build(run, 'clang', BUILD / 'clang', ['-Dwerror=true'], CLANG, 'programs')


def build_asan(run):
    """Sanitizers and the fuzzer's coverage in one build: unit tests, server tests and fuzz targets run from it."""
    yield from build(run, 'asan', SANITIZED, ['-Dwerror=true', '-Dfuzz=true', '-Db_lundef=false'], CLANG)


def introspect(directory, what):
    out = subprocess.run([MESON, 'introspect', what, directory], capture_output=True, text=True, check=True).stdout
    return json.loads(out)


# Checks of the source.

def script(run, name):
    started = time.monotonic()
    status, out = run.command(name, [PYTHON, ROOT / 'tests' / name])
    yield Result(name, 'failed' if status else 'passed', time.monotonic() - started, out if status else '')


def layers(run):
    yield from script(run, 'layers')


def style(run):
    yield from script(run, 'style')


# Unit tests: cmocka speaks TAP, so that each test counts by itself.

TAP = re.compile(r'^(ok|not ok) (\d+) - (\S+)(?:\s*# (?:SKIP|skip)\s*(.*))?', re.M)
TAP_SKIP = re.compile(r'^(?:ok|not ok) (\d+) # SKIP(.*)', re.M)
PLAN = re.compile(r'^\s*1\.\.(\d+)', re.M)


def tap_results(prefix, out, status, seconds):
    """One result a test; a program that dies leaves its missing tests as one failure."""
    seen = {}
    for verdict, number, name, skip in TAP.findall(out):
        seen[number, name] = 'skipped' if skip else 'passed' if verdict == 'ok' else 'failed'
    for number, name in TAP_SKIP.findall(out):
        seen[number, name.strip() or f'number {number}'] = 'skipped'
    share = seconds / max(len(seen), 1)
    for (_, name), outcome in seen.items():
        note = out if outcome == 'failed' else skip_reason(out)
        yield Result(f'{prefix}: {name}', outcome, share, note)
    planned = sum(map(int, PLAN.findall(out)))
    if not planned:    # not a cmocka program: it counts as one
        yield Result(prefix, 'failed' if status else 'passed', seconds, out if status else '')
    elif len(seen) < planned or (status and 'failed' not in seen.values()):
        yield Result(f'{prefix}: ended with status {status} after {len(seen)} of {planned} tests', 'failed', 0, out)


def skip_reason(out):
    said = re.search(r'^(?:# )?skipped: (.*)', out, re.M)
    return said.group(1) if said else 'what it needs (sample data, or a right on this machine) is missing'


def unit_test(run, directory, test, slower):
    prefix = f'{directory.name if directory != BUILD else "gcc"}: {test["name"]}'
    environment = {**test.get('env', {}), 'CMOCKA_MESSAGE_OUTPUT': 'TAP'}
    limit = max(test.get('timeout', 30), 30) * slower
    started = time.monotonic()
    run.latest = prefix
    status, out = run.command(f'unit-{prefix.replace(": ", "-").replace("/", "-").replace(" ", "-")}',
                              ['timeout', '-k', '5', str(limit), *test['cmd']], env=environment,
                              cwd=test.get('workdir') or directory)
    seconds = time.monotonic() - started
    return list(tap_results(prefix, out, status, seconds))


def unit(run, directory, slower=1):
    if directory in run.broken:
        yield Result(f'unit tests of {directory.name}', 'skipped', 0, run.broken[directory])
        return
    tests = introspect(directory, '--tests')
    with concurrent.futures.ThreadPoolExecutor(UNIT_AT_ONCE) as pool:
        for results in pool.map(lambda t: unit_test(run, directory, t, slower), tests):
            yield from results


def unit_gcc(run):
    yield from unit(run, BUILD)


def unit_asan(run):
    yield from unit(run, SANITIZED, SANITIZED_IS_SLOWER)


# Fuzzing.

def seeds_of(target):
    """What tests/fuzz.seeds names for a target: (dictionary or None, seed files)."""
    table = ROOT / 'tests' / 'fuzz.seeds'
    for line in table.read_text().splitlines():
        words = line.split('#')[0].split()
        if words and words[0] == target:
            dictionary = DATA / words[1] if words[1] != '-' and (DATA / words[1]).exists() else None
            return dictionary, [f for glob in words[2:] for f in sorted(DATA.glob(glob)) if f.is_file()]
    return None, []


def fuzz_target(run, program, target):
    """Fuzzes one target for a while; known inputs (seeds, earlier crashes) run first."""
    started = time.monotonic()
    run.latest = f'fuzz {target}'
    crashes = CRASHES / target
    crashes.mkdir(parents=True, exist_ok=True)
    corpus = BUILD / 'corpus' / target
    corpus.mkdir(parents=True, exist_ok=True)
    folders = [corpus]
    regress = ROOT / 'fuzz' / target
    if regress.is_dir():
        folders.append(regress)
    dictionary, files = seeds_of(target)
    if files:
        seeds = BUILD / 'seeds' / target
        shutil.rmtree(seeds, ignore_errors=True)
        seeds.mkdir(parents=True)
        for number, file in enumerate(files):
            (seeds / f'{number:05}').symlink_to(file)
        folders.append(seeds)
    argv = [program, f'-max_total_time={run.fuzz_seconds}', f'-rss_limit_mb={FUZZ_MEMORY_MB}', '-timeout=10',
            '-print_final_stats=1', f'-artifact_prefix={crashes}/', *([f'-dict={dictionary}'] if dictionary else []),
            *folders]
    status, out = run.command(f'fuzz-{target}', ['timeout', '-k', '5', str(run.fuzz_seconds + 120), *argv])
    note = f'the input is in {crashes.relative_to(ROOT)}/\n{out}' if status else ''
    return Result(f'fuzz: {target}', 'failed' if status else 'passed', time.monotonic() - started, note)


def fuzz(run):
    if SANITIZED not in run.broken and not (SANITIZED / 'build.ninja').exists():
        yield from build_asan(run)
    if SANITIZED in run.broken:
        yield Result('fuzz targets', 'skipped', 0, run.broken[SANITIZED])
        return
    targets = [(t['filename'][0], t['name'].removesuffix('_fuzz')) for t in introspect(SANITIZED, '--targets')
               if t['name'].endswith('_fuzz')]
    with concurrent.futures.ThreadPoolExecutor(FUZZ_AT_ONCE) as pool:
        yield from pool.map(lambda t: fuzz_target(run, *t), targets)


# The suites that drive the built server from outside.

def junit_results(prefix, file):
    for case in ElementTree.parse(file).getroot().iter('testcase'):
        outcome, note = 'passed', ''
        for child in case:
            if child.tag in ('failure', 'error'):
                outcome, note = 'failed', (child.text or child.get('message', ''))
            elif child.tag == 'skipped':
                outcome, note = 'skipped', child.get('message', '')
        where = case.get('classname', '').removeprefix('tests.')
        yield Result(f'{prefix}{where}: {case.get("name")}', outcome, float(case.get('time', 0)), note)


def pytest(run, prefix, binaries, *arguments, places=('tests',)):
    if binaries in run.broken:
        yield Result(f'{prefix}server tests', 'skipped', 0, run.broken[binaries])
        return
    report = LOGS / f'pytest-{binaries.name}.xml'
    report.unlink(missing_ok=True)
    argv = [PYTHON, '-m', 'pytest', '-v', '-p', 'no:cacheprovider', '--durations=10', '--durations-min=1',
            '-o', 'junit_family=xunit1', f'--junitxml={report}', *arguments, *places]
    status, out = run.command(f'pytest-{binaries.name}', argv, env={'POSTERN_BUILD': str(binaries)})
    if report.exists():
        yield from junit_results(prefix, report)
    if not report.exists() or status not in (0, 1, 5):
        yield Result(f'{prefix}pytest ended with status {status}', 'failed', 0, out)


def server(run):
    yield from pytest(run, '', BUILD)


def server_asan(run):
    yield from pytest(run, 'asan: ', SANITIZED, '-m', 'smoke')


STEPS = [
    ('layers', layers),
    ('style', style),
    ('build-gcc', build_gcc),
    ('unit-gcc', unit_gcc),
    ('build-clang', build_clang),
    ('build-asan', build_asan),
    ('unit-asan', unit_asan),
    ('fuzz', fuzz),
    ('server', server),
    ('server-asan', server_asan),
]
