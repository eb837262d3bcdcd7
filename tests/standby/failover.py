"""Rounds of failover: load, the primary killed and its standby promoted, quiet, comparison, a new standby."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.chaos.harness import Outcome, Rounds
from tests.standby.pair import Pair

BACK_WITHIN: Final = 30.0
"""Seconds from the kill until pushes are acknowledged again."""
_BEFORE: Final = (1.0, 3.0)
"""Seconds of load before the kill, and after the service is back."""


class Failovers(Rounds):
    """Runs rounds on one pair. `away` has the seconds of each round from the kill until the service was back."""

    def __init__(self, pair: Pair, seed: int) -> None:
        super().__init__(pair, {}, seed)
        self._pair = pair
        self.away: list[float] = []

    def run(self, rounds: int) -> Iterator[str]:
        """Run the rounds. Yields a report line for each."""
        self._begin()
        for number in range(1, rounds + 1):
            if number > 1:
                self._pair.renew_standby()
            self._pusher.go()
            time.sleep(self._chance.uniform(*_BEFORE))
            outage = self._pair.fail_over(self._chance)
            self._outages.append(outage)
            self.away.append(outage.seconds)
            time.sleep(self._chance.uniform(*_BEFORE))
            answers = self._pusher.quiet()
            found, delays = self._rest()
            found.unsound |= set(self._examined(number))
            if outage.seconds > BACK_WITHIN:
                found.unsound.add(f"round {number}: back after {outage.seconds:.1f} s")
            self._keep(number, outage, found, delays)
            yield self._report(number, outage, found, delays, answers)


def run(rounds: int, folder: Path, seed: int, report: Callable[[str], object]) -> tuple[Outcome, list[float]]:
    """Run rounds on a pair of their own. `report` gets a line for each. Returns the findings and the times away."""
    with Pair(folder) as pair:
        going = Failovers(pair, seed)
        try:
            for line in going.run(rounds):
                report(line)
        finally:
            going.close()
    return going.outcome, going.away
