"""A small client over the package that openapi-python-client generates. Arguments: its folder, base URL, key.

Runs in an environment of its own, without the service's code.
"""

import importlib
import pkgutil
import sys
from datetime import UTC, datetime

folder, base, key = sys.argv[1:]
sys.path.insert(0, folder)

import sla_client as client_package  # noqa: E402
from sla_client import AuthenticatedClient  # noqa: E402
from sla_client.api.events import push_events  # noqa: E402
from sla_client.api.subscriptions import create_subscription  # noqa: E402
from sla_client.api.tickets import list_tickets, show_ticket  # noqa: E402
from sla_client.models import (  # noqa: E402
    FilterFields,
    NewSubscription,
    ProblemDocument,
    SignalKind,
    StatusChanged,
    StatusChangedEvent,
    StatusChangedStatus,
    TicketCreated,
    TicketCreatedEvent,
)

modules = [each.name for each in pkgutil.walk_packages(client_package.__path__, "sla_client.")]
for name in modules:
    importlib.import_module(name)
print("imported", len(modules) > 100)

client = AuthenticatedClient(base_url=base, token=key)
shared = {"specversion": "1.0", "source": "haisoft", "subject": "PY-1", "time": datetime.now(UTC)}
events = [
    TicketCreatedEvent(
        id="py-1", type_="ticket.created", data=TicketCreated(title="Down", customer="ACME"), **shared
    ),
    StatusChangedEvent(
        id="py-2", type_="status.changed", data=StatusChanged(status=StatusChangedStatus.OPEN), **shared
    ),
]
print("accepted", push_events.sync(client=client, body=events).accepted)
print("repeated", push_events.sync(client=client, body=events[0]).repeated)
ticket = show_ticket.sync("haisoft", "PY-1", client=client)
print("ticket", ticket.ticket, ticket.status, ticket.clocks[0].state.value)
print("listed", [each.ticket for each in list_tickets.sync(client=client, desk="haisoft").tickets])
problem = show_ticket.sync("haisoft", "none", client=client)
print("problem", isinstance(problem, ProblemDocument), problem.status)
wanted = NewSubscription(
    desk="haisoft",
    kinds=[SignalKind.CLOCK_BREACHED],
    url="https://hooks.example.com/sla",
    filter_=FilterFields(assignee="AAA"),
)
made = create_subscription.sync(client=client, body=wanted)
print("subscribed", [each.value for each in made.kinds], made.filter_.to_dict())
