"""Whole tickets from the tests of four other systems: are our deadlines theirs, and where not, which rule makes it so?

Every case is judged by an agreement that says in our words what that system promises, at its last event. A case stands
either in DIFFERS, with the rule and our answers written out by hand, or all of its answers must be ours. What differs
must truly differ, and what it leaves unsaid must be the same; so a case cannot be excused as a whole.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from app.sla.agreement.file import AgreementFault
from tests.sla.peer_ticket import our_answers, peer_of, plain, version_of
from tests.sla.vector import lines

SAME: Final = {"zammad": 31, "rt": 14, "frappe": 21, "glpi": 14}
CLOSING: Final = "closing cancels a clock that still runs; it neither stops it nor leaves it a deadline"
EXACT_FIT: Final = "an exact fit at closing time is due at closing time, not at the next opening"
AFTER_CLOSING: Final = (
    "an answer after the closing stops the clock without the time while the ticket was closed"
)
CYCLE: Final = (
    "a next-reply cycle opens at the customer's message, not at a creation or at a word of the desk"
)
INSTANTS: Final = "instants are exact: a pause is not cut to whole minutes"
PAUSE: Final = "a pause takes its span out of the count; it does not only hide the deadline"
PAUSE_CALENDAR: Final = (
    "a pause counts in the clock's own calendar: one outside opening hours changes nothing"
)
WORKING_DAYS: Final = "a target in working days is due at the closing time of the last of them"
NO_TARGET: Final = "a target of nothing is no promise: the file is refused"


@dataclass(frozen=True)
class Difference:
    """Why a case's answers are not all ours, and ours in place of them."""

    rule: str
    ours: Mapping[str, object]


CANCELLED_AND_NEVER_OPENED: Final = Difference(
    f"{CLOSING}; {CYCLE}", {"first_response_deadline": None, "update_deadline": None}
)
TO_THE_SECOND: Final = Difference(
    INSTANTS, dict.fromkeys(("update_deadline", "next_deadline"), "2016-11-09T09:26:36Z")
)

DIFFERS: Final = {
    "zamsla-008": Difference(
        AFTER_CLOSING,
        {
            "first_response_seconds": 7200.0,
            "first_response_margin_seconds": -3600.0,
            "update_seconds_longest": 7200.0,
            "update_margin_seconds": 0.0,
        },
    ),
    "zamsla-009": Difference(
        AFTER_CLOSING, {"first_response_seconds": 12600.0, "first_response_margin_seconds": -9000.0}
    ),
    "zamsla-012": Difference(
        EXACT_FIT, dict.fromkeys(("first_response_deadline", "next_deadline"), "2013-06-04T16:00:00Z")
    ),
    "zamsla-015": CANCELLED_AND_NEVER_OPENED,
    "zamsla-017": CANCELLED_AND_NEVER_OPENED,
    "zamsla-019": CANCELLED_AND_NEVER_OPENED,
    "zamsla-020": Difference(CYCLE, {"update_deadline": None}),
    "zamsla-025": TO_THE_SECOND,
    "zamsla-026": TO_THE_SECOND,
    "rtsla-014": Difference(PAUSE, {"deadline": "2021-06-15T12:30:00Z"}),
    "frappe-021": Difference(PAUSE_CALENDAR, {"resolution_deadline": "2020-03-04T16:00:00Z"}),
    "glpisla-011": Difference(WORKING_DAYS, {"deadline": "2023-06-16T19:00:00Z"}),
    "glpisla-012": Difference(WORKING_DAYS, {"deadline": "2023-06-16T19:00:00Z"}),
    "glpisla-015": Difference(WORKING_DAYS, {"deadline": "2023-06-14T19:00:00Z"}),
    "glpisla-016": Difference(WORKING_DAYS, {"deadline": "2023-06-21T18:00:00Z"}),
}
REFUSED: Final = {"zamsla-034": NO_TARGET}

CASES: Final = {case["id"]: case for peer in SAME for case in lines(f"peers/{peer}_sla.jsonl")}
THE_SAME: Final = [name for name in CASES if name not in DIFFERS | REFUSED]


@pytest.mark.parametrize("name", THE_SAME)
def test_our_answers_are_theirs(name: str) -> None:
    assert our_answers(CASES[name]) == plain(CASES[name]["expect"])


@pytest.mark.parametrize("name", DIFFERS)
def test_our_answers_differ_by_a_rule_and_only_where_it_says_so(name: str) -> None:
    difference, theirs = DIFFERS[name], plain(CASES[name]["expect"])
    ours = plain(difference.ours)
    assert our_answers(CASES[name]) == theirs | ours, difference.rule
    assert not ours.items() & theirs.items(), "an answer that is theirs is no difference"


@pytest.mark.parametrize("name", REFUSED)
def test_a_target_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(AgreementFault) as refused:
        version_of(CASES[name])
    assert [fault.place for fault in refused.value.faults] == ["commitments.x.target"], REFUSED[name]


def test_every_case_of_every_system_stands_in_one_group() -> None:
    assert Counter(peer_of(CASES[name]) for name in THE_SAME) == SAME
    assert len(CASES) == sum(SAME.values()) + len(DIFFERS) + len(REFUSED) == 96
    assert DIFFERS.keys() | REFUSED.keys() <= CASES.keys()
