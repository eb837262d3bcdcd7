"""What changed between two snapshots of a ticket, for systems that send the whole ticket and never what changed.

Snapshots of a ticket stand in one order, (at, digest), never that of arrival; events are derived from neighbouring
pairs. The chain of stored snapshots is kept by `app.flow.inbound.snapshot_chain`, which derives a pair's events again
when its earlier snapshot changes. Systems that name their changes and send the whole ticket with each have snapshots
too, beside their events: what such a body says and no event of its request reports. Instants are microseconds UTC.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from app.intake.mapping.events import digest, happened, without_absent
from app.intake.mapping.rule import Change, rule_events
from app.intake.mapping.source import Source
from app.intake.mapping.value import items, table
from app.sla.event import Event, EventType, Value
from app.sla.fields import TICKET_FIELDS
from app.sla.span import Micros

_STATUS_WORD: Final = "status_word"
_LOOKED_AT: Final = "looked_at"
_AUTHOR: Final = "author"
_REPORTED: Final = "reported"
_HIGHEST_RANK: Final = 2**31 - 1
_COMPARED: Final = tuple(name for name in TICKET_FIELDS if name != "status")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A ticket as it was at an instant, in our words.

    `state` holds ticket fields: an absent field is unknown, a null one is empty. Beside them stand
    `author` (who opened it), `status_word` (their word), `looked_at` (values of the fields that rules test) and, where
    the request has events of its own, `reported` (the fields that they set to the same values).
    """

    system: str
    ticket: str
    at: Micros
    created_at: Micros | None
    state: Mapping[str, Value]
    digest: str

    @classmethod
    def of(
        cls,
        system: str,
        ticket: str,
        at: Micros,
        created_at: Micros | None,
        fields: Mapping[str, Value],
        *,
        author: str | None = None,
        status_word: str | None = None,
        looked_at: Mapping[str, list[str]] | None = None,
        rank: int = 0,
    ) -> "Snapshot":
        """A snapshot with its digest. `rank` orders those of one instant where the system counts its changes."""
        state = dict(fields)
        state |= without_absent({_AUTHOR: author, _STATUS_WORD: status_word, _LOOKED_AT: looked_at})
        content = digest([ticket, created_at, state])
        return cls(
            system, ticket, at, created_at, state, f"{min(max(rank, 0), _HIGHEST_RANK):010d}-{content}"
        )

    @classmethod
    def beside_events(
        cls,
        system: str,
        ticket: str,
        at: Micros,
        fields: Mapping[str, Value],
        reported: Collection[str] = (),
        *,
        rank: int = 0,
    ) -> "Snapshot":
        """The state that a request carries beside its events. The events report the creation, what the desk's rules
        see and the fields `reported`; a snapshot reports the others where they differ from the one before it."""
        return cls.of(system, ticket, at, None, {**fields, _REPORTED: sorted(reported)}, rank=rank)

    @property
    def place(self) -> tuple[Micros, str]:
        """Its sort key among the snapshots of its ticket."""
        return (self.at, self.digest)

    @property
    def sequence(self) -> int:
        """The same order as a number, for events of snapshots of one instant: they are replayed in it."""
        rank, _, content = self.digest.partition("-")
        return (int(rank) << 32) + int(content[:8], 16)

    @property
    def reported(self) -> frozenset[str] | None:
        """The fields that events of its request report; None for the snapshots of a system without such events."""
        names = self.state.get(_REPORTED)
        return None if names is None else frozenset(str(name) for name in items(names))

    @property
    def tags(self) -> frozenset[str]:
        """Its tags."""
        return frozenset(str(tag) for tag in items(self.state.get("tags")))


def changes(before: Snapshot | None, this: Snapshot, source: Source) -> tuple[Event, ...]:
    """The events that a snapshot reports, compared with the one before it in order of place.

    Without `before` it is the first: the ticket was created, at the instant that it names or at its own. The ids are
    made of both places, so the events of two pairs never meet.
    """
    key = f"{this.at}:{digest([None if before is None else before.place, this.place])}"
    if this.reported is not None:
        # The first one has nothing to contradict: events of their own have reported the ticket so far.
        return () if before is None else tuple(_differences(before, this, key))
    reported = _created(this, key) if before is None else _differences(before, this, key)
    return (*reported, *_of_rules(before, this, key, source))


def _created(first: Snapshot, key: str) -> list[Event]:
    """The creation, from a first snapshot. A status after the creation is not the first one."""
    born_at = first.at if first.created_at is None else min(first.created_at, first.at)
    data = {name: first.state.get(name) for name in (_AUTHOR, *_COMPARED)}
    status = first.state.get("status")
    if born_at == first.at:
        data["status"] = status
    created = happened(
        first.system,
        first.ticket,
        EventType.TICKET_CREATED,
        born_at,
        f"{key}:created",
        without_absent(data),
    )
    later = born_at != first.at and status is not None
    return [created, *([_event(first, EventType.STATUS_CHANGED, key, {"status": status})] if later else [])]


def _differences(before: Snapshot, this: Snapshot, key: str) -> list[Event]:
    """The events of a snapshot that differs from the one before it."""
    found: list[Event] = []
    known, reported = before.state, this.reported or frozenset()
    different = {
        name: this.state[name]
        for name in _COMPARED
        if name in this.state
        and name not in reported
        and (name not in known or known[name] != this.state[name])
    }
    if different:
        found.append(_event(this, EventType.TICKET_UPDATED, key, different))
    status = this.state.get("status")
    # A customer's message ends `pending`, so a snapshot with `pending` always reports it: the system knows better. Any
    # other status stays until a snapshot has another.
    if (
        "status" not in reported
        and status is not None
        and (status == "pending" or known.get("status") != status)
    ):
        found.append(_event(this, EventType.STATUS_CHANGED, key, {"status": status}))
    return found


def _event(this: Snapshot, kind: EventType, key: str, data: Mapping[str, Value]) -> Event:
    return happened(this.system, this.ticket, kind, this.at, f"{key}:{kind}", data, sequence=this.sequence)


def _of_rules(before: Snapshot | None, this: Snapshot, key: str, source: Source) -> tuple[Event, ...]:
    """The events of the desk's rules in the change from one snapshot to the next."""
    if not source.rules:
        return ()
    held = table(None if before is None else before.state.get(_LOOKED_AT))
    holds = table(this.state.get(_LOOKED_AT))
    word = this.state.get(_STATUS_WORD)
    change = Change(
        tags=this.tags - (frozenset() if before is None else before.tags),
        status=None if before is not None and before.state.get(_STATUS_WORD) == word else _text(word),
        fields={path: holds[path] for path in holds if held.get(path) != holds[path]},
    )
    return rule_events(this.system, this.ticket, this.at, key, source.rules, change)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
