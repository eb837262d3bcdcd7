"""A desk of many tickets and contracts: changes of all of them are previewed, and contracts imported, without end."""

from itertools import cycle
from pathlib import Path
from typing import Any, Final

import httpx2

from tests.hostile.harness import ATTACKER, Target
from tests.waiting import HANG

TICKETS: Final = 2_000
BATCH: Final = 500
CONTRACTS: Final = 1_000
ROOT: Final = Path(__file__).resolve().parents[2]
TOML: Final = "application/toml"
CSV: Final = "text/csv"
FOR_NOW: Final = {200, 202, 409, 429}
"""What is too much at a time is refused."""

_levels = cycle(("example-1", "example-2"))


def attack(target: Target) -> None:
    """Preview an agreement for all open tickets, preview an import of contracts and make it, and begin a simulation."""
    imports = f"/v1/contracts/{ATTACKER}/import"
    with _client(target.url, target.key) as client:
        _asked(
            client, "PUT", f"/v1/agreements/{ATTACKER}", TOML, _agreement(), preview="true", applies_to="open"
        )
        contracts = _contracts(next(_levels))
        _asked(client, "POST", imports, CSV, contracts, preview="true")
        _asked(client, "POST", imports, CSV, contracts)
        period = {"desk": ATTACKER, "from": "2026-01-01", "to": "2026-12-31"}
        assert client.post("/v1/simulations", json=period).status_code in FOR_NOW


def _asked(client: httpx2.Client, method: str, path: str, media_type: str, body: str, **params: str) -> None:
    headers = {"Content-Type": media_type}
    answer = client.request(method, path, content=body.encode(), params=params, headers=headers)
    assert answer.status_code in FOR_NOW, answer.text


def _agreement() -> str:
    return (ROOT / "agreements" / f"{ATTACKER}.toml").read_text().replace('"1h"', '"2h"')


def _contracts(level: str) -> str:
    rows = [f"C{n};customer {n};{level};01.01.2026" for n in range(CONTRACTS)]
    return "\n".join(("id;customer;level;valid_from", *rows))


def prepare(target: Target) -> None:
    """Open the tickets."""
    with _client(target.url, target.key) as client:
        for first in range(0, TICKETS, BATCH):
            answer = client.post("/v1/events", json=[_ticket(n) for n in range(first, first + BATCH)])
            assert answer.status_code == 200, answer.text


def _client(url: str, key: str) -> httpx2.Client:
    return httpx2.Client(base_url=url, headers={"Authorization": key}, timeout=HANG)


def _ticket(number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"preview-{number}",
        "source": ATTACKER,
        "type": "ticket.created",
        "subject": f"preview-{number}",
        "time": "2026-03-06T15:30:00+01:00",
        "data": {"title": f"Fault {number}", "customer": f"customer {number}"},
    }
