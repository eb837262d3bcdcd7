"""Accepting inbound webhooks: verify the signature, store the request once, answer after the commit.

The sender waits for the answer, so only what verification needs is read here. The signature is checked over the raw
bytes; a repetition is stored once, by its idempotency key; requests that wait at the same time share a transaction.
Instants are microseconds UTC.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeVar

from app.flow import metrics
from app.flow.inbound.sources import ConfiguredSource, Sources
from app.intake.challenge import Answer
from app.intake.mapping.events import Unreadable
from app.intake.request import InboundRequest
from app.intake.signature import BadSignature, Refused, Scheme, Signed, Stale, answer, verify
from app.settings import Settings
from app.sla.span import SECOND, Micros
from app.store.engine.database import Connection, Database, after_commit
from app.store.engine.group_commit import GroupCommit
from app.store.inbound import connections, hooks
from app.store.inbound.connections import StoredConnection
from app.store.inbound.hooks import NewHook

_LOOKUP_TTL: Final = 2 * SECOND
"""How long a connection is cached, so that a request does not pay for a read. A request that the cached connection
refuses is checked against a fresh one, so a new secret is known at once; only the end of an old one takes this long."""

_LOOKUPS_MAX: Final = 1000
"""Size of that cache: made-up names cannot fill the memory."""

_WEIGHT: Final = 16_384
"""Bytes of a body that weigh as much as one more request: a transaction holds few large ones."""

_BUSY: Final = 8
"""Requests that wait for a commit at one time. At a hundred a second there are one or two."""

_Found = TypeVar("_Found")


class UnknownConnection(LookupError):
    """No ticket system of that name is connected to that desk. Connect it with `slatimer connect`."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request is durable, under this id; `repeated`: it was stored before."""

    id: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """What one address needs to verify its requests."""

    configured: ConfiguredSource
    connection: StoredConnection


class Acceptor:
    """Verifies and stores inbound webhooks. One per process."""

    def __init__(
        self, database: Database, sources: Sources, settings: Settings, accepted: Callable[[], None]
    ) -> None:
        """`accepted` is called after every commit, in the writing thread: it must be quick and must not fail."""
        self._database, self._sources, self._accepted = database, sources, accepted
        self._waiting = 0
        self._endpoints: dict[tuple[str, str], tuple[Micros, _Endpoint | None]] = {}
        self._group: GroupCommit[NewHook, Accepted] = GroupCommit(
            database,
            self._store,
            settings.group_commit_size,
            _weight,
            desks_of=lambda new: frozenset({new.desk}),
            share=settings.push_part_size,
        )

    async def accept(self, desk: str, system: str, request: InboundRequest) -> Accepted | Answer:
        """Verify and store a request. Returns once it is durable; a challenge is answered and not stored.

        Raises UnknownConnection, and BadSignature or Stale when the signature does not hold.
        """
        endpoint, signed = await self._verified(
            desk, system, lambda endpoint: _verify(endpoint, request, self._database.now())
        )
        if (challenge := _challenge(endpoint.configured, request)) is not None:
            metrics.HOOKS.labels(desk, system, "challenged").inc()
            return challenge
        new = NewHook(
            id=f"hook-{secrets.token_hex(10)}",
            desk=desk,
            system=system,
            once=_once(endpoint.configured, desk, system, request, signed),
            headers=_kept_headers(endpoint.configured, request),
            body=request.body,
        )
        self._waiting += 1
        try:
            accepted = await self._group.submit(new)
        finally:
            self._waiting -= 1
        metrics.HOOKS.labels(desk, system, "repeated" if accepted.repeated else "accepted").inc()
        return accepted

    async def answer(self, desk: str, system: str, request: InboundRequest) -> Answer:
        """The answer to a system that requests a proof before it sends.

        Raises UnknownConnection, and BadSignature when the challenge is not made with a live secret.
        """
        _, found = await self._verified(
            desk, system, lambda endpoint: _answer(endpoint, request, self._database.now())
        )
        metrics.HOOKS.labels(desk, system, "challenged").inc()
        return found

    def is_busy(self) -> bool:
        """Whether many requests wait for a commit."""
        return self._waiting >= _BUSY

    async def _verified(
        self, desk: str, system: str, check: Callable[[_Endpoint], _Found]
    ) -> tuple[_Endpoint, _Found]:
        endpoint, fresh = await self._endpoint(desk, system)
        if endpoint is not None:
            try:
                return endpoint, check(endpoint)
            except BadSignature:
                if fresh:
                    metrics.HOOKS.labels(desk, system, "refused").inc()
                    raise
        elif fresh:
            raise UnknownConnection(f"no system {system!r} is connected to a desk {desk!r}")
        # The cached connection refuses it: a secret may have been added since.
        self._endpoints.pop((desk, system), None)
        return await self._verified(desk, system, check)

    async def _endpoint(self, desk: str, system: str) -> tuple[_Endpoint | None, bool]:
        """The address's connection, and whether it was read just now."""
        if not (desk + system).isprintable():
            return None, True  # no name of anything, and no database can be queried for a NUL
        now = self._database.now()
        cached = self._endpoints.get((desk, system))
        # A clock that was set back must not keep an entry for ever.
        if cached is not None and 0 <= now - cached[0] < _LOOKUP_TTL:
            return cached[1], False
        found = await self._database.read(lambda conn: self._look_up(conn, desk, system))
        if len(self._endpoints) >= _LOOKUPS_MAX:
            self._endpoints.clear()
        self._endpoints[desk, system] = (now, found)
        return found, True

    def _look_up(self, conn: Connection, desk: str, system: str) -> _Endpoint | None:
        connection = connections.find(conn, desk, system)
        configured = None if connection is None else self._sources.configured(conn, desk, system)
        return None if connection is None or configured is None else _Endpoint(configured, connection)

    def _store(self, conn: Connection, now: Micros, members: Sequence[NewHook]) -> list[Accepted]:
        after_commit(conn, self._accepted)
        return [Accepted(hook_id, repeated) for hook_id, repeated in hooks.add(conn, members, now)]


