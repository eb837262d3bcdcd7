"""Reasons in the reader's language: of spans, of causes of clocks, of what does not apply, of missing forecasts.

A code that has no phrase here says something that is the agreement's own text, or is rare: it is in English.
"""

from collections.abc import Mapping
from typing import Final

from app.delivery.wording.phrases import N_
from app.flow.query.reasons import text
from app.sla.clock.explanation import ExplainedSpan
from app.sla.reason import Reason, ReasonCode
from app.web.pages.frame.vocabulary import CLOSED, named
from app.web.pages.ticket.audience import Audience
from app.web.pages.ticket.vocabulary import STATUSES

_PHRASES: Final[Mapping[ReasonCode, str]] = {
    ReasonCode.EXCLUSION_BOUNDARY: N_("an exclusion begins or ends"),
    ReasonCode.VERSION: N_("version {ref} of the agreement"),
    ReasonCode.MERGE: N_("merged"),
    ReasonCode.MERGED_INTO: N_("merged into another ticket"),
    ReasonCode.TICKET_DELETED: N_("the ticket was deleted"),
    ReasonCode.SHUT_WITHOUT_REPLY: N_("closed without a reply"),
    ReasonCode.SHUT_BEFORE_MET: N_("closed before it was fulfilled"),
    ReasonCode.NO_LONGER_APPLIES: N_("the commitment no longer applies"),
    ReasonCode.UNASSIGNED: N_("no one is assigned any more"),
    ReasonCode.COMMITMENT_DROPPED: N_("the agreement no longer has this commitment"),
    ReasonCode.NO_LEVEL: N_("no level"),
    ReasonCode.NOT_IN_LEVEL: N_("the level does not include it"),
    ReasonCode.ELAPSED_TIME: N_("elapsed time"),
    ReasonCode.AWAITING_START: N_("before the start"),
    ReasonCode.NOT_APPLYING: N_("the commitment did not apply"),
    ReasonCode.BEFORE_CHANGE: N_("before the change"),
    ReasonCode.UNTIL_REOPENED: N_("until it was reopened"),
    ReasonCode.NO_QUEUE_CALENDAR: N_("the queue has no calendar"),
    ReasonCode.TOO_FEW_WORKING_DAYS: N_("there were not {days} working days in the last year"),
    ReasonCode.TOO_FEW_REPLIES: N_("too few replies in the last {days} working days ({replies})"),
    ReasonCode.EVENT_RECEIVED: N_("an event came in"),
}

_HOURS: Final[Mapping[str, str]] = {"open hours": N_("opening hours")}


def reason_text(reason: Reason, to: Audience) -> str:
    """The text of a reason."""
    words, params = to.words, reason.params or {}
    match reason.code:
        case ReasonCode.CALENDAR:
            return named(words, dict(CLOSED) | dict(_HOURS), str(params.get("text", "")))
        case ReasonCode.STATUS:
            status = named(words, STATUSES, str(reason.ref))
            return words.say(N_("status: {status}"), status=status)
        case ReasonCode.EXCLUSION if "author" in params:
            phrase = N_("excluded by {author}: {reason}")
            return words.say(phrase, author=params["author"], reason=params.get("reason", ""))
        case code if code in _PHRASES:
            return words.say(_PHRASES[code], ref=reason.ref, **dict(params))
        case _:
            return text(reason)


def span_text(span: ExplainedSpan, to: Audience) -> str:
    """The reason of a span."""
    return reason_text(span.reason, to)
