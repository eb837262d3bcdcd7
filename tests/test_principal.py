"""Roles, permissions and the scopes of older keys: one table, and what follows from it."""

from itertools import combinations, pairwise

import pytest

from app.principal import (
    EVERY,
    EVERY_DESK,
    ROLE_OF_SCOPE,
    ROLE_PERMISSIONS,
    Permission,
    Principal,
    PrincipalKind,
    Role,
    Roles,
    Scope,
    permission_to_record,
    roles_on,
)


def principal(roles: Roles) -> Principal:
    return Principal("p1", PrincipalKind.KEY, roles)


def permissions_of(*scopes: Scope) -> frozenset[Permission]:
    return frozenset[Permission]().union(*(ROLE_PERMISSIONS[ROLE_OF_SCOPE[scope]] for scope in scopes))


def test_every_role_has_permissions_and_every_permission_a_role() -> None:
    assert set(ROLE_PERMISSIONS) == set(Role)
    assert frozenset[Permission]().union(*ROLE_PERMISSIONS.values()) == frozenset(Permission)
    assert set(ROLE_OF_SCOPE) == set(Scope)


def test_each_role_of_a_person_includes_the_one_below() -> None:
    ladder = [ROLE_PERMISSIONS[role] for role in (Role.VIEWER, Role.AGENT, Role.LEAD, Role.ADMIN)]
    assert all(lower < higher for lower, higher in pairwise(ladder))


def test_a_scope_allows_what_it_allowed_before_there_were_roles() -> None:
    assert permissions_of(Scope.READ) == {Permission.VIEW}
    assert permissions_of(Scope.PUSH) == {
        Permission.RECORD,
        Permission.CORRECT,
        Permission.ACKNOWLEDGE,
        Permission.INBOX,
    }
    assert permissions_of(Scope.ADMIN) == frozenset(Permission)


@pytest.mark.parametrize("role", Role)
def test_the_scopes_of_a_role_allow_no_more_than_the_role(role: Role) -> None:
    """A process of the release before goes by them."""
    scopes = principal(roles_on(["haisoft"], [role])).scopes
    assert scopes
    assert permissions_of(*scopes) <= ROLE_PERMISSIONS[role]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_key_made_by_scopes_has_those_scopes(count: int) -> None:
    for scopes in combinations(Scope, count):
        assert principal(roles_on(["haisoft"], scopes)).scopes == frozenset(scopes)


def test_the_scopes_of_several_desks_are_those_that_hold_on_each() -> None:
    roles = {"haisoft": frozenset({Role.LEAD}), "webxtra": frozenset({Role.VIEWER})}
    assert principal(roles).scopes == {Scope.READ}


def test_a_permission_holds_on_the_desks_whose_roles_include_it() -> None:
    who = principal({"haisoft": frozenset({Role.VIEWER}), "webxtra": frozenset({Role.PUSH, Role.VIEWER})})
    assert who.desks == {"haisoft", "webxtra"}
    assert who.desks_with(Permission.VIEW) == {"haisoft", "webxtra"}
    assert who.desks_with(Permission.RECORD) == {"webxtra"}
    assert who.desks_with(Permission.CONFIGURE) == frozenset()
    assert who.may(Permission.VIEW, "haisoft")
    assert not who.may(Permission.RECORD, "haisoft")
    assert not who.may(Permission.VIEW, "hvn")


def test_roles_on_every_desk_hold_on_each_and_join_those_of_one() -> None:
    who = principal({EVERY_DESK: frozenset({Role.VIEWER}), "haisoft": frozenset({Role.ADMIN})})
    assert who.desks_with(Permission.VIEW) == EVERY
    assert who.desks_with(Permission.CONFIGURE) == {"haisoft"}
    assert who.may(Permission.VIEW, "one to come")
    assert not who.may(Permission.CONFIGURE, "one to come")
    assert not principal(roles_on(["haisoft"], [Role.ADMIN])).may(Permission.VIEW, EVERY_DESK)


def test_exclusions_and_withdrawals_require_more_than_other_events() -> None:
    assert permission_to_record("exclusion.granted") is Permission.CORRECT
    assert permission_to_record("event.withdrawn") is Permission.CORRECT
    assert permission_to_record("call.registered") is Permission.RECORD
    assert permission_to_record("of.a.type.to.come") is Permission.RECORD
