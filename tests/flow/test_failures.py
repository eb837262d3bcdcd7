"""What fails while a ticket is evaluated and is not of the ticket fails the answer: no ticket is left out for it."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from app.flow.query.tickets import answers, ticket_answer
from app.sla.budget import Budget, TooExpensive, spending
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from tests.service import Service, created

ASKED: dict[str, Callable[[Connection, Catalogue, int], Any]] = {
    "one ticket": lambda conn, catalogue, now: ticket_answer(conn, catalogue, "haisoft", "1", now=now),
    "several": lambda conn, catalogue, now: answers(conn, catalogue, "haisoft", ["1"], now=now),
}


@pytest.mark.parametrize("asked", ASKED)
def test_a_spent_time_budget_hides_no_ticket(service: Service, asked: str) -> None:
    service.push(created("1", "2024-03-04T09:30:00+01:00"))
    catalogue = Catalogue(service.settings.holiday_years_ahead)  # its calendars are still to be computed
    looks, now = count(), service.database.now()

    def read(conn: Connection) -> None:
        catalogue.timeline(conn, "haisoft")
        with spending(Budget(0, lambda: next(looks), name="x")):
            ASKED[asked](conn, catalogue, now)

    with pytest.raises(TooExpensive):
        service.database.read_now(read)
