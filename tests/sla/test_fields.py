"""Every place that spells the fields of a ticket out agrees with their declaration."""

from dataclasses import fields
from typing import Any

import pytest
from pydantic import BaseModel

from app.intake.event_data import TicketFields
from app.sla.fields import (
    COLUMNS,
    COLUMNS_AS_SENT,
    FIELDS,
    LIST_FIELDS,
    LIST_FILTERS,
    SUBSCRIPTION_FILTERS,
    TICKET_FIELDS,
    VIEW_FIELDS,
)
from app.store.outbound.subscriptions import SIGNAL_FILTERS
from app.store.tables import ticket as ticket_table
from app.store.tickets.board import Filters
from app.store.tickets.clocks import StoredTicket
from app.web.api.outbound.subscriptions import FilterFields
from app.web.api.tickets.ticket_list import TicketListQuery
from app.web.api.tickets.ticket_view import TicketView
from app.web.pages.ticket.vocabulary import FIELDS as SHOWN_FIELDS

OF_THE_ROW = {
    "desk",
    "ticket",
    "revision",
    "evaluated_at",
    "next_at",
    "due_at",
    "version",
    "created_at",
    "merged_into",
    "group_key",
    "known_since",
    "contract_key",
    "customer_key",
}
OF_THE_VIEW = {
    "desk",
    "ticket",
    "status",
    "created_at",
    "at",
    "as_of",
    "clocks",
    "earlier_cycles",
    "not_applicable",
    "queue",
    "merged_into",
    "merged_from",
    "flags",
}
OF_THE_LIST = {"desk", "state", "breached", "due_before", "commitment"}
OF_THE_PAGE = {"cursor", "limit"}


def test_each_field_is_declared_once() -> None:
    assert len(set(TICKET_FIELDS)) == len(FIELDS)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_field_that_filters_has_a_column(field: Any) -> None:
    assert field.column is not None or not (field.filters_lists or field.filters_subscriptions)


def test_the_row_of_a_ticket_has_the_declared_columns() -> None:
    of_reports = "reported_revision"  # written with every row, and no field of it
    assert {column.name for column in ticket_table.columns} == {*OF_THE_ROW, *COLUMNS, of_reports}
    # Whether the reports have it as it was stored last: a comparison of two columns.
    assert {field.name for field in fields(StoredTicket)} - {"is_reported"} == {*OF_THE_ROW, *COLUMNS}
    assert set(COLUMNS) - set(COLUMNS_AS_SENT) == {"status", "queue", "contract"}


def test_lists_filter_by_the_declared_fields() -> None:
    assert {field.name for field in fields(Filters)} == {"desks", *OF_THE_LIST, *LIST_FILTERS} - {"desk"}
    assert set(TicketListQuery.model_fields) == {*OF_THE_LIST, *OF_THE_PAGE, *LIST_FILTERS}


def test_subscriptions_filter_by_the_declared_fields() -> None:
    assert set(FilterFields.model_fields) == {*SIGNAL_FILTERS, *SUBSCRIPTION_FILTERS}


def test_a_view_shows_the_declared_fields_in_their_order() -> None:
    shown = [name for name in TicketView.model_fields if name not in OF_THE_VIEW]
    assert tuple(shown) == VIEW_FIELDS
    assert set(TicketView.model_fields) == {*OF_THE_VIEW, *VIEW_FIELDS}


def test_an_event_may_set_every_declared_field_and_no_other() -> None:
    own = set(TicketFields.model_fields) - set(_base_of(TicketFields).model_fields)
    assert own == set(TICKET_FIELDS)
    listed = {name for name in own if "list" in str(TicketFields.model_fields[name].annotation)}
    assert listed == set(LIST_FIELDS)


def _base_of(model: type[BaseModel]) -> type[BaseModel]:
    base = model.__mro__[1]
    assert issubclass(base, BaseModel)
    return base


def test_the_ticket_page_shows_what_the_view_has() -> None:
    in_other_sections = {"title", "url", "contract"}
    assert set(SHOWN_FIELDS) == {*VIEW_FIELDS, "status"} - in_other_sections
