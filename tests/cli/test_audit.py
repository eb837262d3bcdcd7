"""`slatimer audit`: the log on the command line, and what commands write to it."""

import json
from getpass import getuser

from tests.cli.conftest import Terminal
from tests.servers.databases import both_kinds


def test_what_commands_do_is_listed_under_their_user(desks: Terminal) -> None:
    secret = desks.done("key", "create", "--desk", "haisoft", "--role", "lead").strip()
    hook = json.loads(desks.done("connect", "zammad", "--desk", "haisoft", "--json"))["secret"]
    said = desks("audit", "--desk", "haisoft", "--json")
    entries = said.json["entries"]
    assert [each["action"] for each in entries] == ["connection.created", "key.created", "version.applied"]
    assert {each["who"] for each in entries} == {f"command {getuser()}"}
    assert secret not in said.out
    assert hook not in said.out


@both_kinds
def test_a_list_is_continued(desks: Terminal) -> None:
    first = desks("audit", "--limit", "2", "--json").json
    second = desks("audit", "--limit", "2", "--before", first["next"], "--json").json
    ids = [each["id"] for each in first["entries"] + second["entries"]]
    assert ids == sorted(set(ids), reverse=True)
    assert "key.created" not in desks.done("audit")
    assert "version.applied" in desks.done("audit", "--action", "version.applied")


def test_encrypting_the_secrets_again_is_recorded(desks: Terminal) -> None:
    desks.done("connect", "zammad", "--desk", "haisoft")
    desks.environ["SLATIMER_SECRET_KEYS"] = desks.done("secrets", "new-key").strip()
    desks.done("secrets", "rotate")
    entry = desks("audit", "--json", "--limit", "1").json["entries"][0]
    assert (entry["action"], entry["desk"], entry["about"]) == ("secrets.rotated", "*", "1 secret")
