"""Subject: what a clock, a signal, a parked evaluation or a delivery's order is about, within a desk.

A subject is written as in the `subject` attribute of a CloudEvents event: a ticket by its bare id, the others with their
kind in front, as in "service:web" or "call:81". An event without a subject is about its source, so the text of the desk
itself is empty. The text is what the database stores and what the ids of signals are made from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final


class SubjectKind(StrEnum):
    """Kinds of subjects. The value is the prefix of the text; a ticket and the desk itself have none."""

    TICKET = "ticket"
    SERVICE = "service"
    CALL = "call"
    CONTRACT = "contract"
    DESK = "desk"


_BY_PREFIX: Final = {
    kind.value: kind for kind in (SubjectKind.SERVICE, SubjectKind.CALL, SubjectKind.CONTRACT)
}

_NAMED_WITHOUT_CASE: Final = frozenset({SubjectKind.SERVICE, SubjectKind.CONTRACT})


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Something of a desk that can be judged. `parse` makes it from its text, `text` writes it; they are inverse.

    Construct it with `parse`, or directly for a kind with a prefix: an id that begins with the prefix of another kind
    is of that kind, so it cannot be a ticket's.
    """

    kind: SubjectKind
    id: str

    @classmethod
    def parse(cls, text: str) -> "Subject":
        """The subject with this text. Every text is one."""
        return _parsed(text)

    @property
    def text(self) -> str:
        """The subject in writing."""
        if self.kind is SubjectKind.TICKET or self.kind is SubjectKind.DESK:
            return self.id
        return f"{self.kind.value}:{self.id}"

    @property
    def key(self) -> "Subject":
        """The subject by which it is judged and scheduled: agreements name services and contracts without case."""
        if self.kind not in _NAMED_WITHOUT_CASE:
            return self
        lowered = self.id.strip().casefold()
        return self if lowered == self.id else Subject(self.kind, lowered)

    @property
    def ticket(self) -> str | None:
        """The id of the ticket that it is; none for another kind."""
        return self.id if self.kind is SubjectKind.TICKET else None

    def __str__(self) -> str:
        return self.text

    def __hash__(self) -> int:
        """Of the id alone: subjects are keys on the write path, and the hash of an enumeration is a Python call."""
        return hash(self.id)


THE_DESK: Final = Subject(SubjectKind.DESK, "")
"""The desk itself, of which every row bears the name besides."""

_PARSED: Final = 2048
"""Subjects that are kept. An evaluation parses the same one a dozen times, of each row that is read for it."""


@lru_cache(maxsize=_PARSED)
def _parsed(text: str) -> Subject:
    prefix, colon, rest = text.partition(":")
    if colon and (kind := _BY_PREFIX.get(prefix)) is not None:
        return Subject(kind, rest)
    return Subject(SubjectKind.TICKET, text) if text else THE_DESK


SubjectKey = tuple[str, Subject]
"""(desk, subject)."""


def by_desk(keys: Iterable[SubjectKey]) -> dict[str, list[Subject]]:
    """The subjects of each desk, in their order."""
    found: dict[str, list[Subject]] = {}
    for desk, subject in keys:
        found.setdefault(desk, []).append(subject)
    return found
