"""Values of foreign systems: what can be taken is taken, what cannot is nothing, and nothing raises."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.mapping import value
from app.sla.span import Micros, micros

NINE = micros(datetime(2026, 3, 2, 9, tzinfo=UTC))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("written", "after"),
    [
        ("2026-03-02T09:00:00Z", 0),
        ("2026-03-02T09:00:00.672717030Z", 672_717),
        ("2026-03-02T09:00:00.5Z", 500_000),
        ("2026-03-02T10:00:00+01:00", 0),
        ("2026-03-02T10:00:00.000+0100", 0),
        ("2026-03-02T04:00:00-0500", 0),
        ("2026-03-02 09:00:00 UTC", 0),
        ("2026-03-02 09:00:00 +0000", 0),
        ("2026-03-02T09:00Z", 0),
        ("2026-03-02T10:00:00+01", 0),
        ("Mon, 02 Mar 2026 09:00:00 +0000", 0),
        ("Mon, 02 Mar 2026 10:00:00 +0100", 0),
        (1_772_442_000, 0),
        (1_772_442_000.25, 250_000),
        (1_772_442_000_350, 350_000),
        (1_772_442_000_000_007, 7),
        ("1772442000", 0),
        ("1772442000350", 350_000),
        ("1772442000.5", 500_000),
    ],
)
def test_an_instant_is_read_in_every_spelling(written: object, after: Micros) -> None:
    assert value.instant(written) == NINE + after


NO_INSTANTS: tuple[object, ...] = (
    *(None, True, False, 0, -5, 1e300, float("nan"), float("inf"), 10**400, [], {}),
    *("", "soon", "2026-03-02", "2026-13-02T09:00:00Z", "2026-02-30T09:00:00Z", "2026-03-02T25:00:00Z"),
    *("0001-01-01T00:00:00+14:00", "0000-00-00 00:00:00", "9" * 30, "2026-03-02T09:00:00+99:00"),
)


@pytest.mark.parametrize("written", NO_INSTANTS, ids=range(len(NO_INSTANTS)))
def test_what_is_no_instant_is_none(written: object) -> None:
    assert value.instant(written) is None


def test_a_local_time_is_read_on_the_wall_of_its_zone() -> None:
    assert value.instant("2026-03-02 10:00:00", "Europe/Paris") == NINE
    assert value.instant("2026-03-02 09:00:00", "UTC") == NINE
    assert value.instant("2026-03-02T10:00:00.000", "Europe/Paris") == NINE


def test_a_local_time_without_a_zone_is_none() -> None:
    assert value.instant("2026-03-02 10:00:00") is None


def test_an_offset_goes_before_the_zone() -> None:
    assert value.instant("2026-03-02T09:00:00Z", "Asia/Tokyo") == NINE


@pytest.mark.parametrize(
    ("given_as", "taken_as"),
    [(4711, "4711"), ("4711", "4711"), (" 4711 ", "4711"), (4711.0, "4711"), ("SUP-1", "SUP-1")],
)
def test_an_id_is_a_text_however_it_is_sent(given_as: object, taken_as: str) -> None:
    assert value.identifier(given_as) == taken_as


@pytest.mark.parametrize("empty", [None, "", "  ", False, True, [], {}, "x" * 500, "a\nb", 1.5])
def test_what_is_no_id_is_none(empty: object) -> None:
    assert value.identifier(empty) is None


def test_a_number_of_more_digits_than_python_writes_is_nothing() -> None:
    assert (value.identifier(10**5000), value.text(10**5000), value.whole(10**5000)) == (None, None, None)


@pytest.mark.parametrize(
    ("said", "means"),
    [
        *((yes, True) for yes in (True, "true", "Yes", 1, "1")),
        *((no, False) for no in (False, "FALSE", 0, "no")),
        *((neither, None) for neither in ("", None, "maybe")),
    ],
)
def test_yes_and_no_are_understood_in_words_and_numbers(said: object, means: bool | None) -> None:
    assert value.truth(said) is means


def test_a_path_leads_through_objects_and_lists() -> None:
    body: Any = {"a": {"b": [{"c": 1}, {"c": 2}]}}
    assert value.dig(body, "a.b.1.c") == 2
    assert value.dig(body, "a.b.7.c") is None
    assert value.dig(body, "a.x.y") is None
    assert value.dig("text", "a") is None


@pytest.mark.parametrize(
    "sent",
    [
        "vip checkout",
        "checkout, vip",
        ["vip", "checkout"],
        [{"name": "vip"}, {"tag": "checkout"}],
        ["vip", "checkout", "vip"],
    ],
)
def test_tags_come_in_many_forms_and_stand_in_one_order(sent: object) -> None:
    assert value.names(sent) == ["checkout", "vip"]


def test_markup_is_left_out_of_a_text() -> None:
    html = "<div>Hello&nbsp;<b>Emily</b>,</div><p>it&#39;s back.</p><style>p{}</style><script>x()</script>"
    assert value.plain(html) == "Hello Emily,\nit's back."
    assert value.plain("3 < 4 and plain") == "3 < 4 and plain"
    assert value.plain("no markup") == "no markup"
    assert value.plain("<p></p>") is None


def test_a_text_is_one_that_every_database_holds() -> None:
    assert value.text("a\0b") == "ab"
    assert value.text("half \ud800 pair") == "half ? pair"
    assert len(value.text("x" * 100_000) or "") == value.LONGEST_TEXT


@given(JSON)
def test_no_value_makes_a_reader_raise(anything: object) -> None:
    readers = (value.text, value.identifier, value.word, value.truth, value.whole, value.names, value.plain)
    for read in (*readers, value.instant, value.epoch, value.items, value.table):
        read(anything)
    assert value.dig(anything, "a.0.b") is None or isinstance(anything, dict | list)


@given(st.text(), st.text(max_size=3))
def test_any_markup_gives_a_text(one: str, other: str) -> None:
    found = value.plain(f"<{one}>{other}</{one}><!{one}&{other}")
    assert found is None or json.dumps(found)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("a <b and so on", "a <b and so on"),
        ("<p>one</p><a href='x>y'>two</a>", "one\ntwo"),
        ('<a title="never closed>text</a>', "text"),
        ("<!-- left out -->kept<!doctype html> too", "kept too"),
        ("<head><title>t</title></head>body", "body"),
        ("<script>if (a<b) '</p>'</SCRIPT >shown", "shown"),
        ("<br/>it's 3 < 4 & 5 > 2 </3", "it's 3 < 4 & 5 > 2 </3"),
        (f"a&#{'9' * 5000};b", "a\ufffdb"),
        ("&eacute;t&#233; &notaname;", "été ¬aname;"),
    ],
)
def test_broken_markup_loses_no_text(html: str, expected: str) -> None:
    assert value.plain(html) == expected


def test_a_text_longer_than_any_instant_is_none() -> None:
    assert value.instant("2026-03-06T15:30:00" + " " * 200 + "Z", "UTC") is None
