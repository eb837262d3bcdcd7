"""Interpreting inbound webhooks: read them in order of arrival, reconcile their events, evaluate the tickets.

A webhook's state, its snapshots and its events are written in one transaction. One that cannot be read stays in the
inbox and affects no other. Reading one again by a corrected mapping gives the result of a first reading by that mapping.
Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

import structlog

from app.flow import metrics
from app.flow.inbound.episode_chain import episode_changes
from app.flow.inbound.reconcile import Reconciliation
from app.flow.inbound.snapshot_chain import OriginEvents, chain_changes
from app.flow.inbound.sources import ConfiguredSource, Sources
from app.flow.inbound.time_limit import TookTooLong, within
from app.flow.judge.receive import Receiver, ticket_of
from app.intake.cloudevents import Limits
from app.intake.mapping.events import Unreadable
from app.intake.mapping.reading import Reading
from app.intake.request import InboundRequest
from app.settings import Settings
from app.sla.event import Event
from app.sla.span import SECOND, Micros, length_of
from app.store.engine.database import Connection, after_commit
from app.store.engine.dialect import advisory_lock
from app.store.inbound import hooks
from app.store.inbound.hooks import HookResult, HookState, StoredHook

_log = structlog.stdlib.get_logger()


@dataclass(slots=True)
class _Read:
    """A webhook that is being interpreted. `configured` and `reading` are none when it could not be read."""

    hook: StoredHook
    configured: ConfiguredSource | None = None
    reading: Reading | None = None
    warnings: list[str] = field(default_factory=list[str])
    faults: list[str] = field(default_factory=list[str])
    """Why it stays in the inbox."""


@dataclass(frozen=True, slots=True)
class _Content:
    """What a body says, as a source reads it. `fault`: why it could not be read."""

    configured: ConfiguredSource
    reading: Reading | None = None
    fault: str | None = None


ReadAhead = Mapping[str, _Content]
"""What bodies say that were read before the transaction, by the id of their webhook."""

NOTHING_READ: Final[ReadAhead] = {}


class Interpreter:
    """Interprets webhooks within a transaction. One per process."""

    def __init__(self, receiver: Receiver, sources: Sources, settings: Settings) -> None:
        self._receiver, self._sources = receiver, sources
        self._limits = Limits(settings.max_events, settings.max_text_length)
        self._max_skew = length_of(settings.max_skew)
        self._time_limit = settings.inbound_interpret_timeout.total_seconds()

    def configured(
        self, conn: Connection, waiting: Sequence[StoredHook]
    ) -> list[tuple[StoredHook, ConfiguredSource | None]]:
        """These webhooks with the configuration by which each is read; none where no such system is known."""
        systems = {(hook.desk, hook.system) for hook in waiting}
        found = {key: self._sources.configured(conn, *key) for key in systems}
        return [(hook, found[hook.desk, hook.system]) for hook in waiting]

    def read_ahead(self, waiting: Iterable[tuple[StoredHook, ConfiguredSource | None]]) -> ReadAhead:
        """Read the bodies of these webhooks, without a transaction. `interpret` takes what still holds then."""
        return {
            hook.id: self._content(hook, configured) for hook, configured in waiting if configured is not None
        }

    def interpret(
        self, conn: Connection, now: Micros, claimed: Sequence[StoredHook], ahead: ReadAhead = NOTHING_READ
    ) -> None:
        """Read these webhooks, store their events and evaluate the tickets. `ahead`: bodies that are read already."""
        read = [
            self._read(now, hook, configured, ahead.get(hook.id))
            for hook, configured in self.configured(conn, claimed)
        ]
        tickets = {key for one in read for key in _tickets(one)}
        # Two processes that read webhooks of one ticket at once would each miss the other's snapshot. A new ticket has
        # no row to lock, so its name is locked, in sorted order, before the rows.
        advisory_lock(conn, {f"read {desk}/{ticket}" for desk, ticket in tickets})
        self._receiver.lock(conn, tickets)
        reported = _reported(conn, read)
        changes = Reconciliation(conn)
        for desk, events in _by_desk(reported).items():
            changes.preload(desk, events)
        owners: list[_Read] = []
        for one, origin in reported:
            changes.trace = one.hook.id
            one.warnings += changes.reconcile(origin)
            owners += [one] * (len(changes.incoming) - len(owners))
        changes.flush()
        receipt = self._receiver.receive_within(conn, now, changes.incoming)
        for refusal in receipt.refused:
            owners[refusal.index].faults.append(refusal.reason)
        results = [_result(one) for one in read]
        hooks.finish(conn, results, now)
        after_commit(conn, lambda: _count(read, results))

    def _read(
        self, now: Micros, hook: StoredHook, configured: ConfiguredSource | None, ahead: _Content | None
    ) -> _Read:
        one = _Read(hook, configured)
        if configured is None:
            one.faults.append(
                f"no system {hook.system!r} of {hook.desk} is known; its file of sources no longer describes it"
            )
            return one
        # A file of sources may have been applied since it was read ahead.
        holds = ahead is not None and ahead.configured == configured
        content = ahead if holds and ahead is not None else self._content(hook, configured)
        if content.reading is None:
            one.faults.append(content.fault or "")
        else:
            self._accept(one, content.reading, now)
        return one

    def _content(self, hook: StoredHook, configured: ConfiguredSource) -> _Content:
        """What a body says, read within the time limit."""
        try:
            request = InboundRequest(hook.headers, hook.body, hook.received_at, limits=self._limits)
            reading = within(self._time_limit, lambda: configured.adapter.reading(request, configured.source))
        except Unreadable as error:
            return _Content(configured, fault=str(error))
        except TookTooLong:
            _log.error("webhook interpretation stopped", desk=hook.desk, system=hook.system, hook=hook.id)
            fault = (
                f"reading it took more than {self._time_limit:g} s of processor time; simplify the source's expressions "
                "if it has any, or raise SLATIMER_INBOUND_INTERPRET_TIMEOUT, and run the inbox again"
            )
            return _Content(configured, fault=fault)
        except Exception as error:  # noqa: BLE001 - stored, logged and listed in the inbox: one adapter's defect affects no other webhook
            _log.exception("webhook interpretation failed", desk=hook.desk, system=hook.system, hook=hook.id)
            fault = f"reading it failed by a defect of the service, {_in_the_log(error, hook)}"
            return _Content(configured, fault=fault)
        return _Content(configured, reading)

    def _accept(self, one: _Read, reading: Reading, now: Micros) -> None:
        one.warnings += reading.warnings
        last = max((snapshot.at for snapshot in reading.snapshots), default=now)
        if last > now + self._max_skew:
            # Nothing of it is stored: later snapshots would be compared with one that is dated in the future. An event
            # of the future in a request without snapshots is refused alone, when the events are received.
            one.faults.append(f"it {_ahead(last, now)}")
            return
        fitting = tuple(_fitted(event, self._limits.max_text) for event in reading.events)
        marks = [mark for mark in reading.marks if mark.at <= now + self._max_skew]
        if len(marks) < len(reading.marks):
            furthest = max(mark.at for mark in reading.marks)
            one.faults.append(f"an alert of it {_ahead(furthest, now)}")
        one.reading = replace(reading, events=fitting, marks=tuple(marks))


def _ahead(at: Micros, now: Micros) -> str:
    return f"is dated {(at - now) // SECOND} s ahead of now; check the sender's clock and offset"


def _reported(conn: Connection, read: Iterable[_Read]) -> list[tuple[_Read, OriginEvents]]:
    """What each origin reports after these webhooks, with the webhook that changes it.

    The events of a webhook that was read before stay in force while it cannot be read.
    """
    found: dict[tuple[str, str], tuple[_Read, OriginEvents]] = {}
    for one in read:
        if one.configured is None or one.reading is None:
            continue
        hook, reading, new = one.hook, one.reading, one.hook.interpreted_at is None
        origins = [OriginEvents(hook.desk, hook.id, reading.events, new)] if reading.events or not new else []
        source = one.configured.source
        origins += chain_changes(conn, source, hook.id, reading.snapshots, new=new)
        origins += episode_changes(conn, source, hook.id, reading.marks, new=new)
        for origin in origins:
            key = (origin.desk, origin.origin)
            before = found.get(key)
            if before is not None:
                origin = replace(origin, new=before[1].new, before=before[1].before)
            found[key] = (one, origin)
    return list(found.values())


def failed(conn: Connection, now: Micros, hook: StoredHook, error: BaseException) -> None:
    """Set a webhook aside in the inbox after its transaction failed, so that it fails no other's."""
    reason = f"storing its events failed, {_in_the_log(error, hook)}"
    hooks.finish(conn, [HookResult(hook.seq, HookState.KEPT, reason, hook.warnings)], now)
    after_commit(conn, lambda: metrics.HOOKS.labels(hook.desk, hook.system, HookState.KEPT).inc())


