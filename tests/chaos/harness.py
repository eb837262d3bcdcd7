"""Rounds: load, one fault and its repair, quiet, comparison.

The folder keeps the acknowledged events, the log of each process, and one line for each round in rounds.jsonl.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx2

from tests.chaos.beside import KINDS, Follower, Pace, Subscriber
from tests.chaos.calls import AVERAGES, RecordedAverage, doubled_averages, missing_averages
from tests.chaos.claims import CLAIMS, RecordedClaim, doubled_claims, missing_claims
from tests.chaos.credits import CREDITS, RecordedCredit, broken_chains, missing_credits
from tests.chaos.fault import Fault, Outage, at_random, inflict, now
from tests.chaos.fleet import SetUp
from tests.chaos.life import DESK, SECOND, Happening
from tests.chaos.plan import Plan
from tests.chaos.pusher import ACKNOWLEDGED, REFUSED
from tests.chaos.reference import Reference
from tests.chaos.verdict import EVENTS, GRACE, SIGNALS, Delay, Findings, RecordedSignal, compare
from tests.waiting import HANG

_BEFORE: Final = (1.0, 3.0)
"""Seconds of load before the fault, and after its repair."""
_POLL_INTERVAL: Final = 0.25
_RECORD: Final = ("event", "ticket", "clock", "subject", "signal", "delivery")


@dataclass
class Outcome:
    """Result of all rounds."""

    seed: int
    rounds: int = 0
    acknowledged: int = 0
    breaches: int = 0
    delivered: int = 0
    findings: Findings = field(default_factory=Findings)
    latest: dict[str, int] = field(default_factory=dict[str, int])
    """By fault: maximum detection lag in micros, including the outage."""

    @property
    def counts(self) -> str:
        """How much was compared."""
        return f"{self.acknowledged} events, {self.breaches} breaches, {self.delivered} deliveries"

    def __str__(self) -> str:
        return f"rounds={self.rounds} {self.findings}"


class Rounds:
    """Runs rounds on one set-up."""

    def __init__(self, fleet: SetUp, faults: Mapping[str, Fault], seed: int) -> None:
        self._fleet, self._faults, self._chance = fleet, faults, Random(seed)
        self.outcome = Outcome(seed)
        self._reference = Reference()
        self._outages: list[Outage] = []
        self._subscriber = Subscriber(seed)
        self._follower = Follower([web.base for web in fleet.webs], fleet.key)
        self._pace = Pace()
        self._pusher = fleet.pusher(seed)
        self._read = 0
        self._slow: dict[object, Delay] = {}

    def run(self, rounds: int) -> Iterator[str]:
        """Run the rounds. Yields a report line for each."""
        self._begin()
        for number, fault in zip(range(1, rounds + 1), at_random(self._chance, self._faults), strict=False):
            self._pusher.go()
            time.sleep(self._chance.uniform(*_BEFORE))
            outage = inflict(fault, self._faults[fault], self._chance)
            self._outages.append(outage)
            time.sleep(self._chance.uniform(*_BEFORE))
            answers = self._pusher.quiet()
            found, delays = self._rest()
            found.unsound |= set(self._examined(number))
            self._keep(number, outage, found, delays)
            yield self._report(number, outage, found, delays, answers)

    def close(self) -> None:
        """Stop everything. If anything was found, the tables are written to the folder."""
        self._pusher.close()
        self._fleet.beside.run(self._subscriber.close())
        for table in _RECORD if self.outcome.findings else ():
            rows = self._fleet.ask(f"SELECT * FROM {table}")
            lines = "".join(json.dumps(dict(row), default=str) + "\n" for row in rows)
            (self._fleet.folder / f"table-{table}.jsonl").write_text(lines)

    def _begin(self) -> None:
        self._fleet.start()
        url = self._fleet.beside.run(self._subscriber.open())
        asked = {"desk": DESK, "kinds": KINDS, "url": url}
        headers = {"Authorization": f"Bearer {self._fleet.key}"}
        base = self._fleet.webs[0].base
        httpx2.post(f"{base}/v1/subscriptions", json=asked, headers=headers, timeout=HANG).raise_for_status()
        self._fleet.beside.begin(self._follower.follow())
        self._fleet.beside.begin(self._pace.watch())

    def _rest(self) -> tuple[Findings, list[Delay]]:
        """Wait until all signals are recorded and delivered; those that are not after HANG are lost."""
        self._read_acknowledged()
        time.sleep(max(0, self._reference.last() + GRACE - now()) / SECOND)
        until = time.monotonic() + HANG
        while True:
            found, delays = self._compared()
            pending = found.lost or found.unrecorded or found.invented or found.undelivered or found.unseen
            if not pending or time.monotonic() > until:
                return found, delays
            time.sleep(_POLL_INTERVAL)

    def _compared(self) -> tuple[Findings, list[Delay]]:
        stored = [row["event_id"] for row in self._fleet.ask(EVENTS)]
        recorded = [RecordedSignal.of(row) for row in self._fleet.ask(SIGNALS)]
        found, delays = compare(self._reference, stored, recorded, self._outages)
        self._compare_months(found)
        found.refused |= set(self._lines(REFUSED))
        found.undelivered |= self._subscriber.misses(recorded)
        found.unseen |= self._follower.wrong
        found.unseen |= {each.seq for each in recorded if each.seq > self._follower.last}
        self.outcome.acknowledged, self.outcome.breaches = len(self._reference.events), len(delays)
        self.outcome.delivered = len(self._subscriber.arrived)
        return found, delays

    def _compare_months(self, found: Findings) -> None:
        """Credits, claims and averages. What depends on the time does so by now."""
        credits = [RecordedCredit.of(row) for row in self._fleet.ask(CREDITS)]
        found.unrecorded |= missing_credits(self._reference.credits(), credits)
        found.doubled |= broken_chains(credits)
        claims = [RecordedClaim.of(row) for row in self._fleet.ask(CLAIMS)]
        found.unrecorded |= missing_claims(self._reference.claims(now()), claims)
        found.doubled |= doubled_claims(claims)
        averages = [RecordedAverage.of(row) for row in self._fleet.ask(AVERAGES)]
        found.unrecorded |= missing_averages(self._reference.averages(now()), averages)
        found.doubled |= doubled_averages(averages)

    def _examined(self, number: int) -> Iterator[str]:
        """Failed checks of `slatimer doctor` and ended processes, which are restarted."""
        done = self._fleet.run("doctor", "--json")
        if done.exit_code:
            yield f"round {number}: {done.stderr}"
            checks: list[dict[str, Any]] = json.loads(done.stdout or "[]")
            yield from (
                f"round {number}: {c['check']}: {c['detail']}" for c in checks if c["verdict"] == "fault"
            )
        for member in self._fleet.members:
            if not member.alive:
                yield f"round {number}: {member.name} has ended unexpectedly"
                member.start()

    def _read_acknowledged(self) -> None:
        lines = self._lines(ACKNOWLEDGED)
        for line in lines[self._read :]:
            row: dict[str, Any] = json.loads(line)
            acknowledged_at = row.pop("acknowledged_at")
            self._reference.add(Happening(**row), acknowledged_at)
        self._read = len(lines)

    def _lines(self, name: str) -> list[str]:
        return (self._fleet.folder / name).read_text().splitlines()

    def _keep(self, number: int, outage: Outage, found: Findings, delays: list[Delay]) -> None:
        outcome = self.outcome
        outcome.rounds = number
        outcome.findings |= found
        latest = max((delay.after_it for delay in self._of_round(delays)), default=0)
        outcome.latest[outage.fault] = max(latest, outcome.latest.get(outage.fault, 0))

    def _of_round(self, delays: list[Delay]) -> Iterator[Delay]:
        """The delays of this round."""
        since = self._outages[-2].ended_at if len(self._outages) > 1 else 0
        return (delay for delay in delays if delay.breach.at > since)

    def _report(
        self, number: int, outage: Outage, found: Findings, delays: list[Delay], answers: dict[str, int]
    ) -> str:
        """A line for the console; the file gets all details."""
        latest = max((delay.after_it for delay in self._of_round(delays)), default=0) / SECOND
        machine = self._pace.take()
        kinds = {kind: sorted(map(str, names)) for kind, names in found.kinds().items() if names}
        row = {
            "round": number,
            "fault": outage.fault,
            "detail": outage.detail,
            "began_at": outage.began_at,
            "ended_at": outage.ended_at,
            "latest": latest,
            "machine": machine,
            "acknowledged": self.outcome.acknowledged,
            "breaches": self.outcome.breaches,
            "delivered": self.outcome.delivered,
            "repeated": self._subscriber.repeated,
            "answers": answers,
            "found": kinds,
        }
        with (self._fleet.folder / "rounds.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")
        wrong = f" WRONG: {kinds}" if kinds else ""
        away = f"away {outage.seconds:.1f} s, maximum detection lag {latest:.2f} s, of the machine {machine:.2f} s"
        return f"round {number}: {outage.fault} ({outage.detail}), {away}{wrong}"


def run(plan: Plan, rounds: int, folder: Path, seed: int, report: Callable[[str], object]) -> Outcome:
    """Run rounds on a set-up of their own. `report` gets a line for each."""
    with plan.set_up(folder) as (set_up, faults):
        going = Rounds(set_up, faults, seed)
        try:
            for line in going.run(rounds):
                report(line)
        finally:
            going.close()
    return going.outcome
