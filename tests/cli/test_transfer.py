"""`slatimer export` and `slatimer import`, as an administrator uses them."""

import json
from pathlib import Path

from tests.cli.conftest import Terminal
from tests.servers.databases import Databases, sqlite_only


@sqlite_only
def test_a_desk_moves_to_another_database(desks: Terminal, databases: Databases, tmp_path: Path) -> None:
    desks.done("record", "haisoft", "4711", "call.registered", "--time", "2026-03-02T09:00:00+01:00")
    done = json.loads(desks.done("export", "--desk", "haisoft", "--out", tmp_path, "--json"))
    assert (done["kinds"]["events"]["rows"], done["as_of"] is not None) == (1, True)
    assert "holds another export" in desks("export", "--desk", "haisoft", "--out", tmp_path, "--no-csv").err
    with databases.new() as url:
        other = Terminal(url)
        imported = json.loads(other.done("import", tmp_path, "--json"))
        assert (imported["desk"], imported["rows"]["events"]) == ("haisoft", 1)
        again = other("import", tmp_path)
        assert (again.code, "has the desk 'haisoft' already" in again.err) == (2, True)
        assert "desk.imported" in other.done("audit", "--json")
    assert desks("export", "--desk", "nowhere", "--out", tmp_path).code == 2
    assert desks("export", "--desk", "haisoft", "--since", "yesterday").code == 2
