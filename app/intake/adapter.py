"""Adapters: what the service knows of one ticket system.

How it signs, which key identifies a repetition, how its body is read, the default mapping of its words, and what to
enter there. An adapter is a value; its functions are pure.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from app.intake.challenge import Answer
from app.intake.mapping.reading import Reading
from app.intake.mapping.source import Source
from app.intake.request import InboundRequest
from app.sla.document.table import Table
from app.sla.span import Micros

TEST_BODY: Final = b'{"slatimer":"connection test"}'
"""What `slatimer connect --test` sends, signed, to any system's address: it verifies address, secret and signature, and
reports nothing."""


def _no_id(_: InboundRequest) -> str | None:
    return None


def _no_challenge(_: InboundRequest) -> Answer | None:
    return None


def _no_options(_: Table) -> Mapping[str, object]:
    return {}


PUBLIC_NOTES: Final = "public_notes_are_replies"
"""Key of a source's table, for systems in which agents write public notes that are no replies."""


def public_notes_option(own: Table, *, default: bool) -> dict[str, object]:
    """The option `public_notes_are_replies`: whether an agent's public note counts as a reply."""
    return {PUBLIC_NOTES: own.flag(PUBLIC_NOTES, default=default)}


@dataclass(frozen=True, slots=True)
class Adapter:
    """One ticket system.

    `schemes` names the signature schemes that it may use, the usual one first. `idempotency_key` returns what a
    repetition has in common with the first request: an id of the request, else of the event; None when the system gives
    none. `read` turns a request into a Reading or raises Unreadable. `options` reads the adapter's own keys from a
    source's table. `headers` (lower case) are those that reading needs (`name-*`: all that begin so). `window` replaces
    the scheme's. `challenge` returns the answer to a request that is a challenge, None for every other; it raises
    Unreadable when the body does not fit. `repairs_texts`: it replaces half of an emoji in a text, and so the warning
    names the place; false where `read` refuses it.
    """

    system: str
    label: str
    schemes: tuple[str, ...]
    read: Callable[[InboundRequest, Source], Reading]
    idempotency_key: Callable[[InboundRequest], str | None] = _no_id
    statuses: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    priorities: Mapping[str, str] = field(default_factory=dict[str, str])
    events_to_tick: tuple[str, ...] = ()
    template: str | None = None
    headers: tuple[str, ...] = ()
    window: Micros | None = None
    options: Callable[[Table], Mapping[str, object]] = _no_options
    challenge: Callable[[InboundRequest], Answer | None] = _no_challenge
    repairs_texts: bool = True

    def reading(self, request: InboundRequest, source: Source) -> Reading:
        """The events and snapshots of a request. Raises Unreadable when its body cannot be read."""
        if request.body == TEST_BODY:
            return Reading(ignored="a connection test")
        reading = self.read(request, source)
        if halves := request.half_characters() if self.repairs_texts else ():
            words = f"{', '.join(halves)}: held half of a surrogate pair, which is replaced by ?"
            reading = replace(reading, warnings=(*reading.warnings, words))
        reported = reading.events or reading.snapshots or reading.marks
        silent = not (reported or reading.warnings or reading.ignored)
        return replace(reading, ignored="it reports nothing that concerns a clock") if silent else reading

    def plain_source(self, desk: str) -> Source:
        """The source of a desk whose file does not configure this system."""
        return Source(desk, self.system, self.statuses, self.priorities)
