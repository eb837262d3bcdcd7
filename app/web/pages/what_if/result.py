"""The result of a simulation as the page shows it, in the words of the reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from babel.dates import format_skeleton
from babel.numbers import format_currency

from app.delivery.wording.phrases import N_
from app.flow.simulation.targets import SHARES
from app.web.pages.frame.addresses import ticket_path
from app.web.pages.frame.vocabulary import named
from app.web.pages.frame.words import Words
from app.web.pages.what_if.reasons import Audience, why

VERDICTS: Final[Mapping[str, str]] = {
    "met": N_("kept"),
    "missed": N_("missed"),
    "running": N_("running"),
    "awaiting": N_("waiting to start"),
    "cancelled": N_("cancelled"),
    "absent": N_("no clock"),
}
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONDAY: Final = date(2024, 1, 1)
_NONE: Final = "\u2013"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Counted:
    """The clocks of a commitment that were met and missed, before and after, and the sign of the change."""

    label: str
    met: tuple[str, str]
    missed: tuple[str, str]
    overdue: tuple[str, str]
    change: int
    """Missed clocks more than before; below nothing it got better."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A clock whose verdict differs, with both explanations."""

    ticket: str
    address: str
    label: str
    before: str
    before_why: str
    after: str
    after_why: str


@dataclass(frozen=True, slots=True)
class Result:
    """Everything that the page shows of a result."""

    tickets: int
    left_out: int
    counts: Sequence[Counted]
    credits: Sequence[tuple[str, str]]
    targets: Sequence[tuple[str, Sequence[str]]]
    shares: Sequence[str]
    best_hour: str | None
    flips: Sequence[Flip]
    flips_in_all: int


def result(to: Audience, desk: str, found: Json, flips: Sequence[Json], labels: Mapping[str, str]) -> Result:
    """The result of a simulation; `labels` of the commitments by id."""
    words = to.words
    return Result(
        tickets=found["tickets"],
        left_out=found["tickets_without_events"] + len(found["tickets_not_judged"]),
        counts=[
            _counted(words, labels.get(name, name), each["before"], each["after"])
            for name, each in found["commitments"].items()
        ],
        credits=[
            (_money(words, each["before"], each["currency"]), _money(words, each["after"], each["currency"]))
            for each in found["credits"]
        ],
        targets=[
            (labels.get(name, name), [each[f"p{share}"] or _NONE for share in SHARES])
            for name, each in found["targets"].items()
        ],
        shares=[f"{share} %" for share in SHARES],
        best_hour=_best_hour(words, found["best_hour"]),
        flips=[_flip(to, desk, each, labels) for each in flips],
        flips_in_all=found["flips_in_all"],
    )


def _counted(words: Words, label: str, before: Json, after: Json) -> Counted:
    def both(name: str) -> tuple[str, str]:
        return words.number(before[name]), words.number(after[name])

    overdue = (words.length(before["overdue_seconds"]), words.length(after["overdue_seconds"]))
    return Counted(label, both("met"), both("missed"), overdue, after["missed"] - before["missed"])


def _money(words: Words, amount: str, currency: str) -> str:
    return format_currency(Decimal(amount), currency, locale=words.locale)


def _best_hour(words: Words, found: Json | None) -> str | None:
    if found is None:
        return None
    day = _MONDAY + timedelta(days=_WEEKDAYS.index(found["weekday"]))
    return words.say(
        N_("{weekday} {start}\u2013{end} ({calendar}) would have saved {saved} of {missed} missed clocks."),
        weekday=format_skeleton("EEEE", day, locale=words.locale),
        start=found["from"],
        end=found["to"],
        calendar=found["calendar"],
        saved=words.number(found["saved"]),
        missed=words.number(found["missed"]),
    )


def _flip(to: Audience, desk: str, found: Json, labels: Mapping[str, str]) -> Flip:
    before, after = found["before"], found["after"]
    return Flip(
        ticket=found["ticket"],
        address=ticket_path(desk, found["ticket"]),
        label=labels.get(found["commitment"], found["commitment"]),
        before=named(to.words, VERDICTS, before["verdict"]),
        before_why=why(before, to),
        after=named(to.words, VERDICTS, after["verdict"]),
        after_why=why(after, to),
    )
