"""Rounds of moves: load, a move under it, quiet, comparison."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.chaos.fault import Outage, now
from tests.chaos.fleet import RATE
from tests.chaos.harness import Outcome, Rounds
from tests.chaos.processes import Push
from tests.chaos.pusher import Orders
from tests.chaos.verdict import SIGNALS, Delay, Findings, RecordedSignal, compare
from tests.deskmove.neighbour import Neighbour
from tests.deskmove.servers import TwoServers
from tests.waiting import HANG

CUT_OVER_WITHIN: Final = 5.0
"""Seconds that a desk may be closed."""
_BEFORE: Final = (1.0, 3.0)
"""Seconds of load before the move, and after it."""
_INTERRUPTED: Final = 0.5
"""Fraction of the moves whose command is killed, and of those that are undone first."""
_UNDONE: Final = 0.25
_KILLED_AFTER: Final = (0.3, 4.0)
_OVER: Final = "lives on another server already"
_EVENTS: Final = "SELECT event_id FROM event WHERE desk = 'chaos'"
_SIGNALS: Final = SIGNALS.replace("FROM signal", "FROM signal WHERE desk = 'chaos'")
_SECONDS: Final = re.compile(r"cut over in ([0-9.]+) s")


class Moves(Rounds):
    """Runs rounds on two servers. `closed` has the seconds of each cut-over that was not interrupted."""

    def __init__(self, servers: TwoServers, seed: int, rate: float) -> None:
        super().__init__(servers, {}, seed)
        self._pusher.close()
        self._servers = servers
        orders = Orders(servers.pusher_bases(), servers.key, str(servers.folder), seed, rate)
        self._pusher = Push(orders, servers.environment)
        self.closed: list[float] = []
        self.repeated = 0
        self._neighbours: list[Neighbour] = []

    def run(self, rounds: int) -> Iterator[str]:
        """Run the rounds. Yields a report line for each."""
        self._begin()
        self._neighbours = self._servers.neighbours()
        for number in range(1, rounds + 1):
            self._pusher.go()
            time.sleep(self._chance.uniform(*_BEFORE))
            outage = self._move(number)
            self._outages.append(outage)
            time.sleep(self._chance.uniform(*_BEFORE))
            answers = self._pusher.quiet()
            found, delays = self._rest()
            found.unsound |= {*self._examined(number), *self._disturbed()}
            if max(self.closed) > CUT_OVER_WITHIN:
                found.unsound.add(f"closed for {max(self.closed):.1f} s")
            self._keep(number, outage, found, delays)
            yield self._report(number, outage, found, delays, answers)
            self._servers.other.command(
                "desk", "forget", "chaos", "--from", self._servers.other.administrator_url
            )

    def _move(self, number: int) -> Outage:
        began_at = now()
        how = self._interrupt() if number > 1 and self._chance.random() < _INTERRUPTED else ""
        text = self._finish(interrupted=bool(how))
        (self._servers.folder / f"move-{number}.log").write_text(text)
        found = _SECONDS.search(text)
        detail = how
        if found and not how:  # of one that was interrupted the command knows the rest alone
            self.closed.append(float(found[1]))
            detail = f"closed for {self.closed[-1]:.2f} s"
        self._servers.moved()
        return Outage("move", detail, began_at, now())

    def _interrupt(self) -> str:
        """Kill the command somewhere. Returns what was done then."""
        process = self._servers.move()
        time.sleep(self._chance.uniform(*_KILLED_AFTER))
        process.kill()
        text = process.communicate()[1]
        if "cut over" in text or self._chance.random() > _UNDONE:
            return "killed and continued"
        process = self._servers.move("--abort")
        text = process.communicate(timeout=HANG)[1]
        return (
            "killed, undone and moved"
            if process.returncode == 0
            else f"killed and continued ({text.strip()})"
        )

    def _finish(self, *, interrupted: bool) -> str:
        process = self._servers.move()
        text = process.communicate(timeout=HANG)[1]
        # The command that was killed may have been through with it.
        assert process.returncode == 0 or (interrupted and _OVER in text), text
        return text

    def _disturbed(self) -> Iterator[str]:
        """Pushes to desks that do not move, which must all be answered as ever."""
        for each in self._neighbours:
            for status in each.answers.keys() - {200}:
                yield f"desk {each.desk} got {status}"

    def close(self) -> None:
        """Stop everything."""
        for each in self._neighbours:
            each.close()
        super().close()

    def _compared(self) -> tuple[Findings, list[Delay]]:
        stored = [row["event_id"] for row in self._fleet.ask(_EVENTS)]
        rows = [RecordedSignal.of(row) for row in self._fleet.ask(_SIGNALS)]
        recorded = [replace(each, seq=place) for place, each in enumerate(rows, 1)]
        found, delays = compare(self._reference, stored, recorded, self._outages)
        self._compare_months(found)
        found.refused |= set(self._lines("refused.jsonl"))
        found.undelivered |= self._subscriber.misses(recorded)
        self.repeated = self._subscriber.repeated
        self.outcome.acknowledged, self.outcome.breaches = len(self._reference.events), len(delays)
        self.outcome.delivered = len(self._subscriber.arrived)
        return found, delays


def run(
    rounds: int, folder: Path, seed: int, report: Callable[[str], object], rate: float = RATE
) -> tuple[Outcome, Moves]:
    """Run rounds on two servers of their own. `report` gets a line for each. Returns the findings, and the rounds."""
    with TwoServers(folder) as servers:
        going = Moves(servers, seed, rate)
        try:
            for line in going.run(rounds):
                report(line)
        finally:
            going.close()
    return going.outcome, going
