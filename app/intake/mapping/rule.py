"""Rules of a desk: events that its ticket system has no word for.

No system sends "intervention started": a desk recognises it by a tag, a status, a field or a note that begins with a
marker, and says so in its source file. A rule matches a *change*, at the instant of the change, never a state that goes
on. Comparisons are without case. Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, cast

from app.intake.mapping.events import happened
from app.intake.mapping.value import dig, items, text
from app.sla.event import Event, EventType
from app.sla.span import Micros

STATUS_PREFIX: Final = "status:"
"""As in "status:on_hold", where a map of types may name a status in place of an event."""

FACTS: Final = frozenset(
    {
        EventType.CUSTOMER_REPLIED,
        EventType.AGENT_REPLIED,
        EventType.NOTE_ADDED,
        EventType.CALL_REGISTERED,
        EventType.REQUEST_READ,
        EventType.ANOMALY_DETECTED,
        EventType.INTERVENTION_STARTED,
        EventType.PROGRESS_REPORTED,
        EventType.PART_REPLACED,
        EventType.SERVICE_RESTORED,
        EventType.CLAIM_FILED,
        EventType.CLAIM_ANSWERED,
        EventType.OUTAGE_STARTED,
        EventType.OUTAGE_ENDED,
        EventType.OUTAGE_VERIFIED,
    }
)
"""Events that a rule may name: those that need no further data. A status is none of them: the system itself reports it
with every snapshot, and would contradict the rule."""


class Marker(StrEnum):
    """Where a rule looks."""

    TAG = "tag"
    STATUS = "status"
    FIELD = "field"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """When `word` appears at the marker, `then` has happened.

    `word` is the tag, their word of the status, the dotted path of the field or the beginning of the note. A field has
    a `value`; None means that any value will do.
    """

    marker: Marker
    word: str
    then: tuple[str, ...]
    value: str | None = None

    @property
    def words(self) -> str:
        """The rule's condition as a person reads it."""
        return f"{self.marker} {self.word}" + (f" = {self.value}" if self.value is not None else "")


@dataclass(frozen=True, slots=True)
class Change:
    """What became so at an instant, in the source's own words: tags newly there, the new status, new values of fields
    by their paths, the text of a new note."""

    tags: Iterable[str] = ()
    status: str | None = None
    fields: Mapping[str, object] = field(default_factory=dict[str, object])
    note: str | None = None

    def fires(self, rule: Rule) -> bool:
        """Whether this is the change that a rule speaks of."""
        wanted = rule.word.casefold()
        match rule.marker:
            case Marker.TAG:
                return any(tag.casefold() == wanted for tag in self.tags)
            case Marker.STATUS:
                return self.status is not None and self.status.casefold() == wanted
            case Marker.NOTE:
                return self.note is not None and self.note.lstrip().casefold().startswith(wanted)
            case Marker.FIELD:
                found = values_of(self.fields.get(rule.word))
                return bool(found) if rule.value is None else rule.value.casefold() in found


def rule_events(
    system: str, ticket: str, at: Micros, key: str, rules: Sequence[Rule], change: Change
) -> tuple[Event, ...]:
    """The events of the rules that match a change. `key` is unique among the changes of the ticket."""
    return tuple(
        happened(
            system, ticket, then, at, f"{key}:{rule.marker}={rule.word}:{then}", {"reference": rule.words}
        )
        for rule in rules
        if change.fires(rule)
        for then in rule.then
    )


def looked_at(rules: Iterable[Rule], body: object) -> dict[str, list[str]]:
    """The values of the fields that rules test, by path: the part of a body that a snapshot must store for them."""
    paths = sorted({rule.word for rule in rules if rule.marker is Marker.FIELD})
    return {path: sorted(values_of(dig(body, path))) for path in paths}


def values_of(value: object) -> frozenset[str]:
    """The words that a field's value is compared with, in lower case: of a choice its name and value, of a list those
    of all entries. Empty for an empty field."""
    if isinstance(value, bool):
        return frozenset({"true" if value else "false"})
    if isinstance(value, Mapping):
        chosen = cast("Mapping[str, object]", value)
        return frozenset(w.casefold() for k in ("name", "value", "label", "id") if (w := text(chosen.get(k))))
    if isinstance(value, list):
        return frozenset(word for one in items(cast("object", value)) for word in _flat(one))
    found = text(value)
    return frozenset() if found is None else frozenset({found.casefold()})


def _flat(value: object) -> frozenset[str]:
    # A list within a list is no choice of anything, and a hostile body could nest them without end.
    return frozenset() if isinstance(value, list) else values_of(value)