def _in_the_log(error: BaseException, hook: StoredHook) -> str:
    """The error's type and where to find the rest: its text is for operators, and may quote customers."""
    return f"{type(error).__name__}; see the log for {hook.id}"


def _tickets(one: _Read) -> Iterable[tuple[str, str]]:
    if one.reading is None:
        return ()
    named = (ticket_of(event) for event in one.reading.events)
    found = {ticket for ticket in named if ticket is not None}
    found.update(snapshot.ticket for snapshot in one.reading.snapshots)
    # Another episode of a series may be the one that a mark concerns: the series is locked, not the ticket alone.
    found.update(
        name for mark in one.reading.marks for name in (mark.series, mark.ticket) if name is not None
    )
    return ((one.hook.desk, ticket) for ticket in found)


def _by_desk(reported: Iterable[tuple[_Read, OriginEvents]]) -> Mapping[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for _, origin in reported:
        found.setdefault(origin.desk, []).extend(origin.events)
    return found


def _result(one: _Read) -> HookResult:
    warnings = tuple(dict.fromkeys(one.warnings))
    if one.faults:
        return HookResult(one.hook.seq, HookState.KEPT, "; ".join(dict.fromkeys(one.faults)), warnings)
    ignored = None if one.reading is None else one.reading.ignored
    return HookResult(one.hook.seq, HookState.IGNORED if ignored else HookState.DONE, ignored, warnings)


def _count(read: Sequence[_Read], results: Sequence[HookResult]) -> None:
    for one, result in zip(read, results, strict=True):
        labels = (one.hook.desk, one.hook.system)
        metrics.HOOKS.labels(*labels, result.state).inc()
        if result.warnings:
            metrics.MAPPING_WARNINGS.labels(*labels).inc(len(result.warnings))


def _fitted(event: Event, max_text: int) -> Event:
    """The event with texts that a database can store: cut to `max_text` characters, and without NUL."""
    return replace(event, data=cast(Mapping[str, Any], _fit(event.data, max_text)))


def _fit(value: object, max_text: int) -> object:
    if isinstance(value, str):
        return value.replace("\0", "")[:max_text]
    if isinstance(value, Mapping):
        return {key: _fit(inner, max_text) for key, inner in cast(Mapping[str, object], value).items()}
    if isinstance(value, list | tuple):
        return [_fit(inner, max_text) for inner in cast(Iterable[object], value)]
    return value
