"""The sections about queues, services and credits."""

from collections.abc import Mapping
from typing import Any, Final

from app.delivery.wording.phrases import N_, NN_
from app.flow.query.report_scope import Answer
from app.sla.report.clock_report import ReportRow
from app.sla.report.cut import By
from app.sla.span import Span
from app.web.pages.charts.plots import bars, columns, line
from app.web.pages.charts.svg import Mark, Tone
from app.web.pages.reports import wording
from app.web.pages.reports.query import OBJECT_FILTERS, QUEUE_FILTERS, Chart
from app.web.pages.reports.section import Cell, Page, Section

_NONE: Final = "\u2013"


def queues(page: Page, chart: Chart) -> Section:
    """The mean wait in each queue, or how often tickets were moved in it."""
    words, found = page.words, page.found[chart]
    is_wait = chart is Chart.WAITS
    title = words.say(N_("Mean wait by queue") if is_wait else N_("Moves within queues"))
    if found.now is None:
        return Section(chart, title, None, note=found.problem)
    earlier: Mapping[str, Any] = found.before.report.totals if found.before else {}
    made = _wait if is_wait else _moves
    entries = [made(page, queue, given, earlier.get(queue)) for queue, given in _totals(found.now).items()]
    marks = [mark for mark, _ in entries if mark.value]
    heads = _WAIT_HEADS if is_wait else _MOVE_HEADS
    return Section(
        chart,
        title,
        bars(title, marks) if marks else None,
        tuple(words.say(head) for head in heads),
        [(mark.label, cells) for mark, cells in entries],
        "queues",
        note=None if marks else words.say(N_("No ticket left or was moved in a queue in these dates.")),
    )


_WAIT_HEADS: Final = (
    N_("Queue"),
    N_("Waits"),
    N_("Mean"),
    N_("Longest"),
    N_("Mean before"),
    N_("Replies per hour"),
)
_MOVE_HEADS: Final = (N_("Queue"), N_("Moves"), N_("Before"))
_WAITS: Final = NN_("{n} wait", "{n} waits")
_MOVES: Final = NN_("{n} move", "{n} moves")


def _totals(answer: Answer) -> Mapping[str, Any]:
    return answer.report.totals


def _wait(page: Page, queue: str, given: Mapping[str, Any], before: Any) -> tuple[Mark, list[Cell]]:
    words = page.words
    mean = _length(page, given["mean_seconds"])
    href = page.behind("queues", page.what.span, QUEUE_FILTERS, queue=queue, step="left")
    caption = f"{queue}: {mean}, {words.count(_WAITS, given['waits'])}"
    cells = [
        page.counted(given["waits"], href),
        Cell(mean),
        Cell(_length(page, given["longest_seconds"])),
        Cell(_length(page, before["mean_seconds"]) if before else _NONE),
        Cell(wording.decimal(words, given["replies_an_hour"])),
    ]
    return Mark(queue, given["mean_seconds"], mean, caption, href if given["waits"] else None), cells


def _moves(page: Page, queue: str, given: Mapping[str, Any], before: Any) -> tuple[Mark, list[Cell]]:
    words, count = page.words, sum(given["moved"].values())
    href = page.behind("queues", page.what.span, QUEUE_FILTERS, queue=queue, step="moved")
    earlier = Cell(_NONE)
    if before:
        href_before = page.behind("queues", page.what.earlier_span, QUEUE_FILTERS, queue=queue, step="moved")
        earlier = page.counted(sum(before["moved"].values()), href_before)
    caption = f"{queue}: {words.count(_MOVES, count)}"
    mark = Mark(queue, count, words.number(count), caption, href if count else None)
    return mark, [page.counted(count, href), earlier]


def _length(page: Page, seconds: int | None) -> str:
    return _NONE if seconds is None else page.words.length(seconds)


def _overall(page: Page, now: str, before: str) -> str:
    """A figure of the whole span, with that of the dates before."""
    return page.words.say(N_("In all {now}, before {before}"), now=now, before=before)


def availability(page: Page) -> Section:
    """The uptime of services by period, guarantees and objectives apart."""
    words, found = page.words, page.found[Chart.AVAILABILITY]
    title = words.say(N_("Availability"))
    if found.now is None:
        return Section(Chart.AVAILABILITY, title, None, note=found.problem)
    total, earlier = (_totals(each).get(page.kind) if each else None for each in (found.now, found.before))
    before = wording.share(words, earlier["uptime"], 4) if earlier else _NONE
    entries = [
        _uptime(page, found.now.periods[row.period], _plain(row.figures))
        for row in found.now.report.rows
        if row.about["kind"] == page.kind
    ]
    return Section(
        Chart.AVAILABILITY,
        title,
        line(title, [mark for mark, _ in entries], page.write_share) if entries else None,
        tuple(words.say(head) for head in _UPTIME_HEADS),
        [row for _, row in entries],
        "availability",
        _overall(page, wording.share(words, total["uptime"], 4), before) if total else None,
        note=None if entries else words.say(N_("No commitment on availability of this kind.")),
    )


