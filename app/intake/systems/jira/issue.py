"""Jira and Jira Service Management adapter, Cloud and Server: changes and comments of an issue.

Changes are in the changelog, replies in comments, and the two come apart or together. The ticket is the issue's key, or
with `subject = "id"` its number, which stays when an issue moves to another project. A change happened at the request's
`timestamp`, a comment when it was `created`. A Server names no issue with a comment, and sends the same comment again
with the issue: there only that one counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.events import Unreadable, happened, instant_in, without_absent
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import Change, rule_events
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import dig, identifier, instant, items, names, plain, table, text, word
from app.intake.request import InboundRequest
from app.intake.systems.jira.fields import (
    account,
    address,
    chosen,
    is_internal,
    issue_of,
    mail_or_name,
    organisation,
    shown_name,
)
from app.intake.systems.jira.vocabulary import NEAR, PRIORITIES, STATUSES
from app.sla.document.faults import instead_of
from app.sla.document.table import Table
from app.sla.event import Event, EventType, Value
from app.sla.span import Micros

SYSTEM: Final = "jira"
_DATES: Final = ("timestamp", "issue.fields.updated")
_ORGANISATION: Final = "customfield_10002"
"""Where most Cloud sites keep the organisations of a request."""


@dataclass(frozen=True, slots=True)
class _Webhook:
    """The parts of one request."""

    source: Source
    words: Translator
    ticket: str | None
    body: Mapping[str, object]
    issue: Mapping[str, object]
    fields: Mapping[str, object]

    def dated(self) -> Micros:
        """The instant of the change. Raises Unreadable without a readable instant."""
        return instant_in(self.body, _DATES, "the instant of the change", self.source.zone)

    def event(self, kind: EventType, key: str, data: Mapping[str, Value | None], at: Micros) -> Event:
        return happened(SYSTEM, self.ticket, kind, at, key, data)

    def option(self, name: str) -> str | None:
        return text(self.source.options.get(name))

    def rules(self, key: str, at: Micros, change: Change) -> tuple[Event, ...]:
        return rule_events(SYSTEM, self.ticket or "", at, key, self.source.rules, change)


def read(request: InboundRequest, source: Source) -> Reading:
    """The events and snapshots of a request. Raises Unreadable."""
    body = table(request.json())
    kind = text(body.get("webhookEvent"))
    if kind is None:
        raise Unreadable("it names no event", "webhookEvent")
    kind = kind.removeprefix("jira:")
    webhook = _parsed(body, source)
    if source.drops(text(dig(webhook.fields, "status.name"))):
        return Reading(ignored="the issue's status is dropped")
    match kind:
        case "issue_created":
            events = _created(webhook)
        case "issue_updated":
            events = (*_changes(webhook), *_comment_of_issue(webhook))
        case "comment_created":
            if webhook.ticket is None:
                return Reading(ignored="the comment names no issue; it comes again with the issue")
            events = _comment(webhook)
        case "issue_deleted":
            events = (webhook.event(EventType.TICKET_DELETED, "deleted", {}, webhook.dated()),)
        case _ if kind.startswith(NEAR):
            return Reading(ignored=f"{kind} concerns no clock")
        case _:
            webhook.words.unknown("event", kind)
            return Reading(warnings=webhook.words.warnings, ignored=f"{kind} is not known")
    nothing = None if events or webhook.words.warnings else "no field that a clock looks at has changed"
    return Reading(events, warnings=webhook.words.warnings, ignored=nothing)


def _parsed(body: Mapping[str, object], source: Source) -> _Webhook:
    issue = table(body.get("issue"))
    by_id = source.options.get("subject") == "id"
    ticket = identifier(issue.get("id" if by_id else "key"))
    if ticket is None and by_id:
        ticket = issue_of(text(dig(body, "comment.self")))
    return _Webhook(source, Translator(source), ticket, body, issue, table(issue.get("fields")))


# -- the issue ----------------------------------------------------------------------------------------------------


def _created(webhook: _Webhook) -> tuple[Event, ...]:
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
            "queue": _queue(webhook),
            "assignee": shown_name(fields.get("assignee")),
            "group": _group(webhook),
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


def _group(webhook: _Webhook) -> str | None:
    field = webhook.option("group_field")
    return None if field is None else chosen(webhook.fields.get(field))


def _queue(webhook: _Webhook) -> str | None:
    """The queue of the desk's group field or, failing that, of the project."""
    return webhook.words.queue(_group(webhook)) or webhook.words.queue(
        text(dig(webhook.fields, "project.key"))
    )


# -- changes ------------------------------------------------------------------------------------------------------


def _changes(webhook: _Webhook) -> Iterable[Event]:
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
    webhook: _Webhook, at: Micros, name: str, key: str, item: Mapping[str, object]
) -> Iterable[Event]:
    new = text(item.get("toString"))
    change = Change(fields=_paths(name, text(item.get("field")), new))
    match name:
        case "status":
            change = Change(status=new, fields=change.fields)
            if (status := _status(webhook, item)) is not None:
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


def _updated(webhook: _Webhook, at: Micros, key: str, data: Mapping[str, Value | None]) -> Event:
    return webhook.event(EventType.TICKET_UPDATED, key, data, at)


def _status(webhook: _Webhook, item: Mapping[str, object]) -> str | None:
    """Our status for the new one, by its name or, where a desk has mapped that, by its id."""
    number = text(item.get("to"))
    if number in webhook.source.statuses:
        return webhook.words.status(number)
    return webhook.words.status(text(item.get("toString")))


def _field(webhook: _Webhook, name: str, new: str | None) -> Mapping[str, Value | None]:
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


# -- comments -----------------------------------------------------------------------------------------------------


def _comment_of_issue(webhook: _Webhook) -> tuple[Event, ...]:
    """The comment that Server sends with the issue. Cloud, known by its account ids, sends a request for the comment."""
    sent_separately = dig(webhook.body, "comment.author.accountId") is not None
    return () if sent_separately or "comment" not in webhook.body else _comment(webhook)


def _comment(webhook: _Webhook) -> tuple[Event, ...]:
    comment = table(webhook.body.get("comment"))
    number = identifier(comment.get("id"))
    if number is None:
        raise Unreadable("the comment has no id", "comment.id")
    at = instant(comment.get("created"), webhook.source.zone) or webhook.dated()
    written = plain(comment.get("body"))
    author = _author(webhook, comment.get("author"))
    data = without_absent({"author": author, "text": written, "automatic": author == "system" or None})
    key = f"comment:{number}"
    if is_internal(comment):
        note = webhook.event(EventType.NOTE_ADDED, key, data, at)
        return (note, *webhook.rules(key, note.at, Change(note=written)))
    kind = EventType.CUSTOMER_REPLIED if author == "customer" else EventType.AGENT_REPLIED
    return (webhook.event(kind, key, data, at),)


def _author(webhook: _Webhook, person: object) -> str:
    """Who wrote: an app, a portal account, one of the desk's agents where it lists them, the reporter, or an agent."""
    kind, known_as = word(dig(person, "accountType")), account(person)
    if kind == "app":
        return "system"
    agents = {text(one) for one in items(webhook.source.options.get("agents"))}
    if agents:
        known = {known_as, text(dig(person, "emailAddress")), text(dig(person, "displayName"))}
        return "agent" if known & agents - {None} else "customer"
    is_reporter = known_as is not None and known_as == account(webhook.fields.get("reporter"))
    return "customer" if kind == "customer" or is_reporter else "agent"


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
