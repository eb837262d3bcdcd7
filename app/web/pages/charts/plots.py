"""Charts: a line of shares with a goal, columns, bars and a grid of hours. Pure: marks in, markup out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from markupsafe import Markup

from app.web.pages.charts.scale import floor_of, share_ticks, ticks_of
from app.web.pages.charts.svg import COLOURS, INK, LINE, WIDTH, Mark, Tone, canvas, mark, tag, text

Written = Callable[[float], str]
"""Writes a value of an axis."""

_LEFT, _RIGHT, _TOP, _BOTTOM, _HEIGHT = 64, 8, 28, 22, 220
_LABELS: Final = 14
"""Labels of an axis that fit beside each other."""


@dataclass(frozen=True, slots=True)
class _Axis:
    """The vertical axis of a chart, and the places of its marks from left to right."""

    low: float
    high: float
    marks: int

    def x(self, place: int) -> float:
        """The middle of a mark."""
        return _LEFT + (place + 0.5) * self.step

    @property
    def step(self) -> float:
        """The width of a mark's place."""
        return (WIDTH - _LEFT - _RIGHT) / max(1, self.marks)

    def y(self, value: float) -> float:
        """The height of a value; what lies outside is drawn at the edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)


def line(title: str, marks: Sequence[Mark], write: Written, goal: tuple[float, str] | None = None) -> Markup:
    """Shares in per cent over periods, as a line with a point for each. Those below the goal are squares."""
    known = [each.value for each in marks if each.value is not None] + ([] if goal is None else [goal[0]])
    axis = _Axis(floor_of(known), 100, len(marks))
    parts = [*_grid_lines(axis, share_ticks(axis.low), write), *_labels(axis, marks)]
    if goal is not None:
        parts += _goal(axis, *goal)
    for (place, before), (_, after) in pairwise(enumerate(marks)):
        if before.value is not None and after.value is not None:
            parts.append(
                tag(
                    "line",
                    x1=axis.x(place),
                    y1=axis.y(before.value),
                    x2=axis.x(place + 1),
                    y2=axis.y(after.value),
                    class_="joined",
                    stroke=COLOURS[Tone.GOOD],
                    stroke_width=2,
                )
            )
    parts += [_point(axis, place, each) for place, each in enumerate(marks) if each.value is not None]
    return canvas(title, _HEIGHT, *parts)


def columns(title: str, marks: Sequence[Mark], write: Written, unit: float = 1) -> Markup:
    """Counts as columns from nothing, side by side."""
    ticks = ticks_of(max((each.value or 0 for each in marks), default=0), unit)
    axis = _Axis(0, ticks[-1], len(marks))
    parts = [*_grid_lines(axis, ticks, write), *_labels(axis, marks)]
    width = min(44.0, axis.step * 0.76)
    for place, each in enumerate(marks):
        if each.value is not None:
            top = axis.y(each.value)
            parts.append(
                mark(
                    each,
                    _target(axis, place),
                    tag(
                        "rect",
                        x=axis.x(place) - width / 2,
                        y=top,
                        width=width,
                        height=_HEIGHT - _BOTTOM - top,
                        class_="fill",
                        fill=COLOURS[each.tone],
                    ),
                )
            )
    return canvas(title, _HEIGHT, *parts)


_BAR, _BAR_LEFT, _BAR_RIGHT = 26, 190, 110


def bars(title: str, marks: Sequence[Mark]) -> Markup:
    """Values as bars below each other, each with its name before it and its figure behind it."""
    greatest = max((each.value or 0 for each in marks), default=0) or 1
    parts: list[Markup] = []
    for place, each in enumerate(marks):
        y = _TOP + place * _BAR
        length = (each.value or 0) / greatest * (WIDTH - _BAR_LEFT - _BAR_RIGHT)
        shapes = (
            tag("rect", x=0, y=y, width=WIDTH, height=_BAR, class_="target", fill="#ffffff", fill_opacity=0),
            text(_BAR_LEFT - 8, y + 17, _shortened(each.label), "end", class_="name", fill=INK),
            tag(
                "rect",
                x=_BAR_LEFT,
                y=y + 4,
                width=length,
                height=_BAR - 8,
                class_="fill",
                fill=COLOURS[each.tone],
            ),
            text(_BAR_LEFT + length + 6, y + 17, each.text, class_="figure", fill=INK),
        )
        parts.append(mark(each, *shapes))
    return canvas(title, _TOP + len(marks) * _BAR + 4, *parts)


_NAME_MAX: Final = 30


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_MAX else name[: _NAME_MAX - 1] + "\u2026"


HEAT: Final = {
    Tone.GOOD: ("#deebf7", "#9ecae1", "#6baed6", "#4292c6", "#08519c"),
    Tone.BAD: ("#feedde", "#fdbe85", "#fd8d3c", "#e6550d", "#8c2d04"),
}
"""Steps from few to many, in lightness too, so that they differ in print."""
_CELL_HEIGHT: Final = 24


def grid(title: str, rows: Sequence[tuple[str, Sequence[Mark]]], heads: Sequence[str]) -> Markup:
    """A table of counts as colours, each with its number: rows by name, columns by `heads`."""
    greatest = max((each.value or 0 for _, marks in rows for each in marks), default=0)
    width = (WIDTH - _LEFT - _RIGHT) / len(heads)
    parts = [
        text(_LEFT + (place + 0.5) * width, _TOP + 8, head, "middle") for place, head in enumerate(heads)
    ]
    for number, (name, marks) in enumerate(rows):
        y = _TOP + 14 + number * _CELL_HEIGHT
        parts.append(text(_LEFT - 8, y + 16, name, "end"))
        parts.append(
            _empty([_LEFT + place * width for place, each in enumerate(marks) if not each.value], y, width)
        )
        parts += [
            _cell(each, _LEFT + place * width, y, width, greatest)
            for place, each in enumerate(marks)
            if each.value
        ]
    return canvas(title, _TOP + 18 + len(rows) * _CELL_HEIGHT, *parts)


def _empty(places: Sequence[float], y: float, width: float) -> Markup:
    """The cells of a row that count nothing, as one outline."""
    if not places:
        return Markup()
    box = f"h{width - 2:g}v{_CELL_HEIGHT - 2:g}h-{width - 2:g}z"
    outline = "".join(f"M{x + 1:g} {y + 1:g}{box}" for x in places)
    return tag("path", class_="empty", d=outline, fill="none", stroke=LINE)


def _cell(found: Mark, x: float, y: float, width: float, greatest: float) -> Markup:
    size = {"x": x + 1, "y": y + 1.0, "width": width - 2, "height": _CELL_HEIGHT - 2, "rx": 2}
    steps = HEAT[found.tone]
    step = min(len(steps) - 1, int((found.value or 0) / greatest * len(steps)))
    ink = "#ffffff" if step == len(steps) - 1 else "#000000"
    number = text(x + width / 2, y + 16, found.text, "middle", class_="count", fill=ink, font_size=10)
    # The colours are those of every theme: their numbers are written on them.
    return mark(found, tag("rect", **size, fill=steps[step]), number)


def _grid_lines(axis: _Axis, ticks: Sequence[float], write: Written) -> list[Markup]:
    found: list[Markup] = []
    for tick in ticks:
        y = axis.y(tick)
        found.append(tag("line", x1=_LEFT, y1=y, x2=WIDTH - _RIGHT, y2=y, class_="rule", stroke=LINE))
        found.append(text(_LEFT - 8, y + 4, write(tick), "end"))
    return found


def _labels(axis: _Axis, marks: Sequence[Mark]) -> list[Markup]:
    every = -(-len(marks) // _LABELS) or 1
    return [
        text(axis.x(place), _HEIGHT - 6, each.label, "middle")
        for place, each in enumerate(marks)
        if place % every == 0
    ]


def _goal(axis: _Axis, goal: float, label: str) -> list[Markup]:
    y = axis.y(goal)
    return [
        tag(
            "line",
            x1=_LEFT,
            y1=y,
            x2=WIDTH - _RIGHT,
            y2=y,
            class_="goal-line",
            stroke=COLOURS[Tone.GOAL],
            stroke_width=1.5,
            stroke_dasharray="6 4",
        ),
        text(WIDTH - _RIGHT, y - 5, label, "end", class_="goal-label", fill=INK),
    ]


def _point(axis: _Axis, place: int, found: Mark) -> Markup:
    x, y = axis.x(place), axis.y(found.value or 0)
    given = {"class_": "fill", "fill": COLOURS[found.tone]}
    shape = (
        tag("rect", x=x - 5, y=y - 5, width=10, height=10, **given)
        if found.tone is Tone.BAD
        else tag("circle", cx=x, cy=y, r=5, **given)
    )
    return mark(found, _target(axis, place), shape)


def _target(axis: _Axis, place: int) -> Markup:
    """An invisible area as high as the chart, so that a mark is easy to hit."""
    return tag(
        "rect",
        x=axis.x(place) - axis.step / 2,
        y=_TOP,
        width=axis.step,
        height=_HEIGHT - _TOP - _BOTTOM,
        class_="target",
        fill="#ffffff",
        fill_opacity=0,
    )
