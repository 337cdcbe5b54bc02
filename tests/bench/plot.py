"""A plot of growth, both axes logarithmic, as SVG: light, readable in print, and made by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from xml.sax.saxutils import escape

from tests.bench.growth import STEPS, Point

WIDTH, HEIGHT = 760, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 110, 50, 60
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5c00", "#56b4e9", "#222222")
"""Of Okabe and Ito, which those tell apart who see colours differently; the yellow is darkened for white."""
_APART = 15.0
"""Pixels between two names at the right edge, at least."""

Scale = Callable[[float], float]


def plot(points: Sequence[Point], title: str) -> str:
    """Seconds against connections, a line for each command."""
    rows, seconds = [point.rows for point in points], [point.seconds for point in points]
    across = _scale(min(rows), max(rows), _LEFT, WIDTH - _RIGHT)
    lowest, highest = _decades(seconds)
    up = _scale(lowest, highest, HEIGHT - _BOTTOM, _TOP)
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="13" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="24" font-size="16" fill="#222222">{escape(title)}</text>',
        *_grid(across, sorted(set(rows)), up, (lowest, highest)),
        *_lines(points, across, up),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """The powers of ten around the values."""
    lowest = math.floor(math.log10(min(values)))
    highest = max(lowest + 1, math.ceil(math.log10(max(values))))
    return 10.0**lowest, 10.0**highest


def _scale(low: float, high: float, start: float, end: float) -> Scale:
    """From a value to pixels, by its logarithm."""
    span = math.log(high / low) or 1.0

    def scaled(value: float) -> float:
        return start + (end - start) * math.log(value / low) / span

    return scaled


def _grid(across: Scale, rows: Sequence[int], up: Scale, ends: tuple[float, float]) -> Iterator[str]:
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM
    for size in rows:
        x = across(size)
        yield f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}" stroke="#dddddd"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle" fill="#444444">{size:,}</text>'
    for exponent in range(round(math.log10(ends[0])), round(math.log10(ends[1])) + 1):
        value = 10.0**exponent
        y = up(value)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#dddddd"/>'
        label = f"{value:,g} s"
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#444444">{label}</text>'
    middle = (_LEFT + right) / 2
    yield f'<text x="{middle}" y="{HEIGHT - 14}" text-anchor="middle" fill="#444444">connections</text>'


def _lines(points: Sequence[Point], across: Scale, up: Scale) -> Iterator[str]:
    ends: dict[str, float] = {}
    colours = dict(zip(STEPS, _COLOURS, strict=True))
    for step, colour in colours.items():
        of_step = sorted((point for point in points if point.step == step), key=lambda point: point.rows)
        places = [(across(point.rows), up(point.seconds)) for point in of_step]
        if not places:
            continue
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, y in places:
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
        ends[step] = places[-1][1]
    for step, y in _apart(ends).items():
        colour, x = colours[step], WIDTH - _RIGHT + 12
        yield f'<text x="{x}" y="{y + 4:.1f}" fill="{colour}" font-weight="bold">{step}</text>'


def _apart(wanted: dict[str, float]) -> dict[str, float]:
    """Where the names go: each at its line's end, or as far above it as there is room."""
    placed: dict[str, float] = {}
    above = math.inf
    for step, y in sorted(wanted.items(), key=lambda item: -item[1]):
        above = placed[step] = min(y, above - _APART)
    return placed
