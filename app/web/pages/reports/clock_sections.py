"""The sections about ticket clocks: attainment by period, use of the target, hours of the week, causes of breaches."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from app.delivery.wording.phrases import N_, NN_
from app.flow.query.report_scope import Answer
from app.sla.report.clock_report import TENTHS, ReportRow
from app.sla.report.measure import Measure
from app.sla.span import Span
from app.web.pages.charts.plots import bars, columns, grid, line
from app.web.pages.charts.svg import Mark, Tone
from app.web.pages.frame.vocabulary import named
from app.web.pages.reports import wording
from app.web.pages.reports.query import FILTERS, Chart
from app.web.pages.reports.section import Cell, Page, Section

_HOURS: Final = 24
_WEEK: Final = range(1, 8)


def _rows(page: Page, answer: Answer) -> Iterable[tuple[Span, ReportRow]]:
    """The rows of the kind that is shown, each with its period."""
    for row in answer.report.rows:
        if row.about["kind"] == page.kind:
            yield answer.periods[row.period], row


def attainment(page: Page) -> Section:
    """The share of clocks that were kept, by period, with the goal of the desk."""
    words, found = page.words, page.found[Chart.ATTAINMENT]
    title = words.say(N_("Kept commitments"))
    if found.now is None:
        return Section(Chart.ATTAINMENT, title, None, note=found.problem)
    goal = page.what.agreement.goal
    marks: list[Mark] = []
    rows: list[tuple[str, list[Cell]]] = []
    for span, row in _rows(page, found.now):
        marks.append(_attained(page, span, row, goal))
        rows.append((wording.period(words, page.what.zone, span), _outcomes(page, span, row.figures)))
    line_of_goal = None
    if goal is not None:
        line_of_goal = (float(goal), words.say(N_("Goal: {share}"), share=wording.share(words, str(goal), 4)))
    is_empty = all(mark.value is None for mark in marks)
    heads = (N_("Period"), N_("Kept"), N_("Missed"), N_("Excluded"), N_("Share kept"))
    return Section(
        Chart.ATTAINMENT,
        title,
        None if is_empty else line(title, marks, page.write_share, line_of_goal),
        tuple(words.say(head) for head in heads),
        rows,
        "attainment",
        note=words.say(N_("No clock ended in these dates.")) if is_empty else None,
    )


def _attained(page: Page, span: Span, row: ReportRow, goal: Decimal | None) -> Mark:
    words, figures = page.words, _plain(row.figures)
    known = figures["share"]
    text = wording.share(words, known)
    total = figures["met"] + figures["missed"]
    caption = words.say(
        N_("{period}: {share} kept, {met} of {total}"),
        period=wording.period(words, page.what.zone, span),
        share=text,
        met=words.number(figures["met"]),
        total=words.number(total),
    )
    is_below = known is not None and goal is not None and Decimal(known) < goal
    return Mark(
        wording.short(words, page.what.zone, span, page.what.dates.by),
        None if known is None else float(known),
        text,
        caption,
        page.behind(Measure.OUTCOMES, span, FILTERS, kind=page.kind),
        Tone.BAD if is_below else Tone.GOOD,
    )


def _outcomes(page: Page, span: Span, given: Mapping[str, Any]) -> list[Cell]:
    """The cells of met, missed and excluded clocks, each with its list, and of the share."""
    cells = [
        page.counted(
            given[outcome],
            page.behind(Measure.OUTCOMES, span, FILTERS, kind=page.kind, outcome=outcome),
        )
        for outcome in ("met", "missed", "excluded")
    ]
    all_of_them = page.behind(Measure.OUTCOMES, span, FILTERS, kind=page.kind)
    share = wording.share(page.words, given["share"])
    return [*cells, Cell(share, all_of_them if given["met"] + given["missed"] else None)]


def usage(page: Page) -> Section:
    """How much of the target clocks had used when they ended, in tenths."""
    words, found = page.words, page.found[Chart.USAGE]
    title = words.say(N_("Used share of the target"))
    if found.now is None:
        return Section(Chart.USAGE, title, None, note=found.problem)
    span, marks = page.what.span, list[Mark]()
    rows: list[tuple[str, list[Cell]]] = []
    totals: Mapping[str, Any] = found.now.report.totals
    figures = totals.get(page.kind)
    tenths = figures["tenths"] if figures else (0,) * TENTHS
    for tenth, count in enumerate(tenths):
        name = _tenth(page, tenth)
        href = page.behind(Measure.SHARES, span, FILTERS, kind=page.kind, tenth=tenth)
        caption = f"{name}: {words.count(_CLOCKS, count)}"
        tone = Tone.BAD if tenth == TENTHS - 1 else Tone.GOOD
        label = wording.share(words, str(tenth * 10), 0)
        marks.append(Mark(label, count, words.number(count), caption, href if count else None, tone))
        rows.append((name, [page.counted(count, href)]))
    is_empty = not any(tenths)
    return Section(
        Chart.USAGE,
        title,
        None if is_empty else columns(title, marks, page.write_count),
        (words.say(N_("Used")), words.say(N_("Clocks"))),
        rows,
        "usage",
        _median(page, figures),
        words.say(N_("No clock ended in these dates.")) if is_empty else None,
    )


_CLOCKS: Final = NN_("{n} clock", "{n} clocks")


def _tenth(page: Page, tenth: int) -> str:
    low = wording.share(page.words, str(tenth * 10), 0)
    if tenth == TENTHS - 1:
        return page.words.say(N_("{share} or more"), share=low)
    return page.words.say(
        N_("{low} to {high}"), low=low, high=wording.share(page.words, str(tenth * 10 + 10), 0)
    )


def _median(page: Page, figures: Mapping[str, Any] | None) -> str | None:
    """The half and the nine tenths of the clocks, in a sentence."""
    if figures is None or figures["deciles"][4] is None:
        return None
    half, most = (wording.share(page.words, figures["deciles"][place]) for place in (4, 8))
    return page.words.say(
        N_("Half of the clocks used {half} of their target or less, nine in ten {most} or less."),
        half=half,
        most=most,
    )


def hours(page: Page, chart: Chart) -> Section:
    """The starts, or the breaches, by weekday and hour of the desk's zone."""
    words, found = page.words, page.found[chart]
    is_late = chart is Chart.BREACH_HOURS
    title = words.say(N_("Breaches by weekday and hour") if is_late else N_("Starts by weekday and hour"))
    if found.now is None:
        return Section(chart, title, None, note=found.problem)
    figure = "breaches" if is_late else "starts"
    counts: Counter[Any] = Counter()
    for _, row in _rows(page, found.now):
        counts[row.about["weekday"], row.about["hour"]] += _plain(row.figures)[figure]
    marks = [
        (wording.weekday(words, day), [_hour(page, day, hour, counts, is_late) for hour in range(_HOURS)])
        for day in _WEEK
    ]
    table = [(name, [Cell(each.text, each.href) for each in of_day]) for name, of_day in marks]
    heads = [str(hour) for hour in range(_HOURS)]
    is_empty = not any(counts.values())
    nothing = N_("No breach in these dates.") if is_late else N_("No clock started in these dates.")
    return Section(
        chart,
        title,
        None if is_empty else grid(title, marks, heads),
        (words.say(N_("Weekday and hour")), *heads),
        table,
        "heatmap",
        note=words.say(nothing) if is_empty else None,
    )


