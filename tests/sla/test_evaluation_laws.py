"""Laws of `evaluate` and `signals` over random small tickets, and an independent walk through the minutes.

The domain is small on purpose: few commitments of every kind, instants on the minute, a fortnight around a clock change,
so that equal instants, exact fits and changes in pauses happen all the time.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.sla.agreement.file import parse_agreement
from app.sla.calendar import Calendar
from app.sla.clock.evaluation import AppliesTo, Evaluation, NothingKnown, Version, evaluate
from app.sla.clock.explanation import explain
from app.sla.clock.signals import LATE_KINDS, LastRecorded, RecordedSignal, Signal, signals
from app.sla.clock.time_account import TimeAccount
from app.sla.event import Event, in_order
from app.sla.merge import Absorbed
from app.sla.span import DAY, HOUR, MINUTE, Micros

DESK = Calendar.parse(
    {
        "time_zone": "Europe/Paris",
        "hours": {"mon-fri": ["09:00-12:00", "14:00-18:00"], "sat": ["09:00-12:00"]},
        "overrides": {"2026-04-06": []},
    },
    name="d/desk",
)
NIGHTS = Calendar.parse(
    {"time_zone": "America/New_York", "hours": {"mon-fri": ["22:00-06:00"]}}, name="d/nights"
)
AGREEMENT = parse_agreement(
    {
        "desk": "d",
        "time_zone": "Europe/Paris",
        "levels": {"a": {"gti": "4h"}, "b": {"gti": "30m", "calendar": "always"}},
        "commitments": [
            {
                "id": "response",
                "label": "First response",
                "kind": "guarantee",
                "measure": "response",
                "starts_on": ["ticket.created"],
                "stops_on": ["agent.replied"],
                "pauses_while": ["pending"],
                "target": {"by": "priority", "high": "1h", "low": "3 days", "else": "2 working days"},
                "calendar": "d/desk",
                "warn_at": ["75%", "30m before"],
            },
            {
                "id": "gtr",
                "label": "Restored",
                "kind": "guarantee",
                "measure": "gtr",
                "starts_on": ["ticket.created", "call.registered"],
                "stops_on": ["service.restored", "status:solved", "status:closed"],
                "pauses_while": ["pending", "on_hold"],
                "target": "6h",
                "calendar": "d/desk",
                "warn_at": ["75%"],
            },
            {
                "id": "next",
                "label": "Next reply",
                "kind": "objective",
                "measure": "next_reply",
                "starts_on": ["customer.replied"],
                "stops_on": ["agent.replied"],
                "pauses_while": ["on_hold"],
                "target": "90m",
                "calendar": "d/nights",
                "cycle": "next_reply",
                "warn_at": ["50%"],
            },
            {
                "id": "progress",
                "label": "Progress",
                "kind": "objective",
                "measure": "progress",
                "starts_on": ["intervention.started"],
                "stops_on": ["progress.reported"],
                "ends_on": ["service.restored", "status:solved", "status:closed"],
                "target": "1h",
                "calendar": "always",
                "cycle": "progress",
            },
            {
                "id": "gti",
                "label": "Intervention",
                "kind": "guarantee",
                "measure": "gti",
                "applies_to": {"category": ["software"]},
                "starts_on": ["ticket.created"],
                "stops_on": ["intervention.started"],
                "pauses_while": ["pending"],
                "target": "level:gti",
                "calendar": "d/desk",
                "on_reopen": "restart",
                "on_change": "reset",
                "warn_at": ["50%"],
            },
            {
                "id": "opened",
                "kind": "objective",
                "starts_on": [["status:open", "call.registered"]],
                "stops_on": ["agent.replied", "status:solved"],
                "pauses_while": ["pending"],
                "target": "1h",
                "calendar": "d/desk",
                "cycle": "claim",
            },
            {
                "id": "appointment",
                "kind": "guarantee",
                "measure": "gtr",
                "starts_on": ["ticket.created", "field:requested_date"],
                "stops_on": ["intervention.started"],
                "pauses_while": ["on_hold"],
                "target": "5h",
                "calendar": "d/desk",
                "warn_at": ["50%"],
            },
            {
                "id": "owner",
                "kind": "objective",
                "stops_on": ["agent.replied"],
                "ends_on": ["service.restored"],
                "pauses_while": ["pending"],
                "target": "2h",
                "calendar": {"by": "priority", "high": "always", "else": "d/desk"},
                "cycle": "assignment",
                "on_reopen": "resume",
            },
        ],
    },
    calendars={"d/desk": DESK, "d/nights": NIGHTS},
)
VERSIONS = [Version(1, AGREEMENT, 0)]
SUNDAY = 1774742400 * 1_000_000  # 2026-03-29 00:00 UTC: an hour later Paris goes to summer time

KINDS: list[tuple[str, dict[str, Any]]] = [
    *(
        ("status.changed", {"status": s})
        for s in ("open", "pending", "open", "pending", "on_hold", "solved", "closed")
    ),
    ("agent.replied", {}),
    ("agent.replied", {"automatic": True}),
    ("customer.replied", {}),
    ("customer.replied", {}),
    ("call.registered", {}),
    ("intervention.started", {}),
    ("progress.reported", {}),
    ("service.restored", {}),
    *(("ticket.updated", {"priority": p}) for p in ("high", "low", "normal")),
    *(("ticket.updated", {"level": level}) for level in ("a", "b", None)),
    *(("ticket.updated", {"category": c}) for c in ("software", "hardware")),
    *(("ticket.updated", {"assignee": each}) for each in ("Ann", "Ben", None)),
    *(("ticket.updated", {"requested_date": on}) for on in ("2026-03-28", "2026-03-30T09:00:00+02:00", None)),
]
RESTATED = parse_agreement(
    {
        "desk": "d",
        "time_zone": "Europe/Paris",
        "commitments": [
            {
                "id": "gtr",
                "label": "Restored",
                "kind": "guarantee",
                "measure": "gtr",
                "starts_on": ["ticket.created", "call.registered"],
                "stops_on": ["service.restored", "status:solved", "status:closed"],
                "pauses_while": ["pending"],
                "target": "3h",
                "calendar": "d/desk",
                "warn_at": ["50%"],
            },
            {
                "id": "read",
                "label": "First action",
                "kind": "objective",
                "measure": "gti",
                "starts_on": ["ticket.created"],
                "stops_on": ["agent.replied", "intervention.started"],
                "pauses_while": ["on_hold"],
                "target": "2 working days",
                "calendar": "d/desk",
            },
        ],
    },
    calendars={"d/desk": DESK},
)
"""Another version of the agreement: one commitment with a shorter target, a new one, and three that are dropped."""
GAPS = st.sampled_from([0, 0, MINUTE, 10 * MINUTE, HOUR, 3 * HOUR, 7 * HOUR, DAY, 2 * DAY])


@st.composite
def logs(draw: st.DrawFn, *, exclusions: bool = False) -> list[Event]:
    """A ticket's log in the order of its instants, from its creation on."""
    at = SUNDAY - 3 * DAY + draw(st.integers(0, 7 * 24)) * HOUR
    first: dict[str, Any] = {
        "status": draw(st.sampled_from(["new", "new", "pending"])),
        "priority": draw(st.sampled_from(["high", "low", None])),
        "level": draw(st.sampled_from(["a", "b", None])),
        "category": draw(st.sampled_from(["software", None])),
        "assignee": draw(st.sampled_from(["Ann", None])),
        "requested_date": draw(st.sampled_from(["2026-03-29", "2026-04-01", None])),
    }
    log = [Event("e00", "ticket.created", "t", at, first)]
    for number in range(1, draw(st.integers(2, 10))):
        at += draw(GAPS)
        kind, data = draw(st.sampled_from(KINDS))
        sequence = draw(st.sampled_from([0, 0, number]))
        if exclusions and draw(st.integers(0, 5)) == 0:
            start = at - draw(st.integers(0, 48)) * HOUR
            data = {"from": _text(start), "to": _text(start + draw(st.integers(1, 30)) * HOUR)}
            kind = "exclusion.granted"
        log.append(Event(f"e{number:02}", kind, "t", at, data, sequence))
    return log


