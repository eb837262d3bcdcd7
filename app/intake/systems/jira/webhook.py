"""One webhook of Jira: the parts of its body that are read, in one value. Instants are microseconds UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.intake.mapping.events import happened, instant_in
from app.intake.mapping.rule import Change, rule_events
from app.intake.mapping.source import Source, Translator
from app.intake.mapping.value import dig, text
from app.intake.systems.jira.fields import chosen
from app.sla.event import Event, EventType, Value
from app.sla.span import Micros

SYSTEM: Final = "jira"
_DATES: Final = ("timestamp", "issue.fields.updated")


@dataclass(frozen=True, slots=True)
class IssueWebhook:
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
        """An event of the issue."""
        return happened(SYSTEM, self.ticket, kind, at, key, data)

    def option(self, name: str) -> str | None:
        """One of the desk's own keys, if it is a text."""
        return text(self.source.options.get(name))

    def rules(self, key: str, at: Micros, change: Change) -> tuple[Event, ...]:
        """The events of the desk's rules that match a change."""
        return rule_events(SYSTEM, self.ticket or "", at, key, self.source.rules, change)

    @property
    def group(self) -> str | None:
        """What the desk's group field holds."""
        field = self.option("group_field")
        return None if field is None else chosen(self.fields.get(field))

    @property
    def queue(self) -> str | None:
        """The queue of the desk's group field or, failing that, of the project."""
        return self.words.queue(self.group) or self.words.queue(text(dig(self.fields, "project.key")))

    def status(self, number: str | None, name: str | None) -> str | None:
        """Our status for theirs, by its name or, where a desk has mapped that, by its id."""
        return self.words.status(number if number in self.source.statuses else name)
