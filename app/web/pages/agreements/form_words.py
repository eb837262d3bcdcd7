"""What the form of an agreement offers, in the reader's words: kinds, cycles, targets, facts, calendars."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.delivery.wording.phrases import N_
from app.web.pages.agreements.form import CONTRACT, LEVEL, AgreementForm, CommitmentForm
from app.web.pages.agreements.terms import VALUES, label_of
from app.web.pages.frame.vocabulary import FACTS, KINDS, named
from app.web.pages.frame.words import Words

_OTHER_FACTS: Final = {
    "status:open": N_("opening of the ticket"),
    "field:requested_date": N_("the date that the customer wants"),
    "field:assignee": N_("assignment to a person"),
    "field:group": N_("assignment to a group"),
    "pending": N_("pending"),
    "on_hold": N_("on hold"),
}
_STARTS: Final = (
    *("ticket.created", "customer.replied", "call.registered", "request.read", "anomaly.detected"),
    *("intervention.started", "outage.started", "outage.verified", "claim.filed", "status:open"),
    *("field:requested_date", "field:assignee", "field:group"),
)
_STOPS: Final = (
    *("agent.replied", "intervention.started", "progress.reported", "part.replaced", "service.restored"),
    *("outage.ended", "claim.answered", "status:solved", "status:closed"),
)
_OFFERED: Final[Mapping[str, Sequence[str]]] = {
    "starts_on": _STARTS,
    "stops_on": _STOPS,
    "ends_on": _STOPS,
    "pauses_while": ("pending", "on_hold"),
}
"""Facts that are offered. Others are in the text, and offered where they are in it already."""
_GROUPS: Final[Mapping[str, str]] = {
    "starts_on": N_("Starts with"),
    "stops_on": N_("Stops with"),
    "ends_on": N_("Ends without a verdict with"),
    "pauses_while": N_("Paused while"),
}
_CYCLES: Final = ("once", "next_reply", "progress", "claim", "assignment")
_ONCE: Final = N_("once for each ticket")
_MEASURES: Final[Mapping[str, str]] = {
    "response": N_("first response"),
    "gtr": N_("restoration, which goes on after a reopening"),
}
_FIELDS: Final[Mapping[str, str]] = {
    "priority": N_("by priority"),
    "plan": N_("by plan"),
    "level": N_("by level"),
    "customer": N_("by customer"),
    "service": N_("by service"),
    "category": N_("by category"),
    "kind": N_("by kind of ticket"),
}
"""Fields of a ticket by which a target is offered."""
_TARGETS: Final[Mapping[str, str]] = {
    "": N_("the same for all tickets"),
    **_FIELDS,
    LEVEL: N_("as the customer's level sets it"),
    CONTRACT: N_("as the customer's contract sets it"),
}


_NONE: Final = "\N{EN DASH}"


@dataclass(frozen=True, slots=True)
class Option:
    """A value that can be chosen, and its words."""

    value: str
    text: str
    is_chosen: bool = False


@dataclass(frozen=True, slots=True)
class FactGroup:
    """Boxes to tick: the facts of one key, those of the file first."""

    key: str
    title: str
    chosen: str
    options: Sequence[Option]


@dataclass(frozen=True, slots=True)
class ShownCommitment:
    """A commitment of the form with what its fields offer."""

    form: CommitmentForm
    title: str
    kinds: Sequence[Option]
    cycles: Sequence[Option]
    measures: Sequence[Option]
    targets: Sequence[Option]
    calendars: Sequence[Option]
    groups: Sequence[FactGroup]
    elsewhere: Sequence[str]


def shown_commitment(
    words: Words, form: CommitmentForm, calendars: Iterable[str], elsewhere: Sequence[str] = ()
) -> ShownCommitment:
    """A commitment in the reader's words."""
    other = form.measure if form.measure not in _MEASURES else ""
    measures = {other: N_("something else"), **_MEASURES}
    facts: Mapping[str, Sequence[str] | None] = {key: getattr(form, key) for key in _GROUPS}
    cycles = {cycle: VALUES.get(cycle, _ONCE) for cycle in _CYCLES}
    return ShownCommitment(
        form,
        label_of(words, {code: text for code, text in form.labels if code})
        or dict(form.labels).get("")
        or form.id,
        _options(words, KINDS, form.kind),
        _options(words, cycles, form.cycle),
        _options(words, measures, form.measure),
        _options(words, _TARGETS, form.target_by or ""),
        calendar_options(words, calendars, form.calendar or ""),
        [
            _group(words, key, found, all_needed=key == "starts_on" and not form.starts_any)
            for key, found in facts.items()
            if found is not None
        ],
        elsewhere,
    )


def calendar_options(words: Words, calendars: Iterable[str], chosen: str) -> list[Option]:
    """The calendars that can be named."""
    found = [Option(name, name, name == chosen) for name in calendars]
    return [*found, *_options(words, {"always": VALUES["always"]}, chosen, found)]


def calendars_in(form: AgreementForm, own: Iterable[str]) -> list[str]:
    """The desk's own calendars, and what the file names beside them."""
    used = [each.calendar for each in (*form.commitments, *form.levels) if each.calendar]
    return list(dict.fromkeys(each for each in (*own, *used) if each != "always"))


def _options(
    words: Words, known: Mapping[str, str], chosen: str, others: Iterable[Option] = ()
) -> list[Option]:
    """Known values by their phrases, and a chosen one that is in none of the lists as it is written."""
    found = [Option(value, words.say(phrase), value == chosen) for value, phrase in known.items()]
    is_known = any(each.is_chosen for each in (*found, *others))
    return found if is_known else [*found, Option(chosen, chosen or _NONE, is_chosen=True)]


def _group(words: Words, key: str, chosen: Sequence[str], *, all_needed: bool) -> FactGroup:
    phrases: dict[str, Any] = {**FACTS, **_OTHER_FACTS}
    values = dict.fromkeys((*chosen, *_OFFERED[key]))
    options = [Option(value, named(words, phrases, value), value in chosen) for value in values]
    names = [named(words, phrases, value) for value in chosen]
    text = words.both(*names) if all_needed else words.either(*names)
    return FactGroup(key, words.say(_GROUPS[key]), text, options)