def _weight(new: NewHook) -> int:
    return 1 + len(new.body) // _WEIGHT


def _verify(endpoint: _Endpoint, request: InboundRequest, now: Micros) -> Signed:
    live, window = endpoint.connection.live(now), endpoint.configured.adapter.window
    return _first_verified(endpoint, lambda scheme: verify(scheme, request, live, now, window))


def _answer(endpoint: _Endpoint, request: InboundRequest, now: Micros) -> Answer:
    live = endpoint.connection.live(now)
    return _first_verified(endpoint, lambda scheme: answer(scheme, request, live))


def _first_verified(endpoint: _Endpoint, check: Callable[[Scheme], _Found]) -> _Found:
    """The result of the first scheme that verifies. Raises the most specific refusal."""
    refusal = BadSignature(Refused.UNSIGNED)
    for scheme in endpoint.configured.schemes:
        try:
            return check(scheme)
        except Stale:
            raise
        except BadSignature as error:
            if refusal.reason is Refused.UNSIGNED:
                refusal = error
    raise refusal


def _challenge(configured: ConfiguredSource, request: InboundRequest) -> Answer | None:
    """The answer to a challenge; none for any other request."""
    try:
        return configured.adapter.challenge(request)
    except Unreadable:
        return None


def _once(
    configured: ConfiguredSource, desk: str, system: str, request: InboundRequest, signed: Signed
) -> str:
    """The idempotency key: a digest of the request's id, else of its event's id, else of its content."""
    try:
        given = configured.adapter.idempotency_key(request)
    except Unreadable:
        given = None
    parts = ("id", given) if given else ("body", str(signed.at))
    key = sha256("\0".join((desk, system, *parts)).encode())
    if not given:
        key.update(b"\0" + request.body)
    return key.hexdigest()


def _kept_headers(configured: ConfiguredSource, request: InboundRequest) -> dict[str, str]:
    """The headers that the adapter reads. The others may hold secrets and are not stored."""
    names = ("content-type", *configured.adapter.headers)
    begins = tuple(name.removesuffix("*") for name in names if name.endswith("*"))
    kept = {name for name in request.headers if name in names or (begins and name.startswith(begins))}
    return {name: request.headers[name] for name in sorted(kept)}
