"""An agreement in words: its tables as sections of terms, each key with its value, and the notes of the file.

Keys and values that the pages have no words for are shown as they are written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from app.delivery.wording.phrases import N_
from app.web.pages.agreements.notes import TablePlace
from app.web.pages.frame.vocabulary import FACTS, KINDS, named
from app.web.pages.frame.words import Words

SECTIONS: Final = {
    "commitments": N_("Commitments"),
    "levels": N_("Levels"),
    "contracts": N_("Contracts in the file"),
    "availability": N_("Availability"),
    "averages": N_("Averages"),
    "allowances": N_("Allowances"),
    "charges": N_("Charges"),
    "credits": N_("Credits"),
    "derived": N_("Derived facts"),
    "queue": N_("Queue"),
}
"""The tables of a file, in the order of the page."""

KEYS: Final = {
    "target": N_("Target"),
    "calendar": N_("Counted in"),
    "starts_on": N_("Starts with"),
    "stops_on": N_("Stops with"),
    "ends_on": N_("Ends without a verdict with"),
    "pauses_while": N_("Paused while"),
    "applies_to": N_("For tickets with"),
    "except": N_("Not for tickets with"),
    "warn_at": N_("Warnings"),
    "services": N_("Services"),
    "period": N_("Period"),
    "excluded_causes": N_("Causes that do not count"),
    "maintenance": N_("Announced maintenance"),
    "for": N_("For"),
    "rule": N_("Rule"),
    "owed": N_("Owed"),
    "as": N_("Paid as"),
    "claim_within": N_("To be claimed within"),
    "base": N_("Share of"),
    "share": N_("Share"),
    "cap": N_("At most"),
    "per": N_("For each"),
    "monthly": N_("With a monthly fee"),
    "yearly": N_("With a yearly fee"),
    "bands": N_("By uptime"),
    "lines": N_("Lines"),
    "line": N_("Line"),
    "counts": N_("Counts"),
    "limit": N_("Limit a month"),
    "on": N_("For each"),
    "amount": N_("Amount"),
    "first": N_("First in the queue"),
    "repeat_message": N_("A further message"),
    "duplicate": N_("A duplicate"),
    "domain_required": N_("Domain required"),
    "domain_reply": N_("A reply with the missing domain"),
    "prefixes": N_("Prefixes of replies"),
    "token": N_("Id in the subject"),
    "measure": N_("Measure"),
    "cycle": N_("Repeats"),
    "warn_awaiting": N_("Reminder while a fact is missing, after"),
    "calendar_of": N_("Counted in the hours of"),
    "not_after": N_("Not after"),
    "rounding": N_("Rest of a unit"),
    "sum_over": N_("Added up over"),
    "outages_of": N_("Outages of"),
    "past_allowance": N_("Past the limit"),
    "from_fact": N_("From"),
    "to_fact": N_("To"),
    "warn_after": N_("Warning after"),
    "fact": N_("Fact"),
    "shown_by": N_("Shown by"),
    "by_agent": N_("By the desk only"),
    "where": N_("For tickets with"),
    "reason": N_("Reason"),
}
VALUES: Final = {
    "always": N_("every hour"),
    "moves": N_("moves to the end"),
    "keeps": N_("keeps its place"),
    "automatic": N_("without being asked"),
    "on_request": N_("on request"),
    "on_claim": N_("on a claim in time"),
    "monthly_fee": N_("the monthly fee"),
    "annual_fee": N_("the annual fee"),
    "fee": N_("the fee"),
    "calendar month": N_("calendar month"),
    "pending": N_("pending"),
    "next_reply": N_("for each message that waits for a reply"),
    "progress": N_("for each progress report"),
    "claim": N_("each time it begins anew"),
    "assignment": N_("for each assignment"),
}
_IN_THE_TITLE: Final = frozenset({"id", "label", "kind"})


@dataclass(frozen=True, slots=True)
class Term:
    """One table of the agreement: its title, how binding it is, its keys in words, and its notes."""

    id: str
    title: str
    kind: str | None
    pairs: list[tuple[str, str]]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Section:
    """The tables of one kind."""

    name: str
    title: str
    terms: list[Term]


def sections(
    words: Words, document: Mapping[str, Any], notes: Mapping[TablePlace, list[str]]
) -> list[Section]:
    """The sections of an agreement that are not empty."""
    found = [
        Section(name, words.say(title), list(_terms(words, name, document.get(name), notes)))
        for name, title in SECTIONS.items()
    ]
    return [section for section in found if section.terms]


def _terms(words: Words, name: str, value: object, notes: Mapping[TablePlace, list[str]]) -> Iterator[Term]:
    match value:
        case list():
            for number, each in enumerate(cast("list[Mapping[str, Any]]", value)):
                yield _term(
                    words, str(each.get("id") or each.get("fact", "")), each, notes.get((name, number), [])
                )
        case Mapping() if name == "queue":
            rules = {"label": words.say(N_("Order of the queue")), **cast("Mapping[str, Any]", value)}
            yield _term(words, name, rules, notes.get((name, 0), []))
        case Mapping():
            for key, each in cast("Mapping[str, Any]", value).items():
                yield _term(words, key, each, notes.get((f"{name}.{key}", 0), []))
        case _:
            return


def _term(words: Words, key: str, table: Mapping[str, Any], notes: list[str]) -> Term:
    kind = table.get("kind")
    return Term(
        key,
        label_of(words, table.get("label")) or named(words, FACTS, key),
        None if kind is None else named(words, KINDS, str(kind)),
        [
            (named(words, KEYS, name), value_text(words, value))
            for name, value in table.items()
            if name not in _IN_THE_TITLE
        ],
        notes,
    )


def label_of(words: Words, label: object) -> str | None:
    """A label in the reader's language, else in the first that it has."""
    if isinstance(label, Mapping):
        texts = cast("Mapping[str, str]", label)
        return texts.get(words.language.value) or next(iter(texts.values()), None)
    return None if label is None else str(label)


def value_text(words: Words, value: object) -> str:
    """A value of the file in words: lists with "or", tables as their keys and values."""
    match value:
        case bool():
            return words.say(N_("yes") if value else N_("no"))
        case str():
            return _word(words, value)
        case list():
            return _list_text(words, cast("list[object]", value))
        case Mapping():
            table = cast("Mapping[str, object]", value)
            return ", ".join(
                f"{named(words, KEYS, key)}: {value_text(words, each)}" for key, each in table.items()
            )
        case _:
            return str(value)


def _list_text(words: Words, values: Sequence[object]) -> str:
    if all(isinstance(each, str) for each in values):
        return words.either(*(_word(words, str(each)) for each in values))
    return "; ".join(value_text(words, each) for each in values)


def _word(words: Words, text: str) -> str:
    if not text:
        return words.say(N_("none stated"))
    return named(words, FACTS, text) if text in FACTS else named(words, VALUES, text)
