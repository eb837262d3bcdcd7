"""The explanation of a clock: the picture of its days, the table of its spans, and what they sum up to."""

import re
from dataclasses import dataclass
from typing import Final

from app.delivery.wording.language import nearest
from app.delivery.wording.phrases import N_
from app.flow.query import tickets
from app.flow.query.answer import TicketAnswer
from app.sla.clock.explanation import ExplainedSpan, Explanation, SpanKind
from app.sla.clock.view import ClockView
from app.sla.span import SECOND, Micros
from app.web.pages.frame.words import local
from app.web.pages.ticket.audience import Audience
from app.web.pages.ticket.days import Picture, picture
from app.web.pages.ticket.reasons import span_text
from app.web.pages.ticket.vocabulary import SPANS

SPANS_MAX: Final = 500
"""Spans of a clock that a page shows, the latest ones: a year of office hours. The API has all."""
_PLAIN: Final = re.compile(r"(\d+\s*(h|m|min|s)\s*)+", re.ASCII)
"""A target that is a duration and nothing else."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table that explains."""

    start: str
    start_offset: str
    end: str
    end_offset: str
    kind: str
    why: str
    length: str
    total: str


@dataclass(frozen=True, slots=True)
class Explained:
    """The explanation of a clock: the picture, the table, and what it sums up to."""

    picture: Picture
    lines: tuple[Line, ...]
    counted: str
    until: str | None
    """The end of what was counted: the due date where it is reached."""
    target: str | None
    omitted: int
    """Spans before the first one shown."""


def kept_label(answer: TicketAnswer, commitment: str, to: Audience) -> str:
    """The label of a commitment in the reader's language; its id where the agreement has it no longer."""
    for each in answer.evaluation.agreement.commitments:
        if each.id == commitment:
            return nearest(to.words.language.value, dict(each.labels)) or each.label
    return commitment


def target_text(written: str | None, length: int | None, to: Audience) -> str:
    """ "2 h", or "3 working days (24 h)" where the agreement writes it differently."""
    if length is None:
        return to.words.counted_target(written) if written else ""
    exact = to.exact(length // SECOND)
    return (
        exact
        if written is None or _PLAIN.fullmatch(written)
        else f"{to.words.counted_target(written)} ({exact})"
    )


def explained(answer: TicketAnswer, view: ClockView, to: Audience) -> Explained | None:
    """The explanation of a clock; None where it has no spans."""
    explanation = tickets.explanation(answer, view.commitment, view.cycle)
    spans = explanation.spans[-SPANS_MAX:]
    if not spans:
        return None
    label = kept_label(answer, view.commitment, to)
    zone = explanation.calendar.time_zone if explanation.calendar else to.zone
    last = next((span for span in reversed(spans) if span.kind is SpanKind.COUNTED), None)
    reached = last is not None and explanation.due_at is not None
    return Explained(
        picture=picture(explanation, spans, label, to),
        lines=tuple(_line(span, zone, to) for span in spans),
        counted=to.exact(0 if last is None else last.total // SECOND),
        until=to.stamp(last.end, zone) if reached and last is not None else None,
        target=_goal(explanation, to),
        omitted=len(explanation.spans) - len(spans),
    )


def _goal(explanation: Explanation, to: Audience) -> str | None:
    if explanation.target_length is None:
        return None
    return target_text(explanation.target, explanation.target_length, to)


def _line(span: ExplainedSpan, zone: str, to: Audience) -> Line:
    kind = to.words.say(SPANS[span.kind.value])
    return Line(
        start=to.plain_stamp(span.start, zone),
        start_offset=_offset(span.start, zone),
        end=to.plain_stamp(span.end, zone),
        end_offset=_offset(span.end, zone),
        kind=f"{kind}, {to.words.say(N_('upcoming'))}" if span.planned else kind,
        why=" · ".join(filter(None, (span_text(span, to), span.source))),
        length=to.exact((span.end - span.start) // SECOND),
        total=to.exact(span.total // SECOND),
    )


def _offset(at: Micros, zone: str) -> str:
    return local(at, zone).isoformat()[-6:]
