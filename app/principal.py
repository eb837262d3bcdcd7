"""Principals, their roles per desk, and the permissions of each role. Pure values.

A principal is the sender of a request: a person, an API key, or a guest of the demonstration. It has roles on desks, and
a role is a set of permissions: `ROLE_PERMISSIONS` is the one table of them. Rows are in `app.store.people`; what HTTP
makes of a missing permission is in `app.web.http.access`. Instants are microseconds UTC.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.sla.event import EventType
from app.sla.span import Micros

EVERY_DESK: Final = "*"
"""In place of a desk's name: every desk, those to come included."""

Desks = frozenset[str]
"""Names of desks, or `EVERY`."""

EVERY: Final[Desks] = frozenset({EVERY_DESK})


def covers(desks: Desks, desk: str) -> bool:
    """Whether a desk is one of these."""
    return desk in desks or EVERY_DESK in desks


class Permission(StrEnum):
    """What a route requires, on one desk. One for each thing that a role may do and another may not."""

    VIEW = "view"
    """Read tickets, signals, calendars, agreements, subscriptions."""
    RECORD = "record"
    """Push events: what happened to a ticket."""
    CORRECT = "correct"
    """Push the events that change what counts: exclusions, withdrawals, credits granted and refused."""
    ACKNOWLEDGE = "acknowledge"
    """Note that a breach was seen."""
    INBOX = "inbox"
    """Read inbound webhooks that could not be understood, bodies included, and run them again."""
    CONFIGURE = "configure"
    """Put calendars and agreements into force, connect ticket systems, allow embedding, and download an export."""
    AUDIT = "audit"
    """Read the audit log."""
    SUBSCRIBE = "subscribe"
    """Create, change and remove subscriptions, and see their addresses whole."""
    PUBLISH = "publish"
    """Make, list and remove feeds: addresses that open a calendar to everyone who has them."""
    SHARE = "share"
    """Share saved views with a desk, change and remove those that are shared."""
    PEOPLE = "people"
    """Manage people, their roles, API keys and sessions."""


class Role(StrEnum):
    """What a principal is on a desk."""

    VIEWER = "viewer"
    AGENT = "agent"
    LEAD = "lead"
    ADMIN = "admin"
    PUSH = "push"
    """A ticket system: it writes, and reads nothing."""


PERSON_ROLES: Final = (Role.VIEWER, Role.AGENT, Role.LEAD, Role.ADMIN)
"""The roles of people, each with the permissions of those before it and more."""

_VIEWER: Final = frozenset({Permission.VIEW})
_AGENT: Final = _VIEWER | {Permission.RECORD, Permission.ACKNOWLEDGE}
_LEAD: Final = _AGENT | {Permission.CORRECT, Permission.INBOX, Permission.PUBLISH, Permission.SHARE}

ROLE_PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.VIEWER: _VIEWER,
        Role.AGENT: _AGENT,
        Role.LEAD: _LEAD,
        Role.ADMIN: frozenset(Permission),
        Role.PUSH: frozenset(
            {Permission.RECORD, Permission.CORRECT, Permission.ACKNOWLEDGE, Permission.INBOX}
        ),
    }
)

_CORRECTIONS: Final = frozenset(
    {
        EventType.EXCLUSION_GRANTED,
        EventType.EVENT_WITHDRAWN,
        EventType.CREDIT_GRANTED,
        EventType.CREDIT_REFUSED,
    }
)


def permission_to_record(event_type: str) -> Permission:
    """What pushing an event of this type requires."""
    return Permission.CORRECT if event_type in _CORRECTIONS else Permission.RECORD


class Scope(StrEnum):
    """What an API key may do, as keys were made before there were roles. Each is a role under an older name."""

    PUSH = "push"
    READ = "read"
    ADMIN = "admin"


ROLE_OF_SCOPE: Final[Mapping[Scope, Role]] = MappingProxyType(
    {Scope.PUSH: Role.PUSH, Scope.READ: Role.VIEWER, Scope.ADMIN: Role.ADMIN}
)

_SCOPES_OF_ROLE: Final[Mapping[Role, frozenset[Scope]]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Scope.READ}),
        Role.AGENT: frozenset({Scope.READ}),
        Role.LEAD: frozenset({Scope.READ, Scope.PUSH}),
        Role.ADMIN: frozenset({Scope.ADMIN}),
        Role.PUSH: frozenset({Scope.PUSH}),
    }
)
"""The scopes whose every permission a role has; `admin` alone where it has all, as it includes the others."""

Roles = Mapping[str, frozenset[Role]]
"""Roles by desk, or by `EVERY_DESK`."""


def roles_on(desks: Iterable[str], granted: Iterable[Role | Scope]) -> Roles:
    """The same roles on each of these desks. A scope counts as its role."""
    roles = frozenset(ROLE_OF_SCOPE[each] if isinstance(each, Scope) else each for each in granted)
    return dict.fromkeys(desks, roles)


class PrincipalKind(StrEnum):
    """What a principal is."""

    KEY = "key"
    USER = "user"
    """A person, signed in with a password, at an identity provider or by a one-time link."""
    GUEST = "guest"
    """A visitor of the demonstration, signed in without a key."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The sender of a request, and its roles by desk. `expires_at` is when the roles end."""

    id: str
    kind: PrincipalKind
    roles: Roles
    expires_at: Micros | None = None
    session_id: str | None = None
    """The session that it sends the request through; none for a key that is sent itself."""
    name: str | None = None
    """The name that a person signs in with; none for others."""

    @property
    def label(self) -> str:
        """How records and the audit log name it: `user NAME`, `key ID` or `guest ID`."""
        return f"{self.kind} {self.name or self.id}"

    def signs(self, given: str) -> str:
        """Who an act is recorded as: a person under their own name, a key under the one that it gives."""
        return self.name or given

    @property
    def desks(self) -> Desks:
        """The desks on which it has a role."""
        return _desks(desk for desk, roles in self.roles.items() if roles)

    @property
    def scopes(self) -> frozenset[Scope]:
        """The scopes that its roles amount to on each of its desks."""
        by_desk = [_scopes(roles) for roles in self.roles.values()]
        return frozenset[Scope].intersection(*by_desk) if by_desk else frozenset()

    def desks_with(self, permission: Permission) -> Desks:
        """The desks on which it has this permission."""
        return _desks(desk for desk, roles in self.roles.items() if _include(roles, permission))

    def may(self, permission: Permission, desk: str) -> bool:
        """Whether it has this permission on this desk."""
        return covers(self.desks_with(permission), desk)

    def administers(self, desks: Collection[str]) -> bool:
        """Whether it manages the people and keys of all these desks; of none: whether it does on every desk."""
        return all(self.may(Permission.PEOPLE, desk) for desk in desks or EVERY)


def _desks(names: Iterable[str]) -> Desks:
    desks = frozenset(names)
    return EVERY if EVERY_DESK in desks else desks


def _include(roles: Collection[Role], permission: Permission) -> bool:
    return any(permission in ROLE_PERMISSIONS[role] for role in roles)


def _scopes(roles: Collection[Role]) -> frozenset[Scope]:
    return frozenset[Scope]().union(*(_SCOPES_OF_ROLE[role] for role in roles))
