"""Downtime by day as bars: an SVG, and the rows of a table that says the same. Seconds may have a fraction."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, Final

from app.delivery.wording.phrases import N_, NN_
from app.web.pages.frame.figures import exact_length
from app.web.pages.frame.words import Words

WIDTH: Final = 10
"""Of a bar with its gap, in units of the picture."""
HEIGHT: Final = 40
_GAP: Final = 2
_LEAST: Final = 8
"""So that a second of downtime is seen."""
_QUIET: Final = 4
_DAY_SECONDS: Final = 86_400
_DOWN: Final = N_("{time} down")
_EXCLUDED: Final = N_("{time} excluded")
_DAYS_DOWN: Final = NN_("{n} day with downtime", "{n} days with downtime")


@dataclass(frozen=True, slots=True)
class Bar:
    """A day. `kind` is `none`, `down` or `excluded`."""

    kind: str
    x: float
    y: float
    width: int
    height: float
    day: str
    text: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """Days without downtime, one after the other: one line, which the style sheet dashes into days."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Bars:
    """The days of a service."""

    marked: tuple[Bar, ...]
    """Those with downtime, excluded or not."""
    quiet: tuple[Quiet, ...]
    """The others, in runs: most days are quiet, and a picture of each would be most of the page."""
    width: int
    label: str
    count: str


def bars(words: Words, days: Sequence[dict[str, Any]], today: date) -> Bars:
    """The picture of these days, from the documents of an answer."""
    made = tuple(_bar(words, each, place, today) for place, each in enumerate(days))
    down = sum(each.kind == "down" for each in made)
    label = words.say(N_("{first} to {last}"), first=made[0].day, last=made[-1].day)
    runs = [(is_quiet, tuple(run)) for is_quiet, run in groupby(made, key=lambda each: each.kind == "none")]
    count = words.count(_DAYS_DOWN, down) if down else words.say(N_("no downtime"))
    return Bars(
        marked=tuple(each for is_quiet, run in runs if not is_quiet for each in run),
        quiet=tuple(_quiet(words, run) for is_quiet, run in runs if is_quiet),
        width=len(made) * WIDTH,
        label=label,
        count=count,
    )


def _quiet(words: Words, run: Sequence[Bar]) -> Quiet:
    first, last = run[0], run[-1]
    days = first.day if first is last else words.say(N_("{first} to {last}"), first=first.day, last=last.day)
    path = f"M{first.x:g} {HEIGHT - _QUIET // 2}h{len(run) * WIDTH - _GAP}"
    return Quiet(path, f"{days}: {first.text}")


def _bar(words: Words, day: dict[str, Any], place: int, today: date) -> Bar:
    down, excluded = day["downtime_seconds"], day["excluded_seconds"]
    kind = "down" if down else "excluded" if excluded else "none"
    height = _QUIET if kind == "none" else _tall(down or excluded)
    texts = [words.say(_DOWN, time=lost(words, down))] if down else []
    texts += [words.say(_EXCLUDED, time=lost(words, excluded))] if excluded else []
    text = ", ".join(texts) or words.say(N_("no downtime"))
    on = date.fromisoformat(day["date"])
    named = words.say(N_("today")) if on == today else words.day(on, today)
    return Bar(kind, place * WIDTH + _GAP / 2, HEIGHT - height, WIDTH - _GAP, height, named, text)


def _tall(seconds: float) -> float:
    """Logarithmic, so that a minute and a day are both seen."""
    share = min(1.0, math.log1p(seconds) / math.log1p(_DAY_SECONDS))
    return round(_LEAST + (HEIGHT - _LEAST) * share, 2)


def lost(words: Words, seconds: float) -> str:
    """Downtime, rounded up to whole seconds: an uptime never reads better than it is."""
    return exact_length(words, math.ceil(seconds))


def spare(words: Words, seconds: float) -> str:
    """What is left of an allowance, rounded down."""
    return exact_length(words, max(0, math.floor(seconds)))
