"""Desks that do not move: one on each server gets an event twenty times a second, all the time."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from threading import Event, Thread
from typing import Final

import httpx2

from tests.chaos.fault import now
from tests.chaos.life import written
from tests.chaos.processes import ROOT
from tests.waiting import HANG

_PAUSE: Final = 0.05


def desk_files(desk: str) -> list[Path]:
    """The files of a shipped desk."""
    return [ROOT / folder / f"{desk}.toml" for folder in ("calendars", "agreements")]


class Neighbour:
    """Pushes tickets of one desk to one server. `answers` counts statuses; anything but 200 is a fault."""

    def __init__(self, desk: str, base: str, key: str) -> None:
        self.desk, self._base = desk, base
        self._headers: Mapping[str, str] = {"Authorization": f"Bearer {key}"}
        self.answers: Counter[int] = Counter()
        self._ended = Event()
        self._thread = Thread(target=self._run, name=desk, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with httpx2.Client(headers=self._headers, timeout=HANG) as client:
            while not self._ended.wait(_PAUSE):
                self.answers[client.post(f"{self._base}/v1/events", json=self._event()).status_code] += 1

    def _event(self) -> dict[str, object]:
        number = self.answers.total()
        about = {"id": f"N{number}", "source": self.desk, "subject": f"N{number}", "time": written(now())}
        return {
            "specversion": "1.0",
            "type": "ticket.created",
            **about,
            "data": {"title": json.dumps(number)},
        }

    def close(self) -> None:
        """Stop."""
        self._ended.set()
        self._thread.join()
