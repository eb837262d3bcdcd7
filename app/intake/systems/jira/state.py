"""The fields of a Jira issue beside its changes: a snapshot as of `updated`. Instants are microseconds UTC."""

from collections.abc import Sequence

from app.intake.mapping.events import without_absent
from app.intake.mapping.snapshot import Snapshot
from app.intake.mapping.value import dig, instant, names, text
from app.intake.systems.jira.fields import shown_name
from app.intake.systems.jira.webhook import SYSTEM, IssueWebhook
from app.sla.event import Event, EventType, Value
from app.sla.span import SECOND
from app.sla.ticket import Status


def state(webhook: IssueWebhook, changes: Sequence[Event], events: Sequence[Event]) -> tuple[Snapshot, ...]:
    """What the issue's fields say as of `updated`; none where that is not in the body, as with most comments."""
    at = instant(webhook.fields.get("updated"), webhook.source.zone)
    if at is None or webhook.ticket is None:
        return ()
    stated = _stated(webhook)
    # Fields of a later update than the change contradict it rightly; those of the change itself are its own.
    reported = {
        name: value for event in changes if at <= event.at + SECOND for name, value in event.data.items()
    }
    if stated.get("status") == Status.PENDING and any(e.type == EventType.CUSTOMER_REPLIED for e in events):
        # Jira's own rule moves the issue on after the customer's comment, in an update of its own.
        del stated["status"]
    return (Snapshot.beside_events(SYSTEM, webhook.ticket, at, stated | reported, reported),)


def _stated(webhook: IssueWebhook) -> dict[str, Value | None]:
    """The fields whose place in the body is there."""
    fields, words = webhook.fields, webhook.words
    group_field = webhook.option("group_field")
    found: dict[str, Value | None] = without_absent(
        {
            "status": webhook.status(text(dig(fields, "status.id")), text(dig(fields, "status.name"))),
            "priority": words.priority(text(dig(fields, "priority.name"))),
        }
    )
    if "priority" in fields and fields["priority"] is None:
        found["priority"] = None
    if "assignee" in fields:
        found["assignee"] = shown_name(fields["assignee"])
    if "labels" in fields:
        found["tags"] = names(fields["labels"])
    if group_field in fields:
        found |= {"group": webhook.group} | without_absent({"queue": webhook.queue})
    return found
