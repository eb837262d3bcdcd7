"""The tables: row classes, one module for each subpackage of the store, and the Core tables that statements use."""

from app.store.tables.audit import audit
from app.store.tables.columns import NEVER, metadata
from app.store.tables.contracts import contract, desk_version
from app.store.tables.embedding import embedding
from app.store.tables.inbound import connection, hook, origin, snapshot, source
from app.store.tables.measures import allowance_use, average_call, measured_month
from app.store.tables.outbound import delivery, subscription
from app.store.tables.people import (
    api_key,
    calendar_feed,
    failed_sign_in,
    one_time,
    person,
    principal_role,
    recovery_code,
    session,
)
from app.store.tables.reports import report_day, report_figures
from app.store.tables.routes import places, route
from app.store.tables.simulations import simulation, simulation_flip
from app.store.tables.tickets import (
    COUNTED_FACTS,
    LATE_KINDS,
    OF_OTHER_SUBJECT,
    UNREPORTED,
    acknowledgement,
    archived_ticket,
    clock,
    event,
    event_key,
    parked,
    signal,
    subject,
    ticket,
    wait_interval,
)
from app.store.tables.views import desk_view, person_view

__all__ = [
    "COUNTED_FACTS",
    "LATE_KINDS",
    "NEVER",
    "OF_OTHER_SUBJECT",
    "UNREPORTED",
    "acknowledgement",
    "allowance_use",
    "api_key",
    "archived_ticket",
    "audit",
    "average_call",
    "calendar_feed",
    "clock",
    "connection",
    "contract",
    "delivery",
    "desk_version",
    "desk_view",
    "embedding",
    "event",
    "event_key",
    "failed_sign_in",
    "hook",
    "measured_month",
    "metadata",
    "one_time",
    "origin",
    "parked",
    "person",
    "person_view",
    "places",
    "principal_role",
    "recovery_code",
    "report_day",
    "report_figures",
    "route",
    "session",
    "signal",
    "simulation",
    "simulation_flip",
    "snapshot",
    "source",
    "subject",
    "subscription",
    "ticket",
    "wait_interval",
]