def _text(at: Micros) -> str:
    return DESK.local(at).isoformat()


def _comparable(evaluation: Evaluation) -> object:
    return (
        evaluation.clocks,
        sorted(evaluation.transitions, key=lambda each: each[:5]),
        evaluation.next_at,
        evaluation.not_applicable,
    )


@given(logs(exclusions=True), st.randoms(use_true_random=False), st.integers(0, 100))
def test_any_order_of_arrival_and_any_repetition_gives_the_same_evaluation(
    log: list[Event], random: Any, hours: int
) -> None:
    at = log[-1].at + hours * HOUR
    arrived = log + random.choices(log, k=3)
    random.shuffle(arrived)
    assert _comparable(evaluate(arrived, VERSIONS, at)) == _comparable(evaluate(log, VERSIONS, at))


@given(
    logs(exclusions=True),
    st.randoms(use_true_random=False),
    st.sampled_from(AppliesTo),
    st.integers(0, 72),
    st.integers(0, 100),
)
def test_under_several_versions_too_any_order_and_repetition_gives_the_same_evaluation(
    log: list[Event], random: Any, applies_to: AppliesTo, applied: int, hours: int
) -> None:
    versions = [*VERSIONS, Version(2, RESTATED, log[0].at + applied * HOUR, applies_to)]
    at = log[-1].at + hours * HOUR
    arrived = log + random.choices(log, k=3)
    random.shuffle(arrived)
    assert _comparable(evaluate(arrived, versions, at)) == _comparable(evaluate(log, versions, at))


