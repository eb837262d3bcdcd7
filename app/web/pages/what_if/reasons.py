"""Why a clock has ended as it did, in a sentence of the reader's language, from the figures of a flip."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.delivery.wording.phrases import N_
from app.intake.instant import read_instant
from app.sla.span import Micros
from app.web.pages.frame.words import Words


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom and when: the words, the instant, and the desk's time zone."""

    words: Words
    now: Micros
    zone: str


def why(side: Mapping[str, Any], to: Audience) -> str:
    """A clock with target, start, due date, end and what was counted; of one that does not exist, only that."""
    words = to.words
    if side["counted_seconds"] is None:
        return words.say(N_("There is no such clock."))
    target = side["target"]
    parts = [
        words.say(N_("{target} in {calendar}"), target=target, calendar=side["calendar"] or "–")  # noqa: RUF001
        if target
        else words.say(N_("no target")),
        _at(N_("started {when}"), side["started_at"], to),
        _at(N_("due {when}"), side["due_at"], to),
        _at(N_("stopped {when}"), side["stopped_at"], to),
        words.say(N_("{time} counted"), time=words.length(side["counted_seconds"])),
    ]
    return f"{', '.join(part for part in parts if part)}."


def _at(phrase: str, text: str | None, to: Audience) -> str:
    if text is None:
        return ""
    return to.words.say(phrase, when=to.words.stamp(read_instant(text), to.zone, to.now))