_Row = tuple[str, list[Cell]]


def _uptime(page: Page, span: Span, figures: Mapping[str, Any]) -> tuple[Mark, _Row]:
    """The mark and the row of a period."""
    words, zone = page.words, page.what.zone
    name = wording.period(words, zone, span)
    href = page.behind("availability", span, OBJECT_FILTERS, kind=page.kind)
    uptime, down = wording.share(words, figures["uptime"], 4), words.length(figures["downtime_seconds"])
    caption = words.say(N_("{period}: {uptime}, {downtime} down"), period=name, uptime=uptime, downtime=down)
    mark = Mark(
        wording.short(words, zone, span, page.what.dates.by),
        None if figures["uptime"] is None else float(figures["uptime"]),
        uptime,
        caption,
        href,
        Tone.BAD if figures["breached"] else Tone.GOOD,
    )
    numbers = [Cell(words.number(figures[each])) for each in ("interruptions", "breached")]
    return mark, (name, [page.counted(figures["objects"], href), Cell(uptime), Cell(down), *numbers])


_UPTIME_HEADS: Final = (
    N_("Period"),
    N_("Services"),
    N_("Uptime"),
    N_("Downtime"),
    N_("Interruptions"),
    N_("Below target"),
)


def credits(page: Page) -> Section:
    """What contracts are owed, by month. A chart shows one currency: the first one that has an amount."""
    words, found = page.words, page.found[Chart.CREDITS]
    title = words.say(N_("Credits by month"))
    if found.now is None:
        return Section(Chart.CREDITS, title, None, note=found.problem)
    drawn = next((row.about["currency"] for row in found.now.report.rows if row.about["currency"]), None)
    marks = [] if drawn is None else _amounts(page, found.now, str(drawn))
    rows = [_credit_row(page, found.now.periods[row.period], row) for row in found.now.report.rows]
    heads = (N_("Month"), N_("Credits"), N_("Amount"), N_("Due"))
    return Section(
        Chart.CREDITS,
        title,
        columns(title, marks, lambda value: wording.money(words, f"{value:.2f}", drawn)) if marks else None,
        tuple(words.say(head) for head in heads),
        rows,
        "credits",
        _sums(page, found.now, found.before) if rows else None,
        note=None if rows else words.say(N_("No credit arose in these dates.")),
    )


def _amounts(page: Page, answer: Answer, currency: str) -> list[Mark]:
    """The amounts of a currency in every month, also in those without a credit."""
    words, zone, marks = page.words, page.what.zone, list[Mark]()
    of = {
        row.period: row.figures["amount"] for row in answer.report.rows if row.about["currency"] == currency
    }
    for number, span in enumerate(answer.periods):
        amount = str(of.get(number) or 0)
        text = wording.money(words, amount, currency)
        href = page.behind("credits", span, OBJECT_FILTERS, currency=currency) if number in of else None
        caption = f"{wording.period(words, zone, span)}: {text}"
        marks.append(Mark(wording.short(words, zone, span, By.MONTH), float(amount), text, caption, href))
    return marks


def _credit_row(page: Page, span: Span, row: ReportRow) -> _Row:
    currency, figures = row.about["currency"], _plain(row.figures)
    href = page.behind("credits", span, OBJECT_FILTERS, currency=currency)
    amounts = [Cell(wording.money(page.words, figures[each], currency), href) for each in ("amount", "due")]
    return wording.period(page.words, page.what.zone, span), [
        page.counted(figures["credits"], href),
        *amounts,
    ]


def _sums(page: Page, now: Answer, before: Answer | None) -> str | None:
    """The amounts of each currency, with those of the dates before."""
    earlier: Mapping[str, Any] = before.report.totals if before else {}
    found = [
        _overall(
            page,
            wording.money(page.words, figures["amount"], currency),
            wording.money(page.words, earlier[currency]["amount"], currency)
            if currency in earlier
            else _NONE,
        )
        for currency, figures in _totals(now).items()
        if currency
    ]
    return "; ".join(found) or None


def _plain(figures: Mapping[str, Any]) -> Mapping[str, Any]:
    """Figures whose types follow from the report."""
    return figures
