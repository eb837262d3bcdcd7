"""Zendesk's words in ours, and the events of Zendesk that concern a clock."""

from collections.abc import Mapping
from typing import Final

STATUSES: Final[Mapping[str, str | None]] = {
    "new": "new",
    "open": "open",
    "pending": "pending",
    "hold": "on_hold",
    "on-hold": "on_hold",
    "solved": "solved",
    "closed": "closed",
    "deleted": None,
    "archived": None,
    "scrubbed": None,
}
PRIORITIES: Final = {"low": "low", "normal": "normal", "high": "high", "urgent": "urgent"}
CHANNELS: Final = {"voice": "phone", "phone": "phone", "phone_call": "phone"}
"""Words of a channel that differ from ours; the rest stay as they are."""

MEANINGLESS: Final = frozenset(
    {
        "attachment_linked_to_comment",
        "attachment_redacted_from_comment",
        "brand_changed",
        "comment_redacted",
        "csat_received",
        "csat_requested",
        "description_changed",
        "email_ccs_changed",
        "external_id_changed",
        "followers_changed",
        "form_changed",
        "next_sla_breach_changed",
        "ola_policy_changed",
        "problem_link_changed",
        "schedule_changed",
        "sla_policy_changed",
        "submitter_changed",
        "task_due_at_changed",
    }
)
"""Events of a ticket that concern no clock."""

TO_TICK: Final = (
    "Ticket created",
    "Comment added",
    "Comment made private",
    "Status changed",
    "Priority changed",
    "Agent assignment changed",
    "Group assignment changed",
    "Organization changed",
    "Requester changed",
    "Subject changed",
    "Type changed",
    "Tags changed",
    "Custom field changed",
    "Ticket merged",
    "Ticket soft deleted",
    "Ticket permanently deleted",
    "Ticket undeleted",
    "Ticket marked as spam",
)
"""The subscriptions to choose, as the Admin Centre names them."""
