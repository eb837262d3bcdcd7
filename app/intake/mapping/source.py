"""A desk's configuration of one ticket system: the mapping of its words to ours.

A `Source` includes the adapter's defaults. A `Translator` maps the words of one request and collects those that are not
mapped: an unknown word is left out, so that clocks stay as they are, and is named in a warning.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.intake.mapping.rule import Rule


@dataclass(frozen=True, slots=True)
class Source:
    """One ticket system of a desk. Keys of the maps are their words in lower case.

    `statuses` gives our status, or None for tickets that are dropped on purpose (spam, drafts). `queues` gives our queue
    of their group. `zone` is where their local times are read. `scheme` chooses among the ways of signing that the
    adapter accepts; None is its first. `options` are the adapter's own keys.
    """

    desk: str
    system: str
    statuses: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    priorities: Mapping[str, str] = field(default_factory=dict[str, str])
    queues: Mapping[str, str] = field(default_factory=dict[str, str])
    rules: tuple[Rule, ...] = ()
    zone: str | None = None
    scheme: str | None = None
    options: Mapping[str, object] = field(default_factory=dict[str, object])

    def drops(self, word: str | None) -> bool:
        """Whether a ticket of this status is none of ours."""
        return word is not None and self.statuses.get(word.casefold(), "") is None


@dataclass(slots=True)
class Translator:
    """Maps the words of one request. `warnings` are the words that are not mapped, and what else is left out, each once,
    in order."""

    source: Source
    _warnings: dict[str, None] = field(default_factory=dict[str, None])

    @property
    def warnings(self) -> tuple[str, ...]:
        """The words without a mapping so far."""
        return tuple(self._warnings)

    def status(self, word: str | None) -> str | None:
        """The status that a word maps to. None without a word, for a dropped one and, with a warning, an unknown one."""
        return self._known("status", word, self.source.statuses)

    def priority(self, word: str | None) -> str | None:
        """The priority that a word maps to. None without a word and, with a warning, for an unknown one."""
        return self._known("priority", word, self.source.priorities)

    def queue(self, group: str | None) -> str | None:
        """The queue that a group maps to, or None. An unmapped group is no warning: most desks have one queue."""
        return None if group is None else self.source.queues.get(group.casefold())

    def unknown(self, what: str, word: str) -> None:
        """Warn that a word has no mapping."""
        self._warnings[f"{what} {word!r} of {self.source.system} is not mapped"] = None

    def warn(self, words: str) -> None:
        """Warn of anything else that is left out."""
        self._warnings[words] = None

    def _known(self, what: str, word: str | None, known: Mapping[str, str | None]) -> str | None:
        if word is None:
            return None
        if word.casefold() not in known:
            self.unknown(what, word)
            return None
        return known[word.casefold()]
