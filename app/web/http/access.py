"""Authentication and authorization of a request: its principal, and the permission that its route requires.

A key is 256 random bits behind the prefix `slt_`, sent as `Authorization: Bearer KEY`, and stored as its SHA-256 only.
A page sends a session's secret in a cookie instead. A route declares the permission that it requires as the type of its
`caller`; the caller is then confined to the desks on which it has that permission. An object of a desk on which it has
no role is not forbidden but unknown, so that no caller learns what other desks have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request

from app.principal import ROLE_OF_SCOPE, ROLE_PERMISSIONS, Desks, Permission, Principal, Role, Scope, covers
from app.store.audit import Actor, acting
from app.store.engine.database import visible_desks
from app.web.http.middleware import request_id
from app.web.http.problems import Kind, Problem, not_found
from app.web.http.running import running

COOKIE: Final = "slatimer_session"
PROOF_HEADER: Final = "x-slatimer"
"""A header that another site's form cannot send: with the cookie it proves that our own page sent the request."""

FORWARDED: Final = "x-slatimer-forwarded"
"""How many servers have forwarded a request to the one on which its desk lives."""

FORM: Final = "application/x-www-form-urlencoded"

_CALLER: Final = "slatimer.caller"
"""The key of the admitted caller in the request's scope."""

_NEW_SESSION: Final = "slatimer.new_session"
"""The key of the secret of a session that was made for this very request."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """The principal of a request, and the desks on which it has the permission that the route requires."""

    principal: Principal
    permission: Permission
    desks: Desks

    def sees(self, desk: str) -> bool:
        """Whether it has that permission on this desk."""
        return covers(self.desks, desk)

    def may(self, permission: Permission, desk: str) -> bool:
        """Whether it has this permission on this desk: the route's or another one."""
        return self.sees(desk) if permission is self.permission else self.principal.may(permission, desk)


def must_see(caller: Caller, desk: str) -> str:
    """The desk, if the caller has the route's permission there.

    Raises the same problem for a desk on which it has no role as for one that does not exist.
    """
    if caller.sees(desk):
        return desk
    if covers(caller.principal.desks, desk):
        raise lacking(caller.permission, desk)
    raise not_found("desk", desk)


def desks_for(caller: Caller, desk: str | None) -> Desks:
    """The desks that a list is about: the one in the query, else all on which the caller has the permission."""
    return caller.desks if desk is None else frozenset({must_see(caller, desk)})


def secret_of(request: Request) -> tuple[str | None, bool]:
    """The secret that a request carries, and whether it came in the cookie."""
    if _NEW_SESSION in request.scope:
        return request.scope[_NEW_SESSION], True
    authorization = request.headers.get("authorization")
    if authorization is not None:
        method, _, secret = authorization.partition(" ")
        return (secret.strip() or None, False) if method.lower() == "bearer" else (None, False)
    return request.cookies.get(COOKIE), True


def act_with(request: Request, secret: str) -> None:
    """Let a request act with a session that was made for it, as if it had sent the cookie."""
    request.scope[_NEW_SESSION] = secret


def unknown_key(*, given: bool) -> Problem:
    """The one answer to a request without a valid key; `given`: it carried one."""
    challenge = 'Bearer realm="slatimer"' + (', error="invalid_token"' if given else "")
    detail = (
        "The key is unknown, expired or revoked. Create one with: slatimer key create"
        if given
        else "Send a key: Authorization: Bearer KEY. Create one with: slatimer key create"
    )
    return Problem(Kind.NOT_SIGNED_IN, detail, headers={"WWW-Authenticate": challenge})


def roles_with(permission: Permission) -> list[Role]:
    """The roles that include a permission."""
    return [role for role, permissions in ROLE_PERMISSIONS.items() if permission in permissions]


def one_of(roles: Sequence[Role]) -> str:
    """Roles as a sentence names them."""
    *others, last = roles
    return f"the role {', '.join(others)} or {last}" if others else f"the role {last}"


def lacking(permission: Permission, desk: str | None = None) -> Problem:
    """The 403 problem for a principal without this permission, on this desk or, without `desk`, on any."""
    roles = roles_with(permission)
    scope = next(scope for scope in (Scope.READ, Scope.PUSH, Scope.ADMIN) if ROLE_OF_SCOPE[scope] in roles)
    where = "" if desk is None else f" on desk {desk}"
    return Problem(
        Kind.NOT_ALLOWED,
        f"This requires {one_of(roles)}{where}, or a key with the scope {scope}.",
        headers={"WWW-Authenticate": f'Bearer realm="slatimer", error="insufficient_scope", scope="{scope}"'},
    )


