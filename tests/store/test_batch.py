"""Lists in statements: cut, and filled up so that there are few lengths, without finding more or less."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, select

from app.store.engine.batch import LONGEST, parts, pieces
from app.store.tables import ticket
from tests.service import Service, created

NAMES = (
    "4711",
    "o'neill",
    'say "no"',
    "a,b",
    "{x}",
    "[1]",
    "back\\slash",
    "Zoë",
    "NULL",
    "%s",
    ":desk",
    "🙂",
)


@given(st.lists(st.integers(), max_size=3 * LONGEST))
def test_parts_hold_the_same_in_the_same_order_and_have_few_lengths(items: list[int]) -> None:
    found = list(parts(items))
    assert {item for part in found for item in part} == set(items)
    assert [item for part in pieces(items) for item in part] == items
    assert all(len(part) <= LONGEST and len(part).bit_count() == 1 for part in found)


@pytest.mark.parametrize(
    "wanted",
    [["4711"], ["4711", "4711"], ["no such"], list(NAMES), [str(n) for n in range(LONGEST)], ["", " 4711"]],
    ids=["one", "one twice", "another", "all", "the longest", "nearly one"],
)
def test_texts_are_found_as_they_are(service: Service, wanted: list[str]) -> None:
    service.push(*(created(name, "2026-03-02T09:00:00+01:00", customer=name) for name in NAMES))
    asked = select(ticket.c.ticket).where(ticket.c.ticket.in_(bindparam("names", expanding=True)))
    found = [
        name
        for part in parts(wanted)
        for name in service.database.read_now(
            lambda conn, part=part: conn.execute(asked, {"names": part}).scalars().all()
        )
    ]
    assert sorted(found) == sorted(set(NAMES) & set(wanted))
