"""Every phrase of a message, in English: the keys of the gettext catalogues.

`N_` marks a phrase and `NN_` a phrase with its plural for the extraction; both return what they get. Values in braces
are filled in after the translation.
"""

from collections.abc import Mapping
from typing import Final


def N_(phrase: str) -> str:  # noqa: N802 - the usual name of the marker
    """Mark a phrase for translation."""
    return phrase


def NN_(one: str, many: str) -> tuple[str, str]:  # noqa: N802 - in line with the other marker
    """Mark a phrase that depends on a number."""
    return one, many


HAPPENED: Final[Mapping[str, str]] = {
    "clock.started": N_("started"),
    "clock.paused": N_("paused"),
    "clock.resumed": N_("resumed"),
    "clock.warned": N_("due soon"),
    "clock.breached": N_("breached"),
    "clock.missed": N_("objective missed"),
    "clock.lapsed": N_("deadline passed"),
    "clock.breach_retracted": N_("breach retracted"),
    "clock.miss_retracted": N_("missed objective retracted"),
    "clock.stopped": N_("completed"),
    "clock.reopened": N_("reopened"),
    "clock.cancelled": N_("cancelled"),
    "clock.due_changed": N_("due date changed"),
    "queue.joined": N_("joined the queue"),
    "queue.moved": N_("moved in the queue"),
    "queue.left": N_("left the queue"),
    "average.warned": N_("mean wait near the target"),
    "average.breached": N_("mean wait over the target"),
    "average.breach_retracted": N_("breach retracted"),
    "allowance.exceeded": N_("past the allowance"),
    "allowance.exceeded_retracted": N_("not past the allowance"),
    "availability.warned": N_("downtime nearly used up"),
    "availability.breached": N_("uptime below the target"),
    "availability.breach_moved": N_("instant of the breach corrected"),
    "availability.breach_retracted": N_("breach retracted"),
    "contract.applied": N_("contract changed"),
    "credit.owed": N_("credit owed"),
    "credit.claimable": N_("credit can be claimed"),
    "credit.changed": N_("amount of a credit changed"),
    "credit.claimed": N_("credit claimed"),
    "credit.granted": N_("credit granted"),
    "credit.refused": N_("credit refused"),
    "credit.lapsed": N_("time to claim a credit passed"),
    "credit.withdrawn": N_("credit withdrawn: to be decided"),
    "report.ready": N_("report ready"),
    "subscription.disabled": N_("deliveries disabled"),
    "agreement.applied": N_("new version of the agreement"),
    "calendar.applied": N_("new version of the calendars"),
}
"""What happened, by kind of signal."""

COUNTED: Final[Mapping[str, tuple[str, str]]] = {
    "clock.started": NN_("{n} clock started", "{n} clocks started"),
    "clock.paused": NN_("{n} clock paused", "{n} clocks paused"),
    "clock.resumed": NN_("{n} clock resumed", "{n} clocks resumed"),
    "clock.warned": NN_("{n} warning", "{n} warnings"),
    "clock.breached": NN_("{n} breach", "{n} breaches"),
    "clock.missed": NN_("{n} missed objective", "{n} missed objectives"),
    "clock.lapsed": NN_("{n} deadline passed", "{n} deadlines passed"),
    "clock.breach_retracted": NN_("{n} breach retracted", "{n} breaches retracted"),
    "clock.miss_retracted": NN_("{n} missed objective retracted", "{n} missed objectives retracted"),
    "clock.stopped": NN_("{n} commitment completed", "{n} commitments completed"),
    "clock.reopened": NN_("{n} clock reopened", "{n} clocks reopened"),
    "clock.cancelled": NN_("{n} clock cancelled", "{n} clocks cancelled"),
    "clock.due_changed": NN_("{n} due date changed", "{n} due dates changed"),
    "queue.joined": NN_("{n} ticket joined the queue", "{n} tickets joined the queue"),
    "queue.moved": NN_("{n} ticket moved in the queue", "{n} tickets moved in the queue"),
    "queue.left": NN_("{n} ticket left the queue", "{n} tickets left the queue"),
    "average.warned": NN_("{n} warning", "{n} warnings"),
    "average.breached": NN_("{n} breach", "{n} breaches"),
    "average.breach_retracted": NN_("{n} breach retracted", "{n} breaches retracted"),
    "allowance.exceeded": NN_("{n} ticket past the allowance", "{n} tickets past the allowance"),
    "allowance.exceeded_retracted": NN_(
        "{n} ticket not past the allowance", "{n} tickets not past the allowance"
    ),
    "availability.warned": NN_("{n} warning", "{n} warnings"),
    "availability.breached": NN_("{n} uptime below the target", "{n} uptimes below the target"),
    "availability.breach_moved": NN_(
        "{n} instant of a breach corrected", "{n} instants of breaches corrected"
    ),
    "availability.breach_retracted": NN_("{n} breach retracted", "{n} breaches retracted"),
    "contract.applied": NN_("{n} contract changed", "{n} contracts changed"),
    "credit.owed": NN_("{n} credit owed", "{n} credits owed"),
    "credit.claimable": NN_("{n} credit can be claimed", "{n} credits can be claimed"),
    "credit.changed": NN_("{n} amount of a credit changed", "{n} amounts of credits changed"),
    "credit.claimed": NN_("{n} credit claimed", "{n} credits claimed"),
    "credit.granted": NN_("{n} credit granted", "{n} credits granted"),
    "credit.refused": NN_("{n} credit refused", "{n} credits refused"),
    "credit.lapsed": NN_("{n} credit lapsed without a claim", "{n} credits lapsed without a claim"),
    "credit.withdrawn": NN_("{n} credit withdrawn: to be decided", "{n} credits withdrawn: to be decided"),
    "report.ready": NN_("{n} report ready", "{n} reports ready"),
    "subscription.disabled": NN_("{n} subscription disabled", "{n} subscriptions disabled"),
    "agreement.applied": NN_("{n} new version of an agreement", "{n} new versions of agreements"),
    "calendar.applied": NN_("{n} new version of calendars", "{n} new versions of calendars"),
}
"""The same with a number, for the subject of a message about several tickets."""

