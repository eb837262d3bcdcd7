"""WHMCS adapter: events of the hooks that `integrations/whmcs/` sends.

One request for each hook: its name, its variables as WHMCS gives them, the ticket's row, and the instant in UTC. Changes
come from the hook's variables, since the row may be read before or after the change; the row serves for the fields of a
new ticket. The automatic changes to Answered and Customer-Reply come with the replies alone. Times of the row are local
without an offset and are never read. Instants are microseconds UTC.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.intake.adapter import Adapter
from app.intake.mapping.events import Unreadable, happened, instant_in, without_absent
from app.intake.mapping.message import message
from app.intake.mapping.reading import Reading
from app.intake.mapping.rule import Change, rule_events
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import identifier, items, plain, table, text
from app.intake.request import InboundRequest
from app.sla.event import Event, EventType, Value
from app.sla.span import Micros

SYSTEM: Final = "whmcs"

_CLOSED: Final = "Closed"
"""TicketClose carries no status; this is the one end state that WHMCS has."""

_MESSAGE_ID: Final = "webhook-id"


@dataclass(frozen=True, slots=True)
class _Hook:
    """One hook. Names in `vars` are in lower case, since WHMCS writes ticketid, ticketId and newTicketID."""

    name: str
    at: Micros
    vars: Mapping[str, object]
    row: Mapping[str, object]
    words: Translator

    @property
    def source(self) -> Source:
        return self.words.source

    @property
    def ticket(self) -> str:
        for name in ("ticketid", "newticketid"):
            if found := identifier(self.vars.get(name)):
                return found
        raise Unreadable("the ticket's id is missing", "vars.ticketid")

    def fact(self, kind: EventType, data: Mapping[str, Value], ticket: str | None = None) -> Event:
        """An event of this hook's instant. Its id names no hook: TicketClose and TicketStatusChange report one act."""
        word = data.get("status", "")
        key = f"{self.at}:{kind}:{word}" if word else f"{self.at}:{self.name}:{kind}"
        return happened(self.source.system, ticket or self.ticket, kind, self.at, key, data)

    def status(self, word: str | None) -> tuple[Event, ...]:
        """The change to this status of theirs, and the events of the desk's rules for it."""
        if word is None:
            return ()
        status = self.words.status(word)
        recorded = () if status is None else (self.fact(EventType.STATUS_CHANGED, {"status": status}),)
        return (*recorded, *self.seen_by_rules(Change(status=word)))

    def seen_by_rules(self, change: Change) -> tuple[Event, ...]:
        source = self.source
        return rule_events(source.system, self.ticket, self.at, str(self.at), source.rules, change)


def _read(request: InboundRequest, source: Source) -> Reading:
    body = table(request.json())
    name = text(body.get("hook"))
    if name is None:
        raise Unreadable(
            "the name of the hook is missing; WHMCS must send with integrations/whmcs/slatimer.php in includes/hooks/",
            "hook",
        )
    words = Translator(source)
    if (read := _READERS.get(name)) is None:
        words.unknown("hook", name)
        return Reading(warnings=words.warnings)
    at = instant_in(body, ["occurred_at"], "the instant at which it happened", source.zone)
    lowered = {key.lower(): value for key, value in table(body.get("vars")).items()}
    hook = _Hook(name, at, lowered, table(body.get("ticket")), words)
    return Reading(read(hook), warnings=words.warnings)


# -- the hooks ------------------------------------------------------------------------------------------------------


def _opened(author: str) -> Callable[[_Hook], tuple[Event, ...]]:
    def read(hook: _Hook) -> tuple[Event, ...]:
        return _created(hook, {"author": author})

    return read


def _created(hook: _Hook, further: Mapping[str, Value]) -> tuple[Event, ...]:
    row, given, words = hook.row, hook.vars, hook.words
    status = text(row.get("status"))
    data = without_absent(
        {
            "title": text(given.get("subject")) or text(row.get("subject")),
            "customer": text(row.get("email")) or text(row.get("client_email")) or text(row.get("name")),
            "organisation": text(row.get("client_company")),
            "plan": text(row.get("client_group")),
            "status": words.status(status),
            **_priority(hook),
            **_department(hook),
            **further,
        }
    )
    created = happened(
        hook.source.system, hook.ticket, EventType.TICKET_CREATED, hook.at, f"{hook.at}:{hook.name}", data
    )
    change = Change(status=status, fields={name: given.get(name) for name in ("priority", "deptname")})
    return (created, *hook.seen_by_rules(change))


def _split(hook: _Hook) -> tuple[Event, ...]:
    """A part of a ticket becomes a ticket of its own; its author is not reported."""
    return _created(hook, {})