def _is_from_own_page(request: Request) -> bool:
    """Whether a request with the cookie comes from our own page: no cross-site request forgery."""
    if request.method in _SAFE_METHODS:
        return True
    origin = request.headers.get("origin")
    if origin is not None and not _is_own_origin(origin, request):
        return False
    return PROOF_HEADER in request.headers or (origin is not None and is_form(request))


def _is_own_origin(origin: str, request: Request) -> bool:
    """Whether an origin is this service's: its host, and its scheme where it is known. It is compared as it is written.

    http may be that of a proxy which ends TLS and does not say so: without `public_url` https is taken then.
    """
    public = running(request).settings.public_url
    scheme = request.url.scheme if public is None else urlsplit(public).scheme
    schemes = ("http", "https") if public is None and scheme == "http" else (scheme,)
    host = request.headers.get("host", "")
    return host != "" and origin in {f"{each}://{host}" for each in schemes}


def is_form(request: Request) -> bool:
    """Whether a request is a form's, which can send no header: its origin, which every browser names, proves it."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM


def must_be_own_form(request: Request) -> None:
    """Raises Problem for a form that another site sends, as to sign a visitor in as somebody else."""
    if not _is_from_own_page(request):
        raise Problem(Kind.NOT_ALLOWED, "A form must be sent from the service's own page.")


@dataclass(frozen=True, slots=True)
class Requires:
    """The dependency that gives a handler its caller. The route has admitted it before (`routing.GuardedRoute`)."""

    permission: Permission

    async def __call__(self, request: Request) -> Caller:
        """The caller."""
        return caller_of(request)


def caller_of(request: Request) -> Caller:
    """The caller of a request that was admitted."""
    return request.scope[_CALLER]


def actor_of(request: Request, principal: Principal) -> Actor:
    """A request's principal, as the audit log names it."""
    return Actor(principal.label, request_id(), host_of(request))


def count_refused(request: Request) -> None:
    """Count a refused sign-in in the audit log."""
    running(request).refused_sign_ins.count(host_of(request), request_id())


def host_of(request: Request) -> str | None:
    """The address of a request's sender."""
    return None if request.client is None else request.client.host


async def admit(request: Request, required: Requires) -> Caller:
    """The caller of a request, authenticated without its body. From here on, its transactions see the caller's desks
    only.

    Raises Problem: 401 without a valid key, 429 for one that sends too much, 403 without the permission on any desk.
    """
    secret, by_cookie = secret_of(request)
    if secret is None:
        raise unknown_key(given=False)
    parts = running(request)
    principals = parts.principals
    principal = await principals.find(secret)
    if principal is None and FORWARDED in request.headers:
        principals.forget(secret)  # it may have come with its desk, after it was unknown here
        principal = await principals.find(secret)
    if principal is None:
        if not by_cookie:  # a cookie that has ended is every morning's
            count_refused(request)
        raise unknown_key(given=True)
    acting.set(actor_of(request, principal))
    if by_cookie and not _is_from_own_page(request):
        raise Problem(Kind.NOT_ALLOWED, f"A page must send the header {PROOF_HEADER} from its own origin.")
    parts.rates.take(principal.id)
    desks = principal.desks_with(required.permission)
    visible_desks.set(desks)
    if not desks:
        raise lacking(required.permission)
    caller = request.scope[_CALLER] = Caller(principal, required.permission, desks)
    return caller


Viewer = Annotated[Caller, Depends(Requires(Permission.VIEW))]
Recorder = Annotated[Caller, Depends(Requires(Permission.RECORD))]
Acknowledger = Annotated[Caller, Depends(Requires(Permission.ACKNOWLEDGE))]
InboxReader = Annotated[Caller, Depends(Requires(Permission.INBOX))]
Configurer = Annotated[Caller, Depends(Requires(Permission.CONFIGURE))]
Publisher = Annotated[Caller, Depends(Requires(Permission.PUBLISH))]
Auditor = Annotated[Caller, Depends(Requires(Permission.AUDIT))]
PeopleAdmin = Annotated[Caller, Depends(Requires(Permission.PEOPLE))]
Subscriber = Annotated[Caller, Depends(Requires(Permission.SUBSCRIBE))]
