"""A cache of principals by the secret that a request carries, so that a request does not pay for a read.

An entry lasts two seconds: that is how long a revoked key or an ended session still works. Unknown secrets are cached
too, and the size is bounded: a flood of wrong keys cannot fill the memory. Requests that need an entry at the same time
share one read: each with its own, a busy key would keep none, since each began after another, and only the last counts.
"""

import asyncio
from collections import OrderedDict
from hashlib import sha256
from typing import Final

from app.principal import EVERY, Principal
from app.sla.span import SECOND, Micros
from app.store.engine.database import Database, visible_desks
from app.store.people import principals

CACHE_TTL: Final = 2 * SECOND
CACHE_SIZE: Final = 10_000

_Entry = tuple[Micros, Principal | None]
"""When it was looked up, and what was found."""


class PrincipalCache:
    """Principals by the hash of their secret, those looked up last."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._lookups: dict[bytes, asyncio.Task[_Entry]] = {}
        """The lookup of each secret that is under way. What is dropped meanwhile is not kept when it ends."""

    async def find(self, secret: str) -> Principal | None:
        """The principal of a key's or a session's secret; None if it is unknown, revoked or expired."""
        digest = sha256(secret.encode()).digest()
        now = self._database.now()
        entry = self._entries.get(digest)
        # A clock that was set back must not make an entry last.
        if entry is None or not 0 <= now - entry[0] < CACHE_TTL:
            lookup = self._lookups.get(digest)
            if lookup is None:
                lookup = self._lookups[digest] = asyncio.create_task(self._looked_up(secret, now))
                lookup.add_done_callback(lambda done: self._ended(digest, done))
            entry = await asyncio.shield(lookup)  # others wait for it, whatever becomes of this request
        principal = entry[1]
        is_over = principal is not None and principal.expires_at is not None and principal.expires_at <= now
        return None if is_over else principal

    def _ended(self, digest: bytes, lookup: asyncio.Task[_Entry]) -> None:
        """Keep what was found, unless it was dropped meanwhile or the lookup failed."""
        failed = lookup.cancelled() or lookup.exception() is not None
        if self._lookups.get(digest) is not lookup:
            return
        del self._lookups[digest]
        if failed:
            return
        self._entries[digest] = lookup.result()
        self._entries.move_to_end(digest)
        if len(self._entries) > CACHE_SIZE:
            self._entries.popitem(last=False)

    async def _looked_up(self, secret: str, now: Micros) -> _Entry:
        """With the roles on all desks, whatever the request that asks may see: the entry is for all requests."""
        visible_desks.set(EVERY)  # in the context of this task
        return now, await self._database.look_up(lambda conn: principals.find(conn, secret, now))

    def clear(self) -> None:
        """Drop every entry: roles or sessions have changed."""
        self._lookups.clear()
        self._entries.clear()

    def forget(self, secret: str) -> None:
        """Drop the entry of a secret."""
        digest = sha256(secret.encode()).digest()
        self._lookups.pop(digest, None)
        self._entries.pop(digest, None)
