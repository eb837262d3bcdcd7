"""A tile for each kind of commitment: the share kept, compared with the dates before, and how many were missed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.sla.agreement.rule import Kind
from app.sla.report.measure import Measure
from app.web.pages.reports import wording
from app.web.pages.reports.query import FILTERS, Chart
from app.web.pages.reports.section import Page


@dataclass(frozen=True, slots=True)
class KindTile:
    """What was kept of a kind. `change` is None where there is nothing to compare with."""

    kind: Kind
    title: str
    share: str
    change: str | None
    before: str
    met: int
    missed: int
    address: str
    """Of all clocks that ended."""
    met_address: str
    missed_address: str


def kind_tiles(page: Page) -> list[KindTile]:
    """The tiles of a desk's report, those of kinds that it has."""
    found = page.found[Chart.ATTAINMENT]
    if found.now is None:
        return []
    totals: Mapping[str, Any] = found.now.report.totals
    earlier: Mapping[str, Any] = found.before.report.totals if found.before else {}
    return [
        _tile(page, kind, totals[kind.value], earlier.get(kind.value, {}).get("share"))
        for kind in Kind
        if totals.get(kind.value) is not None
    ]


def _tile(page: Page, kind: Kind, figures: Mapping[str, Any], before: str | None) -> KindTile:
    words = page.words
    behind = partial(page.behind, Measure.OUTCOMES, page.what.span, FILTERS, kind=kind.value)
    return KindTile(
        kind,
        words.say(wording.KINDS[kind]),
        wording.share(words, figures["share"]),
        wording.change(words, figures["share"], before),
        wording.share(words, before),
        figures["met"],
        figures["missed"],
        behind(),
        behind(outcome="met"),
        behind(outcome="missed"),
    )
