"""How are the figures of growth shown: as a table and as a picture, drawn here, readable in light and in dark.

One small chart for each figure, the number of events on a logarithmic axis below, the figure from zero upwards: what
costs the same at every size is a level line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log10
from typing import Final


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured on one database at one size. Times in milliseconds, sizes in bytes."""

    database: str
    events: int
    inserts: float
    inserts_cpu: float
    view_recent: float
    view_folded: float
    tickets_page: float
    next_due: float
    breaches_page: float
    bytes: int
    months: int | None = None
    """How many months of events are left, after the retention; None: all."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One column of the table and one chart of the picture."""

    name: str
    value: Callable[[Point], float]
    form: str


FIGURES: Final = (
    Figure("events inserted in a second", lambda p: p.inserts, ",.0f"),
    Figure("cpu per event, ms", lambda p: p.inserts_cpu, ".2f"),
    Figure("view of a recent ticket, ms", lambda p: p.view_recent, ".1f"),
    Figure("view of an archived ticket, ms", lambda p: p.view_folded, ".1f"),
    Figure("page of tickets, ms", lambda p: p.tickets_page, ".1f"),
    Figure("next due, ms", lambda p: p.next_due, ".2f"),
    Figure("page of breaches, ms", lambda p: p.breaches_page, ".1f"),
    Figure("bytes on disk per event", lambda p: p.bytes / p.events, ",.0f"),
)


def tabulate(points: Sequence[Point]) -> str:
    """The table, in Markdown."""
    names = ["database", "events", *(figure.name for figure in FIGURES), "on disk, MB"]
    lines = ["| " + " | ".join(names) + " |", "|---|" + "---:|" * (len(names) - 1)]
    for point in points:
        kept = "" if point.months is None else f", the last {point.months} months kept"
        cells = [f"{point.database}{kept}", f"{point.events:,}"]
        cells += [format(figure.value(point), figure.form) for figure in FIGURES]
        lines.append("| " + " | ".join([*cells, f"{point.bytes / 1e6:,.0f}"]) + " |")
    return "\n".join(lines) + "\n"


WIDE, HIGH, ACROSS = 240, 150, 4
LEFT, TOP, RIGHT, BOTTOM = 46, 30, 14, 26
HEAD: Final = 34
LINES: Final = ("a", "b")

STYLE: Final = """
  svg { --ink: #1f2933; --soft: #6b7785; --rule: #d9dee3; --a: #b35900; --b: #1f66ad; --paper: #ffffff }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e6eaee; --soft: #9aa5b1; --rule: #3a434c; --a: #f0a04b; --b: #6cb2f5; --paper: #14191e }
  }
  text { font: 11px system-ui, sans-serif; fill: var(--soft) }
  .title { fill: var(--ink); font-weight: 600 }
  .paper { fill: var(--paper) }
  .rule { stroke: var(--rule); fill: none }
  .line { fill: none; stroke-width: 2 }
  .a { stroke: var(--a) } .b { stroke: var(--b); stroke-dasharray: 6 3 }
  circle.a { fill: var(--a) } circle.b { fill: var(--b) }
"""


def draw(points: Sequence[Point]) -> str:
    """The picture, as SVG."""
    databases = list(dict.fromkeys(point.database for point in points))
    rows = -(-len(FIGURES) // ACROSS)
    width, height = WIDE * ACROSS, HEAD + HIGH * rows
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        "<title>What each thing costs as the number of stored events grows</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width}" height="{height}"/>',
    ]
    for number, (name, line) in enumerate(zip(databases, LINES, strict=False)):
        x = LEFT + number * 260
        parts.append(f'<path class="line {line}" d="M{x} 18h28"/><text x="{x + 36}" y="22">{name}</text>')
    for number, figure in enumerate(FIGURES):
        x, y = number % ACROSS * WIDE, HEAD + number // ACROSS * HIGH
        parts.append(f'<g transform="translate({x} {y})">{_chart(figure, points, databases)}</g>')
    return "\n".join([*parts, "</svg>\n"])


def _chart(figure: Figure, points: Sequence[Point], databases: Sequence[str]) -> str:
    top = _round_up(max(figure.value(point) for point in points))
    sizes = sorted({point.events for point in points})

    def across(events: int) -> float:
        first, last = log10(sizes[0]), log10(sizes[-1])
        share = (log10(events) - first) / (last - first) if last > first else 0.5
        return LEFT + share * (WIDE - LEFT - RIGHT)

    def up(value: float) -> float:
        return HIGH - BOTTOM - value / top * (HIGH - TOP - BOTTOM)

    parts = [f'<text class="title" x="{LEFT}" y="18">{figure.name}</text>']
    for value in (0, top / 2, top):
        parts.append(f'<path class="rule" d="M{LEFT} {up(value):.1f}H{WIDE - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{up(value) + 4:.1f}" text-anchor="end">{value:,.4g}</text>')
    parts += [
        f'<text x="{across(size):.1f}" y="{HIGH - 10}" text-anchor="middle">{_short(size)}</text>'
        for size in sizes
    ]
    for name, line in zip(databases, LINES, strict=False):
        places = [(across(p.events), up(figure.value(p))) for p in points if p.database == name]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path class="line {line}" d="M{path}"/>')
        parts += [f'<circle class="{line}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in places]
    return "".join(parts)


def _short(size: int) -> str:
    return f"{size // 1_000_000} M" if size >= 1_000_000 else f"{size // 1000} k"


def _round_up(value: float) -> float:
    """The next round number, as the top of an axis."""
    power = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.1
    return next(power * step for step in (1, 2, 4, 5, 8, 10, 20) if power * step >= value)
