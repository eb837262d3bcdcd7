"""Comments of Jira: who wrote them, and whether customers see them. Instants are microseconds UTC."""

from typing import Final

from app.intake.mapping.events import Unreadable, without_absent
from app.intake.mapping.rule import Change
from app.intake.mapping.value import dig, identifier, instant, items, plain, table, text, word
from app.intake.systems.jira.fields import account, is_internal
from app.intake.systems.jira.webhook import IssueWebhook
from app.sla.event import Event, EventType

_NO_NEW_COMMENT: Final = frozenset({"issue_comment_edited", "issue_comment_deleted"})
"""Updates whose comment is an older one."""

_ATLASSIAN: Final = "atlassian"
"""Kind of an account that a customer and an agent may both have."""


def comment_of_issue(webhook: IssueWebhook) -> tuple[Event, ...]:
    """The comment that comes with the issue. The same one may come alone: both are one event, by its number."""
    body = webhook.body
    edited = word(body.get("issue_event_type_name")) in _NO_NEW_COMMENT
    if edited or not table(body.get("comment")):
        return ()
    events = comment(webhook)
    person = dig(body, "comment.author")
    if word(dig(person, "accountType")) != _ATLASSIAN or not _is_reporter(webhook, person):
        return events
    return _instead(webhook, events)


def _instead(webhook: IssueWebhook, events: tuple[Event, ...]) -> tuple[Event, ...]:
    """A comment of the reporter in place of the one that comes alone: there Cloud does not name the reporter, who counts
    as an agent unless the account is a customer's."""
    own, *rest = events
    key = f"comment:{identifier(dig(webhook.body, 'comment.id'))}:reporter"
    withdrawal = {"id": own.id, "author": "system", "reason": "the comment is the reporter's"}
    return (
        webhook.event(EventType.EVENT_WITHDRAWN, f"{key}:withdrawn", withdrawal, own.at),
        webhook.event(EventType(own.type), key, own.data, own.at),
        *rest,
    )


def comment(webhook: IssueWebhook) -> tuple[Event, ...]:
    """The comment as a reply or a note. Raises Unreadable without its number or an instant."""
    content = table(webhook.body.get("comment"))
    number = identifier(content.get("id"))
    if number is None:
        raise Unreadable("the comment has no id", "comment.id")
    at = instant(content.get("created"), webhook.source.zone) or webhook.dated()
    written = plain(content.get("body"))
    author = _author(webhook, content.get("author"))
    data = without_absent({"author": author, "text": written, "automatic": author == "system" or None})
    key = f"comment:{number}"
    if is_internal(content):
        note = webhook.event(EventType.NOTE_ADDED, key, data, at)
        return (note, *webhook.rules(key, note.at, Change(note=written)))
    kind = EventType.CUSTOMER_REPLIED if author == "customer" else EventType.AGENT_REPLIED
    return (webhook.event(kind, key, data, at),)


def _author(webhook: IssueWebhook, person: object) -> str:
    """Who wrote: an app, a portal account, one of the desk's agents where it lists them, the reporter, or an agent."""
    kind, known_as = word(dig(person, "accountType")), account(person)
    if kind == "app":
        return "system"
    agents = {text(one) for one in items(webhook.source.options.get("agents"))}
    if agents:
        known = {known_as, text(dig(person, "emailAddress")), text(dig(person, "displayName"))}
        return "agent" if known & agents - {None} else "customer"
    return "customer" if kind == "customer" or _is_reporter(webhook, person) else "agent"


def _is_reporter(webhook: IssueWebhook, person: object) -> bool:
    known_as = account(person)
    return known_as is not None and known_as == account(webhook.fields.get("reporter"))
