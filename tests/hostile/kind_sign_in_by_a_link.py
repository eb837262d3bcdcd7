"""Requests that replace who is signed in, as a link with a key in it makes them."""

import httpx2

from app.web.http.access import COOKIE
from tests.hostile.harness import Target
from tests.waiting import HANG


def attack(target: Target) -> None:
    """Sign in, then sign in with another key in the same browser, and without the page's own header."""
    with httpx2.Client(base_url=target.url, timeout=HANG) as client:
        assert client.post("/session", json={"key": target.key.removeprefix("Bearer ")}).status_code == 200
        own = client.cookies[COOKIE]
        replaced = client.post("/session", json={"key": target.other_key})
        assert (replaced.status_code, client.cookies[COOKIE]) == (409, own)
        foreign = {"Origin": "https://example.org", "Content-Type": "text/plain"}
        assert client.post("/session", content=b"{}", headers=foreign).status_code in {403, 415}
        assert client.get(f"/?key={target.other_key}").headers.get("set-cookie") is None
        assert client.delete("/session", headers={"X-Slatimer": "1"}).status_code == 204
