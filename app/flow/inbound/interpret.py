"""What do the deliveries of ticket systems say, once they are safely kept?

They are read in the order in which they came. What a delivery says goes down the one road of every event; its state,
its snapshots and its events are durable together. Two rules it guards: a delivery that cannot be read is kept whole and
harms no other; and one that is read again, after its mapping was mended, ends as if it had been understood at once.
Instants are microseconds UTC.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import structlog

from app.flow import metrics
from app.flow.inbound.reconcile import Standing
from app.flow.inbound.snapshot_chain import Saying, sayings_of_snapshots
from app.flow.inbound.sources import Sources, Way
from app.flow.judge.receive import Receiver, ticket_of
from app.intake.mapping.reading import Reading, Unreadable
from app.intake.request import Delivery
from app.settings import Settings
from app.sla.span import SECOND, Micros, length_of
from app.sla.ticket import Event
from app.store.engine.database import Connection, after_commit
from app.store.engine.dialect import lock_keys
from app.store.inbound import hooks
from app.store.inbound.hooks import HookResult, HookState, StoredHook

_log = structlog.stdlib.get_logger()


@dataclass(slots=True)
class _Read:
    """A delivery on its way. `way` and `reading` are none when it could not be read."""

    hook: StoredHook
    way: Way | None = None
    reading: Reading | None = None
    warnings: list[str] = field(default_factory=list[str])
    wrong: list[str] = field(default_factory=list[str])
    """Why it is kept."""


class Interpreter:
    """Reads deliveries within a transaction. One per process."""

    def __init__(self, receiver: Receiver, sources: Sources, settings: Settings) -> None:
        self._receiver, self._sources = receiver, sources
        self._max_text = settings.max_text
        self._max_skew = length_of(settings.max_skew)

    def interpret(self, conn: Connection, now: Micros, claimed: Sequence[StoredHook]) -> None:
        """Read these deliveries and do what they say."""
        ways = {(hook.desk, hook.system) for hook in claimed}
        found = {key: self._sources.way(conn, *key) for key in ways}
        read = [self._read(now, hook, found[hook.desk, hook.system]) for hook in claimed]
        tickets = {key for one in read for key in _tickets(one)}
        # Two that read deliveries of one ticket at a time would each miss the other's snapshot, and a ticket that is not
        # there yet cannot be held by its row.
        lock_keys(conn, {f"read {desk}/{ticket}" for desk, ticket in tickets})
        self._receiver.lock(conn, tickets)
        said = _sayings(conn, read)
        standing = Standing(conn)
        for desk, events in _by_desk(said).items():
            standing.look_up(desk, events)
        owners: list[_Read] = []
        for one, saying in said:
            standing.trace = one.hook.id
            one.warnings += standing.settle(saying.desk, saying.origin, saying.events, new=saying.new)
            owners += [one] * (len(standing.incoming) - len(owners))
        standing.write()
        receipt = self._receiver.receive_within(conn, now, standing.incoming)
        for refusal in receipt.refused:
            owners[refusal.index].wrong.append(refusal.reason)
        outcomes = [_outcome(one) for one in read]
        hooks.finish(conn, outcomes, now)
        after_commit(conn, lambda: _count(read, outcomes))

    def _read(self, now: Micros, hook: StoredHook, way: Way | None) -> _Read:
        one = _Read(hook, way)
        if way is None:
            one.wrong.append(
                f"no system {hook.system!r} of {hook.desk} is known; its file of sources is gone"
            )
            return one
        try:
            delivery = Delivery(hook.headers, hook.body, hook.received_at)
            reading = way.adapter.reading(delivery, way.source)
        except Unreadable as error:
            one.wrong.append(str(error))
        except Exception as error:  # noqa: BLE001 - kept whole, logged and shown: a reader's defect harms nobody else
            _log.exception("reading failed", desk=hook.desk, system=hook.system, hook=hook.id)
            one.wrong.append(f"reading it failed by a fault of the service, {_in_the_log(error, hook)}")
        else:
            self._take_over(one, reading, now)
        return one

    def _take_over(self, one: _Read, reading: Reading, now: Micros) -> None:
        one.warnings += reading.warnings
        last = max((recorded.at for recorded in (*reading.events, *reading.snapshots)), default=now)
        if last > now + self._max_skew:
            # Not a part of it is taken: a snapshot of tomorrow would be compared with all those of today.
            ahead = (last - now) // SECOND
            one.wrong.append(f"it happened {ahead} s ahead of now; check the sender's clock and offset")
            return
        fitting = tuple(_fitted(event, self._max_text) for event in reading.events)
        one.reading = replace(reading, events=fitting)


def _sayings(conn: Connection, read: Iterable[_Read]) -> list[tuple[_Read, Saying]]:
    """What each origin says after these deliveries, with the delivery because of which it does.

    What a delivery said when it was understood, if ever it was, stands while it cannot be read.
    """
    found: dict[tuple[str, str], tuple[_Read, Saying]] = {}
    for one in read:
        if one.way is None or one.reading is None:
            continue
        hook, reading, new = one.hook, one.reading, one.hook.interpreted_at is None
        sayings = [Saying(hook.desk, hook.id, reading.events, new)] if reading.events or not new else []
        sayings += sayings_of_snapshots(conn, one.way.source, hook.id, reading.snapshots, new=new)
        for saying in sayings:
            key = (saying.desk, saying.origin)
            before = found.get(key)
            found[key] = (one, saying if before is None else replace(saying, new=before[1].new))
    return list(found.values())


def failed(conn: Connection, now: Micros, hook: StoredHook, error: BaseException) -> None:
    """Keep a delivery that made its transaction fail, so that it fails no other's."""
    reason = f"taking it in failed, {_in_the_log(error, hook)}"
    hooks.finish(conn, [HookResult(hook.seq, HookState.KEPT, reason, hook.warnings)], now)
    after_commit(conn, lambda: metrics.HOOKS.labels(hook.desk, hook.system, HookState.KEPT).inc())


