"""`slatimer key`: keys with their desks, roles and scopes, and sessions."""

import re

import pytest

from app.sla.span import HOUR
from app.store.engine.database import Database
from app.store.people import keys, sessions
from tests.cli.conftest import Terminal


def test_a_key_is_alone_on_standard_output(desks: Terminal) -> None:
    out = desks.done("key", "create", "--desk", "haisoft", "--scope", "push,read")
    assert re.fullmatch(r"slt_[\w-]{43}\n", out)


def test_a_key_is_listed_until_it_is_revoked(desks: Terminal) -> None:
    desks.done("key", "create", "--desk", "haisoft", "--scope", "push")
    key_id, desk, scopes, roles, *ends = desks.done("key", "list").split()
    assert (desk, scopes, roles, ends) == ("haisoft", "push", "push", ["no", "end"])
    desks.done("key", "revoke", key_id)
    assert desks.done("key", "list") == ""
    assert desks("key", "revoke", key_id).code == 2


def test_a_key_may_have_several_desks_and_roles(desks: Terminal) -> None:
    desks.done("key", "create", "--desk", "haisoft,phpnet", "--role", "agent,push", "--scope", "read")
    _, listed_desks, scopes, roles, *_ = desks.done("key", "list").split()
    assert (listed_desks, scopes, roles) == ("haisoft,phpnet", "push,read", "agent,push,viewer")


def test_a_session_is_listed_and_ended_like_a_key(desks: Terminal) -> None:
    desks.done("key", "create", "--desk", "*", "--role", "lead")
    with Database(desks.settings) as database:
        key = database.read_now(keys.listed)[0]
        database.write_now(lambda conn, now: sessions.create(conn, key, now, now + HOUR))
    (key_id, *_), (session_id, *columns) = (line.split() for line in desks.done("key", "list").splitlines())
    assert key_id == key.id
    assert columns[:4] == ["*", "push,read", "lead", "until"]
    desks.done("key", "revoke", session_id)
    assert [line.split()[0] for line in desks.done("key", "list").splitlines()] == [key_id]


@pytest.mark.parametrize(
    "given",
    [
        ("--desk", "haisoft"),
        ("--desk", "haisoft", "--role", "boss"),
        ("--desk", "haisoft", "--role", ","),
        ("--desk", ",", "--role", "agent"),
        ("--desk", "a\x1fb", "--role", "agent"),
    ],
)
def test_a_key_without_a_desk_or_a_known_role_is_not_made(desks: Terminal, given: tuple[str, ...]) -> None:
    said = desks("key", "create", *given)
    assert (said.code, said.out) == (2, "")
    assert desks.done("key", "list") == ""


def test_an_unknown_scope_is_a_wrong_question(desks: Terminal) -> None:
    said = desks("key", "create", "--desk", "haisoft", "--scope", "write")
    assert (said.code, said.out) == (2, "")
    assert "push, read, admin" in said.err


def test_secrets_are_encrypted_again_by_a_new_key_and_not_without_one(desks: Terminal) -> None:
    new_key = desks.done("secrets", "new-key").strip()
    assert len(new_key) == 44
    without = desks("secrets", "rotate")
    assert (without.code, "slatimer secrets new-key" in without.err) == (2, True)
    desks.environ["SLATIMER_SECRET_KEYS"] = new_key
    desks.done("connect", "zammad", "--desk", "haisoft")
    assert "0 secrets encrypted" in desks("secrets", "rotate").err
    desks.environ["SLATIMER_SECRET_KEYS"] = "no-key"
    wrong = desks("key", "list")
    assert (wrong.code, "SLATIMER_SECRET_KEYS" in wrong.err) == (2, True)
