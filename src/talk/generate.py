#!/usr/bin/env python3
"""Makes C and documentation from the declarations of messages between rooms.

    generate.py --c FILE.talk --out DIR --folder talk    x.h x.c, for a pair also x_test.c x_fuzz.c
    generate.py --write PAGE.md [FILE.talk...]           the page of documentation
    generate.py --check PAGE.md [FILE.talk...]           exit status 1 when the page is not up to date

Without FILE.talk all declarations beside this program are meant. The language is in declare.py.
"""

import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import declare  # noqa: E402
import document  # noqa: E402
import emit  # noqa: E402


def write(path, text):
    """Unchanged files keep their date, so that nothing is compiled again."""
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def make_c(unit, out, folder):
    write(out / f"{unit.prefix}.h", emit.header(unit, folder))
    write(out / f"{unit.prefix}.c", emit.source(unit, folder))
    if unit.sides:
        write(out / f"{unit.prefix}_test.c", emit.test(unit, folder))
        write(out / f"{unit.prefix}_fuzz.c", emit.fuzz(unit, folder))


def check(path, text):
    if path.exists() and path.read_text("utf-8") == text:
        return 0
    print(f"{path}: does not say what the declarations say; run: "
          f"python3 src/talk/generate.py --write docs/{path.name}", file=sys.stderr)
    return 1


def main():
    parser = argparse.ArgumentParser(description="C and documentation from *.talk declarations")
    parser.add_argument("--c", metavar="FILE")
    parser.add_argument("--out", type=Path, default=Path("."))
    parser.add_argument("--folder", default="talk", help="where #include finds the headers")
    parser.add_argument("--write", type=Path, metavar="PAGE")
    parser.add_argument("--check", type=Path, metavar="PAGE")
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()
    files = [args.c] if args.c else args.files or sorted(Path(__file__).parent.glob("*.talk"))
    units, problems = declare.read_all(files)
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    if args.c:
        make_c(units[0], args.out, args.folder)
    text = document.page(units)
    if args.write:
        write(args.write, text)
    return check(args.check, text) if args.check else 0


if __name__ == "__main__":
    sys.exit(main())
