"""What happens to a ticket system's delivery at the door: is it signed, did it come before, is it kept?

The sender waits for the answer, so nothing is read here but what verifying needs. Three rules it guards: the signature
holds for the very bytes; nobody is answered before the delivery is durable; one that comes again is kept once. Those
that wait at the same time share a transaction. Instants are microseconds UTC.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeVar

from app.flow import metrics
from app.flow.inbound.sources import Sources, Way
from app.intake.challenge import Answer
from app.intake.mapping.reading import Unreadable
from app.intake.request import Delivery
from app.intake.signature import BadSignature, Refused, Scheme, Signed, Stale, answer, verify
from app.settings import Settings
from app.sla.span import SECOND, Micros
from app.store.engine.database import Connection, Database, after_commit
from app.store.engine.group_commit import GroupCommit
from app.store.inbound import connections, hooks
from app.store.inbound.connections import StoredConnection
from app.store.inbound.hooks import NewHook

_LOOKUP_KEPT: Final = 2 * SECOND
"""How long a looked-up connection is believed, so that a delivery does not pay for a read. A delivery that it refuses is
held against a fresh one, so a new secret is known at once; only the end of an old one takes this long."""

_LOOKUPS_KEPT: Final = 1000
"""Look-ups kept at most: made-up names cannot fill the memory."""

_WEIGHT: Final = 16_384
"""Bytes of a body that weigh as much as one more delivery: a transaction holds few large ones."""


_CROWD: Final = 8
"""Deliveries that wait for the disk at one time. At a hundred a second there are one or two."""


_Found = TypeVar("_Found")


class UnknownConnection(LookupError):
    """No ticket system of that name may send to that desk. Make the connection with `slatimer connect`."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A delivery is durable, under this id; `repeated`: since an earlier time."""

    id: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class _Gate:
    """What is needed to let a delivery in."""

    way: Way
    connection: StoredConnection


class Acceptor:
    """Lets deliveries in. One per process."""

    def __init__(
        self, database: Database, sources: Sources, settings: Settings, accepted: Callable[[], None]
    ) -> None:
        """`accepted` hears of every commit, in the thread that writes: it must be quick and must not fail."""
        self._database, self._sources, self._accepted = database, sources, accepted
        self._waiting = 0
        self._gates: dict[tuple[str, str], tuple[Micros, _Gate | None]] = {}
        self._group: GroupCommit[NewHook, Accepted] = GroupCommit(
            database, self._store, settings.group_commit_size, _weight
        )

    async def accept(self, desk: str, system: str, delivery: Delivery) -> Accepted | Answer:
        """Let a delivery in. Returns once it is durable; a challenge is answered, and nothing of it is kept.

        Raises UnknownConnection, and BadSignature or Stale when it is not signed as it should be.
        """
        gate, signed = await self._admitted(
            desk, system, lambda gate: _verify(gate, delivery, self._database.now())
        )
        if (wanted := _wanted(gate.way, delivery)) is not None:
            metrics.HOOKS.labels(desk, system, "challenged").inc()
            return wanted
        new = NewHook(
            id=f"hook-{secrets.token_hex(10)}",
            desk=desk,
            system=system,
            once=_once(gate.way, desk, system, delivery, signed),
            headers=_needed(gate.way, delivery),
            body=delivery.body,
        )
        self._waiting += 1
        try:
            accepted = await self._group.submit(new)
        finally:
            self._waiting -= 1
        metrics.HOOKS.labels(desk, system, "repeated" if accepted.repeated else "accepted").inc()
        return accepted

    async def answer(self, desk: str, system: str, asked: Delivery) -> Answer:
        """What is answered to a system that asks for a proof before it sends.

        Raises UnknownConnection, and BadSignature when the question is not made with a live secret.
        """
        _, found = await self._admitted(desk, system, lambda gate: _answer(gate, asked, self._database.now()))
        metrics.HOOKS.labels(desk, system, "challenged").inc()
        return found

    def is_crowded(self) -> bool:
        """Whether many wait to be let in at this moment."""
        return self._waiting >= _CROWD

    async def _admitted(
        self, desk: str, system: str, check: Callable[[_Gate], _Found]
    ) -> tuple[_Gate, _Found]:
        gate, fresh = await self._gate(desk, system)
        if gate is not None:
            try:
                return gate, check(gate)
            except BadSignature:
                if fresh:
                    metrics.HOOKS.labels(desk, system, "refused").inc()
                    raise
        elif fresh:
            raise UnknownConnection(f"no system {system!r} is connected to a desk {desk!r}")
        # What was looked up a moment ago refuses it: a secret may have been added since.
        self._gates.pop((desk, system), None)
        return await self._admitted(desk, system, check)

    async def _gate(self, desk: str, system: str) -> tuple[_Gate | None, bool]:
        """What lets the system's deliveries in, and whether it was looked up just now."""
        if not (desk + system).isprintable():
            return None, True  # no name of anything, and more than some databases can be asked
        now = self._database.now()
        held = self._gates.get((desk, system))
        # A clock that was set back must not make a look-up last.
        if held is not None and 0 <= now - held[0] < _LOOKUP_KEPT:
            return held[1], False
        found = await self._database.read(lambda conn: self._look_up(conn, desk, system))
        if len(self._gates) >= _LOOKUPS_KEPT:
            self._gates.clear()
        self._gates[desk, system] = (now, found)
        return found, True

    def _look_up(self, conn: Connection, desk: str, system: str) -> _Gate | None:
        connection = connections.find(conn, desk, system)
        way = None if connection is None else self._sources.way(conn, desk, system)
        return None if connection is None or way is None else _Gate(way, connection)

    def _store(self, conn: Connection, now: Micros, members: Sequence[NewHook]) -> list[Accepted]:
        after_commit(conn, self._accepted)
        return [Accepted(hook_id, repeated) for hook_id, repeated in hooks.add(conn, members, now)]