def _customer_replied(hook: _Hook) -> tuple[Event, ...]:
    return _replied(hook, EventType.CUSTOMER_REPLIED)


def _agent_replied(hook: _Hook) -> tuple[Event, ...]:
    return _replied(hook, EventType.AGENT_REPLIED)


def _replied(hook: _Hook, kind: EventType) -> tuple[Event, ...]:
    """A reply, and the status that it brought: no other hook reports that."""
    return (*_message(hook, kind, "replyid"), *hook.status(text(hook.vars.get("status"))))


def _noted(hook: _Hook) -> tuple[Event, ...]:
    return _message(hook, EventType.NOTE_ADDED, "noteid")


def _message(hook: _Hook, kind: EventType, id_name: str) -> tuple[Event, ...]:
    number = identifier(hook.vars.get(id_name))
    key = f"{id_name}:{number}" if number else f"{hook.at}:{hook.name}"
    words = plain(hook.vars.get("message"))
    return message(hook.source, hook.ticket, kind, hook.at, key, words)


def _status_changed(hook: _Hook) -> tuple[Event, ...]:
    return hook.status(text(hook.vars.get("status")))


def _closed(hook: _Hook) -> tuple[Event, ...]:
    return hook.status(_CLOSED)


def _updated(
    part: Callable[[_Hook], Mapping[str, Value]], *fields: str
) -> Callable[[_Hook], tuple[Event, ...]]:
    def read(hook: _Hook) -> tuple[Event, ...]:
        data = part(hook)
        recorded = (hook.fact(EventType.TICKET_UPDATED, data),) if data else ()
        change = Change(fields={name: hook.vars.get(name) for name in fields})
        return (*recorded, *hook.seen_by_rules(change))

    return read


def _priority(hook: _Hook) -> dict[str, Value]:
    named = text(hook.vars.get("priority")) or text(hook.row.get("priority"))
    priority = hook.words.priority(named)
    return {} if priority is None else {"priority": priority}


def _department(hook: _Hook) -> dict[str, Value]:
    group = text(hook.vars.get("deptname")) or text(hook.row.get("deptname"))
    return without_absent({"group": group, "queue": hook.words.queue(group)})


def _flagged(hook: _Hook) -> dict[str, Value]:
    # Without an assignee it is admin 0, with an empty name.
    return {"assignee": text(hook.vars.get("adminname"))}


def _title(hook: _Hook) -> dict[str, Value]:
    return without_absent({"title": text(hook.vars.get("subject"))})


def _merged(hook: _Hook) -> tuple[Event, ...]:
    into = identifier(hook.vars.get("masterticketid"))
    if into is None:
        raise Unreadable("the id of the ticket that they go into is missing", "vars.masterTicketId")
    merged = [ticket for one in items(hook.vars.get("mergedticketids")) if (ticket := identifier(one))]
    return tuple(hook.fact(EventType.TICKET_MERGED, {"into": into}, ticket) for ticket in merged)


def _deleted(hook: _Hook) -> tuple[Event, ...]:
    return (hook.fact(EventType.TICKET_DELETED, {}),)


_READERS: Final[Mapping[str, Callable[[_Hook], tuple[Event, ...]]]] = {
    "TicketOpen": _opened("customer"),
    "TicketOpenAdmin": _opened("agent"),
    "TicketUserReply": _customer_replied,
    "TicketAdminReply": _agent_replied,
    "TicketAddNote": _noted,
    "TicketStatusChange": _status_changed,
    "TicketClose": _closed,
    "TicketPriorityChange": _updated(_priority, "priority"),
    "TicketDepartmentChange": _updated(_department, "deptname"),
    "TicketFlagged": _updated(_flagged, "adminname"),
    "TicketSubjectChange": _updated(_title, "subject"),
    "TicketMerge": _merged,
    "TicketSplit": _split,
    "TicketDelete": _deleted,
}

ADAPTER: Final = Adapter(
    system=SYSTEM,
    label="WHMCS",
    schemes=("standard-webhooks",),
    read=_read,
    idempotency_key=lambda request: request.header(_MESSAGE_ID),
    statuses={
        "open": "open",
        "customer-reply": "open",
        "in progress": "open",
        "answered": "pending",
        "on hold": "on_hold",
        "closed": "solved",
    },
    priorities={"low": "low", "medium": "normal", "high": "high"},
    events_to_tick=tuple(_READERS),
    template="""\
Copy integrations/whmcs/slatimer.php to includes/hooks/ of WHMCS, and write at its top:
const URL = '<URL>';
const SECRET = '<SECRET>';
""",
    headers=(_MESSAGE_ID,),
)
