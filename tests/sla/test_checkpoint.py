"""Checkpoints: an evaluation that goes on from one equals the evaluation of the whole log."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sla.agreement.agreement import QueueRules
from app.sla.clock.checkpoint import REWRITES_THE_PAST, Checkpoint, begin
from app.sla.clock.evaluation import AppliesTo, Evaluation, NothingKnown, Version, evaluate
from app.sla.event import Event, in_order
from app.sla.queue.waiting import LoneWait, wait_intervals
from app.sla.span import DAY, HOUR, MINUTE
from tests.sla.test_evaluation_laws import AGREEMENT, RESTATED, SUNDAY, VERSIONS, logs
from tests.sla.test_queue_laws import days, rule_sets

CYCLES = 2


def _reply(number: int, author: str) -> Event:
    return Event(f"r{number}", f"{author}.replied", "1", SUNDAY + number * 10 * MINUTE, {"author": author})


CONVERSATION = [
    Event("c", "ticket.created", "1", SUNDAY, {"author": "customer"}),
    *(_reply(number, "customer" if number % 2 else "agent") for number in range(1, 41)),
]


def _without_the_settled(whole: Evaluation, part: Evaluation) -> Evaluation:
    """The evaluation of the whole log, less the cycles that the checkpoint has left out."""
    return replace(
        whole,
        clocks=tuple(
            clock for clock in whole.clocks if not part.is_settled(clock.commitment, clock.cycle_id)
        ),
        transitions=tuple(t for t in whole.transitions if not part.is_settled(t.commitment, t.cycle)),
        histories={},
        settled=part.settled,
    )


def _same(whole: Evaluation, part: Evaluation) -> bool:
    left = _without_the_settled(whole, part)
    return left == replace(part, histories={}, flags=left.flags) and set(left.flags) == set(part.flags)


def _walk(
    log: list[Event], versions: list[Version], waits: list[int], groups: list[int]
) -> tuple[int, int, Evaluation | None]:
    """Receive a log some events at a time. Returns how often the whole log was replayed, how often not, and the end."""
    checkpoint: Checkpoint | None = None
    whole = advanced = start = 0
    part: Evaluation | None = None
    while start < len(log):
        end = start + groups[start % len(groups)]
        known, new = log[:end], log[start:end]
        at = max(event.at for event in known) + waits[start % len(waits)] * MINUTE
        start = end
        if checkpoint is not None and checkpoint.accepts(new, versions, at):
            part, advanced = checkpoint.advance(new, at, cycles=CYCLES), advanced + 1
        else:
            whole += 1
            try:
                part, checkpoint = begin(known, versions, at)
            except NothingKnown:
                checkpoint = None
                continue
        assert _same(evaluate(known, versions, at), part)
    return whole, advanced, part


@given(
    logs(exclusions=True),
    st.lists(st.integers(0, 600), min_size=1, max_size=4),
    st.lists(st.integers(1, 3), min_size=1, max_size=4),
    st.none() | st.sampled_from(AppliesTo),
)
def test_an_evaluation_from_a_checkpoint_equals_that_of_the_whole_log(
    log: list[Event], waits: list[int], groups: list[int], restated: AppliesTo | None
) -> None:
    later = [] if restated is None else [Version(2, RESTATED, SUNDAY + 30 * HOUR, restated)]
    _walk(in_order(log), [*VERSIONS, *later], waits, groups)


def test_a_conversation_is_replayed_once_and_leaves_out_its_old_cycles() -> None:
    whole, advanced, last = _walk(CONVERSATION, VERSIONS, [1], [1])
    assert (whole, advanced) == (1, 40)
    assert last is not None
    assert last.settled["next"].count == 18
    assert [clock.cycle for clock in last.clocks if clock.commitment == "next"] == [19, 20]


def test_what_rewrites_the_past_or_lies_in_it_or_ahead_needs_the_whole_log() -> None:
    at = CONVERSATION[-1].at + HOUR
    _, checkpoint = begin(CONVERSATION, VERSIONS, at)
    assert checkpoint is not None
    reply = _reply(41, "customer")
    assert checkpoint.accepts([reply], VERSIONS, at)
    assert not checkpoint.accepts([replace(reply, at=CONVERSATION[-1].at)], VERSIONS, at)
    assert not checkpoint.accepts([replace(reply, at=at + 1)], VERSIONS, at)
    assert not checkpoint.accepts([replace(reply, type="event.withdrawn")], VERSIONS, at)
    assert not checkpoint.accepts([replace(reply, type="exclusion.granted")], VERSIONS, at)
    assert not checkpoint.accepts([reply], [*VERSIONS, Version(2, AGREEMENT, at)], at)
    assert not checkpoint.accepts([], VERSIONS, at - HOUR - 1)


@pytest.mark.parametrize(
    ("applies_to", "accepted"), [(AppliesTo.NEW, True), (AppliesTo.OPEN, False), (AppliesTo.REST, False)]
)
def test_an_event_before_a_version_needs_the_whole_log_where_the_version_looks_at_the_status(
    applies_to: AppliesTo, accepted: bool
) -> None:
    at = CONVERSATION[-1].at + DAY
    versions = [
        Version(1, AGREEMENT, at - MINUTE),
        Version(2, RESTATED, CONVERSATION[-1].at + HOUR, applies_to),
    ]
    _, checkpoint = begin(CONVERSATION, versions, at)
    assert checkpoint is not None
    assert checkpoint.accepts([_reply(41, "customer")], versions, at) is accepted


def test_a_log_with_something_ahead_or_merged_away_has_no_checkpoint() -> None:
    at = CONVERSATION[-1].at
    assert begin(CONVERSATION, VERSIONS, at - 1)[1] is None
    merge = Event("m", "ticket.merged", "1", at, {"into": "2"})
    assert begin([*CONVERSATION, merge], VERSIONS, at)[1] is None
    unknown = Event("w", "event.withdrawn", "1", at, {"id": "not there"})
    assert begin([*CONVERSATION, unknown], VERSIONS, at)[1] is None


@given(days(), rule_sets, st.booleans(), st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_a_lone_ticket_goes_on_waiting_as_its_whole_log_says(
    day: list[Event], rules: QueueRules, ends_pending: bool, groups: list[int]
) -> None:
    by_instant = {e.at: e for e in day if e.subject == "t0" and e.type not in REWRITES_THE_PAST}
    log = [by_instant[at] for at in sorted(by_instant)]
    log.insert(0, Event("first", "ticket.created", "t0", -1, {"customer": "x", "title": "one"}))
    lone = LoneWait.begin("t0", log[:1], rules, reply_ends_pending=ends_pending)
    assert lone is not None
    start = 1
    while start < len(log):
        end = start + groups[start % len(groups)]
        lone.leave_out_all_but(1)
        lone.advance(log[start:end])
        start = end
        whole = wait_intervals({"t0": log[:end]}, rules, log[-1].at, reply_ends_pending=ends_pending)
        assert lone.wait_intervals == whole["t0"][lone.left_out :]
