"""Zendesk adapter for triggers that send our template: a snapshot, and the message if there is one.

A trigger sends the ticket as it is then, filled into a template, and one fixed word for the reason: four triggers, four
words. The state is a snapshot, and only the word distinguishes a message from a change. Words are those of the account's
language. Instants are those of the ticket's last update.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.events import Unreadable, happened, instant_in, without_absent
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import looked_at
from app.intake.mapping.snapshot import Snapshot
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, instant, names, table, text, truth, word
from app.intake.request import InboundRequest
from app.intake.systems.zendesk.vocabulary import PRIORITIES, STATUSES
from app.sla.document.faults import instead_of
from app.sla.document.table import Table
from app.sla.event import Event, EventType
from app.sla.span import Micros

SYSTEM: Final = "zendesk-trigger"
_CREATED: Final = "ticket_created"
_PUBLIC: Final = "public_comment"
_PRIVATE: Final = "private_comment"
_UPDATED: Final = "ticket_updated"
WORDS: Final = (_CREATED, _PUBLIC, _PRIVATE, _UPDATED)

_ROLES: Final = {
    "end-user": "customer",
    "end user": "customer",
    "agent": "agent",
    "admin": "agent",
    "administrator": "agent",
    "light agent": "agent",
    "owner": "agent",
}
_NAME: Final = re.compile(r'"(\w++)"')


def read(request: InboundRequest, source: Source) -> Reading:
    """The events and snapshots of a request. Raises Unreadable."""
    body = _body(request)
    why = word(body.get("event"))
    words = Translator(source)
    if why not in WORDS:
        words.unknown("event", why or "")
    status = text(body.get("status"))
    if source.drops(status):
        return Reading(ignored=f"status {status} is dropped")
    ticket = identifier(body.get("ticket_id"))
    if ticket is None:
        raise Unreadable(
            "the ticket's id is missing; the trigger must send our template: paste what `slatimer connect "
            "zendesk-trigger` prints as the JSON body of its action Notify active webhook",
            "ticket_id",
        )
    at = instant_in(body, ["updated_at"], "the instant of the last update", source.zone)
    event = _message(body, why, ticket, at, words)
    return Reading((event,) if event else (), (_snapshot(body, ticket, at, words),), words.warnings)


def _body(request: InboundRequest) -> Mapping[str, object]:
    """The template as filled in. A title with quotes in it breaks the JSON but not the lines of the template."""
    try:
        return table(request.json())
    except Unreadable:
        written = request.body.decode("utf-8", "replace")
        found = dict(filter(None, map(_entry, written.splitlines())))
        if "ticket_id" not in found:
            raise
        return {**found}


def _entry(line: str) -> tuple[str, str] | None:
    """The name and value of a line of the template; None for another line.

    What stands between the outer quotes is the value, whatever quotes it holds itself.
    """
    name, _, value = line.strip().removesuffix(",").partition(":")
    value = value.strip()
    quoted = _NAME.fullmatch(name.rstrip())
    if quoted is None or len(value) < len('""') or not (value.startswith('"') and value.endswith('"')):
        return None
    return quoted[1], value[1:-1]


def _snapshot(body: Mapping[str, object], ticket: str, at: Micros, words: Translator) -> Snapshot:
    source = words.source
    group = text(body.get("group"))
    status = text(body.get("status"))
    translated = {"status": words.status(status), "priority": words.priority(text(body.get("priority")))}
    fields = {
        "title": text(body.get("subject")),
        "customer": text(body.get("requester")),
        "organisation": text(body.get("organisation")),
        "assignee": text(body.get("assignee")),
        "group": group,
        "tags": names(body.get("tags")),
    }
    present = {name: fields[name] for name in fields if _IN_TEMPLATE.get(name, name) in body}
    return Snapshot.of(
        SYSTEM,
        ticket,
        at,
        instant(body.get("created_at"), source.zone),
        present | without_absent(translated | {"queue": words.queue(group)}),
        author=_author(body, words) if word(body.get("event")) == _CREATED else None,
        status_word=status,
        looked_at=looked_at(source.rules, body),
    )


_IN_TEMPLATE: Final = {"title": "subject", "customer": "requester"}


def _author(body: Mapping[str, object], words: Translator) -> str | None:
    """Who did it: customer, agent, or the system itself. None, with a warning, for a role in words not known."""
    role, actor = text(body.get("actor_role")), word(body.get("actor_email"))
    if role is None and actor is None:
        return "system"
    if actor is not None and actor == word(body.get("requester")):
        return "customer"
    roles = {**_ROLES, **_strings(words.source.options.get("roles"))}
    if role is None or role.casefold() not in roles:
        words.unknown("role", role or "")
        return None
    return roles[role.casefold()]


def _strings(value: object) -> dict[str, str]:
    return {key: str(one) for key, one in table(value).items()}


def _message(
    body: Mapping[str, object], why: str | None, ticket: str, at: Micros, words: Translator
) -> Event | None:
    public = why == _PUBLIC or (why == _UPDATED and truth(body.get("comment_public")) is True)
    if not public and why != _PRIVATE:
        return None
    author = _author(body, words)
    if author is None:
        return None
    data = {"author": author} | ({"automatic": True} if author == "system" else {})
    if why == _PRIVATE:
        return happened(SYSTEM, ticket, EventType.NOTE_ADDED, at, f"note:{at}", data)
    kind = EventType.CUSTOMER_REPLIED if author == "customer" else EventType.AGENT_REPLIED
    return happened(SYSTEM, ticket, kind, at, f"comment:{at}:{author}", data)


def _options(own: Table) -> dict[str, object]:
    roles = own.table("roles", example='[sources.zendesk-trigger.roles] and in it "Endbenutzer" = "customer"')
    found: dict[str, str] = {}
    for theirs in roles.content:
        ours = roles.text(theirs, example='"customer"')
        if ours in ("customer", "agent"):
            found[theirs.casefold()] = ours
        elif ours is not None:
            roles.fault(theirs, f"{ours!r} is no role", instead_of(ours, ("customer", "agent")))
    return {"roles": found}


def _invocation(request: InboundRequest) -> str | None:
    return request.header("x-zendesk-webhook-invocation-id")


TEMPLATE: Final = json.dumps(
    {
        "source": "zendesk-trigger/1",
        "event": "<" + " | ".join(WORDS) + ">",
        "ticket_id": "{{ticket.id}}",
        "subject": "{{ticket.title}}",
        "status": "{{ticket.status}}",
        "priority": "{{ticket.priority}}",
        "group": "{{ticket.group.name}}",
        "assignee": "{{ticket.assignee.email}}",
        "requester": "{{ticket.requester.email}}",
        "organisation": "{{ticket.organization.name}}",
        "tags": "{{ticket.tags}}",
        "actor_role": "{{current_user.role}}",
        "actor_email": "{{current_user.email}}",
        "updated_at": "{{ticket.updated_at_with_timestamp}}",
        "created_at": "{{ticket.created_at_with_timestamp}}",
    },
    indent=2,
)

ADAPTER: Final = Adapter(
    system=SYSTEM,
    label="Zendesk, triggers",
    schemes=("zendesk",),
    read=read,
    idempotency_key=_invocation,
    statuses={**STATUSES, "on hold": "on_hold"},
    priorities=PRIORITIES,
    events_to_tick=(
        f"{_CREATED}: Ticket is created",
        f"{_PUBLIC}: Ticket is updated, Comment is public",
        f"{_PRIVATE}: Ticket is updated, Comment is private",
        f"{_UPDATED}: Ticket is updated, neither of them",
    ),
    template=TEMPLATE,
    headers=("x-zendesk-webhook-invocation-id",),
    options=_options,
)
