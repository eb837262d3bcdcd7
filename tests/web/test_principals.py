"""The cache of principals: one read for requests at the same time; what is dropped meanwhile is not kept."""

import asyncio

from app.principal import Scope, roles_on
from app.store.engine.database import Database
from app.store.people import keys
from app.web.http.principals import PrincipalCache


def test_a_key_that_is_revoked_while_it_is_looked_up_is_unknown_afterwards(database: Database) -> None:
    secret, key = database.write_now(
        lambda conn, now: keys.create(conn, roles_on(["haisoft"], [Scope.READ]), now)
    )

    async def asked() -> tuple[bool, bool]:
        cache = PrincipalCache(database)
        first = asyncio.create_task(cache.find(secret))
        for _ in range(
            2
        ):  # the request, then its lookup, which runs in a thread now; its result waits for this one
            await asyncio.sleep(0)
        database.write_now(lambda conn, now: keys.revoke(conn, key.id, now))
        cache.forget(secret)
        await first
        return await cache.find(secret) is None, await cache.find(secret) is None

    assert asyncio.run(asked()) == (True, True)


def test_requests_at_the_same_time_share_one_read(database: Database) -> None:
    """Each with its own began another, and only the last counted: a busy key was read for each request."""
    secret, _ = database.write_now(
        lambda conn, now: keys.create(conn, roles_on(["haisoft"], [Scope.READ]), now)
    )

    async def asked() -> None:
        cache = PrincipalCache(database)
        cancelled, *others = [asyncio.create_task(cache.find(secret)) for _ in range(3)]
        await asyncio.sleep(0)
        cancelled.cancel()
        one, other = await asyncio.gather(*others)
        assert one is not None
        assert one is other is await cache.find(secret)

    asyncio.run(asked())
