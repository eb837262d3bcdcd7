"""Chatwoot conversations: their fields in our words, who opened them, and their state as a snapshot.

Chatwoot builds a body when its job runs, not when the change was made: the body is the conversation as of its own
`updated_at`, which may be later, and `messages` holds the last message at that time. Instants are microseconds UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.intake.mapping.events import Unreadable
from app.intake.mapping.snapshot import Snapshot
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import dig, identifier, instant, names, table, text, word
from app.sla.event import Value
from app.sla.span import SECOND, Micros

OPENING: Final[Micros] = 2 * SECOND
"""The message that opens a conversation is stored with it; their seconds may differ, and no agent answers in so little
time."""

WORDS_OF_TYPE: Final = {"0": "incoming", "1": "outgoing", "2": "activity", "3": "template"}
"""Chatwoot writes the type of a message as a word or, in lists of messages, as a number."""

_USER: Final = "user"


@dataclass(frozen=True, slots=True)
class Conversation:
    """The conversation of a request, and the translator of its words."""

    ticket: str
    content: Mapping[str, object]
    words: Translator

    @classmethod
    def of(cls, content: Mapping[str, object], words: Translator, place: str) -> "Conversation":
        """The conversation in `content`, which stands at `place` in the body. Raises Unreadable without an id."""
        # The number that the desk sees; within a contact's inbox other ids are used, which are of no use here.
        ticket = identifier(content.get("id")) or identifier(content.get("display_id"))
        if ticket is None:
            raise Unreadable("the conversation's id is missing", place)
        return cls(ticket, content, words)

    @property
    def source(self) -> Source:
        """The desk's configuration of Chatwoot."""
        return self.words.source

    @property
    def created_at(self) -> Micros | None:
        """When it was opened, in whole seconds, as Chatwoot sends it."""
        return instant(self.content.get("created_at"), self.source.zone)

    @property
    def updated_at(self) -> Micros | None:
        """The instant of the state in the body."""
        return instant(self.content.get("updated_at"), self.source.zone)

    def opens(self, at: Micros | None) -> bool:
        """Whether a message of that instant is the one that the conversation was opened with."""
        created_at = self.created_at
        return at is not None and created_at is not None and abs(at - created_at) <= OPENING

    @property
    def age(self) -> Micros:
        """How long after the opening the body's state is."""
        stated_at = self.updated_at or instant(self.content.get("last_activity_at"), self.source.zone)
        created_at = self.created_at
        return 0 if stated_at is None or created_at is None else max(stated_at - created_at, 0)

    @property
    def opened_by(self) -> str | None:
        """An agent, where a message of a user opened it; else none, which counts as the customer.

        The only message in the body is the last one, often a bot's or an agent's reply: it states who opened the
        conversation only when it is dated at the opening.
        """
        message = dig(self.content, "messages.0")
        sort = text(dig(message, "message_type")) or ""
        sender = word(dig(message, "sender_type")) or word(dig(message, "sender.type"))
        outgoing = WORDS_OF_TYPE.get(sort, sort) == "outgoing"
        at = instant(dig(message, "created_at"), self.source.zone)
        return "agent" if outgoing and sender == _USER and self.opens(at) else None

    # -- fields --------------------------------------------------------------------------------------------------------

    def contact(self) -> dict[str, Value | None]:
        """The fields that follow from the contact and the inbox."""
        sender = table(dig(self.content, "meta.sender"))
        return {
            "title": text(dig(self.content, "additional_attributes.mail_subject")),
            "customer": text(sender.get("email"))
            or text(sender.get("phone_number"))
            or text(sender.get("name")),
            "organisation": text(dig(sender, "custom_attributes.company"))
            or text(dig(sender, "additional_attributes.company_name")),
            "channel": (word(self.content.get("channel")) or "").removeprefix("channel::") or None,
        }

    def priority(self) -> dict[str, Value]:
        """The priority; null where it was removed, absent where theirs is not mapped."""
        named = text(self.content.get("priority"))
        priority = self.words.priority(named)
        return {"priority": priority} if named is None or priority is not None else {}

    def assignee(self) -> dict[str, Value]:
        """The assignee; null where there is none."""
        assignee = table(dig(self.content, "meta.assignee"))
        return {"assignee": text(assignee.get("email")) or text(assignee.get("name"))}

    def team(self) -> dict[str, Value]:
        """The team as the group, and its queue."""
        group = text(dig(self.content, "meta.team.name"))
        queue = self.words.queue(group)
        return {"group": group} if queue is None else {"group": group, "queue": queue}

    def labels(self) -> dict[str, Value]:
        """The labels as tags."""
        return {"tags": names(self.content.get("labels"))}

    # -- state ---------------------------------------------------------------------------------------------------------

    def state(self, reported: Mapping[str, Value], without: str | None = None) -> tuple[Snapshot, ...]:
        """The snapshot of the body; none where nothing in it dates the state.

        `reported` are the fields that events of the same instant report. A status of the word `without` is left out.
        """
        at = self.updated_at
        if at is None:
            return ()
        fields = {
            name: value for name, value in self.stated().items() if (name, value) != ("status", without)
        }
        fields |= reported
        return (
            Snapshot.beside_events(self.source.system, self.ticket, at, fields, reported, rank=self._rank()),
        )

    def stated(self) -> dict[str, Value]:
        """The fields whose place in the body is there: an older version that does not send one removes nothing."""
        content, fields = self.content, dict[str, Value]()
        if (status := self.words.status(text(content.get("status")))) is not None:
            fields["status"] = status
        if "priority" in content:
            fields |= self.priority()
        if "labels" in content:
            fields |= self.labels()
        if "assignee" in (meta := table(content.get("meta"))):
            fields |= self.assignee()
        if "team" in meta:
            fields |= self.team()
        return fields

    def _rank(self) -> int:
        """Seconds from the opening to the last activity: of two bodies of one `updated_at`, the later has more."""
        last, created_at = instant(self.content.get("last_activity_at"), self.source.zone), self.created_at
        return 0 if last is None or created_at is None else max(last - created_at, 0) // SECOND
