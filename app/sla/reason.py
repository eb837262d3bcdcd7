"""Reasons: why a clock, a span, a withheld commitment or a forecast is as it is, as machine-readable values.

The core returns a `Reason` and never a sentence. `app.flow.query.reasons` renders it as text where an answer is built.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, TypeAlias


class ReasonCode(StrEnum):
    """What kind of reason it is. Codes are part of the API: never renamed, never removed."""

    # Causes of what a clock did.
    EVENT = "event"
    """An event of the ticket. `ref`: its id."""
    STATUS = "status"
    """The ticket has a status that pauses the clock. `ref`: the status."""
    EXCLUSION = "exclusion"
    """An exclusion covers the span. `ref`: its event; params: `author`, `reason`."""
    EXCLUSION_BOUNDARY = "exclusion_boundary"
    """An exclusion begins or ends."""
    VERSION = "version"
    """A version of the agreement took over. `ref`: its number."""
    MERGE = "merge"
    """A ticket with an earlier start was merged into this one. `ref`: the merge event."""
    MERGED_INTO = "merged_into"
    """The ticket was merged into another. `ref`: the merge event; params: `into`."""
    TICKET_DELETED = "ticket_deleted"
    """`ref`: the event."""
    SHUT_WITHOUT_REPLY = "shut_without_reply"
    """A response clock ended with the ticket. `ref`: the status, solved or closed."""
    SHUT_BEFORE_MET = "shut_before_met"
    """Any other clock ended with the ticket. `ref`: the status."""
    NO_LONGER_APPLIES = "no_longer_applies"
    """The ticket's fields changed."""
    FIELD_DATE = "field_date"
    """A date of the ticket has come. `ref`: the field; params: `value`, and `event`, which set it."""
    REASSIGNED = "reassigned"
    """The ticket was assigned to another. `ref`: the event; params: `field`, `value`."""
    UNASSIGNED = "unassigned"
    """No one is assigned any more. `ref`: the event; params: `field`."""
    COMMITMENT_DROPPED = "commitment_dropped"
    """A version of the agreement dropped the commitment. `ref`: its number."""
    WARNING = "warning"
    """A warning threshold was reached. `ref`: the threshold as written."""
    EVENT_RECEIVED = "event_received"
    """An event became known. `ref`: its id; params: `type`."""
    VERSION_APPLIED = "version_applied"
    """A version of the agreement was applied. `ref`: its number."""
    CONTRACT_APPLIED = "contract_applied"
    """The ticket's contract was entered or changed. `ref`: the contract."""

    # Why a commitment does not apply.
    AGREEMENT_TEXT = "agreement_text"
    """The agreement file states the reason. Params: `text`."""
    NO_TARGET_FOR_VALUE = "no_target_for_value"
    """Params: `field`, `value`."""
    NO_CONTRACT_VALUE = "no_contract_value"
    """Params: `target`."""
    NO_LEVEL = "no_level"
    UNKNOWN_LEVEL = "unknown_level"
    """Params: `level`."""
    NOT_IN_LEVEL = "not_in_level"
    """Params: `target`."""
    PAST_ALLOWANCE = "past_allowance"
    """The month's allowance is used up. `ref`: the allowance; params: `limit`, `period`."""

    NO_CALENDAR_FOR_VALUE = "no_calendar_for_value"
    """Params: `field`, `value`."""

    # Why a clock counts in its calendar.
    CALENDAR_FOR_VALUE = "calendar_for_value"
    """The agreement names it for the field's value. Params: `field`, `value`."""
    CALENDAR_FOR_OTHERS = "calendar_for_others"
    """The agreement names none for the field's value. Params: `field`, `value`."""
    CALENDAR_OF_LEVEL = "calendar_of_level"
    """`ref`: the level."""
    CALENDAR_OF_CONTRACT = "calendar_of_contract"
    """`ref`: the contract."""
    CALENDAR_OF_COMMITMENT = "calendar_of_commitment"
    """`ref`: the other commitment."""

    # What a span of an explanation is.
    CALENDAR = "calendar"
    """The calendar's own name for the span. Params: `text`."""
    ELAPSED_TIME = "elapsed_time"
    """Real time: the calendar is always open."""
    AWAITING_START = "awaiting_start"
    NOT_APPLYING = "not_applying"
    BEFORE_CHANGE = "before_change"
    """A change of target restarted the count later."""
    UNTIL_REOPENED = "until_reopened"
    """`ref`: the state, stopped or cancelled."""

    # Why no reply can be forecast.
    NO_QUEUE_CALENDAR = "no_queue_calendar"
    TOO_FEW_WORKING_DAYS = "too_few_working_days"
    """Params: `days`."""
    TOO_FEW_REPLIES = "too_few_replies"
    """Params: `replies`, `days`."""
    CALENDAR_FAULT = "calendar_fault"
    """The calendar cannot count. Params: `text`."""
    PAST_STATE = "past_state"
    """The question is about an earlier state of knowledge."""

    # How the amount of a credit is found. Shares are exact fractions as text.
    CREDIT_UPTIME = "credit_uptime"
    """`ref`: the availability; params: `period`, `uptime` (exact), `target`, `downtime_seconds`, `total_seconds`."""
    CREDIT_MISSED = "credit_missed"
    """`ref`: the commitment; params: `ticket`, `at`."""
    CREDIT_UNITS = "credit_units"
    """Params: `units`, `per_seconds`, `rounding`."""
    CREDIT_BAND = "credit_band"
    """Params: `from`, `below`."""
    CREDIT_NO_BAND = "credit_no_band"
    CREDIT_INTERRUPTION = "credit_interruption"
    """Params: `seconds`, `paid_seconds`."""
    CREDIT_SHARE = "credit_share"
    """Params: `share`, `base`."""
    CREDIT_CAPPED = "credit_capped"
    """Params: `cap`, `base`."""
    CREDIT_NOT_IN_TEXT = "credit_not_in_text"
    CREDIT_NO_FEE = "credit_no_fee"
    """`ref`: the contract."""
    CREDIT_NO_CURRENCY = "credit_no_currency"
    """`ref`: the contract."""

    # Why a credit is in its state.
    CREDIT_CLAIMED = "credit_claimed"
    """`ref`: the event; params: `ticket`, `author`, `reason`, each of them perhaps null."""
    CREDIT_DECIDED = "credit_decided"
    """`ref`: the event; params: `state`, `author`, `reason`."""
    CREDIT_LAPSED = "credit_lapsed"
    CREDIT_WITHDRAWN = "credit_withdrawn"

    # Why a span of an outage counts, or does not.
    OUTAGE_CAUSE = "outage_cause"
    """It counts. `ref`: the cause, as the latest fact states it."""
    CAUSE_NOT_STATED = "cause_not_stated"
    """It counts: an outage without a cause is the desk's own."""
    EXCLUDED_CAUSE = "excluded_cause"
    """The agreement excludes the cause. `ref`: the cause."""
    MAINTENANCE = "maintenance"
    """Maintenance announced in time. `ref`: the announcement; params: `emergency`."""
    MAINTENANCE_COUNTS = "maintenance_counts"
    """Announced maintenance, which the agreement does not exempt. `ref`: the announcement."""
    SHORT_NOTICE = "short_notice"
    """Maintenance announced too late. `ref`: the announcement; params: `notice_seconds`, `needed_seconds`."""


Ref: TypeAlias = str | int


class Reason(NamedTuple):
    """A code, what it refers to (an event id, a version number, a status) and what its text needs besides.

    A tuple and no dataclass: every step of a ticket has one, and a tuple is made twice as fast.
    """

    code: ReasonCode
    ref: Ref | None = None
    params: Mapping[str, object] | None = None

    def __hash__(self) -> int:
        """Without the params, which have none."""
        return hash((self.code, self.ref))
