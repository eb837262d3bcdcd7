"""Sessions that sign in again, to outlive their key."""

import httpx2

from app.web.http.access import COOKIE
from tests.hostile.harness import Target
from tests.waiting import HANG


def attack(target: Target) -> None:
    """Sign in, and try to sign in with what that gave."""
    with httpx2.Client(base_url=target.url, timeout=HANG) as client:
        assert client.post("/session", json={"key": target.key.removeprefix("Bearer ")}).status_code == 200
        secret = client.cookies[COOKIE]
        assert client.post("/session", json={"key": secret}).status_code == 403
        assert client.delete("/session").status_code == 204
        client.cookies.set(COOKIE, secret)
        assert client.get("/v1/desks").status_code == 401
