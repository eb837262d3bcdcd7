"""Incoming events: what is pushed, what each is about, and what became of a push."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from app.flow.query.answer import TicketAnswer
from app.sla.event import Event
from app.sla.subject import Subject
from app.store.tickets.clocks import TicketKey
from app.store.tickets.ledger import digest_of


def subjects_of(event: Event) -> tuple[Subject, ...]:
    """What an event is about: its subject and, where that is no ticket, the ticket that `data.ticket` names."""
    subject = Subject.parse(event.subject)
    named = None if subject.ticket is not None else event.data.get("ticket")
    return (subject,) if named is None else (subject, Subject.parse(str(named)))


def ticket_of(event: Event) -> str | None:
    """The ticket that an event is about; none for a call or a service's outage that names none."""
    return _ticket_among(subjects_of(event))


def _ticket_among(subjects: tuple[Subject, ...]) -> str | None:
    return next((subject.id for subject in subjects if subject.ticket is not None), None)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A readable, checked event for a desk. `digest` is that of its content, `trace` the id of the request."""

    desk: str
    event: Event
    digest: str
    trace: str | None = None
    subjects: tuple[Subject, ...] = field(init=False)
    ticket: str | None = field(init=False)
    """The ticket among its subjects, if any."""

    def __post_init__(self) -> None:
        """Parse what it is about, once."""
        subjects = subjects_of(self.event)
        object.__setattr__(self, "subjects", subjects)
        object.__setattr__(self, "ticket", _ticket_among(subjects))

    @classmethod
    def of(cls, desk: str, event: Event, trace: str | None = None) -> "Incoming":
        """An event with the digest of its content."""
        return cls(desk, event, digest_of(event), trace)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the event at this index of the push was refused. `conflict`: its id is taken by another content."""

    index: int
    id: str | None
    reason: str
    conflict: bool = False


@dataclass(slots=True)
class Receipt:
    """What became of a push. `tickets` are those that it concerned, in the order in which it named them.

    `postponed` are those of them that could not be evaluated now: they are parked, and evaluated by the sweep.
    """

    accepted: int = 0
    repeated: int = 0
    known: list[int] = field(default_factory=list[int])
    """The indexes of the repeated events."""
    refused: list[Refusal] = field(default_factory=list[Refusal])
    tickets: list[TicketAnswer] = field(default_factory=list[TicketAnswer])
    postponed: list[TicketKey] = field(default_factory=list[TicketKey])

    def add(self, part: "Receipt", places: Sequence[int]) -> None:
        """Add what became of a part of the push, whose events have these places in it."""
        self.accepted += part.accepted
        self.repeated += part.repeated
        self.known += [places[index] for index in part.known]
        self.refused += [replace(each, index=places[each.index]) for each in part.refused]
        self.tickets += part.tickets
        self.postponed += part.postponed


def parts(incoming: Sequence[Incoming], size: Callable[[], int]) -> Iterator[list[int]]:
    """The places of a push's events, in parts of about `size`, which is asked for at the begin of each.

    All events of a ticket are in one part and in their order, so that it is evaluated once.
    """
    most = size()
    if len(incoming) <= most:
        yield list(range(len(incoming)))
        return
    by_ticket: dict[tuple[str, str], list[int]] = {}
    for place, one in enumerate(incoming):
        by_ticket.setdefault((one.desk, one.ticket or one.event.subject), []).append(place)
    part: list[int] = []
    for places in by_ticket.values():
        if part and len(part) + len(places) > most:
            yield part
            part, most = [], size()
        part += places
    yield part
