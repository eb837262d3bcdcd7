"""Tickets of other systems' tests, told in our words: what the system promises, what happened, what is asked of it.

A case states a calendar, targets, events and the answers that the other system gives. Here it becomes an agreement read
from a plain document and events of ours, judged at the last of them, and each of its questions a reading of our clocks.
Instants are microseconds UTC; lengths that are asked for are seconds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.sla.agreement.file import parse_agreement
from app.sla.clock.evaluation import AppliesTo, Evaluation, Version, evaluate
from app.sla.clock.transition import ONCE, State
from app.sla.clock.view import ClockView
from app.sla.event import Event
from app.sla.span import SECOND, Micros, instant, micros
from tests.sla.vector import Case, calendar_of

# Where null says that a clock has stopped, only a running one has a deadline. In these it is shown of a stopped one too:
# Frappe stores it, Zammad's are an older version's or ask its arithmetic past the closing.
KEEPS_DEADLINE: Final = {"frappe-011"} | {f"zamsla-0{n}" for n in (15, 17, 19, 20, 27, 33, 35, 36, 37)}

Promise = dict[str, Any]
FIRST_ANSWER: Final[Promise] = {
    "measure": "response",
    "starts_on": ["ticket.created"],
    "stops_on": ["agent.replied"],
}
ANSWER: Final[Promise] = {
    "cycle": "next_reply",
    "starts_on": ["customer.replied"],
    "stops_on": ["agent.replied"],
    "pauses_while": ["pending"],
}
SOLUTION: Final[Promise] = {
    "measure": "gtr",
    "starts_on": ["ticket.created"],
    "stops_on": ["status:solved", "status:closed"],
    "pauses_while": ["pending"],
}
PROMISES: Final[dict[str, dict[str, Promise]]] = {
    "zammad": {
        "first_response": FIRST_ANSWER | {"pauses_while": ["pending"]},
        "update": ANSWER,
        "solution": SOLUTION,
        "x": SOLUTION | {"starts_on": ["call.registered"]},
    },
    "rt": {
        "response": ANSWER | {"starts_on": ["ticket.created", "customer.replied"]},
        "keep_in_loop": ANSWER
        | {"cycle": "progress", "starts_on": ["agent.replied"], "ends_on": ["customer.replied"]},
        "resolve": SOLUTION,
    },
    "frappe": {"response": FIRST_ANSWER, "resolution": SOLUTION, "update": ANSWER},
    "glpi": {
        "TTO": FIRST_ANSWER | {"stops_on": ["intervention.started"]},
        "TTR": SOLUTION,
    },
}
# A case that only measures states no target. One is needed to measure by; its length plays no part.
ANY_TARGET: Final = "24h"

FACTS: Final[dict[str, tuple[str, dict[str, object]]]] = {
    "created": ("ticket.created", {}),
    "customer_reply": ("customer.replied", {"author": "customer"}),
    "agent_reply": ("agent.replied", {"author": "agent"}),
    # Zammad's tests set the field of that name and write no message: a mark of its own, which answers no update.
    "first_response": ("intervention.started", {"author": "agent"}),
    "clock_start": ("call.registered", {}),
    "open": ("status.changed", {"status": "open"}),
    "pending": ("status.changed", {"status": "pending"}),
    "resolved": ("status.changed", {"status": "solved"}),
    "closed": ("status.changed", {"status": "closed"}),
}


def peer_of(case: Case) -> str:
    return str(case["id"]).partition("-")[0].removesuffix("sla").replace("zam", "zammad")


def targets_of(case: Case) -> dict[str, str]:
    """The target of each promise, as an agreement file writes it."""
    match case:
        case {"metric": metric, "target": {"business_days": days}}:
            return {metric: f"{days} working days"}
        case {"metric": metric, "target": {"seconds": seconds}}:
            return {metric: f"{seconds}s"}
        case {"target_seconds": given} if given:
            return {name: f"{seconds}s" for name, seconds in given.items() if seconds is not None}
        case _:
            return dict.fromkeys(PROMISES[peer_of(case)], ANY_TARGET)


def promise(case: Case, name: str) -> Promise:
    marked = any(event["type"] == "first_response" for event in case["events"])
    given = PROMISES[peer_of(case)][name]
    return given | {"stops_on": ["intervention.started"]} if name == "first_response" and marked else given


def version_of(case: Case) -> Version:
    commitments = [
        {"id": name, "kind": "guarantee", "calendar": "peer/desk", "target": target} | promise(case, name)
        for name, target in targets_of(case).items()
    ]
    document = {"desk": "peer", "commitments": commitments}
    return Version(
        1,
        parse_agreement(document, calendars={"peer/desk": calendar_of(case["calendar"])}),
        0,
        AppliesTo.NEW,
    )


def events_of(case: Case) -> Iterator[Event]:
    for n, given in enumerate(case["events"]):
        if given["type"] == "hold_total":
            yield from for_update(case, given["working_seconds"])
            continue
        type_, data = FACTS[given["type"]]
        more = {
            ours: given[theirs] for theirs, ours in (("by", "author"), ("state", "status")) if theirs in given
        }
        yield Event(f"{n:02}", type_, "T1", at(given["at"]), data | more)


def for_update(case: Case, seconds: int) -> Iterator[Event]:
    """A sum of holds without instants: told as one hold from the creation on, which lies in opening hours."""
    start = at(case["events"][0]["at"])
    for n, (status, after) in enumerate((("pending", 0), ("open", seconds * SECOND))):
        yield Event(f"hold-{n}", "status.changed", "T1", start + after, {"status": status})


def at(text: str) -> Micros:
    return micros(datetime.fromisoformat(text))


# -- how what is asked is read from our clocks ---------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """A case, and how our clocks stand at its last event."""

    case: Case
    evaluation: Evaluation

    @staticmethod
    def of(case: Case) -> "Judged":
        events = list(events_of(case))
        return Judged(case, evaluate(events, [version_of(case)], max(event.at for event in events)))

    def clocks(self, name: str | None = None) -> list[ClockView]:
        return [clock for clock in self.evaluation.clocks if name in (None, clock.commitment)]

    def due(self, name: str | None = None) -> str | None:
        """The earliest deadline, of one promise or of all, as this case shows deadlines."""
        keeps = self.case["id"] in KEEPS_DEADLINE
        return shown(clock for clock in self.clocks(name) if keeps or clock.state is State.RUNNING)

    def next_due(self) -> str | None:
        return shown(clock for clock in self.clocks() if clock.state is State.RUNNING)

    def longest(self, name: str) -> float | None:
        """Counted seconds of the longest cycle that was stopped by what was promised."""
        return max((clock.counted / SECOND for clock in self.stopped(name)), default=None)

    def margin(self, name: str) -> float | None:
        left = [clock.remaining / SECOND for clock in self.stopped(name) if clock.remaining is not None]
        return min(left, default=None)

    def stopped(self, name: str) -> list[ClockView]:
        return [clock for clock in self.clocks(name) if clock.state is State.STOPPED]

    def waits(self, name: str) -> list[float]:
        """Seconds of real time from the start of each stopped cycle to its stop."""
        ends = ((clock.started_at, clock.stopped_at) for clock in self.stopped(name))
        return [(end - start) / SECOND for start, end in ends if start is not None and end is not None]

    def paused_working(self) -> float:
        """Open seconds of the last promise's clock that did not count."""
        clock, calendar = self.clocks()[-1], calendar_of(self.case["calendar"])
        assert clock.started_at is not None
        end = clock.stopped_at or self.evaluation.at
        return (calendar.within_us(clock.started_at, end) - clock.counted) / SECOND

    def paused(self, name: str) -> float:
        """Seconds of real time in which it stood still."""
        stretches = self.evaluation.histories[name, ONCE].stretches
        return sum(s.end - s.start for s in stretches if s.state is State.PAUSED) / SECOND

    def state(self) -> str:
        """Frappe's word for the whole ticket, where it asks for it."""
        response, resolution = self.clocks("response")[-1], self.clocks("resolution")[-1]
        if response.met and resolution.met:
            return "Fulfilled"
        return "Resolution Due" if response.met and resolution.state is State.RUNNING else "neither"

    def elapsed(self) -> float:
        """Counted seconds between two instants; before the first event there are none."""
        first = min(event.at for event in events_of(self.case))
        start, end = (max(at(edge), first) for edge in self.case["expect"]["elapsed_between"])
        return self.counted_by(end) - self.counted_by(start)

    def counted_by(self, edge: Micros) -> float:
        then = evaluate(events_of(self.case), [version_of(self.case)], edge)
        return next(clock.counted / SECOND for clock in then.clocks if clock.commitment == "solution")


