"""What starting costs: processor time of commands and of `serve` until it is ready, and memory at rest.

Run: python benchmarks/start.py  (TIMES=5; TREES=.,../other compares checkouts by turns, on one machine)
Processor time is user and system of the process; the median of TIMES runs, with bytecode, as an installed package has
it. Beside each figure stand its aim and what the same interpreter takes to import the libraries that the process cannot
do without. Memory at rest is resident, and of it
what is not shared with other processes, some seconds after a `serve` on a migrated SQLite file is ready; its limit is an
interpreter that has imported those libraries.
"""

import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

# In place of this folder, in which calendar.py would hide the standard library's.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

import urllib.request

from benchmarks._figures import Figure, report

TIMES: Final = int(os.environ.get("TIMES", "5"))
TREES: Final = [
    Path(tree).resolve()
    for tree in os.environ.get("TREES", str(Path(__file__).resolve().parent.parent)).split(",")
]
AT_REST: Final = 5.0
"""Seconds after which memory is at rest."""

_WITHIN: Final = ("--start", "2026-03-02T09:00:00+01:00", "--within", "2h")
LIBRARIES: Final = (
    "import fastapi, uvicorn, uvloop, httptools, sqlmodel, sqlalchemy.dialects.postgresql, pysqlite3.dbapi2, "
    "pydantic_settings, structlog, prometheus_client, babel.dates, typer, orjson, jmespath"
)
LIMIT_OF_COMMANDS: Final = "limit of commands: typer"
LIMIT_OF_SERVE: Final = "limit of serve: its libraries"
COMMANDS: Final = {
    "slatimer --help": (0.35, ("-m", "app", "--help")),
    "deadline, calendar of a file": (
        0.35,
        ("-m", "app", "deadline", "--calendar", "calendars/haisoft.toml#tickets", *_WITHIN),
    ),
    "deadline, calendar by name": (
        0.35,
        ("-m", "app", "deadline", "--calendar", "haisoft/tickets", *_WITHIN),
    ),
    LIMIT_OF_COMMANDS: (None, ("-c", "import typer")),
    LIMIT_OF_SERVE: (None, ("-c", LIBRARIES)),
}
"""Aim in seconds of processor time, and arguments."""
READY_AIM: Final = 1.5
MEMORY_AIM: Final = 90


def processor_time(tree: Path, arguments: tuple[str, ...]) -> float:
    """Seconds that a process takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments], cwd=tree, env=environment(tree), check=True, capture_output=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def environment(tree: Path, **given: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(tree)} | given


def compile_tree(tree: Path) -> None:
    """Write the bytecode of a checkout, which this environment may not do while it imports."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", "app"], cwd=tree, check=True)


def served(tree: Path, folder: str) -> tuple[float, float, float]:
    """Processor seconds until a `serve` is ready; resident and private megabytes at rest."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = environment(tree, SLATIMER_DATABASE_URL=f"sqlite:///{folder}/{abs(hash(tree))}.db")
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve", "--port", str(port)],
        cwd=tree,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(port):
            if process.poll() is not None:
                raise SystemExit(f"{tree}: serve ended with {process.returncode}")
            time.sleep(0.02)
        ready = _taken(process.pid)
        time.sleep(AT_REST)
        return ready, *_memory(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def _taken(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> tuple[float, float]:
    found = {"Rss": 0, "Private_Clean": 0, "Private_Dirty": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name in found:
            found[name] = int(rest.split()[0])
    return found["Rss"] / 1024, (found["Private_Clean"] + found["Private_Dirty"]) / 1024


def libraries_memory() -> float:
    """Resident megabytes of an interpreter that has imported the libraries of `serve`."""
    told = f"{LIBRARIES}; print(open('/proc/self/statm').read().split()[1])"
    pages = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True).stdout
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1024**2


def row(what: str, figure: str, aim: str) -> None:
    print(f"{what:45} {figure:>10}  {aim}")


def main() -> None:
    taken: dict[tuple[Path, str], list[float]] = {}
    at_rest: dict[Path, list[tuple[float, float, float]]] = {tree: [] for tree in TREES}
    with tempfile.TemporaryDirectory() as folder:
        for tree in TREES:
            compile_tree(tree)
            served(tree, folder)  # migrates
        for _ in range(TIMES):
            for tree in TREES:
                for name, (_, arguments) in COMMANDS.items():
                    taken.setdefault((tree, name), []).append(processor_time(tree, arguments))
                at_rest[tree].append(served(tree, folder))
    for tree in TREES:
        print(tree)
        shown(
            {name: median(taken[tree, name]) for name in COMMANDS},
            *(median(column) for column in zip(*at_rest[tree], strict=True)),
        )


def shown(commands: dict[str, float], ready: float, resident: float, private: float) -> None:
    """Print and report the medians of a tree."""
    for name, (aim, _) in COMMANDS.items():
        row(name, f"{commands[name]:.2f} s", "" if aim is None else f"aim {aim:.2f} s")
        if aim is not None:
            report(Figure(f"start: {name}", commands[name], "s", aim, commands[LIMIT_OF_COMMANDS]))
    libraries = libraries_memory()
    row("serve ready", f"{ready:.2f} s", f"aim {READY_AIM:.2f} s")
    row("limit of memory: the libraries of serve", f"{libraries:.0f} MB", "")
    row("memory at rest, resident", f"{resident:.0f} MB", f"aim {MEMORY_AIM} MB")
    row("memory at rest, not shared", f"{private:.0f} MB", "")
    report(Figure("start: serve ready", ready, "s", READY_AIM, commands[LIMIT_OF_SERVE]))
    report(Figure("start: memory at rest", resident, "MB", MEMORY_AIM, libraries))


if __name__ == "__main__":
    main()
