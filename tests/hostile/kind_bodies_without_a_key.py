"""Large bodies of unknown names without a key: nothing of them may be parsed."""

import httpx2

from tests.hostile.harness import Target
from tests.waiting import HANG

_BODY = b"{" + b",".join(b'"n%d":0' % number for number in range(600_000)) + b"}"
_PATHS = {"/session": 413, "/v1/subscriptions": 401, "/v1/events": 401, "/v1/deadlines": 401}


def attack(target: Target) -> None:
    """One such body to each of some routes."""
    with httpx2.Client(base_url=target.url, timeout=HANG) as client:
        for path, status in _PATHS.items():
            response = client.post(path, content=_BODY, headers={"Content-Type": "application/json"})
            assert response.status_code == status
            assert len(response.content) < len(_BODY) / 1000