@given(logs(exclusions=True), st.integers(1, 72), st.integers(0, 72))
def test_a_version_for_the_rest_changes_nothing_before_it_was_applied(
    log: list[Event], applied: int, hours: int
) -> None:
    applied_at = log[0].at + applied * HOUR
    versions = [*VERSIONS, Version(2, RESTATED, applied_at, AppliesTo.REST)]
    at = min(log[0].at + hours * HOUR, applied_at - 1)
    assert _comparable(evaluate(log, versions, at)) == _comparable(evaluate(log, VERSIONS, at))


@given(logs(), st.integers(0, 100))
def test_the_account_of_an_earlier_instant_is_the_one_that_was_made_then(
    log: list[Event], hours: int
) -> None:
    later = evaluate(log, VERSIONS, log[-1].at + hours * HOUR).histories
    for number, event in enumerate(log, start=1):
        if number < len(log) and log[number].at == event.at:
            continue
        for key, then in evaluate(log[:number], VERSIONS, event.at).histories.items():
            if key in later:
                now = TimeAccount(later[key].clock, event.at)
                assert (now.counted, now.due_at, now.breached_at, now.is_late) == (
                    then.counted,
                    then.due_at,
                    then.breached_at,
                    then.is_late,
                )


@given(logs(), st.integers(0, 100))
def test_an_event_that_was_withdrawn_never_happened(log: list[Event], hours: int) -> None:
    at = log[-1].at + hours * HOUR
    taken_back = log[-1]
    withdrawal = Event("w", "event.withdrawn", "t", taken_back.at, {"id": taken_back.id})
    without = [*log[:-1], replace(taken_back, id="n", type="note.added", data={})]
    with_withdrawal = evaluate([*log, withdrawal], VERSIONS, at)
    assert with_withdrawal.clocks == evaluate(without, VERSIONS, at).clocks


@given(logs(), logs(), st.randoms(use_true_random=False), st.integers(0, 72), st.integers(0, 100))
def test_what_happens_in_a_source_after_its_merge_is_as_if_it_had_happened_in_the_target(
    log: list[Event], later: list[Event], random: Any, merged: int, hours: int
) -> None:
    merge_at = log[0].at + merged * HOUR
    shift = merge_at + 1 - later[0].at
    born = Event("s00", "ticket.created", "s", log[0].at, {"status": "closed"})
    merge = Event("s01", "ticket.merged", "s", merge_at, {"into": "t"})
    facts = [replace(e, id="s" + e.id, subject="s", at=e.at + shift) for e in later[1:]]
    source = [born, merge, *facts, *random.choices(facts, k=2)]
    random.shuffle(source)
    at = max(log[-1].at, facts[-1].at) + hours * HOUR
    absorbed = [Absorbed("s", merge, tuple(source))]
    own = [e for e in facts if e.type not in ("status.changed", "ticket.updated")]
    together = evaluate([*log, *own], VERSIONS, at)
    assert _comparable(evaluate(log, VERSIONS, at, absorbed=absorbed)) == _comparable(together)


