"""A small bar chart as SVG text: how many times as fast, on a logarithmic scale around 1."""
import html
import math

WIDTH, LABEL, RIGHT, BAR, GAP, TOP, BOTTOM = 900, 360, 70, 16, 8, 46, 30
AHEAD, BEHIND, INK, LINE = '#2f7d5b', '#b5533c', '#24292f', '#c4cad1'


class Scale:
    """Ratios to columns; whole powers of ten at the ends."""

    def __init__(self, ratios):
        self.low = math.floor(min(0, *(math.log10(r) for r in ratios)))
        self.high = max(math.ceil(max(0, *(math.log10(r) for r in ratios))), self.low + 1)

    def x(self, ratio):
        part = (math.log10(ratio) - self.low) / (self.high - self.low)
        return LABEL + part * (WIDTH - LABEL - RIGHT)

    def marks(self):
        return [10.0 ** power for power in range(self.low, self.high + 1)]


def figure(ratio):
    return f'{ratio:.0f}' if ratio >= 100 else f'{ratio:.1f}' if ratio >= 1 else f'{ratio:.2f}'


def text(x, y, words, anchor='start', size=13):
    return (f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}" fill="{INK}">'
            f'{html.escape(words, quote=False)}</text>')


def bar(scale, label, ratio, y):
    one, end = scale.x(1), scale.x(ratio)
    left, wide = min(one, end), max(abs(end - one), 1)
    yield text(LABEL - 10, y + BAR - 4, label, 'end')
    yield (f'<rect x="{left:.1f}" y="{y}" width="{wide:.1f}" height="{BAR}" '
           f'fill="{AHEAD if ratio >= 1 else BEHIND}"/>')
    yield text(max(end, one) + 6, y + BAR - 4, figure(ratio))


def draw(title, bars):
    """`bars`: (label, ratio) from top to bottom; the SVG file's text."""
    scale = Scale([ratio for _, ratio in bars])
    height = TOP + len(bars) * (BAR + GAP) + BOTTOM
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
             f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" role="img" aria-label="{html.escape(title)}">',
             f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>', text(12, 24, title, size=15)]
    for mark in scale.marks():
        x, stroke = scale.x(mark), INK if mark == 1 else LINE
        lines.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{height - BOTTOM}" stroke="{stroke}"/>')
        lines.append(text(x, height - 10, f'{mark:g} x', 'middle', 12))
    for number, (label, ratio) in enumerate(bars):
        lines += bar(scale, label, ratio, TOP + number * (BAR + GAP))
    return '\n'.join([*lines, '</svg>', ''])
