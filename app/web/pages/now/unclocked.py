"""Rows of open tickets without an open clock: what has ended, and what does not apply for which reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.delivery.wording.phrases import N_, NN_
from app.flow.query.answer import TicketAnswer
from app.flow.query.open_tickets import UnclockedPage
from app.web.pages.frame.reader import Reader
from app.web.pages.frame.rendering import words_of
from app.web.pages.frame.vocabulary import named
from app.web.pages.frame.words import Words
from app.web.pages.ticket.audience import Audience
from app.web.pages.ticket.explained import kept_label
from app.web.pages.ticket.reasons import reason_text
from app.web.pages.ticket.vocabulary import STATES, STATUSES

REASONS_MAX: Final = 4
"""Commitments that a row names. The page of the ticket has all of them."""
_BECAUSE: Final = N_("{what}: {why}")
_MORE: Final = NN_("and {n} more", "and {n} more")
_UNKNOWN: Final = N_("The ticket cannot be evaluated.")
_NONE: Final = N_("No commitment applies to this ticket.")


@dataclass(frozen=True, slots=True)
class UnclockedRow:
    """One ticket. `why` has a line for each commitment that has ended or does not apply."""

    desk: str
    ticket: str
    why: tuple[str, ...]
    status: str = ""
    created: str | None = None
    title: str | None = None
    about: str = ""
    assignee: str | None = None
    group: str | None = None

    @property
    def key(self) -> str:
        """The row's key: desk and ticket."""
        return f"{self.desk}/{self.ticket}"


def unclocked_rows(reader: Reader, words: Words, found: UnclockedPage) -> Iterator[UnclockedRow]:
    """The rows of a page, in its order."""
    of_tickets = words_of("ticket", reader.choices.language, reader.choices.zone)
    for (desk, ticket), answer in found.tickets.items():
        if answer is None:
            yield UnclockedRow(desk, ticket, (words.say(_UNKNOWN),))
        else:
            to = Audience(of_tickets, reader.now, answer.evaluation.agreement.time_zone)
            yield _row(answer, to, words)


def _row(answer: TicketAnswer, to: Audience, words: Words) -> UnclockedRow:
    ticket = answer.evaluation.ticket
    text = {name: str(value) for name, value in ticket.fields.items() if value}
    return UnclockedRow(
        answer.desk,
        answer.ticket,
        why(answer, to, words),
        status=named(to.words, STATUSES, ticket.status),
        created=None if ticket.created_at is None else to.stamp(ticket.created_at),
        title=text.get("title"),
        about=", ".join(text[name] for name in ("customer", "plan", "level") if name in text),
        assignee=text.get("assignee"),
        group=text.get("group"),
    )


def why(answer: TicketAnswer, to: Audience, words: Words) -> tuple[str, ...]:
    """Why no clock of a ticket is open: "First response: completed", "Resolution: no level"."""
    ended = {view.commitment: named(to.words, STATES, view.state.value) for view in answer.evaluation.clocks}
    withheld = {name: reason_text(reason, to) for name, reason in answer.evaluation.not_applicable}
    lines = [
        words.say(_BECAUSE, what=kept_label(answer, name, to), why=text)
        for name, text in (ended | withheld).items()
    ]
    if len(lines) > REASONS_MAX:
        left = words.count(_MORE, len(lines) - REASONS_MAX)
        return (*lines[:REASONS_MAX], left)
    return tuple(lines) or (words.say(_NONE),)
