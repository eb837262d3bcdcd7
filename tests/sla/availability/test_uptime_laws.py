"""Laws of uptime over random histories, and an oracle that looks at every instant by itself.

Time is small here: an instant is one microsecond, a month lasts forty of them. The oracle shares no code with the
service: it asks at each instant of each resource whether it is down and whether anything excuses that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.agreement.availability import AvailabilityRule, MaintenanceNotice, UptimeTarget
from app.sla.agreement.rule import Kind
from app.sla.availability.covered import Covered
from app.sla.availability.facts import read_facts
from app.sla.availability.uptime import ALL, UptimeState, Who, compile_downtime
from app.sla.calendar.zone import Zone
from app.sla.event import Event
from app.sla.period import Months, Period
from app.sla.span import DAY, HOUR, Span
from tests.sla.availability.outages import fact, spanning

END = 70
PERIOD = Period(Span(20, 60), "small")
RESOURCES = ("", "a", "b")
CAUSES = (None, "isp", "network")
REFERENCES = (None, None, "r", "s")
INSTANTS = st.integers(0, END)
FEW = settings(max_examples=120, deadline=None)


KINDS = ("outage", "outage.started", "outage.ended", "outage.verified", "event.withdrawn")
EXCUSES = ("maintenance.announced", "exclusion.granted")


def history(chance: Random) -> list[Event]:
    """Facts of one service, each with a place of its own in the order. Dense, so that they concern each other."""
    events: list[Event] = []

    def add(kind: str, at: int, **data: Any) -> None:
        events.append(fact(f"e{len(events)}", kind, at, len(events), **data))

    for kind in chance.choices([*KINDS, *EXCUSES], [6, 3, 2, 2, 1, 6, 4], k=chance.randint(0, 14)):
        data: dict[str, Any] = {"resource": chance.choice(RESOURCES)}
        start, length = chance.randint(10, 55), chance.randint(1, 20)
        if kind.startswith("outage"):
            data["reference"] = chance.choice(REFERENCES)
            add("outage.started" if kind == "outage" else kind, start, cause=chance.choice(CAUSES), **data)
            if kind == "outage":
                add("outage.ended", start + length, cause=chance.choice(CAUSES), **data)
        elif kind == "event.withdrawn":
            add(kind, start, id=f"e{chance.randint(0, 11)}")
        else:
            data |= {**spanning(Span(start, start + length)), "from_to": (start, start + length)}
            if kind == "maintenance.announced":
                data |= {"reference": chance.choice(REFERENCES), "emergency": chance.random() < 0.5}
                add(kind, start - chance.choice([-3, 0, 1, 2, 4, 5, 5, 6, 9]), **data)
            else:
                of = chance.choice([[], ["uptime"], ["other"]])
                add(kind, start, commitments=of, author="lead", **data)
    return events


def rule_of(chance: Random) -> AvailabilityRule:
    share = chance.choice([Fraction(9, 10), Fraction(3, 4), Fraction(29, 40), Fraction(8, 9)])
    return AvailabilityRule(
        "uptime",
        "Uptime",
        Kind.GUARANTEE,
        ("web",),
        UptimeTarget("", share, strict=chance.random() < 0.5),
        excluded_causes=chance.choice([frozenset[str](), frozenset({"isp"})]),
        maintenance=chance.choice([None, MaintenanceNotice(5, 2), MaintenanceNotice(5, None)]),
        warn_at=(50, 80),
    )


CHANCES = st.integers(0, 2**32).map(Random)
HISTORIES, RULES = CHANCES.map(history), CHANCES.map(rule_of)
EVERYONE = [ALL, Who.of("a"), Who.of("a", "b"), Who.of("c"), Who.of()]
WHO = st.sampled_from(EVERYONE)


# -- The oracle --------------------------------------------------------------------------------------------------------


@dataclass
class Down:
    start: int
    resource: str
    end: int = END * 2
    cause: str | None = None


def in_force(events: Sequence[Event]) -> list[Event]:
    """The events that no withdrawal in force names, in order."""
    gone: set[str] = set()
    by_target: dict[str, list[str]] = {}
    for event in events:
        if event.type == "event.withdrawn":
            by_target.setdefault(str(event.data["id"]), []).append(event.id)

    def stands(event_id: str, seen: tuple[str, ...] = ()) -> bool:
        return event_id in seen or not any(stands(w, (*seen, event_id)) for w in by_target.get(event_id, []))

    gone = {event_id for event_id in by_target if not stands(event_id)}
    kept = [event for event in events if event.id not in gone]
    return sorted(kept, key=lambda event: (event.at, int(event.sequence)))


def downs(events: Sequence[Event]) -> list[Down]:
    found: dict[str, list[Down]] = {}
    for event in events:
        if not event.type.startswith("outage"):
            continue
        reference = event.data.get("reference")
        mine = found.setdefault(
            f"resource {event.data['resource']}" if reference is None else f"ref {reference}", []
        )
        is_open = bool(mine) and mine[-1].end == END * 2
        if event.type == "outage.started":
            if is_open:
                continue
            mine.append(Down(event.at, str(event.data["resource"])))
        elif not mine or (event.type == "outage.ended" and not is_open):
            continue
        elif event.type == "outage.ended":
            mine[-1].end = event.at
        mine[-1].cause = str(event.data["cause"]) if event.data["cause"] else mine[-1].cause
    return [down for each in found.values() for down in each]


def excused(rule: AvailabilityRule, events: Sequence[Event], resource: str, at: int) -> bool:
    for event in events:
        if event.data.get("resource") not in ("", resource):
            continue
        if event.type == "exclusion.granted" and event.data["commitments"] != ["other"]:
            start, end = cast("tuple[int, int]", event.data["from_to"])
            if start <= at < end:
                return True
        if event.type == "maintenance.announced" and rule.maintenance is not None:
            start, end = cast("tuple[int, int]", event.data["from_to"])
            reference = event.data["reference"]
            replaced = any(
                other.type == "maintenance.announced"
                and reference is not None
                and other.data["reference"] == reference
                and event.at <= other.at <= at
                and int(other.sequence) > int(event.sequence) * (other.at == event.at)
                and other is not event
                for other in events
            )
            marked = bool(event.data["emergency"])
            needed = (rule.maintenance.emergency if marked else None) or rule.maintenance.normal
            if start <= at < end and not replaced and start - event.at >= needed:
                return True
    return False


def oracle(rule: AvailabilityRule, events: Sequence[Event], who: Who) -> list[tuple[bool, bool]]:
    """Of each instant of the period, whether it counts, and whether there is an outage."""
    stand = in_force(events)
    outages = downs(stand)
    named = {str(event.data["resource"]) for event in stand if "resource" in event.data}
    resources = {"", *named} if who.resources is None else who.resources or {""}
    found: list[tuple[bool, bool]] = []
    for instant in range(PERIOD.start, PERIOD.end):
        lasting = [down for down in outages if down.start <= instant < down.end]
        mine = [(down, each) for down in lasting for each in resources if down.resource in ("", each)]
        counts = any(
            (down.cause or "") not in rule.excluded_causes and not excused(rule, stand, each, instant)
            for down, each in mine
        )
        found.append((counts, bool(mine)))
    return found


def is_lost(rule: AvailabilityRule, counted: int) -> bool:
    """Whether a period with this much downtime cannot be kept."""
    up = Fraction(PERIOD.span.length - counted, PERIOD.span.length)
    return up <= rule.target.share if rule.target.strict else up < rule.target.share


@pytest.mark.parametrize("seed", range(8))
def test_the_figures_are_those_of_a_walk_through_every_instant(seed: int) -> None:
    chance = Random(seed)
    for _ in range(60):
        events, rule, who = history(chance), rule_of(chance), chance.choice(EVERYONE)
        at = chance.randint(15, END)
        found = compile_downtime(rule, [read_facts("web", events)], who).uptime(PERIOD, at)
        walked = oracle(rule, events, who)[: max(0, at - PERIOD.start)]
        counted = sum(counts for counts, _ in walked)
        assert (found.downtime, found.excluded) == (counted, sum(down for _, down in walked) - counted)
        lost = [n for n in range(len(walked) + 1) if is_lost(rule, sum(counts for counts, _ in walked[:n]))]
        assert found.breached_at == (PERIOD.start + lost[0] if lost else None)
        assert (found.state is UptimeState.BREACHED) == bool(lost)


# -- Laws --------------------------------------------------------------------------------------------------------------


@FEW
@given(HISTORIES, RULES, st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_the_facts_gives_the_same(
    events: list[Event], rule: AvailabilityRule, chance: Random
) -> None:
    shuffled = events + events[::2]
    chance.shuffle(shuffled)
    assert read_facts("web", shuffled) == read_facts("web", events)


@FEW
@given(HISTORIES, RULES, WHO, st.integers(0, END), st.integers(0, END))
def test_cutting_a_period_in_two_sums_to_the_whole(
    events: list[Event], rule: AvailabilityRule, who: Who, cut: int, at: int
) -> None:
    down = compile_downtime(rule, [read_facts("web", events)], who)
    cut = min(max(cut, PERIOD.start), PERIOD.end)
    parts = [Period(Span(PERIOD.start, cut), "first"), Period(Span(cut, PERIOD.end), "second")]
    found = [down.uptime(part, at) for part in parts]
    whole = down.uptime(PERIOD, at)
    assert sum(each.downtime for each in found) == whole.downtime
    assert sum(each.excluded for each in found) == whole.excluded


@FEW
@given(HISTORIES, RULES, WHO, st.integers(0, END))
def test_nothing_changes_before_next_at(
    events: list[Event], rule: AvailabilityRule, who: Who, at: int
) -> None:
    down = compile_downtime(rule, [read_facts("web", events)], who)

    def stands(instant: int) -> tuple[object, ...]:
        found = down.uptime(PERIOD, instant)
        return found.state, found.breached_at, found.warnings

    next_at = down.uptime(PERIOD, at).next_at
    assert all(stands(each) == stands(at) for each in range(at, END if next_at is None else next_at))
    assert next_at is None or stands(next_at) != stands(at) or next_at == PERIOD.end


@FEW
@given(HISTORIES, RULES, WHO, INSTANTS, st.integers(1, 20), st.sampled_from(RESOURCES))
def test_a_further_outage_never_gives_more_uptime(
    events: list[Event], rule: AvailabilityRule, who: Who, start: int, length: int, resource: str
) -> None:
    more = {"reference": "further", "resource": resource}
    further = [
        fact("further1", "outage.started", start, 100, **more),
        fact("further2", "outage.ended", start + length, 101, **more),
    ]
    before, after = (
        compile_downtime(rule, [read_facts("web", log)], who).uptime(PERIOD, END)
        for log in (events, events + further)
    )
    assert after.share <= before.share


SPANS = st.builds(lambda start, length: Span(start, start + length), INSTANTS, st.integers(0, 9))


@FEW
@given(st.lists(SPANS, max_size=8), st.lists(SPANS, max_size=8), SPANS, st.integers(0, 12))
def test_a_union_never_exceeds_its_parts_and_is_what_a_set_of_instants_is(
    first: list[Span], second: list[Span], cut: Span, amount: int
) -> None:
    one, other = ({at for span in spans for at in range(span.start, span.end)} for spans in (first, second))
    union, less = Covered.of(first), Covered.of(second)
    assert union.sums[-1] == len(one) <= sum(span.length for span in first)
    within = set(range(cut.start, cut.end))
    assert {at for span in union.cut(cut) for at in range(span.start, span.end)} == one & within
    assert union.within(cut) == len(one & within)
    assert union.less(less).sums[-1] == len(one - other)
    assert union.common(less).sums[-1] == len(one & other)
    after = sorted(at for at in one if at >= cut.start)
    expected = cut.start if amount == 0 else after[amount - 1] + 1 if amount <= len(after) else None
    assert union.reached(cut.start, amount) == expected


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["2026-03", "2026-10"]), st.integers(0, 31 * 24 * 60), st.integers(1, 5_000))
def test_in_months_with_a_clock_change_the_months_sum_to_the_span(
    month: str, minutes: int, length: int
) -> None:
    months = Months(Zone("Europe/Rome"))
    period = months.named(month)
    assert period.span.length != 31 * DAY
    start = period.start + minutes * HOUR // 60
    log = [
        fact("a", "outage.started", start, reference="r"),
        fact("b", "outage.ended", start + length * HOUR // 60, reference="r"),
    ]
    rule = AvailabilityRule(
        "uptime", "Uptime", Kind.GUARANTEE, ("web",), UptimeTarget("", Fraction(1, 2), strict=False)
    )
    down = compile_downtime(rule, [read_facts("web", log)])
    periods = list(months.between(start, start + length * HOUR // 60))
    found = [down.uptime(each, periods[-1].end) for each in periods]
    assert sum(each.downtime for each in found) == length * HOUR // 60
    assert all(each.share == 1 - Fraction(each.downtime, each.period.span.length) for each in found)
