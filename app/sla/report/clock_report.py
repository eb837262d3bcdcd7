"""Reports of clocks: rows and totals as sums of cells.

Shares are per cent with four decimals, rounded down, so that what is not wholly met never reads as 100; a share of
nothing is None. The kinds of commitments are never added up: an objective is no guarantee.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from app.sla.report.measure import WHOLE, Cell, Outcome, Value

Figure: TypeAlias = "Value | tuple[Value, ...] | Mapping[str, int]"
Figures: TypeAlias = Mapping[str, Figure]

TENTHS: Final = 11
"""Ten tenths of the target, and what is beyond it."""
_DECILES: Final = range(1, 10)
_SHARE_STEPS: Final = 1_000_000
"""Steps of a share: per cent with four decimals."""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A row: its period (from 0) and split, what else it is about (its kind, an hour), and its figures."""

    period: int
    split: tuple[str | None, ...]
    about: Mapping[str, Value]
    figures: Figures


@dataclass(frozen=True, slots=True)
class Report:
    """Rows in order, and the totals of each kind of commitment, or of each queue."""

    rows: tuple[ReportRow, ...]
    totals: Mapping[str, Figures]


_Of: TypeAlias = tuple[int, tuple[str | None, ...], str]
"""What a row is about: period, split, kind."""
_Keys: TypeAlias = Counter[tuple[Value, ...]]


def attainment(cells: Sequence[Cell], periods: int, kinds: Iterable[str], *, is_split: bool) -> Report:
    """Clocks that ended: how many were met, missed and excluded, and the share that was met of the first two.

    Without a split each period has a row for each of `kinds`, also for none.
    """
    return _by_kind(cells, _attained, _expected(periods, kinds, is_split=is_split))


def usage(cells: Sequence[Cell], periods: int, kinds: Iterable[str], *, is_split: bool) -> Report:
    """Clocks that were met or missed: how much of the target they had counted when they ended.

    `tenths`: how many counted up to 10 % of the target, up to 20 %, and so on; the last one those from 100 % on.
    `deciles`: the per cent of the target which a tenth of them stayed below, two tenths, and so on to nine; each is the
    per cent of a clock, by the nearest rank, rounded down to one decimal.
    """
    return _by_kind(cells, _used, _expected(periods, kinds, is_split=is_split))


