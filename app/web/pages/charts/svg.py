"""SVG elements, and what all charts have in common: the canvas, marks with captions, the palette."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from markupsafe import Markup, escape

WIDTH: Final = 720
"""Units of every chart's width; a page scales it."""
READOUT: Final = 14
"""The baseline of the line in which the caption of a mark appears."""
XMLNS: Final = "http://www.w3.org/2000/svg"


class Tone(StrEnum):
    """What a mark means. The colours differ for every common kind of colour blindness (Okabe and Ito), and in grey."""

    GOOD = "good"
    BAD = "bad"
    GOAL = "goal"


COLOURS: Final = {Tone.GOOD: "#0072b2", Tone.BAD: "#d55e00", Tone.GOAL: "#444444"}
INK: Final = "#1b1b1b"
SOFT: Final = "#555555"
LINE: Final = "#dddddd"


@dataclass(frozen=True, slots=True)
class Mark:
    """One figure of a chart. `value` None: there is none, and the place stays empty."""

    label: str
    """Below or beside it, on the axis."""
    value: float | None
    text: str
    """The figure as it is written."""
    caption: str
    href: str | None = None
    tone: Tone = Tone.GOOD


def tag(name: str, *content: Markup | str, **attributes: object) -> Markup:
    """An element. `_` in names of attributes is `-`; one that is None is left out."""
    given = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _plain(value))
        for key, value in attributes.items()
        if value is not None
    )
    inner = Markup("").join(content)
    if not inner:
        return Markup("<{0}{1}/>").format(name, given)
    return Markup("<{0}{1}>{2}</{0}>").format(name, given, inner)


def _plain(value: object) -> object:
    """A number with two decimals at most: more cannot be seen."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else value


def text(x: float, y: float, content: str, anchor: str = "start", **attributes: object) -> Markup:
    """A text whose anchor is at a point."""
    given = {"fill": SOFT, "font_size": 11, **attributes}
    return tag("text", escape(content), x=float(x), y=float(y), text_anchor=anchor, **given)


def mark(found: Mark, *shapes: Markup) -> Markup:
    """The shapes of a mark with its caption, as a link if it has an address."""
    caption = tag("text", escape(found.caption), class_="caption", x=WIDTH, y=READOUT, aria_hidden="true")
    named = {"class_": f"mark {found.tone}", "aria_label": found.caption}
    if found.href is None:
        return tag("g", *shapes, caption, role="img", **named)
    return tag("a", *shapes, caption, href=found.href, **named)


def canvas(title: str, height: float, *content: Markup) -> Markup:
    """A chart with its name for screen readers."""
    return tag(
        "svg",
        *content,
        class_="chart",
        role="group",
        aria_label=title,
        viewBox=f"0 0 {WIDTH} {_plain(float(height))}",
        font_family="system-ui, sans-serif",
        font_size=11,
    )


_MARK: Final = re.compile(r'<(?:a href|g role)="[^"]*" class="([^"]*)" aria-label="([^"]*)">')
_CAPTION: Final = re.compile(r'<text class="caption"[^<>]*+>[^<]*+</text>')


def as_file(chart: Markup, title: str) -> str:
    """A chart as a file of its own: with its namespace, a white ground and its title, without links into the service.

    The caption of a mark is its title there: a file has no style sheet that would show it."""
    drawn = _MARK.sub(r'<g class="\1"><title>\2</title>', _CAPTION.sub("", str(chart)))
    drawn = drawn.replace("</a>", "</g>")
    named = drawn.replace('<svg class="chart"', f'<svg xmlns="{XMLNS}" class="chart"', 1)
    head = tag("title", escape(title)) + tag("rect", width="100%", height="100%", fill="#ffffff")
    begin = named.index(">") + 1
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{named[:begin]}{head}{named[begin:]}\n'
