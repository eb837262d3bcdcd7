"""The process of one simulation: `python -m app.flow.simulation.process`. It reads, and writes nothing.

Its standard input is one JSON object with the settings and the question; each line of its standard output is one JSON
object: `progress` with the `flips` found since, at last `result`, or `failed` with the reason. It ends when
its output is closed, so it does not outlive the process that started it. It runs with low priority and limited memory.
"""

import os
import resource
import sys
from typing import IO, Any, Final

import orjson

from app.flow.agreement.limits import limits_of
from app.flow.simulation.documents import question_of
from app.flow.simulation.draft import Question, sides_of
from app.flow.simulation.simulation import Simulation
from app.log import log_as_json
from app.settings import Settings
from app.store.contracts.catalogue import Catalogue
from app.store.engine.read_only import ReadOnlyDatabase

_NICENESS: Final = 10
"""Low priority: requests and the sweep go first."""

OUT_OF_MEMORY: Final = (
    "it needs more memory than SLATIMER_SIMULATION_MEMORY_MAX allows; ask for a shorter span"
)


def main() -> None:
    """Read the order, run it, and write what it comes to."""
    order = orjson.loads(sys.stdin.buffer.read())
    # Whatever else writes to standard output goes to standard error: the channel has JSON lines only.
    with os.fdopen(os.dup(1), "wb") as channel:
        os.dup2(2, 1)
        settings = Settings.model_validate(order["settings"])
        log_as_json(settings.log_level)
        _limit(settings)
        try:
            _run(settings, question_of(order["question"]), channel)
        except MemoryError:
            _write(channel, {"failed": OUT_OF_MEMORY})
        except ReadOnlyDatabase.failures as error:
            _write(channel, {"failed": f"the database could not be read: {error}"})


def _limit(settings: Settings) -> None:
    os.nice(_NICENESS)
    most = settings.simulation_memory_max
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _run(settings: Settings, question: Question, channel: IO[bytes]) -> None:
    catalogue = Catalogue(settings.holiday_years_ahead, limits=limits_of(settings))
    with ReadOnlyDatabase(settings, frozenset({question.desk})) as database:
        sides = database.read(lambda conn: sides_of(conn, catalogue, question))
        run = database.read(lambda conn: Simulation.of(conn, question, sides, settings.simulation_flips_max))
        while not run.is_done:
            flips = database.read(lambda conn: run.step(conn, catalogue))
            _write(channel, {"progress": run.progress, "flips": flips})
        _write(channel, {"result": run.result()})


def _write(channel: IO[bytes], message: dict[str, Any]) -> None:
    channel.write(orjson.dumps(message) + b"\n")
    channel.flush()


if __name__ == "__main__":
    main()