def _in_the_log(error: BaseException, hook: StoredHook) -> str:
    """Where there is more: what an error says is for those who keep the service, and may hold what others wrote."""
    return f"{type(error).__name__}; the log has the rest under {hook.id}"


def _tickets(one: _Read) -> Iterable[tuple[str, str]]:
    if one.reading is None:
        return ()
    named = (ticket_of(event) for event in one.reading.events)
    found = {ticket for ticket in named if ticket is not None}
    found.update(snapshot.ticket for snapshot in one.reading.snapshots)
    return ((one.hook.desk, ticket) for ticket in found)


def _by_desk(said: Iterable[tuple[_Read, Saying]]) -> Mapping[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for _, saying in said:
        found.setdefault(saying.desk, []).extend(saying.events)
    return found


def _outcome(one: _Read) -> HookResult:
    warnings = tuple(dict.fromkeys(one.warnings))
    if one.wrong:
        return HookResult(one.hook.seq, HookState.KEPT, "; ".join(dict.fromkeys(one.wrong)), warnings)
    ignored = None if one.reading is None else one.reading.ignored
    return HookResult(one.hook.seq, HookState.IGNORED if ignored else HookState.DONE, ignored, warnings)


def _count(read: Sequence[_Read], outcomes: Sequence[HookResult]) -> None:
    for one, outcome in zip(read, outcomes, strict=True):
        labels = (one.hook.desk, one.hook.system)
        metrics.HOOKS.labels(*labels, outcome.state).inc()
        if outcome.warnings:
            metrics.MAPPING_WARNINGS.labels(*labels).inc(len(outcome.warnings))


def _fitted(event: Event, max_text: int) -> Event:
    """The event with texts that a database can hold: cut to the length that a push may have, and without NUL."""
    return replace(event, data=cast(Mapping[str, Any], _fit(event.data, max_text)))


def _fit(value: object, max_text: int) -> object:
    if isinstance(value, str):
        return value.replace("\0", "")[:max_text]
    if isinstance(value, Mapping):
        return {key: _fit(inner, max_text) for key, inner in cast(Mapping[str, object], value).items()}
    if isinstance(value, list | tuple):
        return [_fit(inner, max_text) for inner in cast(Iterable[object], value)]
    return value
