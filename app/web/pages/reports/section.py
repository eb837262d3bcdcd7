"""A section of the page: a chart, the table that says the same, and the files of both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from markupsafe import Markup

from app.flow.query.serialize import instant_text
from app.sla.span import Span
from app.web.pages.frame.words import Words
from app.web.pages.reports import wording
from app.web.pages.reports.figures import Question, Reports
from app.web.pages.reports.query import Chart


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table, with the address of what its figure counts."""

    text: str
    href: str | None = None
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """A chart with its table. `drawing` None: there is nothing to draw, and `note` says why."""

    chart: Chart
    title: str
    drawing: Markup | None
    columns: Sequence[str] = ()
    rows: Sequence[tuple[str, Sequence[Cell]]] = ()
    report: str = ""
    """The API's report, whose files the section links to."""
    summary: str | None = None
    note: str | None = None
    files: dict[str, str] = field(default_factory=dict[str, str])
    """Addresses by format."""


@dataclass(frozen=True, slots=True)
class Page:
    """What sections are made of: the question, the reports, and the words of the reader."""

    what: Question
    found: Reports
    words: Words
    kind: str
    """The kind of commitment whose clocks are shown."""

    def behind(self, of: str, span: Span, filters: tuple[str, ...], **given: object) -> str:
        """The address of the list of what a figure counts; `filters`: those of the page's that it knows."""
        query: dict[str, object] = {
            "of": of,
            "desk": self.what.desk,
            "from": instant_text(span.start),
            "to": instant_text(span.end),
            **dict(self.what.wanted.only(filters)),
            **{name: "" if value is None else value for name, value in given.items()},
        }
        return f"/reports/behind?{urlencode(query, safe=':')}"

    def write_share(self, value: float) -> str:
        """A value of an axis of shares in per cent."""
        return wording.share(self.words, f"{value:.4f}", 3)

    def write_count(self, value: float) -> str:
        """A value of an axis of counts."""
        return self.words.number(round(value))

    def counted(self, number: int, href: str) -> Cell:
        """A count with its list; nothing leads nowhere."""
        return Cell(self.words.number(number), href if number else None)
