"""Connected subjects: tickets merged into each other, and calls or services with the tickets that they name.

They are evaluated by each other's events, so a replay receives all of their events in one transaction. Otherwise it
would record a breach of a ticket whose merge, in a later transaction, takes it back.
"""

from collections.abc import Sequence

from app.flow.judge.incoming import subjects_of
from app.intake.importing.entry import Entry


class Connected:
    """Subjects that belong together, as a union-find structure over those that are connected at all."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def add(self, entry: Entry) -> None:
        """Connect what an entry names."""
        if entry.event is None:
            return
        names = [subject.text for subject in subjects_of(entry.event)]
        if entry.event.type == "ticket.merged" and isinstance(into := entry.event.data.get("into"), str):
            names.append(into)
        self._connect(names)

    def __contains__(self, subject: str) -> bool:
        return subject in self._parents

    def root(self, subject: str) -> str:
        """The subject that stands for all that are connected with this one."""
        while (parent := self._parents.get(subject, subject)) != subject:
            self._parents[subject] = self._parents.get(parent, parent)
            subject = parent
        return subject

    def _connect(self, names: Sequence[str]) -> None:
        for other in names[1:]:
            for name in (names[0], other):
                self._parents.setdefault(name, name)
            self._parents[self.root(other)] = self.root(names[0])
