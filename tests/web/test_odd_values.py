"""Values that no client sends by mistake are refused like other faults: no error of the server."""

from typing import Any

import pytest

from app.principal import Scope
from tests.web.room import ALL, Room

DIGITS = "9" * 5_000
"""More than Python reads as a number."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}
SIMULATION = {"desk": "haisoft", "from": "2026-02-01", "to": "2026-03-01"}


@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        ("POST", "/sign-in", {"content": "name=a", "headers": FORM | {"Origin": "http://["}}, 403),
        ("POST", "/sign-in", {"content": "name=a", "headers": FORM | {"Origin": "//["}}, 403),
        ("GET", "/v1/stream", {"headers": {"Last-Event-ID": DIGITS}}, 422),
        ("GET", "/v1/stream", {"headers": {"Last-Event-ID": "\u0663".encode()}}, 422),
        (
            "GET",
            "/services/record?what=start&desk=haisoft&service=network",
            {"headers": {"Referer": "http://["}},
            200,
        ),
        (
            "POST",
            f"/v1/credits/haisoft.r.c.ticket.4711.{DIGITS}/request",
            {"json": {"author": "a", "reason": "x"}},
            404,
        ),
        (
            "POST",
            "/v1/simulations",
            {"json": SIMULATION | {"changes": {f"commitments.{DIGITS}.target": "8h"}}},
            422,
        ),
        ("POST", "/v1/subscriptions", {"content": '{"desk": "\\ud800"}', "headers": JSON}, 400),
        ("POST", "/v1/embed-tokens", {"content": '{"\\udc00": 1}', "headers": JSON}, 400),
        ("PUT", "/v1/contracts/haisoft/C1", {"content": '{"level": "\\ud800"}', "headers": JSON}, 400),
        ("POST", "/session", {"content": "[" * 3_000, "headers": JSON}, 400),
        ("POST", "/v1/views", {"content": '{"name": NaN}', "headers": JSON}, 400),
        ("GET", "/v1/tickets/haisoft/a%1Fb", {}, 404),
        ("GET", "/breaches?from=0001-01-01", {}, 422),
        ("GET", "/breaches/list?to=9999-12-31", {}, 422),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_and_no_error(
    shared_room: Room, method: str, path: str, given: dict[str, Any], status: int
) -> None:
    headers = shared_room.key(ALL, Scope.ADMIN) | given.get("headers", {})
    answer = shared_room.client.request(method, path, **given | {"headers": headers})
    assert answer.status_code == status, answer.text[:500]