def shown(clocks: Iterable[ClockView]) -> str | None:
    due = min((clock.due_at for clock in clocks if clock.due_at is not None), default=None)
    return None if due is None else instant(due).isoformat()


READ: Final[dict[str, Callable[[Judged], object]]] = {
    "deadline": lambda judged: judged.due(),
    "next_deadline": lambda judged: judged.next_due(),
    "first_response_deadline": lambda judged: judged.due("first_response"),
    "update_deadline": lambda judged: judged.due("update"),
    "solution_deadline": lambda judged: judged.due("solution"),
    "response_deadline": lambda judged: judged.due("response"),
    "resolution_deadline": lambda judged: judged.due("resolution"),
    "first_response_seconds": lambda judged: judged.longest("first_response"),
    "first_response_margin_seconds": lambda judged: judged.margin("first_response"),
    "update_seconds_longest": lambda judged: judged.longest("update"),
    "update_margin_seconds": lambda judged: judged.margin("update"),
    "solution_seconds": lambda judged: judged.longest("solution"),
    "solution_margin_seconds": lambda judged: judged.margin("solution"),
    "resolution_seconds_net": lambda judged: judged.longest("resolution"),
    "resolution_seconds_real": lambda judged: sum(judged.waits("resolution")),
    "avg_response_seconds": lambda judged: sum(judged.waits("update")) / len(judged.waits("update")),
    "user_resolution_seconds": lambda judged: sum(judged.waits("update")),
    "paused_working_seconds": lambda judged: judged.paused_working(),
    "paused_seconds": lambda judged: judged.paused("resolution"),
    "state": lambda judged: judged.state(),
    "elapsed_seconds": lambda judged: judged.elapsed(),
}
ASKED_WITH: Final = {"elapsed_between"}
"""What stands among a case's answers and is part of its question."""


def our_answers(case: Case) -> dict[str, object]:
    judged = Judged.of(case)
    return {key: READ[key](judged) for key in case["expect"].keys() - ASKED_WITH}


def plain(answers: Mapping[str, Any]) -> dict[str, object]:
    """Answers with their instants written one way."""
    return {
        key: instant(at(value)).isoformat() if value and key.endswith("deadline") else value
        for key, value in answers.items()
        if key not in ASKED_WITH
    }
