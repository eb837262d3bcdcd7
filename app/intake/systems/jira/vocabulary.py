"""Jira's words in ours, and the events of Jira that concern no clock.

Statuses are those that Jira and its service projects come with; nearly every site has more, to be mapped by the desk.
"""

from collections.abc import Mapping
from typing import Final

STATUSES: Final[Mapping[str, str | None]] = {
    "open": "open",
    "to do": "open",
    "reopened": "open",
    "in progress": "open",
    "work in progress": "open",
    "waiting for support": "open",
    "escalated": "open",
    "under investigation": "open",
    "waiting for customer": "pending",
    "pending": "on_hold",
    "waiting for approval": "on_hold",
    "resolved": "solved",
    "done": "solved",
    "completed": "solved",
    "closed": "closed",
    "canceled": "closed",
    "cancelled": "closed",
    "declined": "closed",
}
PRIORITIES: Final = {
    "blocker": "urgent",
    "critical": "urgent",
    "highest": "urgent",
    "high": "high",
    "major": "high",
    "medium": "normal",
    "minor": "low",
    "low": "low",
    "lowest": "low",
    "trivial": "low",
}
NEAR: Final = (
    "comment_",
    "worklog_",
    "issuelink_",
    "attachment_",
    "project_",
    "version_",
    "sprint_",
    "board_",
    "user_",
    "issue_property_",
    "entity_property_",
    "issue_type_",
    "issuetype_",
    "filter_",
    "jira_expression_",
    "option_",
)
"""Beginnings of events that Jira sends as well, and that concern no clock."""