def heatmap(starts: Sequence[Cell], breaches: Sequence[Cell]) -> Report:
    """Starts and breaches by weekday (1 is Monday) and hour; hours with neither are left out."""
    begun, late = _grouped(starts), _grouped(breaches)
    rows: list[ReportRow] = []
    for of in sorted(begun.keys() | late.keys(), key=_order):
        period, split, kind = of
        for hour in sorted({int(key[0] or 0) for key in (*begun.get(of, ()), *late.get(of, ()))}):
            about = {"kind": kind, "weekday": hour // 24 + 1, "hour": hour % 24}
            figures = {"starts": _at(begun, of, hour), "breaches": _at(late, of, hour)}
            rows.append(ReportRow(period, split, about, figures))
    kinds = sorted({kind for *_, kind in (*begun, *late)})
    totals = {k: {"starts": _count(starts, k), "breaches": _count(breaches, k)} for k in kinds}
    return Report(tuple(rows), totals)


BREAKDOWNS: Final = ("cause", "first_pause", "assignee", "hour")
"""What the keys of breaches are, in order."""


def breaches(cells: Sequence[Cell], *, names: bool) -> Report:
    """Breaches by cause, first pause, assignee and hour of the day, each breakdown adding up to all.

    `names` false leaves out the assignees.
    """
    rows: list[ReportRow] = []
    for (period, split, kind), keys in sorted(_grouped(cells).items(), key=lambda item: _order(item[0])):
        for place, breakdown in enumerate(BREAKDOWNS):
            if breakdown == "assignee" and not names:
                continue
            counts: Counter[Value] = Counter()
            for key, count in keys.items():
                counts[key[place]] += count
            rows += [
                ReportRow(
                    period,
                    split,
                    {"kind": kind, "breakdown": breakdown, "value": value},
                    {"breaches": count},
                )
                for value, count in sorted(counts.items(), key=lambda item: _sortable(item[0]))
            ]
    kinds = sorted({cell.kind for cell in cells})
    return Report(tuple(rows), {kind: {"breaches": _count(cells, kind)} for kind in kinds})


def _by_kind(cells: Sequence[Cell], figures: Callable[[_Keys], Figures], expected: Iterable[_Of]) -> Report:
    grouped = {**{of: Counter[tuple[Value, ...]]() for of in expected}, **_grouped(cells)}
    rows = [
        ReportRow(period, split, {"kind": kind}, figures(grouped[period, split, kind]))
        for period, split, kind in sorted(grouped, key=_order)
    ]
    whole: dict[str, _Keys] = {}
    for (_, _, kind), keys in grouped.items():
        whole.setdefault(kind, Counter()).update(keys)
    return Report(tuple(rows), {kind: figures(whole[kind]) for kind in sorted(whole)})


def _expected(periods: int, kinds: Iterable[str], *, is_split: bool) -> list[_Of]:
    """The rows that there are even without a clock."""
    return [] if is_split else [(period, (), kind) for period in range(periods) for kind in set(kinds)]


def _grouped(cells: Iterable[Cell]) -> dict[_Of, _Keys]:
    grouped: dict[_Of, _Keys] = {}
    for period, split, kind, key, count in cells:
        of = (period, split, kind)
        keys = grouped.get(of)
        if keys is None:
            keys = grouped[of] = Counter()
        keys[key] = keys.get(key, 0) + count
    return grouped


def _attained(keys: _Keys) -> Figures:
    met, missed, excluded = (keys[(outcome.value,)] for outcome in Outcome)
    return {"met": met, "missed": missed, "excluded": excluded, "share": share_text(met, met + missed)}


def _used(keys: _Keys) -> Figures:
    shares = sorted((int(key[0] or 0), count) for key, count in keys.items())
    tenths = [0] * TENTHS
    for share, count in shares:
        tenths[min(share * 10 // WHOLE, TENTHS - 1)] += count
    return {"clocks": sum(tenths), "tenths": tuple(tenths), "deciles": _deciles(shares)}


def _deciles(shares: Sequence[tuple[int, int]]) -> tuple[str | None, ...]:
    clocks = sum(count for _, count in shares)
    if not clocks:
        return (None,) * len(_DECILES)
    found: list[str | None] = []
    rows, passed = iter(shares), 0
    share = 0
    for decile in _DECILES:
        rank = -(-decile * clocks // 10)
        while passed < rank:
            share, count = next(rows)
            passed += count
        found.append(f"{share * 100 // WHOLE}.{share * 1000 // WHOLE % 10}")
    return tuple(found)


def share_text(part: int, whole: int) -> str | None:
    """A share in per cent with four decimals, rounded down; None of nothing."""
    if not whole:
        return None
    steps = part * _SHARE_STEPS // whole
    return f"{steps // 10_000}.{steps % 10_000:04d}"


def _at(grouped: Mapping[_Of, _Keys], of: _Of, hour: int) -> int:
    keys = grouped.get(of)
    return 0 if keys is None else keys[(hour,)]


def _count(cells: Iterable[Cell], kind: str) -> int:
    return sum(cell.clocks for cell in cells if cell.kind == kind)


_Sortable: TypeAlias = tuple[bool, str, int]


def _sortable(value: Value) -> _Sortable:
    """Values in order, nothing last."""
    return (value is None, value if isinstance(value, str) else "", value if isinstance(value, int) else 0)


def _order(of: _Of) -> tuple[int, tuple[_Sortable, ...], str]:
    period, split, kind = of
    return period, tuple(map(_sortable, split)), kind
