"""The cache of principals: what is dropped while it is looked up is not kept."""

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
        await asyncio.sleep(0)  # the lookup runs in a thread now; its result waits for this one
        database.write_now(lambda conn, now: keys.revoke(conn, key.id, now))
        cache.forget(secret)
        await first
        return await cache.find(secret) is None, await cache.find(secret) is None

    assert asyncio.run(asked()) == (True, True)
