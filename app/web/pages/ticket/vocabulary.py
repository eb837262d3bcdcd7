"""Phrases for names of the API that only a ticket's page uses: events, states, spans, statuses, fields, flags."""

from collections.abc import Mapping
from typing import Final

from app.delivery.wording.phrases import N_

EVENTS: Final[Mapping[str, str]] = {
    "ticket.created": N_("Ticket created"),
    "ticket.updated": N_("Ticket updated"),
    "customer.replied": N_("Reply by the customer"),
    "agent.replied": N_("Reply by the desk"),
    "note.added": N_("Internal note"),
    "status.changed": N_("Status changed"),
    "call.registered": N_("Call registered"),
    "call.offered": N_("Call came in"),
    "call.answered": N_("Call answered"),
    "request.read": N_("Request read"),
    "anomaly.detected": N_("Fault detected"),
    "intervention.started": N_("Intervention started"),
    "progress.reported": N_("Progress reported"),
    "part.replaced": N_("Part replaced"),
    "service.restored": N_("Service restored"),
    "claim.filed": N_("Claim filed"),
    "claim.answered": N_("Claim answered"),
    "ticket.merged": N_("Ticket merged"),
    "ticket.deleted": N_("Ticket deleted"),
    "exclusion.granted": N_("Exclusion granted"),
    "event.withdrawn": N_("Event withdrawn"),
    "outage.started": N_("Outage started"),
    "outage.ended": N_("Outage ended"),
    "outage.verified": N_("Outage verified"),
}

AUTHORS: Final[Mapping[str, str]] = {
    "agent": N_("the desk"),
    "customer": N_("the customer"),
    "system": N_("the system"),
}
"""Who caused an event, where it names no person."""

STATES: Final[Mapping[str, str]] = {
    "awaiting": N_("Not started"),
    "running": N_("Running"),
    "paused": N_("Paused"),
    "stopped": N_("Completed"),
    "cancelled": N_("Cancelled"),
}

SPANS: Final[Mapping[str, str]] = {
    "counted": N_("Counted"),
    "overdue": N_("Overdue"),
    "skipped": N_("Closed, not counted"),
    "paused": N_("Paused"),
    "excluded": N_("Excluded"),
    "awaiting": N_("Not started"),
    "stopped": N_("Completed"),
    "not_applying": N_("Not applicable"),
}

STATUSES: Final[Mapping[str, str]] = {
    "new": N_("new"),
    "open": N_("open"),
    "pending": N_("pending"),
    "on_hold": N_("on hold"),
    "solved": N_("solved"),
    "closed": N_("closed"),
}

FIELDS: Final[Mapping[str, str]] = {
    "status": N_("Status"),
    "priority": N_("Priority"),
    "customer": N_("Customer"),
    "organisation": N_("Organisation"),
    "plan": N_("Plan"),
    "level": N_("Level"),
    "service": N_("Service"),
    "category": N_("Category"),
    "domain": N_("Domain"),
    "assignee": N_("Assignee"),
    "group": N_("Group"),
}
"""The fields below the title, in their order."""

FLAGS: Final[Mapping[str, str]] = {
    "creation_unknown": N_("The creation of the ticket was never received."),
    "contract_unknown": N_("No contract of the customer is known."),
    "contract_ambiguous": N_("The customer has several contracts and the ticket names none."),
    "domain_missing": N_("The customer has not named a domain yet."),
    "calendar_uncovered": N_("The calendar does not cover a year that is needed."),
    "allowance_exceeded": N_("Past the allowance of the month."),
    "withdrawal_of_unknown": N_("A withdrawal names an event that is not known."),
    "duplicates_capped": N_("It waits behind more tickets on its subject than it may move."),
}

MOVED: Final[Mapping[str, str]] = {
    "joined": N_("Joined the queue"),
    "moved": N_("Moved"),
    "left": N_("Left the queue"),
}
