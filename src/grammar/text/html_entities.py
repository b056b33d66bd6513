#!/usr/bin/python3
"""Prints the table of HTML's named character references (HTML 13.5) that denote one character.

The facts are those of Python's html.entities. Usage: html_entities.py FILE
"""
import html.entities
import sys

OLD = 1 << 31    # may stand without its semicolon


def table():
    """name -> code point, with OLD, in order of the names' bytes."""
    names = {}
    for name, text in html.entities.html5.items():
        if len(text) == 1 and name.endswith(';'):
            old = OLD if name[:-1] in html.entities.html5 else 0
            names[name[:-1]] = ord(text) | old
    return sorted(names.items())


def rows(items, most):
    line = ''
    for item in items:
        if len(line) + len(item) > most:
            yield '\t' + line.rstrip()
            line = ''
        line += item + ' '
    yield '\t' + line.rstrip()


def main():
    entities = table()
    starts, at = [], 0
    for name, _ in entities:
        starts.append(at)
        at += len(name)
    starts.append(at)
    out = ['/* Made by html_entities.py: name i is the bytes from html_starts[i] to the next start. */',
           '#include <stdint.h>', '', f'enum {{ HTML_ENTITIES = {len(entities)} }};', '#define HTML_OLD 0x80000000u', '',
           'static const char html_names[] =', *rows([f'"{name}"' for name, _ in entities], 110), ';', '',
           'static const uint16_t html_starts[HTML_ENTITIES + 1] = {', *rows([f'{n},' for n in starts], 110), '};', '',
           'static const uint32_t html_codes[HTML_ENTITIES] = {', *rows([f'{c:#x},' for _, c in entities], 110), '};']
    with open(sys.argv[1], 'w') as file:
        file.write('\n'.join(out) + '\n')


main()
