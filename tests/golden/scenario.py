"""Two thousand tickets of the five shipped desks, the same ones each time, and everything that is answered about them.

What happens is drawn from a fixed seed by `random.Random.random` alone, which Python keeps the same from release to
release. It is pushed through `Service` as a ticket system would: in batches, many facts late, some twice, while the
clock moves on, the sweeper runs and the desks change their agreements. Each of the eight parts has a database of its
own, begins at another time of the year and puts other versions into force.

`python -m tests.golden.scenario` writes tickets.jsonl.xz anew, with what the code at hand answers. That is right only
where an answer is meant to change; see test_golden.py.
"""

import lzma
import random
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import orjson

from app.flow.judge.receive import Incoming
from app.log import log_as_json
from app.settings import Settings
from app.sla.clock.evaluation import AppliesTo
from app.store.engine.database import Database
from tests.servers.databases import SqliteDatabases, with_tables
from tests.service import ROOT, Service, WallClock, event
from tests.waiting import HANG

T = TypeVar("T")
Json = dict[str, Any]

TICKETS: Final = Path(__file__).with_name("tickets.jsonl.xz")
DESKS: Final = ("haisoft", "webxtra", "clamehost", "hvn", "phpnet")
PARTS: Final = 8
TICKETS_OF_A_DESK: Final = 50
"""In each part."""
COUNT: Final = PARTS * len(DESKS) * TICKETS_OF_A_DESK
SEED: Final = 20261128

DAY: Final = 24 * 60
"""All lengths here are minutes."""
FIRST_BEGIN: Final = datetime(2025, 10, 13, 6, tzinfo=UTC)
BETWEEN_PARTS: Final = timedelta(days=40)
LAST_CREATION: Final = 17 * DAY
LAST_FACT: Final = 26 * DAY
END: Final = 27 * DAY
CHANGES: Final = (7 * DAY, 14 * DAY)
"""When the desks put their second and their third version into force."""

# -- what is drawn ---------------------------------------------------------------------------------------------------