def _weight(new: NewHook) -> int:
    return 1 + len(new.body) // _WEIGHT


def _verify(gate: _Gate, delivery: Delivery, now: Micros) -> Signed:
    live, window = gate.connection.live(now), gate.way.adapter.window
    return _by_any(gate, lambda scheme: verify(scheme, delivery, live, now, window))


def _answer(gate: _Gate, asked: Delivery, now: Micros) -> Answer:
    live = gate.connection.live(now)
    return _by_any(gate, lambda scheme: answer(scheme, asked, live))


def _by_any(gate: _Gate, check: Callable[[Scheme], _Found]) -> _Found:
    """What the first way of signing finds of those that are taken. Raises what the most telling one says."""
    refusal = BadSignature(Refused.UNSIGNED)
    for scheme in gate.way.schemes:
        try:
            return check(scheme)
        except Stale:
            raise
        except BadSignature as error:
            if refusal.reason is Refused.UNSIGNED:
                refusal = error
    raise refusal


def _wanted(way: Way, delivery: Delivery) -> Answer | None:
    """What a delivery wants to read back that is a challenge; none for any other."""
    try:
        return way.adapter.challenge(delivery)
    except Unreadable:
        return None


def _once(way: Way, desk: str, system: str, delivery: Delivery, signed: Signed) -> str:
    """What a delivery has in common with its repetitions only: its id, else its event's, else its content."""
    try:
        given = way.adapter.delivery_id(delivery)
    except Unreadable:
        given = None
    recorded = ("id", given) if given else ("body", str(signed.at))
    whole = sha256("\0".join((desk, system, *recorded)).encode())
    if not given:
        whole.update(b"\0" + delivery.body)
    return whole.hexdigest()


def _needed(way: Way, delivery: Delivery) -> dict[str, str]:
    """The headers that reading needs. The others may hold secrets, and are not kept."""
    names = ("content-type", *way.adapter.headers)
    return {name: delivery.headers[name] for name in names if name in delivery.headers}
