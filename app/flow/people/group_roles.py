"""Roles by group of an identity provider, as the setting SLATIMER_OIDC_ROLES writes them. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from app.principal import PERSON_ROLES, Role, Roles


class FaultyGroupRole(ValueError):
    """A part of SLATIMER_OIDC_ROLES is not GROUP=ROLE@DESK."""


def parse(texts: Iterable[str]) -> list[tuple[str, Role, str]]:
    """Group, role and desk of each part. Raises FaultyGroupRole."""
    return [_parse(text) for text in texts]


def _parse(text: str) -> tuple[str, Role, str]:
    group, _, right = text.rpartition("=")
    role, _, desk = right.partition("@")
    if not group or not desk or role not in PERSON_ROLES:
        known = ", ".join(PERSON_ROLES)
        raise FaultyGroupRole(f"{text!r} is not GROUP=ROLE@DESK; a role is one of {known}")
    return group, Role(role), desk


def roles_of(rules: Iterable[tuple[str, Role, str]], groups: Collection[str]) -> Roles:
    """The roles of a person who is in these groups."""
    found: defaultdict[str, set[Role]] = defaultdict(set)
    for group, role, desk in rules:
        if group in groups:
            found[desk].add(role)
    return {desk: frozenset(roles) for desk, roles in found.items()}