def _tell(
    recorded: list[RecordedSignal],
    last: dict[tuple[str, Micros], LastRecorded],
    evaluation: Evaluation,
    revision: int,
) -> list[Signal]:
    """Do as the signal table does: keep what was told, mark what was taken back, correct what was corrected."""
    new = signals(recorded, last, evaluation, revision=revision)
    for signal in new:
        for number, row in enumerate(recorded):
            if row.id == signal.replaces and signal.kind.endswith("_retracted"):
                recorded[number] = row._replace(retracted=True)
            elif row.id == signal.replaces and signal.kind == "due_changed" and signal.new_due_at is not None:
                recorded[number] = row._replace(at=signal.new_due_at)
        key = (signal.commitment, signal.cycle, signal.kind, signal.occurrence, signal.generation)
        assert key not in {(t.commitment, t.cycle, t.kind, t.occurrence, t.generation) for t in recorded}
        recorded.append(
            RecordedSignal(
                f"s{len(recorded)}",
                signal.commitment,
                signal.cycle,
                signal.kind,
                signal.occurrence,
                signal.generation,
                signal.at,
                retracted=False,
            )
        )
    last.clear()
    last.update({(c.commitment, c.cycle_id): LastRecorded(c.state, c.due_at) for c in evaluation.clocks})
    return new


def _live_late(recorded: Sequence[RecordedSignal]) -> set[tuple[str, Micros, Micros]]:
    return {(t.commitment, t.cycle, t.at) for t in recorded if t.kind in LATE_KINDS and not t.retracted}


def _true_late(evaluation: Evaluation) -> set[tuple[str, Micros, Micros]]:
    return {(m.commitment, m.cycle, m.at) for m in evaluation.transitions if str(m.kind) in LATE_KINDS}


@given(logs(), st.integers(0, 200))
def test_waking_only_at_next_at_tells_every_moment_and_each_once(log: list[Event], hours: int) -> None:
    end = log[-1].at + hours * HOUR
    recorded: list[RecordedSignal] = []
    last: dict[tuple[str, Micros], LastRecorded] = {}
    at: Micros | None = log[0].at
    for revision in range(200):
        if at is None or at > end:
            break
        evaluation = evaluate(log, VERSIONS, at)
        for signal in _tell(recorded, last, evaluation, revision):
            assert not signal.kind.endswith("_retracted"), "nothing is taken back without a new fact"
            if signal.kind in LATE_KINDS:
                assert at == signal.at + 1, "told one microsecond after its due date, when it became true"
        assert evaluation.next_at is None or evaluation.next_at > at
        at = evaluation.next_at
    else:
        raise AssertionError("it wakes without end")
    final = evaluate(log, VERSIONS, end)
    _tell(recorded, last, final, 1000)
    assert _live_late(recorded) == _true_late(final)
    unrecorded = {(m.commitment, m.cycle, str(m.kind), m.occurrence) for m in final.transitions} - {
        (t.commitment, t.cycle, t.kind, t.occurrence) for t in recorded
    }
    assert {kind for _, _, kind, _ in unrecorded} <= {"warned"}


@given(logs(), st.integers(0, 100))
def test_the_replay_of_a_prefix_is_what_the_whole_shows_at_that_instant(log: list[Event], hours: int) -> None:
    for number in range(1, len(log) + 1):
        cut = log[number - 1].at
        if number < len(log) and log[number].at == cut:
            continue
        prefix, whole = evaluate(log[:number], VERSIONS, cut), evaluate(log, VERSIONS, cut)
        assert prefix.clocks == whole.clocks
        assert set(prefix.transitions) <= {*evaluate(log, VERSIONS, log[-1].at + hours * HOUR).transitions}


@given(logs(exclusions=True), st.randoms(use_true_random=False), st.integers(0, 100))
def test_however_the_facts_arrive_the_standing_breaches_are_the_true_ones(
    log: list[Event], random: Any, hours: int
) -> None:
    at = log[-1].at + hours * HOUR
    arrival = log[:]
    random.shuffle(arrival)
    recorded: list[RecordedSignal] = []
    last: dict[tuple[str, Micros], LastRecorded] = {}
    for number in range(1, len(arrival) + 1):
        try:
            _tell(recorded, last, evaluate(arrival[:number], VERSIONS, at), number)
        except NothingKnown:
            continue
    assert _live_late(recorded) == _true_late(evaluate(log, VERSIONS, at))


