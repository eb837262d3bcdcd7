"""Rows of the list: one breach each, in the reader's words. Instants are microseconds UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from babel.numbers import format_currency

from app.delivery.wording.language import nearest
from app.delivery.wording.phrases import N_
from app.flow.query.breaches import Breach, BreachBoard
from app.sla.agreement.agreement import Agreement
from app.sla.credit.line import Line
from app.sla.span import SECOND
from app.sla.subject import SubjectKind
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.vocabulary import CREDIT_STATES, KINDS, LATE, named
from app.web.pages.frame.words import Words

_WHY: Final[Mapping[str, str]] = {
    "deadline": N_("The time ran out."),
    "target_changed": N_("A change of the ticket or its contract made the target shorter."),
    "applied_later": N_("The commitment came to apply when its time was already over."),
    "merged": N_("A ticket with an earlier start was merged into it."),
}
"""By the cause that reports count."""
_RETRACTED: Final = "retracted"
_OPEN: Final = "open"
_ENDED: Final = "ended"


@dataclass(frozen=True, slots=True)
class Cost:
    """A credit that the breach has caused: its amount, which may not be known, and its state."""

    text: str
    state: str
    address: str


@dataclass(frozen=True, slots=True)
class BreachRow:
    """One breach of the list."""

    id: str
    key: str | None
    """Desk and ticket, of the latest breach of the ticket on the page."""
    desk: str
    subject: str
    ticket: str | None
    title: str | None
    url: str | None
    about: str
    what: str
    """What a late clock of its kind is: "Guarantee breached"."""
    kind: str
    commitment: str
    at: str
    notes: tuple[str, ...]
    state: str
    """`open`, `ended` or `retracted`."""
    state_text: str
    why: tuple[str, ...]
    assignee: str | None
    group: str | None
    taken_by: str | None
    taken_note: str | None
    taken_at: str | None
    costs: tuple[Cost, ...]
    spoken: str


def rows(board: BreachBoard, words: Words, reader: Reader) -> list[BreachRow]:
    """The rows of a page."""
    found: list[BreachRow] = []
    seen: set[str] = set()
    for each in board.breaches:
        key = f"{each.desk}/{each.subject.ticket or ''}"
        costs = board.costs.get(each.id, ())
        made = _row(each, board.agreements[each.desk], costs, words, reader, None if key in seen else key)
        seen.add(key)
        found.append(made)
    return found


def breach_row(breach: Breach, agreement: Agreement, words: Words, reader: Reader) -> BreachRow:
    """The row of one breach, without what it costs."""
    return _row(breach, agreement, (), words, reader, None)


def _row(
    breach: Breach, agreement: Agreement, costs: Sequence[Line], words: Words, reader: Reader, key: str | None
) -> BreachRow:
    recorded: dict[str, Any] = orjson.loads(breach.body)
    zone, now, seen, fields = agreement.time_zone, reader.now, breach.acknowledgement, breach.fields
    kind = recorded["commitment_kind"] or "guarantee"
    label, what = _label(breach, agreement, recorded, words), named(words, LATE, kind)
    state, state_text = _state(breach, words, reader, zone)
    return BreachRow(
        id=breach.id,
        key=key,
        desk=breach.desk,
        subject=breach.subject.text,
        ticket=breach.subject.ticket,
        title=fields["title"] if breach.subject.ticket else _service(breach, recorded),
        url=fields["url"],
        about=", ".join(str(fields[name]) for name in ("customer", "plan", "contract") if fields[name]),
        what=what,
        kind=kind,
        commitment=label,
        at=words.written(breach.true_at, zone, now),
        notes=_notes(breach, recorded, words, reader, zone),
        state=state,
        state_text=state_text,
        why=_why(breach, recorded, words),
        assignee=fields["assignee"],
        group=fields["group"],
        taken_by=seen and seen.author,
        taken_note=seen and seen.note,
        taken_at=seen and words.written(seen.at, zone, now),
        costs=tuple(_cost(line, words) for line in costs),
        spoken=f"{what}: {label}, {breach.desk} {breach.subject.text}",
    )


def _service(breach: Breach, recorded: Mapping[str, Any]) -> str:
    """What is no ticket: a service, its resource, and the month that was judged."""
    parts = (recorded.get("service") or breach.subject.id, recorded.get("resource"), recorded.get("period"))
    return ", ".join(str(part) for part in parts if part)


def _label(breach: Breach, agreement: Agreement, recorded: Mapping[str, Any], words: Words) -> str:
    """The label of the commitment, in the reader's language if the agreement has it; as it was recorded otherwise."""
    rules = (*agreement.commitments, *agreement.availability, *agreement.averages)
    labels = next((dict(each.labels) for each in rules if each.id == breach.commitment), None)
    clock: Mapping[str, Any] = recorded.get("clock") or recorded
    return nearest(words.language.value, labels or {}) or clock.get("label") or breach.commitment


def _state(breach: Breach, words: Words, reader: Reader, zone: str) -> tuple[str, str]:
    if breach.retracted_at is not None:
        when = words.written(breach.retracted_at, zone, reader.now)
        return _RETRACTED, words.say(N_("Retracted {when}"), when=when)
    if breach.is_open:
        late = (reader.now - breach.true_at) // SECOND
        return _OPEN, words.say(N_("Open for {time}"), time=words.elapsed(late))
    if breach.clock_ended_at is None:
        return _ENDED, words.say(N_("Ended"))
    late = max(0, breach.clock_ended_at - breach.true_at) // SECOND
    return _ENDED, words.say(N_("Ended after {time}"), time=words.elapsed(late))


def _notes(
    breach: Breach, recorded: Mapping[str, Any], words: Words, reader: Reader, zone: str
) -> tuple[str, ...]:
    if not recorded["late"]:
        return ()
    when = words.written(breach.detected_at, zone, reader.now)
    return (words.say(N_("reported late, {when}"), when=when),)


def _why(breach: Breach, recorded: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    """The cause in words, the target that was missed, and the number of the clock if it is not the first."""
    if breach.subject.kind is not SubjectKind.TICKET:
        target = recorded.get("target")
        return (words.say(N_("Target: {target}."), target=words.uptime(target)),) if target else ()
    clock: Mapping[str, Any] = recorded["clock"] or {}
    found = [words.say(_WHY[breach.late_cause])] if breach.late_cause in _WHY else []
    if clock.get("target_seconds") is not None:
        found.append(words.say(N_("Target: {target}."), target=words.length(clock["target_seconds"])))
    if (recorded["cycle"] or 1) > 1:
        found.append(words.say(N_("Clock no. {n} of this commitment."), n=words.number(recorded["cycle"])))
    return tuple(found)


def _cost(line: Line, words: Words) -> Cost:
    amount, currency = line.amount, line.worth.currency
    text = words.say(N_("amount not known"))
    if amount is not None and currency is not None:
        text = format_currency(amount, currency, locale=words.locale)
    address = "/credits?" + urlencode({"desk": line.key.desk, "period": line.period})
    return Cost(text, named(words, CREDIT_STATES, line.state.value), address)


KIND_CHOICES: Final = tuple(KINDS.items())
"""The kinds of commitments to filter by, with their phrases."""
