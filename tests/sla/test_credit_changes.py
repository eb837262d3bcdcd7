"""Signals of credits: each transition once, amounts old and new, withdrawals, and the last one is always the state."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.agreement.agreement import Agreement
from app.sla.credit.cause import BrokenUptime
from app.sla.credit.changes import CREDIT_SIGNALS, RecordedChange, changes
from app.sla.credit.line import Line
from app.sla.credit.withdrawal import Withdrawal
from app.sla.event import Event
from app.sla.span import DAY, HOUR, Micros
from tests.sla.credits import agreement, at, down, fact, lines
from tests.sla.test_credit_amounts import HAISOFT
from tests.sla.test_credit_states import DECEMBER, ID, ON_CLAIM, incident

OWED, CLAIMED = agreement(HAISOFT), agreement(ON_CLAIM)


class Log:
    """The recorded signals of a contract."""

    def __init__(self) -> None:
        self.recorded: list[RecordedChange] = []

    def evaluate(
        self, found: Iterable[Line], by: Micros, course: Withdrawal | None = None
    ) -> list[tuple[str, str | None, str | None]]:
        """Record what is new. Returns the kinds with the old and new amounts. `course` is that of a withdrawn line."""
        new = changes(self.recorded, found, by, {} if course is None else {ID: course})
        self.recorded += [
            RecordedChange(
                id=str(n),
                line=each.id,
                kind=each.kind,
                at=each.at,
                generation=each.generation,
                amount=each.new_amount,
                fact=each.fact,
                withdrawn=each.withdrawal is not None,
            )
            for n, each in enumerate(new, start=len(self.recorded))
        ]
        keys = {(each.line, each.kind, each.at, each.generation) for each in self.recorded}
        assert len(keys) == len(self.recorded), "a natural key is used twice"
        return [(each.kind, _text(each.old_amount), _text(each.new_amount)) for each in new]


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def cause(*minutes: int) -> BrokenUptime:
    return down(*minutes, incidents=[incident()])


def test_a_credit_is_signalled_once_when_it_is_owed() -> None:
    log = Log()
    assert log.evaluate(lines(OWED, cause(60), by=DECEMBER - 1), DECEMBER - 1) == []
    assert log.evaluate(lines(OWED, cause(60), by=DECEMBER), DECEMBER) == [("owed", None, "3.30")]
    assert log.evaluate(lines(OWED, cause(60), by=DECEMBER + DAY), DECEMBER + DAY) == []


def test_a_broken_period_that_owes_nothing_is_not_signalled() -> None:
    assert Log().evaluate(lines(OWED, cause(59)), DECEMBER) == []


def test_a_changed_amount_is_signalled_with_the_old_and_the_new_one() -> None:
    log = Log()
    log.evaluate(lines(OWED, cause(60)), DECEMBER)
    assert log.evaluate(lines(OWED, cause(120)), DECEMBER + 1) == [("changed", "3.30", "6.60")]
    assert log.evaluate(lines(OWED, cause(120)), DECEMBER + 2) == []
    assert log.evaluate(lines(OWED, cause(60)), DECEMBER + 3) == [("changed", "6.60", "3.30")]


def test_a_line_whose_cause_is_gone_is_withdrawn_and_owed_again_if_it_comes_back() -> None:
    log = Log()
    log.evaluate(lines(OWED, cause(60)), DECEMBER)
    (withdrawn,) = changes(log.recorded, [], DECEMBER + 1)
    assert (withdrawn.retracts, withdrawn.line) == ("0", None)
    assert log.evaluate([], DECEMBER + 1) == [("withdrawn", "3.30", None)]
    assert log.evaluate([], DECEMBER + 2) == []
    assert log.evaluate(lines(OWED, cause(120)), DECEMBER + 3) == [("owed", None, "6.60")]
    assert log.evaluate([], DECEMBER + 4) == [("withdrawn", "6.60", None)]


def decided(kind: str, when: str, **data: Any) -> Event:
    found = fact(f"credit.{kind}", when, "contract:C-1", credit=ID, author="Eva", **data)
    return replace(found, received_at=at(when))


WITHDRAWN = at("2026-12-05T10:00")
RECORDED = at("2026-12-01T00:00")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([], "withdrawn"),
        ([decided("granted", "2026-12-06T10:00")], "granted"),
        ([decided("refused", "2026-12-06T10:00")], "refused"),
        ([decided("granted", "2026-12-06T10:00"), decided("refused", "2026-12-07T10:00")], "refused"),
        ([decided("granted", "2027-01-01T00:00")], "withdrawn"),
        # It was about the credit as it stood before.
        ([decided("granted", "2026-12-03T10:00")], "withdrawn"),
        # The sweep records a withdrawal a little after a person has seen it.
        ([decided("refused", "2026-12-05T09:59", cause_withdrawn=True)], "refused"),
        # It was about an earlier withdrawal of the same credit.
        ([decided("refused", "2026-11-20T10:00", cause_withdrawn=True)], "withdrawn"),
    ],
)
def test_a_person_decides_about_a_withdrawn_credit(facts: list[Event], expected: str) -> None:
    course = Withdrawal.of(ID, WITHDRAWN, facts, known_at=RECORDED, by=at("2026-12-31T00:00"))
    assert (course.state, course.is_confirmed) == (expected, expected == "granted")
    assert all(each.at >= WITHDRAWN for each in course.transitions)


def test_a_decision_about_a_withdrawn_credit_is_signalled_once_and_taken_back_with_its_fact() -> None:
    log, by = Log(), WITHDRAWN + DAY
    log.evaluate(lines(OWED, cause(60)), DECEMBER)
    granted = Withdrawal.of(ID, WITHDRAWN, [decided("granted", "2026-12-06T10:00")], known_at=RECORDED, by=by)
    assert log.evaluate([], WITHDRAWN, Withdrawal(WITHDRAWN)) == [("withdrawn", "3.30", None)]
    assert log.evaluate([], by, granted) == [("granted", None, "3.30")]
    assert log.evaluate([], by, granted) == []
    assert log.evaluate([], by, Withdrawal(WITHDRAWN)) == [("withdrawn", "3.30", None)]
    assert log.evaluate(lines(OWED, cause(60)), by) == [("owed", None, "3.30")]


def test_what_was_taken_back_because_its_cause_was_gone_is_owed_when_that_stands_again() -> None:
    refused = decided("refused", "2026-12-06T10:00", cause_withdrawn=True)
    log, by = Log(), WITHDRAWN + DAY
    log.evaluate(lines(OWED, cause(60)), DECEMBER)
    course = Withdrawal.of(ID, WITHDRAWN, [refused], known_at=RECORDED, by=by)
    assert [kind for kind, *_ in log.evaluate([], by, course)] == ["withdrawn", "refused"]
    (line,) = lines(OWED, cause(60), facts=[refused])
    assert line.state == "owed"
    assert log.evaluate([line], by) == [("owed", None, "3.30")]


def test_each_step_of_a_claim_is_signalled_though_they_are_learnt_at_once() -> None:
    facts = [
        fact("claim.filed", "2026-12-03T10:00"),
        fact("claim.answered", "2026-12-09T10:00", accepted=False),
        fact("claim.filed", "2026-12-10T10:00"),
        fact("claim.answered", "2026-12-20T10:00", accepted=True),
    ]
    found = Log().evaluate(lines(CLAIMED, cause(60), facts=facts), DECEMBER)
    assert [kind for kind, _, _ in found] == ["claimable", "claimed", "refused", "claimed", "granted"]


def test_a_late_claim_fact_takes_a_lapse_back() -> None:
    log = Log()
    log.evaluate(lines(CLAIMED, cause(60)), DECEMBER)
    filed = fact("claim.filed", "2026-12-03T10:00")
    assert [kind for kind, *_ in log.evaluate(lines(CLAIMED, cause(60), facts=[filed]), DECEMBER)] == [
        "claimed"
    ]
    assert [kind for kind, *_ in log.evaluate(lines(CLAIMED, cause(60)), DECEMBER)] == ["lapsed"]
    assert log.recorded[-1].generation == 1


def test_a_moved_instant_signals_no_transition_again() -> None:
    granted = fact("credit.granted", "2026-11-25T10:00", "contract:C-1", credit=ID)
    requested = fact("credit.requested", "2026-11-22T10:00", "contract:C-1", credit=ID)
    log = Log()
    log.evaluate(lines(CLAIMED, cause(60), facts=[granted]), DECEMBER)
    before = [(each.kind, each.at, each.fact) for each in log.recorded]
    assert before == [("claimable", DECEMBER, None), ("granted", DECEMBER, granted.id)]
    assert log.evaluate(lines(CLAIMED, cause(60), facts=[granted, requested]), DECEMBER + 1) == []
    (moved,) = lines(CLAIMED, cause(60), facts=[granted, requested])
    assert [each.at for each in moved.transitions] == [requested.at, requested.at, granted.at]


def test_a_grant_is_signalled_once_though_its_breach_moves_and_its_amount_changes() -> None:
    facts = [
        fact("claim.filed", "2026-11-21T10:00"),
        fact("claim.answered", "2026-11-22T10:00", accepted=True),
    ]
    log = Log()
    later, earlier = (
        replace(cause(60), breached_at=at(when)) for when in ("2026-11-21T10:00", "2026-11-20T10:44")
    )
    log.evaluate(lines(CLAIMED, later, facts=facts), DECEMBER)
    assert log.evaluate(lines(CLAIMED, earlier, facts=facts), DECEMBER) == []
    longer = replace(earlier, downtime=10 * HOUR)
    assert log.evaluate(lines(CLAIMED, longer, facts=facts), DECEMBER) == [("changed", "25.00", "50.00")]
    assert [each.kind for each in log.recorded] == ["claimable", "claimed", "granted", "changed"]


def test_every_state_but_accruing_has_a_signal() -> None:
    assert {kind.removeprefix("credit.") for kind in CREDIT_SIGNALS} == {
        "owed",
        "claimable",
        "claimed",
        "granted",
        "refused",
        "lapsed",
        "withdrawn",
        "changed",
    }


FACTS = (
    fact("claim.filed", "2026-12-03T10:00"),
    fact("claim.filed", "2026-11-21T10:00", about={"availability": "uptime"}),
    fact("claim.filed", "2027-02-21T00:00:01"),
    fact("claim.answered", "2026-12-09T10:00", accepted=False),
    fact("claim.answered", "2026-12-21T10:00", accepted=True),
    fact("credit.requested", "2026-12-05T10:00", "contract:C-1", credit=ID),
    fact("credit.granted", "2026-12-05T10:00", "contract:C-1", credit=ID),
    fact("credit.refused", "2027-03-05T10:00", "contract:C-1", credit=ID),
)
HISTORIES = st.lists(
    st.tuples(
        st.lists(st.sampled_from(FACTS), unique_by=lambda each: each.id, max_size=len(FACTS)),
        st.integers(0, 200),
        st.integers(0, 4 * 24 * 30),
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=60)
@given(HISTORIES, st.sampled_from([OWED, CLAIMED]))
def test_whatever_becomes_known_the_last_signal_of_a_line_is_its_state_and_nothing_is_signalled_twice(
    history: list[tuple[list[Event], int, int]], of: Agreement
) -> None:
    log, by = Log(), at("2026-11-21T00:00")
    for facts, minutes, hours in history:
        by += hours * HOUR
        causes = [cause(minutes)] if minutes >= 44 else []
        found = lines(of, *causes, facts=facts, by=by)
        log.evaluate(found, by)
        assert log.evaluate(found, by) == []
        shown = [line for line in found if line.transitions and line.is_worth_a_signal]
        states = [each.kind for each in log.recorded if each.kind != "changed"]
        amounts = [each.amount for each in log.recorded]
        if shown:
            assert (states[-1], amounts[-1]) == (shown[0].state, shown[0].amount)
        elif states:
            assert states[-1] == "withdrawn"


@settings(max_examples=60)
@given(st.permutations(FACTS), st.integers(1, len(FACTS)))
def test_any_order_and_repetition_of_the_facts_gives_the_same_lines(
    facts: list[Event], repeated: int
) -> None:
    given_facts = [*facts, *facts[:repeated]]
    assert lines(CLAIMED, cause(60), facts=given_facts) == lines(CLAIMED, cause(60), facts=FACTS)
