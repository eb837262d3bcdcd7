"""The rows of simulations: one at a time per desk, ended once, failed without a heartbeat, kept for a while."""

from dataclasses import replace

from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.tickets import simulations
from app.store.tickets.simulations import SimulationState
from tests.service import Service


def test_a_simulation_that_has_ended_stays_as_it_is(service: Service) -> None:
    def work(conn: Connection, now: Micros) -> None:
        simulations.start(conn, "s1", "haisoft", {}, None, now)
        assert simulations.beat(conn, "s1", 0.5, now + 1)
        assert simulations.end(conn, "s1", SimulationState.CANCELLED, now, reason="why")
        assert not simulations.beat(conn, "s1", 0.9, now)
        assert not simulations.end(conn, "s1", SimulationState.DONE, now, result={"a": 1})
        found = simulations.find(conn, "s1")
        assert found is not None
        assert (found.state, found.progress, found.result, found.reason) == ("cancelled", 0.5, None, "why")

    service.database.write_now(work)


def test_a_simulation_without_a_heartbeat_has_failed(service: Service) -> None:
    def work(conn: Connection, now: Micros) -> None:
        simulations.start(conn, "s1", "haisoft", {}, None, now)
        found = simulations.running(conn, "haisoft")
        assert found is not None
        assert found.as_of(now + 5, 5).state is SimulationState.RUNNING
        orphan = found.as_of(now + 6, 5)
        assert (orphan.state, orphan.reason) == (SimulationState.FAILED, simulations.ORPHANED)
        assert replace(orphan, state=SimulationState.DONE).as_of(now + 6, 5).state is SimulationState.DONE

    service.database.write_now(work)


def test_ended_simulations_are_kept_in_number_and_time(service: Service) -> None:
    def work(conn: Connection, now: Micros) -> None:
        for number in range(4):
            simulations.start(conn, f"s{number}", "haisoft", {}, None, now + number)
            simulations.add_flips(conn, "haisoft", f"s{number}", 0, [{"n": n} for n in range(3)])
            if number < 3:
                simulations.end(conn, f"s{number}", SimulationState.DONE, now, result={})
        simulations.remove_surplus(conn, "haisoft", 2)
        assert simulations.find(conn, "s0") is None
        assert simulations.flips(conn, "s0", -1, 9) == ([], None)
        assert simulations.flips(conn, "s1", -1, 2) == ([{"n": 0}, {"n": 1}], 1)
        assert simulations.flips(conn, "s1", 1, 2) == ([{"n": 2}], None)
        assert simulations.remove_old(conn, now + 100, 9) == 2
        assert simulations.find(conn, "s3") is not None

    service.database.write_now(work)
