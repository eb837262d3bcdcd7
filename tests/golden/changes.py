"""Tickets that are answered otherwise than tickets.jsonl.xz says, on purpose: each with the reasons and the new answer.

changes.jsonl.xz has one line for each of them: the codes of the reasons, as `REASONS` states them, and the answer that
stands instead of the one of then. `python -m tests.golden.changes CODE` adds every ticket that is answered neither as
then nor as written here, with that reason: read what it prints before it is committed.
"""

import lzma
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from app.log import log_as_json
from tests.golden.same import shown, unlike
from tests.golden.scenario import PACKING, PARTS, Json, answers, play, service_of, written
from tests.servers.databases import SqliteDatabases

CHANGES: Final = Path(__file__).with_name("changes.jsonl.xz")

REASONS: Final[dict[str, str]] = {
    "merged": "what happens in a ticket after it was merged counts in its target: clocks, place, and the positions of "
    "those that wait with it",
    "ended": "an answer while the ticket is shut stops its clock there; cycles that would open at one instant are one; "
    "a commitment that a version dropped opens no further cycle, shows why it ended whatever comes later, and is judged "
    "by what happened meanwhile when a version has it again",
    "allowance": "the interventions of a month are counted: a ticket past its customer's allowance is flagged, with a "
    "signal; its clocks are as they were",
}
"""Why an answer is another now, by code."""

Name = tuple[str, str]
"""Desk and ticket."""


def name_of(line: Mapping[str, Any]) -> Name:
    return line["desk"], line["ticket"]


def changed() -> dict[Name, Json]:
    """The lines of changes.jsonl.xz."""
    lines = lzma.decompress(CHANGES.read_bytes()).splitlines() if CHANGES.exists() else []
    return {name_of(line["answer"]): line for line in map(orjson.loads, lines)}


def answered_now(databases: SqliteDatabases, part: int) -> Iterator[Json]:
    """Every ticket of a part, as the code at hand answers it."""
    with service_of(databases, part) as service:
        play(service, part)
        for line in answers(service, part):
            yield orjson.loads(orjson.dumps(line, option=orjson.OPT_SORT_KEYS))


def main(code: str) -> None:
    """Add what is answered otherwise now, for a reason."""
    log_as_json("ERROR")
    then = {name_of(line): line for line in written()}
    lines = changed()
    with tempfile.TemporaryDirectory() as folder:
        databases = SqliteDatabases(Path(folder))
        for part in range(PARTS):
            for now in answered_now(databases, part):
                name = name_of(now)
                if not unlike(then[name], now):
                    lines.pop(name, None)
                    continue
                known = lines[name]["answer"] if name in lines else then[name]
                if found := unlike(known, now):
                    sys.stdout.write(f"{name[0]} {name[1]}: {shown(found)}\n")
                    why = {*lines.get(name, {}).get("why", ()), code}
                    lines[name] = {"why": sorted(why), "answer": now}
    ordered = [lines[name] for name in then if name in lines]
    packed = b"\n".join(orjson.dumps(line, option=orjson.OPT_SORT_KEYS) for line in ordered)
    CHANGES.write_bytes(lzma.compress(packed + b"\n", filters=PACKING))
    sys.stdout.write(f"{len(ordered)} tickets are answered otherwise, {CHANGES.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1])
