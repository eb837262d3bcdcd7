"""Who is asking, and may they?

A key is 256 random bits behind the prefix `slt_`, sent as `Authorization: Bearer KEY`, and stored as its SHA-256 only.
A page's session is such a secret too, in a cookie. A key has scopes and one desk, or all of them (`*`); another desk's
things are not forbidden but unknown. Look-ups are kept for a few seconds, which is how long a revoked key still works.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request

from app.sla.span import SECOND, Micros
from app.store.engine.database import Database, seen_desk
from app.store.people.keys import EVERY_DESK, Access, Scope, find
from app.web.http.problems import Kind, Problem, not_found
from app.web.http.running import running

COOKIE: Final = "slatimer_session"
PROOF_HEADER: Final = "x-slatimer"
"""A header that another site's form cannot send: with the cookie it proves that our own page asks."""

LOOKUP_KEPT: Final = 2 * SECOND
"""How long a looked-up key is believed, so that a push does not pay for a read; revocation takes this long."""

LOOKUPS_KEPT: Final = 10_000
"""Look-ups kept at most, unknown keys included: a flood of wrong keys cannot fill the memory."""

_READS_ONLY: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def must_see(access: Access, desk: str) -> str:
    """The desk, if the key may know of it; else the same problem as for a desk that does not exist."""
    if not access.sees(desk):
        raise not_found("desk", desk)
    return desk


def desk_or_own(access: Access, asked: str | None) -> str | None:
    """The desk that a list is about: the one asked for if the key may know of it, else the key's own; none: all."""
    if asked is not None:
        return must_see(access, asked)
    return None if access.desk == EVERY_DESK else access.desk


class KeyRing:
    """The keys that were looked up lately, so that a request does not pay for a read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: OrderedDict[bytes, tuple[Micros, Access | None]] = OrderedDict()

    async def holder(self, secret: str) -> Access | None:
        """What the holder of this key or session may do; none if it is unknown, revoked or expired."""
        digest = sha256(secret.encode()).digest()
        now = self._database.now()
        kept = self._kept.get(digest)
        # A clock that was set back must not make a look-up last.
        if kept is None or not 0 <= now - kept[0] < LOOKUP_KEPT:
            access = await self._database.read(lambda conn: find(conn, secret, now))
            kept = self._kept[digest] = (now, access)
            self._kept.move_to_end(digest)
            if len(self._kept) > LOOKUPS_KEPT:
                self._kept.popitem(last=False)
        access = kept[1]
        ended = access is not None and access.expires_at is not None and access.expires_at <= now
        return None if ended else access

    def forget(self, secret: str) -> None:
        """Look this one up anew the next time."""
        self._kept.pop(sha256(secret.encode()).digest(), None)


def key_ring(request: Request) -> KeyRing:
    """The app's key ring."""
    return running(request).keys


def secret_of(request: Request) -> tuple[str | None, bool]:
    """The secret that a request carries, and whether it came in the cookie."""
    authorization = request.headers.get("authorization")
    if authorization is not None:
        method, _, secret = authorization.partition(" ")
        return (secret.strip() or None, False) if method.lower() == "bearer" else (None, False)
    return request.cookies.get(COOKIE), True


def unknown_key(*, given: bool) -> Problem:
    """The one answer to a request without a valid key; `given`: it brought one."""
    challenge = 'Bearer realm="slatimer"' + (', error="invalid_token"' if given else "")
    detail = (
        "The key is unknown, expired or revoked. Make one with: slatimer key create"
        if given
        else "Send a key: Authorization: Bearer KEY. Make one with: slatimer key create"
    )
    return Problem(Kind.NOT_SIGNED_IN, detail, headers={"WWW-Authenticate": challenge})


def _proves_its_origin(request: Request) -> bool:
    """Whether a request with a cookie comes from our own page and not, by way of the browser, from another site."""
    if request.method in _READS_ONLY:
        return True
    origin = request.headers.get("origin")
    same = origin is None or urlsplit(origin).netloc == request.headers.get("host")
    return same and PROOF_HEADER in request.headers


def allow(scope: Scope) -> Callable[[Request], Awaitable[Access]]:
    """The dependency that lets only holders of this scope in: 401 without a valid key, 403 without the scope."""

    async def let_in(request: Request) -> Access:
        secret, by_cookie = secret_of(request)
        if secret is None:
            raise unknown_key(given=False)
        access = await key_ring(request).holder(secret)
        if access is None:
            raise unknown_key(given=True)
        if by_cookie and not _proves_its_origin(request):
            raise Problem(
                Kind.NOT_ALLOWED, f"A page must send the header {PROOF_HEADER} from its own origin."
            )
        seen_desk.set(access.desk)  # from here on this request reads nothing else
        if not access.may(scope):
            raise Problem(
                Kind.NOT_ALLOWED,
                f"This needs a key with the scope {scope}.",
                headers={
                    "WWW-Authenticate": f'Bearer realm="slatimer", error="insufficient_scope", scope="{scope}"'
                },
            )
        return access

    return let_in


Reader = Annotated[Access, Depends(allow(Scope.READ))]
Pusher = Annotated[Access, Depends(allow(Scope.PUSH))]
Administrator = Annotated[Access, Depends(allow(Scope.ADMIN))]