class Chance:
    """Draws, the same ones each time."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, count: int) -> int:
        """A number from 0 up to, not including, `count`."""
        return int(self._random.random() * count)

    def one_of(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def happens(self, share: float) -> bool:
        return self._random.random() < share

    def shuffle(self, items: list[Any]) -> None:
        for left in range(len(items) - 1, 0, -1):
            other = self.below(left + 1)
            items[left], items[other] = items[other], items[left]


@dataclass(frozen=True, slots=True)
class Fact:
    """An event, with when it is heard of. Minutes since the begin of its part."""

    id: str
    type: str
    subject: str
    at: int
    heard_at: int
    data: Json
    sequence: int = 0


GAPS: Final = (0, 0, 0, 15, 30, 60, 90, 120, 240, 480, 480, DAY, 2 * DAY, 4 * DAY)
LATE_BY: Final = (0, 0, 0, 0, 0, 0, 0, 0, 5, 5, 45, 300, 1500, 5 * DAY)
CUSTOMERS: Final = ("Jansen", "ACME", "Việt Nam Mail", "Rossi", None)
SUBJECTS: Final = (
    "Mail is down",
    "Re: mail is  DOWN",
    "Server unreachable",
    "Fwd: Server unreachable",
    "Invoice of shop.example.org",
    None,
)
TEXTS: Final = (
    "Is there any news?",
    "It is about www.jansen.nl",
    "Thanks!",
    "acme.example.com, please",
    None,
)
STATUSES: Final = (
    *("new", "open", "open", "open", "pending", "pending", "pending", "on_hold"),
    *("solved", "solved", "closed"),
)
FIELDS: Final[dict[str, tuple[str | None, ...]]] = {
    "priority": ("urgent", "high", "normal", "low", None),
    "plan": ("managed", "basic", None),
    "level": ("example-1", "example-2", "example-24-7", "unheard-of", None),
    "contract": ("C-1001", "C-17", None),
    "service": ("dedicated", "virtual", "shared", None),
    "channel": ("phone", "monitoring", "email", None),
    "assignee": ("Ann", "Ben", None),
    "group": ("first", "second"),
    "queue": ("billing", "default", None),
    "domain": ("jansen.nl", "rossi.it", None),
    "title": SUBJECTS,
    "customer": CUSTOMERS,
}
CATEGORIES: Final[dict[str, tuple[str | None, ...]]] = {
    "haisoft": ("hardware", "Hardware", "software", None),
    "webxtra": ("administrative", "client-setup", "scripts", "question", None, None, None),
    "clamehost": ("mail", None),
    "hvn": ("mail", None),
    "phpnet": ("software", "software", "hardware", "network", "out-of-scope", None),
}
KINDS: Final[dict[str, tuple[str | None, ...]]] = {
    "haisoft": (None,),
    "webxtra": (None,),
    "clamehost": ("claim", "claim", "question", None),
    "hvn": ("claim", "claim", "question", None),
    "phpnet": ("intervention", "intervention", None, "question"),
}
CHANGED: Final[dict[str, tuple[str, ...]]] = {
    "haisoft": ("priority", "service", "channel", "assignee", "category", "queue"),
    "webxtra": ("plan", "category", "contract", "domain", "queue", "title", "customer", "priority"),
    "clamehost": ("priority", "kind", "assignee", "category"),
    "hvn": ("kind", "assignee", "priority", "queue"),
    "phpnet": ("level", "level", "category", "contract", "kind", "priority", "assignee"),
}
COMMITMENTS: Final[dict[str, tuple[str, ...]]] = {
    "haisoft": ("ticket-response", "monitoring-intervention", "hardware-replacement", "next-reply"),
    "webxtra": ("response", "administrative-response", "managed-response", "restore"),
    "clamehost": ("restoration", "claim-filing", "claim-answer"),
    "hvn": ("claim-filing", "claim-answer"),
    "phpnet": ("gtr", "gti", "progress-update"),
}
SERVES: Final[dict[str, tuple[str, ...]]] = {
    "haisoft": (
        *(
            "anomaly.detected",
            "anomaly.detected",
            "intervention.started",
            "service.restored",
            "part.replaced",
        ),
        *("request.read", "outage.ended"),
    ),
    "webxtra": ("service.restored", "intervention.started"),
    "clamehost": (
        *("outage.started", "outage.started", "outage.ended", "outage.verified", "outage.verified"),
        *("service.restored", "claim.filed", "claim.answered", "maintenance.announced"),
    ),
    "hvn": ("outage.started", "outage.started", "claim.filed", "claim.answered", "claim.answered"),
    "phpnet": (
        *("call.registered", "call.registered", "call.registered", "intervention.started"),
        *(
            "intervention.started",
            "progress.reported",
            "progress.reported",
            "service.restored",
            "outage.ended",
        ),
    ),
}
"""What moves a desk's own clocks."""


