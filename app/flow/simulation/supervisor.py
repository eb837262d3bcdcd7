"""Supervision of simulations: each runs in a process of its own, which this process starts, follows and ends.

The simulation's row is its state: it is inserted before the process starts, gets a heartbeat while it runs, and ends
with a result or a reason. A cancellation changes the row, from whatever process it comes, and the next heartbeat then
ends the process. When this process is killed, the simulation's process ends with its channel and the heartbeat stops.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from app.flow.simulation.child import EndedEarly, messages
from app.flow.simulation.documents import document_of
from app.flow.simulation.draft import Question
from app.settings import Settings
from app.sla.span import length_of
from app.store.engine.database import Connection, Database
from app.store.people.secrets import new_id
from app.store.tickets import simulations
from app.store.tickets.simulations import ORPHANED, SimulationState, StoredSimulation

_log = structlog.stdlib.get_logger()

_BEATS: Final = 3
"""Heartbeats within the time after which a simulation counts as orphaned."""
STOPPED: Final = "the service was stopped while it ran; start it again"
CANCELLED: Final = "cancelled by request"
TOO_LONG: Final = "it took longer than SLATIMER_SIMULATION_TIMEOUT allows; ask for a shorter span"

Json = dict[str, Any]


class AnotherRuns(RuntimeError):
    """The desk has a simulation that runs. Wait for it, or cancel it with DELETE."""


@dataclass(slots=True)
class _Run:
    """A simulation that this process runs. `flips` are stored already."""

    id: str
    question: Json
    progress: float = 0.0
    flips: int = 0
    task: "asyncio.Task[None] | None" = None


class Simulations:
    """The simulations that this process runs. All methods belong to the event loop."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings
        self._places = asyncio.Semaphore(settings.simulation_processes_max)
        self._runs: dict[str, _Run] = {}
        self._heartbeat_timeout = length_of(settings.simulation_heartbeat_timeout)

    async def start(self, question: Question, author: str | None) -> str:
        """Start a simulation whose draft was checked, and give its id. Raises AnotherRuns."""
        run = _Run(new_id(), document_of(question))

        def insert(conn: Connection, now: int) -> None:
            simulations.lock(conn, question.desk)
            self._end_orphan(conn, question.desk, now)
            simulations.remove_surplus(conn, question.desk, self._settings.simulations_kept_max - 1)
            simulations.start(conn, run.id, question.desk, run.question, author, now)

        await self._database.write(insert, frozenset({question.desk}))
        self._runs[run.id] = run
        run.task = asyncio.create_task(self._supervise(run))
        run.task.add_done_callback(lambda _: self._runs.pop(run.id, None))
        return run.id

    def _end_orphan(self, conn: Connection, desk: str, now: int) -> None:
        other = simulations.running(conn, desk)
        if other is None:
            return
        if other.as_of(now, self._heartbeat_timeout).state is SimulationState.RUNNING:
            raise AnotherRuns(
                f"simulation {other.id} of desk {desk} is running, and a desk has one at a time. Wait for it, or "
                f"cancel it: DELETE /v1/simulations/{other.id}"
            )
        simulations.end(conn, other.id, SimulationState.FAILED, now, reason=ORPHANED)

    def seen(self, stored: StoredSimulation) -> StoredSimulation:
        """A simulation as it stands now: failed, where its process has not reported for too long."""
        run = self._runs.get(stored.id)
        if run is not None and stored.state is SimulationState.RUNNING:
            return replace(stored, progress=run.progress)
        return stored.as_of(self._database.now(), self._heartbeat_timeout)

    async def cancel(self, desk: str, simulation: str) -> None:
        """Cancel a simulation, whichever process runs it. One that has ended stays as it is."""
        await self._end(desk, simulation, SimulationState.CANCELLED, reason=CANCELLED)
        run = self._runs.get(simulation)
        if run is not None:
            await _ended([run])

    async def stop(self) -> None:
        """End all processes. Their simulations are marked as failed."""
        runs = list(self._runs.values())
        await _ended(runs)
        for run in runs:
            await self._end(run.question["desk"], run.id, SimulationState.FAILED, reason=STOPPED)

    async def _supervise(self, run: _Run) -> None:
        beats = asyncio.create_task(self._beat(run))
        try:
            async with self._places, asyncio.timeout(self._settings.simulation_timeout.total_seconds()):
                await self._follow(run)
        except TimeoutError:
            await self._end(run.question["desk"], run.id, SimulationState.FAILED, reason=TOO_LONG)
        except EndedEarly as error:
            await self._end(run.question["desk"], run.id, SimulationState.FAILED, reason=str(error))
        except self._database.failures as error:
            # Its heartbeat ends, so it counts as failed once the database is back.
            _log.warning("simulation lost the database", simulation=run.id, error=str(error))
        finally:
            beats.cancel()

    async def _follow(self, run: _Run) -> None:
        """Store what the process reports, to its end. Raises EndedEarly."""
        order = {"settings": self._settings.model_dump(mode="json"), "question": run.question}
        async with aclosing(messages(order)) as reported:
            async for message in reported:
                if "failed" in message:
                    raise EndedEarly(message["failed"])
                if "result" in message:
                    await self._end(
                        run.question["desk"], run.id, SimulationState.DONE, result=message["result"]
                    )
                    return
                await self._store_flips(run, message["flips"])
                run.progress = message["progress"]
        raise EndedEarly("its process ended without a result")

    async def _store_flips(self, run: _Run, flips: Sequence[Json]) -> None:
        if flips:
            desk, first = run.question["desk"], run.flips
            run.flips += len(flips)
            await self._database.write(
                lambda conn, _: simulations.add_flips(conn, desk, run.id, first, flips), frozenset({desk})
            )

    async def _beat(self, run: _Run) -> None:
        """Record the progress now and then; end the simulation when it was cancelled elsewhere."""
        while True:
            await asyncio.sleep(self._settings.simulation_heartbeat_timeout.total_seconds() / _BEATS)
            try:
                is_running = await self._database.write(
                    lambda conn, now: simulations.beat(conn, run.id, run.progress, now),
                    frozenset({run.question["desk"]}),
                )
            except self._database.failures as error:
                _log.warning("heartbeat of a simulation failed", simulation=run.id, error=str(error))
                continue
            if not is_running:
                if run.task is not None:
                    run.task.cancel()
                return

    async def _end(
        self,
        desk: str,
        simulation: str,
        state: SimulationState,
        *,
        result: Json | None = None,
        reason: str | None = None,
    ) -> None:
        await self._database.write(
            lambda conn, now: simulations.end(conn, simulation, state, now, result=result, reason=reason),
            frozenset({desk}),
        )


async def _ended(runs: Sequence[_Run]) -> None:
    """Cancel these and wait until their processes have ended."""
    tasks = [run.task for run in runs if run.task is not None]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
