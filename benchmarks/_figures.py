"""Figures of benchmarks, and how they compare with those of the last release.

Every figure is a cost, so that less is better: processor time or memory for a piece of work. Beside it stands its limit:
the cost, in the same run, of what no such work can do without. The ratio of both is what holds on another machine, so
only a ratio can be worse than the last release's. A script reports its figures with `report`; what runs it compares.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

REPORT_TO: Final = "BENCHMARK_FIGURES"
"""The environment variable that names the file to which scripts append their figures."""
TOLERANCE: Final = 0.2
"""A ratio may be worse by this share: two runs of the same code on a shared machine differ by less."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A cost in a unit, such as "ms", with the aim and the limit in the same unit."""

    name: str
    cost: float
    unit: str
    aim: float | None = None
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the limit it costs; none without a limit."""
        return None if not self.limit else self.cost / self.limit


@dataclass(frozen=True, slots=True)
class Recorded:
    """A figure as the file of the last release has it."""

    cost: float
    unit: str
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure beside the last release's, if that had one."""

    figure: Figure
    last: Recorded | None

    @property
    def change(self) -> float | None:
        """The ratio as a multiple of the last release's: above 1 is worse. None where either has no ratio."""
        ratio = self.figure.ratio
        return None if ratio is None or self.last is None or not self.last.ratio else ratio / self.last.ratio

    @property
    def is_worse(self) -> bool:
        """Whether the ratio is worse than the last release's by more than the tolerance."""
        return self.change is not None and self.change > 1 + TOLERANCE


def report(figure: Figure) -> None:
    """Pass a figure on to what runs the benchmarks, if anything does."""
    if path := os.environ.get(REPORT_TO):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(figure)) + "\n")


def reported(path: Path) -> list[Figure]:
    """The figures that were reported to a file."""
    return [Figure(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def compared(found: Iterable[Figure], last: Mapping[str, Recorded]) -> list[Compared]:
    """These figures beside the last release's, by name."""
    return [Compared(figure, last.get(figure.name)) for figure in found]


def better(found: Iterable[Figure], again: Iterable[Figure]) -> list[Figure]:
    """The figures, and of those that were measured again the one with the better ratio."""
    second = {figure.name: figure for figure in again}
    return [min(each, second.get(each.name, each), key=lambda f: f.ratio or f.cost) for each in found]


def gone(found: Iterable[Figure], last: Iterable[str]) -> list[str]:
    """The figures of the last release that one of these scripts had and no longer has.

    The name of a figure begins with its script's, as in "start: serve ready".
    """
    names = {figure.name for figure in found}
    ran = {script_of(name) for name in names}
    return sorted(name for name in last if name not in names and script_of(name) in ran)


def script_of(name: str) -> str:
    """The script that a figure is of."""
    return name.partition(":")[0]


def table(rows: Sequence[Compared]) -> str:
    """The figures as text, a line each."""
    width = max((len(row.figure.name) for row in rows), default=6)
    head = f"{'figure':{width}} {'cost':>11} {'aim':>11} {'limit':>11} {'ratio':>8} {'last cost':>11} {'last ratio':>10}"
    return "\n".join([head, *(_line(row, width) for row in rows)])


def _line(row: Compared, width: int) -> str:
    figure, last = row.figure, row.last
    unit = figure.unit
    costs = (figure.cost, figure.aim, figure.limit)
    cost, aim, limit = (f"{_number(each, unit):>11}" for each in costs)
    before = (None, None) if last is None else (last.cost, last.ratio)
    last_cost, last_ratio = f"{_number(before[0], unit):>11}", f"{_number(before[1]):>10}"
    verdict = "  WORSE" if row.is_worse else ""
    missed = "  aim missed" if figure.aim is not None and figure.cost > figure.aim else ""
    ratio = f"{_number(figure.ratio):>8}"
    return f"{figure.name:{width}} {cost} {aim} {limit} {ratio} {last_cost} {last_ratio}{verdict}{missed}"


def _number(value: float | None, unit: str = "") -> str:
    return "" if value is None else f"{value:.3g} {unit}".strip()


def read(path: Path) -> tuple[str, dict[str, Recorded]]:
    """The release and the figures of a file; no figures without the file."""
    if not path.exists():
        return "none", {}
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return held["release"], {name: Recorded(**each) for name, each in held["figures"].items()}


def write(path: Path, release: str, found: Iterable[Figure], kept: Mapping[str, Recorded]) -> None:
    """Write the file of a release: these figures, and of scripts that did not run those that it has."""
    new = {figure.name: Recorded(_brief(figure.cost), figure.unit, _brief(figure.ratio)) for figure in found}
    ran = {script_of(name) for name in new}
    figures = {name: each for name, each in kept.items() if script_of(name) not in ran} | new
    held = {"release": release, "figures": {name: asdict(figures[name]) for name in sorted(figures)}}
    path.write_text(json.dumps(held, indent=2) + "\n", encoding="utf-8")


def _brief(value: Any) -> Any:
    return None if value is None else float(f"{value:.3g}")
