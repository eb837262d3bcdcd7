"""A database that the release before the great refactoring filled, and what that release answers about it.

`releases/20261125.KIND.sql.xz` is the whole database as SQL, made at commit df67d60 by `releases/fill_20261125.py`, and
`releases/20261125.KIND.json.xz` what df67d60 answers at `NOW`: to the requests of `record`, and which keys it lists.
"""

import asyncio
import lzma
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import asyncpg
import orjson
from sqlalchemy import make_url

from app.settings import Settings
from app.store.engine.database import Database
from app.store.people.keys import listed
from app.web.http.access import COOKIE
from tests.servers.databases import SQLITE
from tests.web.room import FRIDAY, Room, Wall

Json = dict[str, Any]

FOLDER: Final = Path(__file__).parent / "releases"
NAME: Final = "20261125"
"""The last migration of that release."""
NOW: Final = FRIDAY
"""The instant at which it was filled, and is asked."""


def file_of(kind: str, ending: str) -> Path:
    return FOLDER / f"{NAME}.{kind}.{ending}.xz"


def restore(kind: str, url: str) -> None:
    """Put the release's database where there is nothing yet."""
    text = lzma.decompress(file_of(kind, "sql").read_bytes()).decode()
    if kind == SQLITE:
        path = make_url(url).database
        assert path is not None
        with sqlite3.connect(path) as connection:
            connection.executescript(text)
        connection.close()
    else:
        asyncio.run(_run(url, text))


async def _run(url: str, text: str) -> None:
    at = make_url(url)
    # A connection of its own: the text sets much for its session.
    connection = await asyncpg.connect(
        host=at.host, port=at.port, user=at.username, database=at.database, ssl=False
    )
    try:
        await connection.execute(text)
    finally:
        await connection.close()


def recorded(kind: str) -> Json:
    """What the release answered."""
    return orjson.loads(lzma.decompress(file_of(kind, "json").read_bytes()))


def keys_of(url: str) -> list[Json]:
    """The keys that are listed, and the signed-in pages among them."""
    with Database(Settings(database_url=url), Wall(NOW)) as database:
        found = database.read_now(listed)
    return [
        {
            "id": principal.session_id or principal.id,
            "desk": ",".join(sorted(principal.desks)),
            "scopes": sorted(scope.value for scope in principal.scopes),
            "expires_at": principal.expires_at,
        }
        for principal in found
    ]


def opens(room: Room, secret: str, *, as_cookie: bool) -> int:
    """The status with which a key, or a page's session, is answered."""
    if as_cookie:
        room.client.cookies.set(COOKIE, secret)
        try:
            return room.client.get("/v1/desks").status_code
        finally:
            room.client.cookies.clear()
    return room.get("/v1/desks", {"Authorization": f"Bearer {secret}"}).status_code


def answered(room: Room, path: str) -> Json:
    """What a request is answered: the status and, where it is 200, the body. A list is given whole, page by page."""
    answer = _ask(room, path)
    if answer.status_code != 200:
        return {"status": answer.status_code}
    body: Json = answer.json()
    if body.keys() == {"next", *_lists(body)}:
        whole = [*_pages(room, path, body)]
        body = {name: [entry for page in whole for entry in page[name]] for name in _lists(body)}
    return {"status": 200, "body": body}


def _ask(room: Room, path: str) -> Any:
    # The client itself, which leaves the query of the path as it is.
    return room.client.get(path, headers=room.push if path.startswith("/v1/inbox") else room.read)


def _lists(body: Json) -> list[str]:
    return [name for name, value in body.items() if isinstance(value, list)]


def _pages(room: Room, path: str, body: Json) -> Iterator[Json]:
    place = "after" if path.startswith("/v1/signals") else "cursor"
    before = None
    while any(body[name] for name in _lists(body)):
        yield body
        if body["next"] in (None, before):
            return
        before = body["next"]
        mark = "&" if "?" in path else "?"
        body = _ask(room, f"{path}{mark}{place}={quote(str(body['next']))}").json()