def _hour(page: Page, day: int, hour: int, counts: Mapping[Any, int], is_late: bool) -> Mark:
    count = counts.get((day, hour), 0)
    measure = Measure.LATE_HOURS if is_late else Measure.STARTS
    place = (day - 1) * _HOURS + hour
    href = page.behind(measure, page.what.span, FILTERS, kind=page.kind, hour_of_week=place)
    when = f"{wording.weekday(page.words, day)} {hour}:00\u2013{hour + 1}:00"
    caption = f"{when}: {page.words.count(_CLOCKS, count)}"
    number = page.words.number(count)
    return Mark(
        str(hour), count, number, caption, href if count else None, Tone.BAD if is_late else Tone.GOOD
    )


def causes(page: Page) -> Section:
    """The breaches by cause."""
    words, found = page.words, page.found[Chart.CAUSES]
    title = words.say(N_("Breaches by cause"))
    if found.now is None:
        return Section(Chart.CAUSES, title, None, note=found.problem)
    counts = _by_cause(page, found.now)
    earlier = _by_cause(page, found.before) if found.before else None
    marks: list[Mark] = []
    rows: list[tuple[str, list[Cell]]] = []
    for cause, count in counts.most_common():
        name = named(words, wording.CAUSES, cause) if cause else words.say(N_("Unknown"))
        href = page.behind(Measure.BREACHES, page.what.span, FILTERS, kind=page.kind, cause=cause)
        number = words.number(count)
        marks.append(Mark(name, count, number, f"{name}: {number}", href, Tone.BAD))
        before = Cell("\u2013")
        if earlier is not None:
            before_href = page.behind(
                Measure.BREACHES, page.what.earlier_span, FILTERS, kind=page.kind, cause=cause
            )
            before = page.counted(earlier[cause], before_href)
        rows.append((name, [page.counted(count, href), before]))
    return Section(
        Chart.CAUSES,
        title,
        bars(title, marks) if marks else None,
        (words.say(N_("Cause")), words.say(N_("Breaches")), words.say(N_("Before"))),
        rows,
        "breaches",
        note=None if marks else words.say(N_("No breach in these dates.")),
    )


def _by_cause(page: Page, answer: Answer) -> Counter[str]:
    counts: Counter[str] = Counter()
    for _, row in _rows(page, answer):
        if row.about["breakdown"] == "cause":
            counts[str(row.about["value"] or "")] += _plain(row.figures)["breaches"]
    return counts


def _plain(figures: Mapping[str, Any]) -> Mapping[str, Any]:
    """Figures whose types follow from the report."""
    return figures
