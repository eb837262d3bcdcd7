"""Texts of reasons, in English, and the object that stands beside each text in an answer.

The core gives reasons as codes (`app.sla.reason`). In an answer the text stands under `cause`, `reason` or
`expected_reply_reason`, and beside it the machine-readable reason under the same key with `_detail`.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from app.flow.query.credit_texts import CREDIT_TEXTS, length_text
from app.sla.clock.explanation import ExplainedSpan, SpanKind
from app.sla.reason import Reason, ReasonCode

_TEXTS: Final[dict[ReasonCode, str]] = {
    ReasonCode.EVENT: "{ref}",
    ReasonCode.STATUS: "{ref}",
    ReasonCode.EXCLUSION_BOUNDARY: "exclusion",
    ReasonCode.VERSION: "version {ref}",
    ReasonCode.MERGE: "merged",
    ReasonCode.TICKET_DELETED: "the ticket was deleted",
    ReasonCode.SHUT_WITHOUT_REPLY: "{ref} without a reply",
    ReasonCode.SHUT_BEFORE_MET: "{ref} before it was met",
    ReasonCode.NO_LONGER_APPLIES: "no longer applies",
    ReasonCode.FIELD_DATE: "{ref} {value}",
    ReasonCode.REASSIGNED: "reassigned to {value}",
    ReasonCode.UNASSIGNED: "no {field} any more",
    ReasonCode.COMMITMENT_DROPPED: "no longer promised",
    ReasonCode.WARNING: "{ref}",
    ReasonCode.EVENT_RECEIVED: "{type} {ref}",
    ReasonCode.VERSION_APPLIED: "version {ref} of the agreement",
    ReasonCode.CONTRACT_APPLIED: "contract {ref} was changed",
    ReasonCode.AGREEMENT_TEXT: "{text}",
    ReasonCode.NO_TARGET_FOR_VALUE: "no target for {field} {value!r}",
    ReasonCode.NO_CONTRACT_VALUE: "no contract value for {target}",
    ReasonCode.NO_LEVEL: "no level",
    ReasonCode.UNKNOWN_LEVEL: "unknown level {level!r}",
    ReasonCode.NOT_IN_LEVEL: "the level sets no {target}",
    ReasonCode.PAST_ALLOWANCE: "past the {limit} {ref} of {period}",
    ReasonCode.NO_CALENDAR_FOR_VALUE: "no calendar for {field} {value!r}",
    ReasonCode.CALENDAR_FOR_VALUE: "{field} is {value}",
    ReasonCode.CALENDAR_FOR_OTHERS: "{field} {value!r} has no calendar of its own",
    ReasonCode.CALENDAR_OF_LEVEL: "level {ref}",
    ReasonCode.CALENDAR_OF_CONTRACT: "contract {ref}",
    ReasonCode.CALENDAR_OF_COMMITMENT: "as {ref}",
    ReasonCode.CALENDAR: "{text}",
    ReasonCode.ELAPSED_TIME: "elapsed time",
    ReasonCode.AWAITING_START: "before the start condition was met",
    ReasonCode.NOT_APPLYING: "the commitment did not apply",
    ReasonCode.BEFORE_CHANGE: "before the change",
    ReasonCode.UNTIL_REOPENED: "{ref} until reopened",
    ReasonCode.NO_QUEUE_CALENDAR: "the queue has no calendar",
    ReasonCode.TOO_FEW_WORKING_DAYS: "no {days} working days in the last year",
    ReasonCode.CALENDAR_FAULT: "{text}",
    ReasonCode.PAST_STATE: "asked of the past",
    ReasonCode.OUTAGE_CAUSE: "{ref}",
    ReasonCode.CAUSE_NOT_STATED: "cause not stated",
    ReasonCode.EXCLUDED_CAUSE: "{ref}, which the agreement excludes",
    ReasonCode.MAINTENANCE: "maintenance announced in time",
    ReasonCode.MAINTENANCE_COUNTS: "announced maintenance, which counts in this agreement",
}


def text(reason: Reason) -> str:
    """The English text of a reason."""
    params = reason.params or {}
    match reason.code:
        case ReasonCode.EXCLUSION:
            by = ": ".join(str(params[name]) for name in ("author", "reason") if name in params)
            return f"excluded by {by}" if by else "excluded"
        case ReasonCode.MERGED_INTO:
            return f"superseded: merged into {params.get('into', 'another ticket')}"
        case ReasonCode.TOO_FEW_REPLIES:
            count, days = params["replies"], params["days"]
            replied = "no reply" if count == 0 else "only 1 reply" if count == 1 else f"only {count} replies"
            return f"{replied} in the last {days} working days"
        case ReasonCode.SHORT_NOTICE:
            return _short_notice(params)
        case code if code in CREDIT_TEXTS:
            return CREDIT_TEXTS[code](reason, params)
        case code:
            return _TEXTS[code].format(ref=reason.ref, **params)


def _short_notice(params: Mapping[str, object]) -> str:
    notice, needed = (Fraction(str(params[key])) for key in ("notice_seconds", "needed_seconds"))
    ahead = "ahead" if notice >= 0 else "after its beginning"
    return f"maintenance announced {length_text(abs(notice))} {ahead}; the agreement asks for {length_text(needed)}"


def text_or_none(reason: Reason | None) -> str | None:
    """The English text of a reason, where there is one."""
    return None if reason is None else text(reason)


def span_text(span: ExplainedSpan) -> str:
    """The English text of a span's reason; that of a pause says so."""
    return f"paused: {text(span.reason)}" if span.kind is SpanKind.PAUSED else text(span.reason)


def detail(reason: Reason | None) -> dict[str, Any] | None:
    """The machine-readable reason as JSON."""
    if reason is None:
        return None
    return {"code": reason.code.value, "ref": reason.ref, "params": dict(reason.params or {})}


def move_detail(cause: str) -> dict[str, Any]:
    """The machine-readable cause of a queue move: there the text is the code itself."""
    return {"code": cause, "ref": None, "params": {}}