class Life:
    """What happens to one ticket, in the order of its instants."""

    def __init__(self, chance: Chance, desk: str, number: int, part: int) -> None:
        self.chance, self.desk, self.number, self.part = chance, desk, number, part
        self.ticket = name_of(part, desk, number)
        self.at = 15 * chance.below(LAST_CREATION // 15)
        self.facts: list[Fact] = []
        self.steps: tuple[tuple[int, Callable[[], None]], ...] = (
            (14, self._agent_replies),
            (12, self._customer_replies),
            (18, self._status),
            (22, self._serves),
            (12, self._changes),
            (3, self._note),
            (6, self._excludes),
            (4, self._withdraws),
            (4, self._merges),
            (1, self._ends),
        )

    def told(self) -> list[Fact]:
        """From two to fifteen facts, the creation among them nearly always."""
        chance = self.chance
        if not chance.happens(0.04):
            self._created()
        wanted = 2 + min(chance.below(14), chance.below(14))
        while len(self.facts) < wanted:
            self.at += chance.one_of(GAPS)
            self._any_step()()
        return [fact for fact in self.facts if fact.at <= LAST_FACT]

    def _any_step(self) -> Callable[[], None]:
        drawn = self.chance.below(sum(weight for weight, _ in self.steps))
        for weight, step in self.steps:
            drawn -= weight
            if drawn < 0:
                return step
        raise AssertionError("a draw is below the sum of the weights")

    def add(self, kind: str, data: Json, *, at: int | None = None, subject: str | None = None) -> None:
        chance = self.chance
        at = self.at if at is None else at
        late = chance.one_of(LATE_BY)
        if late == 0 and chance.happens(0.02):
            late = -5  # the sender's clock is ahead
        about = subject or self.ticket
        data = data if subject is None else data | {"ticket": self.ticket}
        known = {name: value for name, value in data.items() if value is not None or chance.happens(0.5)}
        sequence = len(self.facts) if chance.happens(0.2) else 0
        name = f"{self.ticket}/{len(self.facts)}"
        self.facts.append(Fact(name, kind, about, at, max(0, at + late), known, sequence))

    def _created(self) -> None:
        chance = self.chance
        data: Json = {name: chance.one_of(values) for name, values in FIELDS.items() if chance.happens(0.6)}
        data |= {"title": chance.one_of(SUBJECTS), "customer": chance.one_of(CUSTOMERS)}
        data |= {"category": chance.one_of(CATEGORIES[self.desk]), "kind": chance.one_of(KINDS[self.desk])}
        if self.desk == "haisoft":
            data["service"] = chance.one_of(("dedicated", "virtual", "dedicated", None, "shared"))
            data["channel"] = chance.one_of((None, None, None, "phone", "monitoring"))
        if chance.happens(0.15):
            data["author"] = chance.one_of(("customer", "agent", "system"))
        if chance.happens(0.1):
            data["status"] = chance.one_of(("open", "pending", "on_hold"))
        if chance.happens(0.1) and data["title"] is not None:
            data["title"] += f" [[{self.ticket}]]"
        if chance.happens(0.3):
            data["text"] = chance.one_of(TEXTS)
        self.add("ticket.created", data)
        if chance.happens(0.05):  # by another clock
            self.at -= 60

    def _message(self, kind: str, author: str) -> None:
        data: Json = {"author": author, "text": self.chance.one_of(TEXTS)}
        if self.chance.happens(0.15):
            data["automatic"] = True
        self.add(kind, data)

    def _agent_replies(self) -> None:
        self._message("agent.replied", "system" if self.chance.happens(0.06) else "agent")

    def _customer_replies(self) -> None:
        for _ in range(1 + self.chance.below(2)):
            self._message("customer.replied", "customer")
            self.at += self.chance.one_of(GAPS)

    def _note(self) -> None:
        self._message("note.added", self.chance.one_of(("agent", "system")))

    def _status(self) -> None:
        self.add("status.changed", {"status": self.chance.one_of(STATUSES)})

    def _serves(self) -> None:
        kind = self.chance.one_of(SERVES[self.desk])
        data: Json = {"author": "Ann", "reference": None}
        at, subject = self.at, None
        if kind.startswith("claim."):
            data = {"claim": f"K{self.number}", "accepted": self.chance.one_of((True, False, None))}
        if kind.startswith("outage."):
            data = {"service": "mail", "cause": self.chance.one_of(("network", "hardware", None))}
            # An incident that is long past, told of only now.
            at -= self.chance.one_of((0, 0, 0, 2 * DAY, 60 * DAY, 80 * DAY)) if self.desk == "hvn" else 0
            subject = self.chance.one_of((None, None, "service:mail"))
        if kind == "call.registered":
            subject = self.chance.one_of((None, f"call:{self.ticket}"))
        if kind == "progress.reported":
            data = {"author": "agent", "automatic": self.chance.happens(0.1)}
        if kind == "maintenance.announced":
            data = {"service": "mail", "from": self.text(at + DAY), "to": self.text(at + DAY + 120)}
        self.add(kind, data, at=at, subject=subject)

    def _changes(self) -> None:
        name = self.chance.one_of(CHANGED[self.desk])
        values = FIELDS.get(name) or (CATEGORIES if name == "category" else KINDS)[self.desk]
        data: Json = {name: self.chance.one_of(values)}
        if self.chance.happens(0.2):
            data["author"] = "agent"
        if self.chance.happens(0.1):
            data["status"] = self.chance.one_of(STATUSES)
        self.add("ticket.updated", data)

    def _excludes(self) -> None:
        chance = self.chance
        begin = self.at - 30 * chance.below(120)
        data: Json = {"from": self.text(begin), "to": self.text(begin + 30 * (1 + chance.below(100)))}
        if chance.happens(0.4):
            data["commitments"] = [chance.one_of(COMMITMENTS[self.desk])]
        data["author"] = chance.one_of(("Ann", None))
        data["reason"] = chance.one_of(("force majeure", "urgent work", None))
        self.add("exclusion.granted", data)

    def _withdraws(self) -> None:
        chance = self.chance
        known = [fact.id for fact in self.facts] or [f"{self.ticket}/0"]
        which = f"{self.ticket}/nowhere" if chance.happens(0.1) else chance.one_of(known)
        self.add("event.withdrawn", {"id": which, "author": "Ben", "reason": "entered in error"})

    def _merges(self) -> None:
        """Into a neighbour: chains come of it, rings, and targets that nobody knows."""
        other = self.number + self.chance.one_of((-2, -1, -1, 1, 1, 2))
        if self.number % 5 in (1, 2):  # each into the other
            other = self.number + (1 if self.number % 5 == 1 else -1)
        into = name_of(self.part, self.desk, other) if 0 <= other < TICKETS_OF_A_DESK else "unknown"
        self.add("ticket.merged", {"into": "unheard-of" if self.chance.happens(0.06) else into})

    def _ends(self) -> None:
        kind = self.chance.one_of(("ticket.deleted", "moved.to.another.floor"))
        self.add(kind, {"author": "Ann"})

    def text(self, minute: int) -> str:
        return text_of(self.part, minute)


def name_of(part: int, desk: str, number: int) -> str:
    return f"{part}{desk[:2]}{number}"


def begin_of(part: int) -> datetime:
    return FIRST_BEGIN + part * BETWEEN_PARTS


def text_of(part: int, minute: int) -> str:
    return (begin_of(part) + timedelta(minutes=minute)).isoformat()


# -- what the desks promise, one version after the other -------------------------------------------------------------


Edit = Callable[[str], str]


def instead(old: str, new: str) -> Edit:
    """Other words at the first place of these, which must be there."""

    def edit(text: str) -> str:
        assert old in text, f"the shipped agreement says no more: {old}"
        return text.replace(old, new, 1)

    return edit


def more(text: str) -> Edit:
    """Something at the end."""
    return lambda before: before + text


def without(commitment: str) -> Edit:
    """A commitment less, one that is not the last."""

    def edit(text: str) -> str:
        head = "[[commitments]]\n"
        kept = [piece for piece in text.split(head) if f'\nid = "{commitment}"\n' not in piece]
        assert len(kept) == text.count(head)
        return head.join(kept)

    return edit


NEXT_REPLY: Final = """
[[commitments]]
id = "next-reply"
label = "Next reply"
kind = "objective"
measure = "next_reply"
cycle = "next_reply"
starts_on = ["customer.replied"]
stops_on = ["agent.replied"]
pauses_while = ["pending", "on_hold"]
target = { by = "priority", urgent = "30m", high = "2h", else = "2 working days" }
calendar = "haisoft/tickets"
warn_at = ["50%", "30m before"]
on_change = "ON_CHANGE"
"""
CONTRACTS: Final = """
[contracts.C-1001]
managed-response = "4h"
[contracts.C-17]
managed-response = "90m"
calendar = "always"
"""
RESTORE: Final = """
[[commitments]]
id = "restore"
label = "Restored"
kind = "guarantee"
measure = "gtr"
applies_to = { plan = ["managed", "basic"] }
starts_on = ["ticket.created"]
stops_on = ["service.restored", "status:solved", "status:closed"]
pauses_while = ["pending"]
target = { by = "priority", urgent = "4h", high = "1 working day", else = "12h" }
calendar = "webxtra/desk"
warn_at = ["75%"]
on_reopen = "restart"
on_change = "ON_CHANGE"
"""
VERSIONS: Final[dict[str, tuple[Sequence[Edit], Sequence[Edit]]]] = {
    "haisoft": (
        (instead('target = "2h"', 'target = "3h"'), more(NEXT_REPLY.replace("ON_CHANGE", "carry"))),
        (
            instead('target = "4h"', 'target = "6h"'),
            instead('target = "1h"', 'target = "30m"'),
            more(NEXT_REPLY.replace("ON_CHANGE", "from_start")),
        ),
    ),
    "webxtra": (
        (more(CONTRACTS), more(RESTORE.replace("ON_CHANGE", "reset"))),
        (
            more(CONTRACTS),
            more(RESTORE.replace("ON_CHANGE", "carry").replace('"restart"', '"resume"')),
            instead('target = "3 working days"', 'target = "2 working days"'),
            instead('repeat_message = "moves"', 'repeat_message = "keeps"'),
            instead('domain_reply = "moves"', 'domain_reply = "keeps"'),
        ),
    ),
    "clamehost": (
        (instead('target = "2h"', 'target = "90m"'), without("claim-filing")),
        (instead('["claim.answered", "agent.replied"]', '["claim.answered"]'),),
    ),
    "hvn": (
        (
            instead('target = "15 working days"', 'target = "10 working days"'),
            instead('target = "3 months"', 'target = "20 days"'),
        ),
        (),
    ),
    "phpnet": (
        (
            instead('desk = "phpnet"', 'desk = "phpnet"\ndefault_level = "example-1"'),
            instead('gti = "4h"', 'gti = "3h"'),
        ),
        (
            instead(
                'target = "level:gtr"', 'target = "level:gtr"\non_reopen = "restart"\non_change = "reset"'
            ),
            instead('target = "level:gti"', 'target = "level:gti"\non_reopen = "resume"'),
            more('\n[contracts.C-17]\ngti = "30m"\ngtr = "1h"\ncalendar = "always"\n'),
        ),
    ),
}
"""What differs from the shipped agreement in the second and in the third version of each desk."""
MODES: Final = tuple(AppliesTo)


def agreement(desk: str, number: int) -> str:
    """The text of a desk's version after the shipped one: the first, 0, or the second, 1."""
    text = (ROOT / "agreements" / f"{desk}.toml").read_text()
    for edit in VERSIONS[desk][number]:
        text = edit(text)
    return without_credits(text)


def without_credits(text: str) -> str:
    """The text without its credits, which name commitments that a version drops; tickets are answered without them."""
    kept: list[str] = []
    in_credit = False
    for line in text.splitlines(keepends=True):
        if line.startswith("["):
            in_credit = line.startswith("[[credits]]")
        if not in_credit:
            kept.append(line)
    return "".join(kept)


# -- how it is pushed ------------------------------------------------------------------------------------------------


def facts_of(part: int, tickets: int = TICKETS_OF_A_DESK) -> list[tuple[str, Fact]]:
    """Everything that happens in a part to the first so many tickets of each desk, in the order in which it is heard."""
    chance = Chance(SEED + part)
    found: list[tuple[str, Fact]] = []
    for desk in DESKS:
        for number in range(TICKETS_OF_A_DESK):
            told = Life(chance, desk, number, part).told()
            found += [(desk, fact) for fact in told if number < tickets]
    chance.shuffle(found)
    return sorted(found, key=lambda one: one[1].heard_at)


def play(service: Service, part: int, tickets: int = TICKETS_OF_A_DESK) -> None:
    """Push a part, or of it the first so many tickets of each desk, up to its end.

    In between the clock moves on, the sweeper runs and the desks put their new versions into force.
    """
    service.apply_shipped(*DESKS)
    playing = _Playing(service, part)
    heard = facts_of(part, tickets)
    while heard:
        size = 1 + min(playing.chance.below(60), playing.chance.below(60))
        batch, heard = heard[:size], heard[size:]
        playing.push(batch)
    for minute in range(LAST_FACT, END + 1, DAY // 2):
        playing.until(minute)


@dataclass(slots=True)
class _Playing:
    service: Service
    part: int
    now: int = 0
    chance: Chance = field(init=False)
    again: list[Incoming] = field(default_factory=list[Incoming])
    versions: int = 0

    def __post_init__(self) -> None:
        self.chance = Chance(1000 * SEED + self.part)

    def push(self, batch: Sequence[tuple[str, Fact]]) -> None:
        """Push a batch once all of it is heard of, and now and then something that was pushed before."""
        heard_at = max(fact.heard_at for _, fact in batch)
        if heard_at - self.now > 3 * 60:
            self.until((self.now + heard_at) // 2 // 5 * 5)
        self.until(heard_at, sweep=self.chance.happens(0.7))
        events = [_incoming(self.part, desk, fact) for desk, fact in batch]
        self.again += [one for one in events if self.chance.happens(0.04)]
        if len(self.again) > 3:
            events += self.again
            self.again.clear()
        self.chance.shuffle(events)
        receipt = self.service.push(*events)
        assert not receipt.refused, receipt.refused

    def until(self, minute: int, *, sweep: bool = True) -> None:
        """Let time pass. A new version comes at its time."""
        while self.versions < len(CHANGES) and CHANGES[self.versions] <= minute:
            self._pass(max(self.now, CHANGES[self.versions]), sweep=True)
            for number, desk in enumerate(DESKS):
                mode = MODES[(self.part + number + self.versions) % len(MODES)]
                assert self.service.apply_agreement(desk, agreement(desk, self.versions), mode)
            self.versions += 1
            self._pass(self.now + 1, sweep=True)
        self._pass(minute, sweep=sweep)

    def _pass(self, minute: int, *, sweep: bool) -> None:
        if minute > self.now:
            self.now = minute
            self.service.clock.set(text_of(self.part, minute))
        if sweep:
            self.service.sweeper.sweep_now()


def _incoming(part: int, desk: str, fact: Fact) -> Incoming:
    at = text_of(part, fact.at)
    return event(fact.id, fact.type, fact.subject, at, desk=desk, sequence=fact.sequence, **fact.data)


# -- what is answered ------------------------------------------------------------------------------------------------

PACKING: Final = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "pb": 0}]
AS_THE_RULE_SAYS: Final = "as the rule says"
AS_IN_THE_VIEW: Final = "as in the view"


def answers(service: Service, part: int) -> Iterator[Json]:
    """Every ticket of a part: its view, its signals in their order, and the explanation of each of its clocks.

    What would only make the file longer is left out where it is what it must be, and stands as it is where it is not:
    the ids of signals, the clock of an explanation, a span's begin and its local times.
    """
    signals: dict[tuple[str, str], list[Json]] = {}
    told = service.signals()
    assert len(told) < 10_000, "all that a page holds"
    for signal in told:
        signals.setdefault((signal["desk"], signal["ticket"]), []).append(signal)
    for desk in DESKS:
        for number in range(TICKETS_OF_A_DESK):
            ticket = name_of(part, desk, number)
            view = service.view(desk, ticket)
            yield {
                "desk": desk,
                "ticket": ticket,
                "view": view,
                "signals": _shortened(signals.get((desk, ticket), [])),
                "explanations": [_explanation(service, view, clock) for clock in view["clocks"]],
            }


def _explanation(service: Service, view: Json, clock: Json) -> Json:
    told = service.explanation(view["desk"], view["ticket"], clock["commitment"], clock["cycle"])
    if told["clock"] == clock:
        told["clock"] = AS_IN_THE_VIEW
    zone = None if told["time_zone"] is None else ZoneInfo(told["time_zone"])
    told["spans"] = [_span(span, before, zone) for before, span in pairwise([{}, *told["spans"]])]
    return told


def _span(span: Json, before: Json, zone: ZoneInfo | None) -> Json:
    more: Json = {}
    for end in ("start", "end"):
        if span[f"{end}_local"] == (zone and datetime.fromisoformat(span[end]).astimezone(zone).isoformat()):
            more[f"{end}_local"] = AS_THE_RULE_SAYS
    if span["start"] == before.get("end"):
        more["start"] = AS_THE_RULE_SAYS
    return span | more


def _shortened(signals: Sequence[Json]) -> list[Json]:
    places = {signal["id"]: f"signal {number}" for number, signal in enumerate(signals)}
    found: list[Json] = []
    for signal in signals:
        more: Json = {"id": AS_THE_RULE_SAYS} if signal["id"] == _id(signal) else {}
        if signal.get("replaces") in places:
            more["replaces"] = places[signal["replaces"]]
        found.append(signal | more)
    return found


def _id(signal: Json) -> str:
    """A signal's id is made from its natural key, for ever."""
    cycle = signal.get("cycle_id")
    since = 0 if cycle is None else _micros(cycle)
    about = signal["commitment"] or signal["queue"]
    key = (signal["desk"], signal["ticket"], about, str(since), signal["kind"], signal["occurrence"])
    named = "\x1f".join((*key, str(signal["generation"])))
    return "sig_" + blake2b(named.encode(), digest_size=15).hexdigest()


def _micros(written: str) -> int:
    return (datetime.fromisoformat(written) - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


@contextmanager
def service_of(databases: SqliteDatabases, part: int) -> Generator[Service]:
    """A service with nothing in it, at the begin of a part. In every second part each ticket has a checkpoint."""
    clock = WallClock()
    clock.set(text_of(part, 0))
    with databases.copy_of(with_tables) as url:
        # The moves of queues were recorded with batches of one size.
        settings = Settings(
            database_url=url,
            checkpoint_min_events=2 if part % 2 else 200,
            sweep_busy_batch_size=200,
            sweep_batch_time=timedelta(seconds=HANG),
        )
        with Database(settings, clock) as database:
            yield Service(settings, database, clock)


def written() -> list[Json]:
    """What tickets.jsonl.xz holds."""
    return [orjson.loads(line) for line in lzma.decompress(TICKETS.read_bytes()).splitlines()]


def main() -> None:
    """Write tickets.jsonl.xz with what the code at hand answers."""
    log_as_json("ERROR")
    lines: list[bytes] = []
    with tempfile.TemporaryDirectory() as folder:
        databases = SqliteDatabases(Path(folder))
        for part in range(PARTS):
            with service_of(databases, part) as service:
                play(service, part)
                lines += [orjson.dumps(line, option=orjson.OPT_SORT_KEYS) for line in answers(service, part)]
    packed = lzma.compress(b"\n".join(lines) + b"\n", filters=PACKING)
    TICKETS.write_bytes(packed)
    sys.stdout.write(f"{len(lines)} tickets, {len(packed)} bytes\n")


if __name__ == "__main__":
    main()
