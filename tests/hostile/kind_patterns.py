"""Signed webhooks whose texts once made patterns and parsers work for seconds."""

import json
from typing import Final
from uuid import uuid4

import httpx2

from app.intake.signature import SCHEMES, TOKEN_HEADER
from app.store.engine.database import wall_clock
from tests.hostile.harness import ATTACKER, Target
from tests.waiting import HANG

_LONG: Final = 15_000
_EVENTS: Final = (
    "{a:" + " " * _LONG,
    "{status:{from:" + ",to:" * (_LONG // 4),
    "{" + " " * _LONG + "}",
)
_MARKUP: Final = ("<a " * 5_333, "<!--" * 4_000, "<a x='" * 2_500, "&#" + "9" * _LONG, "</p" * 5_000)
_LINES: Final = ('"a": "' + '" ' * 500_000, '"ticket_id": "1' + " " * 500_000, '"' + "a" * 900_000)


def attack(target: Target) -> None:
    """Send each of them once to the attacker's own desk. Each is accepted: no body is refused for its content."""
    with httpx2.Client(base_url=target.url, timeout=HANG) as client:
        bodies = [_freshdesk(event, "short") for event in _EVENTS]
        bodies += [_freshdesk("{reply_sent:sent}", markup) for markup in _MARKUP]
        for body in bodies:
            _send(client, "freshdesk", body, {TOKEN_HEADER: target.secrets["freshdesk"]})
        for line in _LINES:
            body = f'{{\n"subject": "x"{uuid4().hex}",\n{line}\n}}'.encode()
            signed = SCHEMES["zendesk"].sign(target.secrets["zendesk-trigger"], body, wall_clock(), "m1")
            _send(client, "zendesk-trigger", body, signed)


def _freshdesk(event: str, comment: str) -> bytes:
    content = {"ticket_id": uuid4().hex, "triggered_event": event, "latest_public_comment": comment}
    return json.dumps(content | {"actor": "agent"}).encode()


def _send(client: httpx2.Client, system: str, body: bytes, headers: dict[str, str]) -> None:
    answer = client.post(f"/v1/hooks/{ATTACKER}/{system}", content=body, headers=headers)
    assert answer.status_code == 202, answer.text
