"""The effects of a draft in words: the sentences of a preview, and its list of due dates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.delivery.wording.phrases import N_, NN_
from app.flow.agreement.effects import Change, Effects
from app.flow.agreement.preview import Preview
from app.flow.agreement.put import PutResult
from app.sla.agreement.agreement import Kind
from app.sla.span import SECOND, Micros
from app.web.pages.frame.labels import rule_labels
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.words import Words

EARLIER: Final = N_("{time} earlier")
LATER: Final = N_("{time} later")
_APPEAR: Final = {
    Kind.GUARANTEE: NN_("{n} breach appears", "{n} breaches appear"),
    Kind.OBJECTIVE: NN_("{n} missed objective appears", "{n} missed objectives appear"),
    Kind.CUSTOMER: NN_("{n} lapsed customer deadline appears", "{n} lapsed customer deadlines appear"),
}
_FALL_AWAY: Final = {
    Kind.GUARANTEE: NN_("{n} breach falls away", "{n} breaches fall away"),
    Kind.OBJECTIVE: NN_("{n} missed objective falls away", "{n} missed objectives fall away"),
    Kind.CUSTOMER: NN_("{n} lapsed customer deadline falls away", "{n} lapsed customer deadlines fall away"),
}
_LEAST_SHIFT: Final = 60

Labels = Mapping[str, Mapping[str, str]]
"""The labels of rules by desk and id."""


@dataclass(frozen=True, slots=True)
class MovedDate:
    """A due date that moves, in words. None: there is none before, or none after."""

    desk: str
    ticket: str
    commitment: str
    old: str | None
    new: str | None
    shift: str | None


def preview_context(words: Words, outcome: PutResult, zone: str, reader: Reader) -> dict[str, Any]:
    """What the template of a preview shows."""
    run = outcome.preview
    if run is None or not outcome.applied:
        return {"versions": (), "number": outcome.number}
    effects = run.effects
    return {
        "number": outcome.number,
        "versions": [
            {
                "desk": each.desk,
                "number": each.number,
                "note": each.note,
                "since": None
                if each.effective_from is None
                else words.written(each.effective_from, zone, reader.now),
                "replaces": [str(number) for number in each.replaces],
            }
            for each in outcome.applied
        ],
        "sentences": list(sentences(words, effects)),
        "is_complete": run.is_complete,
        "compared": run.compared,
        "unchanged": run.skipped,
        "rows": moved_dates(words, effects, zone, reader.now, _labels(words, run)),
        "rows_in_all": effects.changed,
    }


def sentences(words: Words, effects: Effects) -> Iterator[str]:
    """One sentence for each kind of effect."""
    if (shifts := effects.shifts) is not None:
        moved = words.count(
            NN_("{n} due date moves: {shift}", "{n} due dates move: {shift}"),
            effects.moved,
            shift=_range(words, shifts.earliest, shifts.latest, shifts.median),
        )
        yield moved
    if effects.begin:
        yield words.count(NN_("{n} clock begins", "{n} clocks begin"), effects.begin)
    if effects.end:
        yield words.count(NN_("{n} clock ends", "{n} clocks end"), effects.end)
    for kind in Kind:
        if effects.appear[kind]:
            yield words.count(_APPEAR[kind], effects.appear[kind])
        if effects.fall_away[kind]:
            yield words.count(_FALL_AWAY[kind], effects.fall_away[kind])
    for change in effects.money:
        before, after = change.amounts
        phrase = N_("Credits in {currency} change from {before} to {after}")
        yield words.say(phrase, currency=change.currency, before=before, after=after)


def _range(words: Words, earliest: Micros, latest: Micros, median: Micros) -> str:
    if earliest == latest:
        return _shift(words, median)
    phrase = N_("between {earliest} and {latest}, the median {median}")
    return words.say(
        phrase,
        earliest=_shift(words, earliest),
        latest=_shift(words, latest),
        median=_shift(words, median),
    )


def _shift(words: Words, length: Micros) -> str:
    """A shift on the clock of the wall, where a day has 24 hours: "1 d 2 h later"."""
    phrase = EARLIER if length < 0 else LATER
    seconds = max(abs(length) // SECOND, _LEAST_SHIFT)
    return words.say(phrase, time=words.elapsed(seconds))


def _labels(words: Words, run: Preview) -> Labels:
    """The labels of each desk's rules as they will be; of those that are removed as they are."""
    found: dict[str, dict[str, str]] = {}
    for plan in run.plans:
        before = {} if plan.before is None else rule_labels(plan.before.agreement, words.language)
        found[plan.desk] = found.get(plan.desk, {}) | before | rule_labels(plan.agreement, words.language)
    return found


def moved_dates(words: Words, effects: Effects, zone: str, now: Micros, labels: Labels) -> list[MovedDate]:
    """The due dates that a preview lists."""
    return [
        _moved(words, change, zone, now, labels.get(change.desk, {}).get(change.commitment))
        for change in effects.changes
    ]


def _moved(words: Words, change: Change, zone: str, now: Micros, label: str | None) -> MovedDate:
    def written(at: Micros | None) -> str | None:
        return None if at is None else words.written(at, zone, now)

    return MovedDate(
        change.desk,
        change.ticket,
        label or change.commitment,
        written(change.old_due_at),
        written(change.new_due_at),
        None if change.shift is None else _shift(words, change.shift),
    )
