"""Jira and Jira Service Management adapter, Cloud and Server: changes and comments of an issue.

Changes are in the changelog, replies in comments, and the two come apart or together: a comment that is written with a
transition comes with the change, and may come alone as well. The ticket is the issue's key, or with `subject = "id"` its
number, which stays when an issue moves to another project. A change happened at the request's `timestamp`, a comment
when it was `created`. What else the issue's fields say counts as of `updated`. A Server names no issue with a comment,
and sends it again with the issue: there only that one counts.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.events import Unreadable, without_absent
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import Change
from app.intake.mapping.snapshot import Snapshot
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import dig, identifier, instant, items, names, table, text, word
from app.intake.request import InboundRequest
from app.intake.systems.jira.comment import comment, comment_of_issue
from app.intake.systems.jira.fields import (
    account,
    address,
    issue_of,
    mail_or_name,
    organisation,
    shown_name,
)
from app.intake.systems.jira.state import state
from app.intake.systems.jira.vocabulary import NEAR, PRIORITIES, STATUSES
from app.intake.systems.jira.webhook import SYSTEM, IssueWebhook
from app.sla.document.faults import instead_of
from app.sla.document.table import Table
from app.sla.event import Event, EventType, Value
from app.sla.span import Micros

_ORGANISATION: Final = "customfield_10002"
"""Where most Cloud sites keep the organisations of a request."""


def read(request: InboundRequest, source: Source) -> Reading:
    """The events and snapshots of a request. Raises Unreadable."""
    body = table(request.json())
    kind = text(body.get("webhookEvent"))
    if kind is None:
        raise Unreadable(_sent_otherwise(body), "webhookEvent")
    kind = kind.removeprefix("jira:")
    webhook = _parsed(body, source)
    if source.drops(text(dig(webhook.fields, "status.name"))):
        return Reading(ignored="the issue's status is dropped")
    snapshots: tuple[Snapshot, ...] = ()
    match kind:
        case "issue_created":
            events = _created(webhook)
            snapshots = state(webhook, (), events)
        case "issue_updated":
            changes = tuple(_changes(webhook))
            events = (*changes, *comment_of_issue(webhook))
            snapshots = state(webhook, changes, events)
        case "comment_created":
            if webhook.ticket is None:
                return Reading(ignored="the comment names no issue; it comes again with the issue")
            events = comment(webhook)
            snapshots = state(webhook, (), events)
        case "issue_deleted":
            events = (webhook.event(EventType.TICKET_DELETED, "deleted", {}, webhook.dated()),)
        case _ if kind.startswith(NEAR):
            return Reading(ignored=f"{kind} concerns no clock")
        case _:
            webhook.words.unknown("event", kind)
            return Reading(warnings=webhook.words.warnings, ignored=f"{kind} is not known")
    silent = not (events or snapshots or webhook.words.warnings)
    nothing = "no field that a clock looks at has changed" if silent else None
    return Reading(events, snapshots, webhook.words.warnings, nothing)


def _sent_otherwise(body: Mapping[str, object]) -> str:
    """Why a body without `webhookEvent` cannot be read: Jira has other ways of sending that never name an event."""
    if "transition" in body:
        by = "it comes from a workflow's own webhook step (a post function)"
    elif "issue" in body or ("key" in body and "fields" in body):
        by = "it comes from an automation rule or another program"
    else:
        by = "it is not a webhook of Jira"
    return (
        f"it names no event; {by}. Use a webhook of the site in place of it, under Settings > System > WebHooks, with "
        "Issue: created, updated, deleted and Comment: created"
    )


def _parsed(body: Mapping[str, object], source: Source) -> IssueWebhook:
    issue = table(body.get("issue"))
    by_id = source.options.get("subject") == "id"
    ticket = identifier(issue.get("id" if by_id else "key"))
    if ticket is None and by_id:
        ticket = issue_of(text(dig(body, "comment.self")))
    return IssueWebhook(source, Translator(source), ticket, body, issue, table(issue.get("fields")))


# -- the issue ----------------------------------------------------------------------------------------------------


def _created(webhook: IssueWebhook) -> tuple[Event, ...]:
    fields, words = webhook.fields, webhook.words
    status = text(dig(fields, "status.name"))
    creator, reporter = account(fields.get("creator")), account(fields.get("reporter"))
    data = without_absent(
        {
            "title": text(fields.get("summary")),
            "customer": mail_or_name(fields.get("reporter")),
            "organisation": organisation(fields.get(webhook.option("organisation_field") or _ORGANISATION)),
            "kind": word(dig(fields, "issuetype.name")),
            "priority": words.priority(text(dig(fields, "priority.name"))),
            "status": words.status(status),
            "queue": webhook.queue,
            "assignee": shown_name(fields.get("assignee")),
            "group": webhook.group,
            "tags": names(fields.get("labels")) if "labels" in fields else None,
            "url": address(webhook.issue),
            "author": "customer" if creator in (None, reporter) else "agent",
        }
    )
    at = instant(fields.get("created"), webhook.source.zone) or webhook.dated()
    created = webhook.event(EventType.TICKET_CREATED, "created", data, at)
    watched = {rule.word: dig(fields, rule.word) for rule in webhook.source.rules}
    seen = Change(names(fields.get("labels")), status, watched, text(fields.get("description")))
    return (created, *webhook.rules("created", created.at, seen))


# -- changes ------------------------------------------------------------------------------------------------------


def _changes(webhook: IssueWebhook) -> Iterable[Event]:
    log = table(webhook.body.get("changelog"))
    listed = items(log.get("items"))
    if not listed:
        return
    at = webhook.dated()
    for number, item in enumerate(listed):
        name = text(dig(item, "fieldId")) or (text(dig(item, "field")) or "").lower()
        # Changelog ids are not the same as instants: sites import and replay them.
        key = f"{at}:{identifier(log.get('id'))}:{number}:{name}"
        yield from _change(webhook, at, name, key, table(item))


def _change(
    webhook: IssueWebhook, at: Micros, name: str, key: str, item: Mapping[str, object]
) -> Iterable[Event]:
    new = text(item.get("toString"))
    change = Change(fields=_paths(name, text(item.get("field")), new))
    match name:
        case "status":
            change = Change(status=new, fields=change.fields)
            if (status := webhook.status(text(item.get("to")), new)) is not None:
                yield webhook.event(EventType.STATUS_CHANGED, key, {"status": status}, at)
        case "labels":
            tags = names(new or "")
            change = Change(set(tags).difference(names(text(item.get("fromString")) or "")))
            yield _updated(webhook, at, key, {"tags": tags})
        case "priority":
            ours = webhook.words.priority(new)
            if ours is not None or new is None:
                yield _updated(webhook, at, key, {"priority": ours})
        case "key":
            moved = f"{text(item.get('fromString'))} has moved to {new}; its clocks stay under the old key"
            if webhook.source.options.get("subject") != "id":
                webhook.words.unknown("move", moved)
        case _:
            if data := _field(webhook, name, new):
                yield _updated(webhook, at, key, data)
    yield from webhook.rules(key, at, change)


def _updated(webhook: IssueWebhook, at: Micros, key: str, data: Mapping[str, Value | None]) -> Event:
    return webhook.event(EventType.TICKET_UPDATED, key, data, at)


def _field(webhook: IssueWebhook, name: str, new: str | None) -> Mapping[str, Value | None]:
    """The ticket fields that the change of a plain field sets; empty for a field that is not read."""
    match name:
        case "summary":
            return {"title": new}
        case "assignee":
            return {"assignee": new}
        case "reporter":
            return {"customer": mail_or_name(webhook.fields.get("reporter")) or new}
        case "issuetype":
            return {"kind": None if new is None else new.casefold()}
        case _ if name == (webhook.option("organisation_field") or _ORGANISATION):
            return {"organisation": organisation(webhook.fields.get(name)) or new}
        case _ if name == webhook.option("group_field"):
            return {"group": new} | without_absent({"queue": webhook.words.queue(new)})
        case _:
            return {}


def _paths(field_id: str, name: str | None, new: str | None) -> dict[str, object]:
    """The names under which a rule may know a field: its id and its label."""
    return {path: new for path in (field_id, name) if path}


# -- what to enter ------------------------------------------------------------------------------------------------


def _options(own: Table) -> dict[str, object]:
    found: dict[str, object] = {
        "organisation_field": own.text("organisation_field", example='"customfield_10002"'),
        "group_field": own.text("group_field", example='"customfield_10050"'),
        "agents": [one for _, one in own.texts("agents", example='["marco@example.com"]')],
    }
    subject = own.text("subject", example='"key"')
    if subject not in (None, "key", "id"):
        own.fault("subject", f"{subject!r} names no issue", instead_of(subject, ("key", "id")))
    return found | {"subject": subject}


def _identifier(request: InboundRequest) -> str | None:
    return request.header("x-atlassian-webhook-identifier")


ADAPTER: Final = Adapter(
    system=SYSTEM,
    label="Jira Service Management",
    schemes=("hub-sha256", "url-secret", "token"),
    read=read,
    idempotency_key=_identifier,
    statuses=STATUSES,
    priorities=PRIORITIES,
    events_to_tick=("Issue: created, updated, deleted", "Comment: created"),
    headers=("x-atlassian-webhook-identifier",),
    options=_options,
)
