"""All benchmarks as one table: each figure with its aim, its limit, their ratio, and the last release's figure.

    python -m benchmarks                   # the quick ones: some minutes
    python -m benchmarks --all             # every one: some hours
    python -m benchmarks evaluate start    # these
    python -m benchmarks --record          # write the figures into benchmarks/last_release.json

It fails where a ratio is worse than the last release's by more than a fifth in two runs, where a figure is gone, and
where a script fails. Costs are processor time and memory, so that others on the machine hardly count; a quiet machine is
better still.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks import _figures

FOLDER: Final = Path(__file__).parent
LAST: Final = FOLDER / "last_release.json"


@dataclass(frozen=True, slots=True)
class Script:
    """A script of this folder, made short with arguments and environment."""

    name: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def run(self, figures: Path) -> int:
        """Run it. Returns its exit status."""
        print(f"== {self.name}", flush=True)
        command = [sys.executable, str(FOLDER / f"{self.name}.py"), *self.arguments]
        more = {_figures.REPORT_TO: str(figures), "PYTHONPATH": str(FOLDER.parent)}
        return subprocess.run(command, env=os.environ | self.environment | more, check=False).returncode


QUICK: Final = (
    Script("calendar"),
    Script("evaluate"),
    Script("start", environment={"TIMES": "3"}),
    Script("sweep"),
    Script("door", environment={"RUNS": "3", "PARTS": "writer"}),
    Script("reports", ("--tickets", "10000")),
)
NEEDS_ARGUMENTS: Final = frozenset({"replay_check", "simulations"})
"""Scripts that read a log which is not in the repository."""


def chosen(names: Sequence[str], *, everything: bool) -> list[Script]:
    """The scripts to run. Those that are not quick run as they are. Raises SystemExit for an unknown name."""
    quick = {script.name: script for script in QUICK}
    known = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
    if unknown := sorted(set(names) - set(known)):
        raise SystemExit(f"no such benchmark: {', '.join(unknown)}; known: {', '.join(known)}")
    wanted = list(names) or ([n for n in known if n not in NEEDS_ARGUMENTS] if everything else list(quick))
    return [Script(name) if everything or name not in quick else quick[name] for name in wanted]


def main() -> int:
    """Run, print, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="benchmarks to run; the quick ones without any")
    parser.add_argument("--all", action="store_true", help="run every benchmark, at its full length")
    parser.add_argument("--record", action="store_true", help=f"write {LAST.name}")
    given = parser.parse_args()
    scripts = chosen(given.names, everything=given.all)
    found, failed = measured(scripts)
    last = _figures.read(LAST)[1]
    if worse := {
        _figures.script_of(row.figure.name) for row in _figures.compared(found, last) if row.is_worse
    }:
        print(f"\nagain, since worse than the last release's: {', '.join(sorted(worse))}")
        found = _figures.better(found, measured([each for each in scripts if each.name in worse])[0])
    return verdict(found, failed, record=given.record)


def measured(scripts: Sequence[Script]) -> tuple[list[_figures.Figure], list[str]]:
    """The figures of these scripts, and which of them failed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "figures"
        path.touch()
        failed = [script.name for script in scripts if script.run(path)]
        return _figures.reported(path), failed


def verdict(found: Sequence[_figures.Figure], failed: Sequence[str], *, record: bool) -> int:
    """Print the table and what is wrong. Returns the exit status."""
    release, last = _figures.read(LAST)
    rows = _figures.compared(found, last)
    print(f"\nlast release: {release}\n{_figures.table(rows)}")
    if record:
        version = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text())["project"]["version"]
        _figures.write(LAST, version, found, last)
        print(f"recorded as {version} in {LAST}")
    wrong = [f"{name}: the script failed" for name in failed]
    if not record:
        wrong += [f"{name}: no longer measured" for name in _figures.gone(found, last)]
        wrong += [
            f"{row.figure.name}: ratio {row.figure.ratio:.3g}, {row.change:.2f} times the last release's"
            for row in rows
            if row.is_worse
        ]
    print("\n".join(wrong) if wrong else "no figure is worse than the last release's by more than a fifth")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
