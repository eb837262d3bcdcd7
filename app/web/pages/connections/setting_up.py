"""What the forms of connections set up: a system with its secret, a test of it, and the pages that embed tickets.

A secret is in the answer that makes it and in no other. A form that is sent a second time, as by reloading its answer,
replaces no secret: it says which one it was about.
"""

from collections.abc import Mapping
from typing import Final

from app.delivery.wording.phrases import N_
from app.flow.inbound import embedding
from app.flow.inbound.accept import Accepted
from app.flow.inbound.connect import ConnectionDetails, UnknownSystem, connect
from app.flow.inbound.connected import details
from app.flow.inbound.embedding import FaultyOrigins, TooWideOrigins
from app.intake.request import InboundRequest
from app.sla.span import Micros, length_of
from app.store.engine.database import Connection
from app.store.inbound import embedding as stored
from app.web.http.access import must_see
from app.web.http.problems import not_found
from app.web.pages.frame.reader import Reader

SECRET_LENGTHS: Final = (8, 500)
"""Characters of a secret that a system has made, as of the API."""
FAULTY_SECRET: Final = N_("A secret has 8 to 500 characters, and no space.")
FAULTY_ORIGINS: Final = N_("Write scheme and host only, one a line, as https://example.zendesk.com.")
TOO_WIDE_ORIGINS: Final = N_(
    "An asterisk directly before com, co.uk or the like lets every site there show the tickets. Name the domain, as "
    "https://*.example.com."
)
TOO_MANY_ORIGINS: Final = N_("Write {n} addresses at most.")
_ORIGIN_LENGTH: Final = 255


class Faulty(ValueError):
    """A field is faulty: a phrase with its values."""

    def __init__(self, phrase: str, **values: int) -> None:
        super().__init__(phrase)
        self.phrase, self.values = phrase, values


async def connected_system(
    reader: Reader, desk: str, system: str, form: Mapping[str, str], *, rotate: bool, given: str | None
) -> tuple[ConnectionDetails, bool]:
    """The connection, created if there is none, and whether its secret is new. Raises Faulty and the 404 problem."""
    if given is not None and not _is_secret(given):
        raise Faulty(FAULTY_SECRET)
    parts = reader.runtime
    overlap = length_of(parts.settings.secret_grace_period)

    def make(conn: Connection, now: Micros) -> tuple[ConnectionDetails, bool]:
        _must_know(conn, reader, desk)
        before = details(conn, parts.sources, desk, system)
        is_meant = before is not None and form.get("since") == str(before.connection.changed_at)
        return connect(
            conn, now, parts.sources, desk, system, overlap=overlap, rotate=rotate and is_meant, given=given
        )

    try:
        return await parts.database.write(make, reader.caller.desks)
    except UnknownSystem as error:
        raise not_found("system", system[:100]) from error


async def test_system(reader: Reader, desk: str, system: str) -> None:
    """Verify and store a signed sample as if the system had sent it. Raises the 404 problem."""
    parts = reader.runtime
    found = await reader.read(lambda conn: details(conn, parts.sources, desk, system))
    if found is None:
        raise not_found("connection", system[:100])
    headers, body = found.test(now := parts.database.now())
    query = found.url("").partition("?")[2]
    sent = InboundRequest.of({name.lower(): text for name, text in headers.items()}, body, now, query)
    if not isinstance(await parts.acceptor.accept(desk, system, sent), Accepted):
        raise not_found("connection", system[:100])


async def allowed_origins(reader: Reader, desk: str, text: str) -> str | None:
    """Let these pages embed the desk's tickets. Returns the secret if it is new. Raises Faulty and the 404 problem."""
    must_see(reader.caller, desk)
    most, given = reader.runtime.settings.embed_frame_ancestors_max, text.split()
    if len(given) > most:
        raise Faulty(TOO_MANY_ORIGINS, n=most)
    try:
        origins = embedding.origins((each[: _ORIGIN_LENGTH + 1] for each in given), most)
    except TooWideOrigins as error:
        raise Faulty(TOO_WIDE_ORIGINS) from error
    except FaultyOrigins as error:
        raise Faulty(FAULTY_ORIGINS) from error
    if any(len(each) > _ORIGIN_LENGTH for each in origins):
        raise Faulty(FAULTY_ORIGINS)

    def allow(conn: Connection, now: Micros) -> str | None:
        _must_know(conn, reader, desk)
        found, is_new = embedding.allow(conn, now, desk, origins)
        return found.secrets[0].text if is_new else None

    return await reader.runtime.database.write(allow, reader.caller.desks)


async def replaced_secret(reader: Reader, desk: str, since: str) -> str | None:
    """Another secret of embedding, if the present one is still that of `since`. Raises the 404 problem."""
    must_see(reader.caller, desk)
    overlap = length_of(reader.runtime.settings.secret_grace_period)

    def rotate(conn: Connection, now: Micros) -> str | None:
        before = stored.find(conn, desk)
        if before is None or since != str(before.changed_at):
            return None
        return embedding.rotate(conn, now, desk, overlap).secrets[0].text

    return await reader.runtime.database.write(rotate, reader.caller.desks)


def _must_know(conn: Connection, reader: Reader, desk: str) -> None:
    if desk not in reader.runtime.catalogue.desks(conn):
        raise not_found("desk", desk)


def _is_secret(text: str) -> bool:
    least, most = SECRET_LENGTHS
    return least <= len(text) <= most and not any(each.isspace() for each in text)
