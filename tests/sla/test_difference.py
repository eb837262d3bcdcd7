"""The difference between two documents: by keys, whatever the layout."""

import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.document.difference import apply_difference, difference, is_same, normal

OLD = """
desk = "own"
[[commitments]]
id = "gti"
target = "4h"
pauses_while = ["pending"]
[[commitments]]
id = "gtr"
target = "8h"
"""

CASES = [
    ("a changed value", OLD.replace('"4h"', '"8h"'), ['commitments.gti.target: "4h" -> "8h"']),
    (
        "a changed list",
        OLD.replace('["pending"]', '["pending", "on_hold"]'),
        ['commitments.gti.pauses_while: ["pending"] -> ["pending", "on_hold"]'],
    ),
    ("an added key", f'name = "Own"\n{OLD}', ['name added: "Own"']),
    ("a removed key", OLD.replace('desk = "own"', ""), ['desk removed: "own"']),
    (
        "an added commitment",
        f'{OLD}\n[[commitments]]\nid = "reply"\ntarget = "1h"',
        ['commitments.reply added: { id = "reply", target = "1h" }'],
    ),
    (
        "a removed commitment",
        OLD[: OLD.rindex("[[commitments]]")],
        ['commitments.gtr removed: { id = "gtr", target = "8h" }'],
    ),
    (
        "another order of commitments",
        'desk = "own"\n[[commitments]]\nid = "gtr"\ntarget = "8h"\n[[commitments]]\nid = "gti"\ntarget = "4h"\n'
        'pauses_while = ["pending"]',
        ["commitments reordered: gti, gtr -> gtr, gti"],
    ),
    (
        "layout",
        '# the same\ncommitments = [{ target = "4h", pauses_while = ["pending"], id = "gti" }, '
        '{ id = "gtr", target = "8h" }]\ndesk = "own"',
        [],
    ),
    ("a value of another type", OLD.replace('"8h"', "8"), ['commitments.gtr.target: "8h" -> 8']),
]


@pytest.mark.parametrize(("new", "sentences"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_difference_is_a_sentence(new: str, sentences: list[str]) -> None:
    found = difference(tomllib.loads(OLD), tomllib.loads(new))
    assert [change.sentence for change in found] == sentences


def hours(**days: list[str]) -> dict[str, Any]:
    return {"calendars": {"desk": {"hours": {key.replace("_", "-"): value for key, value in days.items()}}}}


HOURS = ["09:00-17:00"]


def test_hours_are_compared_by_weekday() -> None:
    new = hours(mon_thu=HOURS, fri=["09:00-15:00"])
    assert [change.sentence for change in difference(hours(mon_fri=HOURS), new)] == [
        'calendars.desk.hours.fri: ["09:00-17:00"] -> ["09:00-15:00"]'
    ]


def test_hours_of_the_same_weekdays_in_other_keys_are_no_difference() -> None:
    assert difference(hours(mon_fri=HOURS), hours(mon=HOURS, tue_fri=HOURS)) == ()


def test_a_key_that_is_not_bare_is_quoted() -> None:
    (change,) = difference({}, {"calendar": {"ACME Ltd": "desk/acme"}})
    assert change.sentence == 'calendar added: { "ACME Ltd" = "desk/acme" }'


values = st.recursive(
    st.booleans() | st.integers(0, 2) | st.sampled_from(["a", "b", ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["hours", "mon", "mon-wed", "x", "é"]), inner, max_size=3)
        | st.lists(
            st.fixed_dictionaries({"id": st.sampled_from(["p", "q", "r"])}, optional={"x": inner}), max_size=3
        )
    ),
    max_leaves=8,
)
documents = st.dictionaries(st.sampled_from(["commitments", "hours", "x", "y"]), values, max_size=3)


@settings(max_examples=150)
@given(old=documents, new=documents)
def test_applying_the_difference_to_the_old_gives_the_new(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert is_same(apply_difference(old, difference(old, new)), normal(new))


@given(document=documents)
def test_a_document_does_not_differ_from_itself(document: dict[str, Any]) -> None:
    assert difference(document, document) == ()
