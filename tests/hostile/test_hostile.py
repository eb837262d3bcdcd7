"""Beside each kind of attack another desk's pushes are stored, the health check answers, and memory is bounded.

Times are measured by `make hostile` only: here they would depend on the machine.
"""

from pathlib import Path

import pytest

from tests.hostile.harness import KINDS, attack_of, beside, prepare_of, service
from tests.servers.databases import SqliteDatabases
from tests.web.room import with_desks

PUSHES = 20
ROUNDS = 2
"""Of the attack: how many it makes beside the pushes, and with them the memory, does not depend on the machine."""
MOST_GROWTH = 150_000_000
FILES = "256"


@pytest.mark.parametrize("kind", KINDS)
def test_another_desk_is_served_beside_an_attack(
    sqlite_databases: SqliteDatabases, tmp_path: Path, kind: str
) -> None:
    with (
        sqlite_databases.copy_of(with_desks) as url,
        service(url, tmp_path, test_files=FILES) as (process, target),
    ):
        prepare_of(kind)(target)
        seen = beside(process, target, attack_of(kind), PUSHES, ROUNDS)
        assert seen.rounds >= 1
        assert seen.growth < MOST_GROWTH
    assert "Traceback" not in (tmp_path / "log").read_text()