REASONS: Final[Mapping[str, str]] = {
    "event_received": N_("reason: an event came in ({type})"),
    "version_applied": N_("reason: version {ref} of the agreement came into force"),
    "merge": N_("reason: the ticket was merged"),
    "merged_into": N_("reason: merged into ticket {into}"),
    "ticket_deleted": N_("reason: the ticket was deleted"),
    "no_longer_applies": N_("reason: the commitment no longer applies"),
    "status": N_("reason: the status became {ref}"),
    "shut_without_reply": N_("reason: closed without a reply"),
    "shut_before_met": N_("reason: closed before it was fulfilled"),
    "commitment_dropped": N_("reason: the agreement no longer has this commitment"),
}
"""Why it happened, by the code of the signal's cause. Other causes name events that say nothing to people."""

FIGURES: Final[Mapping[tuple[str, str], str]] = {
    ("guarantee", "share"): N_("guarantees in time"),
    ("guarantee", "missed"): N_("guarantees late"),
    ("objective", "share"): N_("objectives in time"),
    ("objective", "missed"): N_("objectives late"),
    ("customer", "share"): N_("deadlines of customers in time"),
    ("customer", "missed"): N_("deadlines of customers late"),
    ("guarantee", "uptime"): N_("guaranteed uptime"),
    ("objective", "uptime"): N_("uptime objective"),
}
"""Figures of a subscribed report that people read, by kind of commitment and name."""
CREDITS: Final = N_("credits")
FIGURE_CHANGED: Final = N_("{what}: {value} (before: {before})")
NO_FIGURE_CHANGED: Final = N_("no figure has changed")

ABOUT: Final = N_("{about}: {what}")
DUE: Final = N_("due {due}")
WAS_DUE: Final = N_("was due {due}")
DUE_MOVED: Final = N_("due {due}, before {before}")
LEFT: Final = N_("{length} left")
CUSTOMER: Final = N_("customer: {name}")
ASSIGNEE: Final = N_("assignee: {name}")
GROUP: Final = N_("group: {name}")
UNASSIGNED: Final = N_("not assigned")
QUEUE: Final = N_("queue {name}")
POSITION: Final = N_("position {n}")
SUBSCRIPTION: Final = N_("subscription {name}")
WHY: Final = N_("reason: {reason}")
MORE: Final = NN_("and {n} more", "and {n} more")
TEST_SUBJECT: Final = N_("Test message")
TEST_TEXT: Final = N_(
    "This is a test message of the subscription {name} of desk {desk}, sent by {sender}. No ticket is concerned."
)
TEST_TEXT_OF_ALL: Final = N_(
    "This is a test message of the subscription {name} for all desks, sent by {sender}. No ticket is concerned."
)
ALL_DESKS: Final = N_("all desks")
