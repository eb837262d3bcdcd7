"""Phrases for names of the API, for all pages: facts, states, kinds, moves in a queue, reasons for being closed.

A name that is not listed is shown as it is: a desk may have its own.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from app.delivery.wording.phrases import N_, NN_
from app.web.pages.frame.words import Words

FACTS: Final[Mapping[str, str]] = {
    "agent.replied": N_("a reply by the desk"),
    "anomaly.detected": N_("detection of the fault"),
    "call.registered": N_("registration of the call"),
    "claim.answered": N_("an answer to the claim"),
    "claim.filed": N_("the claim"),
    "intervention.started": N_("start of the intervention"),
    "outage.ended": N_("end of the outage"),
    "outage.started": N_("start of the outage"),
    "outage.verified": N_("verification of the outage"),
    "part.replaced": N_("replacement of the part"),
    "progress.reported": N_("a progress report"),
    "request.read": N_("reading of the request"),
    "service.restored": N_("restoration of the service"),
    "ticket.created": N_("creation of the ticket"),
    "customer.replied": N_("a reply by the customer"),
    "status:solved": N_("solving the ticket"),
    "status:closed": N_("closing the ticket"),
}
"""What starts or stops a clock, as it follows "waits for"."""

MOVES: Final[Mapping[str, str]] = {
    "created": N_("ticket created"),
    "message": N_("message from the customer"),
    "repeat_message": N_("the customer wrote again"),
    "duplicate": N_("duplicate ticket"),
    "queue": N_("moved to another queue"),
    "rank": N_("the customer's plan changed"),
    "reopened": N_("reopened"),
    "resumed": N_("resumed"),
    "corrected": N_("earlier move corrected"),
    "merged": N_("merged"),
}
"""Why a ticket is where it is in a queue, by the cause of its last move."""

CLOSED: Final[Mapping[str, str]] = {
    "lunch gap": N_("lunch break"),
    "before opening": N_("before opening"),
    "after closing": N_("end of the day"),
    "weekend": N_("weekend"),
    "never closes": N_("always open"),
}
"""Why a calendar is closed. Holidays have names of their own."""

KINDS: Final[Mapping[str, str]] = {
    "guarantee": N_("guarantee"),
    "objective": N_("objective"),
    "customer": N_("customer deadline"),
}
"""Kinds of commitments."""

LATE: Final[Mapping[str, str]] = {
    "guarantee": N_("Guarantee breached"),
    "objective": N_("Objective missed"),
    "customer": N_("Customer deadline passed"),
}
"""What a late clock of a kind is."""

_ALTERNATIVES: Final = "|"


def named(words: Words, phrases: Mapping[str, str], name: str) -> str:
    """The phrase for a name, or the name."""
    return words.say(phrases[name]) if name in phrases else name


def awaited(words: Words, awaiting: Iterable[str]) -> str:
    """What a clock waits for: "registration of the call", or one of several facts."""
    each = [
        words.either(*(named(words, FACTS, fact) for fact in one.split(_ALTERNATIVES))) for one in awaiting
    ]
    return words.both(*each)


SHARED: Final = (
    N_("Assignee"),
    N_("Cancel"),
    N_("Close"),
    N_("Commitment"),
    N_("Contract"),
    N_("Customer"),
    N_("Delete"),
    N_("Desk"),
    N_("Desks"),
    N_("Edit"),
    N_("Filter"),
    N_("First page"),
    N_("From"),
    N_("Group"),
    N_("Level"),
    N_("Month"),
    N_("Name"),
    N_("Next page"),
    N_("Note"),
    N_("Pages of the list"),
    N_("Plan"),
    N_("Queue"),
    N_("Reason"),
    N_("Save"),
    N_("Search"),
    N_("Show all"),
    N_("State"),
    N_("Ticket"),
    N_("Tickets"),
    N_("To"),
    N_("Unassigned"),
    N_("Untitled"),
    N_("no"),
    N_("yes"),
    N_("closed"),
    N_("closed until {when}"),
    N_("due {when}"),
    N_("open until {when}"),
    N_("since {when}"),
    N_("{position} of {length}"),
    N_("{used} of {target}"),
    NN_("{n} ticket", "{n} tickets"),
)
"""Words that several pages use, translated once. A room need not have them in its own catalogue."""

CREDIT_STATES: Final[Mapping[str, str]] = {
    "claimed": N_("claimed, to be answered"),
    "withdrawn": N_("withdrawn, to be decided"),
    "claimable": N_("can be claimed"),
    "owed": N_("owed"),
    "granted": N_("granted"),
    "accruing": N_("accruing"),
    "refused": N_("refused"),
    "lapsed": N_("lapsed"),
}
"""What has become of a credit, in the order in which somebody has to act on them."""

LEFT_QUEUE: Final[Mapping[str, str]] = {
    "answered": N_("answered"),
    "pending": N_("set to pending"),
    "on_hold": N_("put on hold"),
    "solved": N_("solved"),
    "closed": N_("closed"),
    "deleted": N_("deleted"),
}
"""Why a ticket left a queue, beside the causes of moves."""
