"""Deadlines of calendars with very many windows, and spans of long periods. They are refused or paged."""

from typing import Final

import httpx2

from tests.hostile.harness import Target
from tests.waiting import HANG

START: Final = "2026-03-06T15:30:00+01:00"


def attack(target: Target) -> None:
    """Ask for 100 hours of a calendar that is open for every second minute, and of the most that is admitted."""
    with httpx2.Client(base_url=target.url, headers={"Authorization": target.key}, timeout=HANG) as client:
        minutes = [f"{n // 60:02}:{n % 60:02}-{n // 60:02}:{n % 60 + 1:02}" for n in range(0, 24 * 60, 2)]
        assert client.post("/v1/deadlines", json=_question(minutes)).status_code == 422
        most = [_question([f"{hour:02}:00-{hour:02}:01" for hour in range(24)])] * 200
        assert client.post("/v1/deadlines", json=most).status_code in {200, 422}
        period = {"from": "2026-01-01", "to": "2027-12-31"}
        for form in ("/spans", ".ics"):
            assert client.get(f"/v1/calendars/haisoft/tickets{form}", params=period).status_code in {200, 422}


def _question(windows: list[str]) -> dict[str, object]:
    calendar = {"time_zone": "Europe/Paris", "hours": {"mon-sun": windows}}
    return {"calendar": calendar, "within": "100h", "start": START}