@given(logs(exclusions=True), st.integers(0, 100))
def test_the_spans_of_every_clock_sum_to_what_it_counted_and_to_its_target_at_the_due_date(
    log: list[Event], hours: int
) -> None:
    at = log[-1].at + hours * HOUR
    evaluation = evaluate(log, VERSIONS, at)
    for view in evaluation.clocks:
        spans = explain(evaluation, view.commitment, view.cycle).spans
        assert all(a.end == b.start for a, b in pairwise(spans))
        if view.started_at is None or view.state == "cancelled":
            continue
        assert max((s.total for s in spans if s.end <= at), default=0) == view.counted
        if view.state == "running" and view.due_at is not None and view.due_at > at and spans:
            assert spans[-1].end == view.due_at
            # Later than the target only where a change left nothing to count.
            assert spans[-1].total >= (view.target_length or 0)


@given(logs(exclusions=True), st.integers(0, 60))
def test_a_paused_clock_is_due_when_its_own_forecast_says(log: list[Event], hours: int) -> None:
    at = log[-1].at + hours * HOUR
    resume = Event("z", "status.changed", "t", at, {"status": "open"}, sequence=99)
    before = {(c.commitment, c.cycle_id): c for c in evaluate(log, VERSIONS, at).clocks}
    for after in evaluate([*log, resume], VERSIONS, at).clocks:
        view = before.get((after.commitment, after.cycle_id))
        if view is not None and view.state == "paused" and after.state == "running":
            assert after.due_at == view.due_if_resumed_now


@given(logs(), st.integers(0, 100))
def test_a_clock_breaches_only_while_it_runs(log: list[Event], hours: int) -> None:
    evaluation = evaluate(log, VERSIONS, log[-1].at + hours * HOUR)
    for view in evaluation.clocks:
        if view.breached_at is None:
            continue
        standing = "started"
        for instant_text in evaluation.transitions:
            if (instant_text.commitment, instant_text.cycle) == (view.commitment, view.cycle_id):
                if instant_text.at > view.breached_at or instant_text.kind in LATE_KINDS:
                    break
                if instant_text.kind != "warned":
                    standing = str(instant_text.kind)
        assert standing in ("started", "resumed", "reopened")


MINUTES = st.integers(0, 48 * 60)


@given(st.lists(st.tuples(MINUTES, st.sampled_from(["open", "pending"])), max_size=6), MINUTES)
def test_a_pausing_clock_equals_a_walk_through_the_minutes(changes: list[tuple[int, str]], stop: int) -> None:
    """The reference knows open minutes and one status; it has no spans and no bisection."""
    born = SUNDAY - DAY
    log = [
        Event("a", "ticket.created", "t", born, {"status": "open"}),
        Event("b", "call.registered", "t", born),
        *(
            Event(f"c{n}", "status.changed", "t", born + minute * MINUTE, {"status": status})
            for n, (minute, status) in enumerate(changes)
        ),
        Event("d", "service.restored", "t", born + stop * MINUTE, sequence=9),
    ]
    clock = next(c for c in evaluate(log, VERSIONS, born + 10 * DAY).clocks if c.commitment == "gtr")
    statuses = {}
    for event in in_order(log):
        if event.type == "status.changed":
            statuses[event.at] = str(event.data["status"])
    status, counted, due = "open", 0, None
    for minute in range(stop):
        at = born + minute * MINUTE
        status = statuses.get(at, status)
        if status != "pending":
            counted += DESK.is_open_us(at)
            if counted == 6 * 60 and due is None:
                due = at + MINUTE
    assert clock.counted == counted * MINUTE
    late = due is not None and _was_running_just_after(due, statuses, born) and due < born + stop * MINUTE
    assert (clock.breached_at is not None) == late


def _was_running_just_after(due: Micros, statuses: dict[Micros, str], born: Micros) -> bool:
    """A pause that begins at the due date itself puts it off: nothing is late while paused."""
    last = max((at for at in statuses if at <= due), default=born)
    return statuses.get(last, "open") != "pending"
