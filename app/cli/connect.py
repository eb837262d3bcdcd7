"""`slatimer connect`: how does a ticket system push to a desk?

Every system that can send CloudEvents, or a script beside it, connects with a key and the template printed here.
"""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import uuid4

import httpx2
import typer

from app.cli.opened import must_know, opened
from app.cli.terminal import failed, misused, remark, result, result_json
from app.settings import Settings
from app.store.keys import Scope, create
from app.web.cloudevent import DATA_OF

OWN_FORMAT: Final = "cloudevents"
_TIMEOUT: Final = 10.0
"""Seconds to wait for the answer to the sample."""

command = typer.Typer()


@command.command()
def connect(
    system: Annotated[str, typer.Argument(help=f"{OWN_FORMAT}: the service's own format.")],
    desk: Annotated[str, typer.Option(help="The desk whose events come in.")],
    base: Annotated[
        str | None,
        typer.Option("--url", help="Where the service is reached from outside: https://sla.example.com"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Send a sample; the service must be running.")] = False,
) -> None:
    """Make a key for a ticket system and say where and what to send."""
    if system.casefold() != OWN_FORMAT:
        misused(
            f"the webhooks of {system!r} are not read yet. Have it, or a script beside it, POST CloudEvents to "
            f"/v1/events: `slatimer connect {OWN_FORMAT} --desk {desk}` makes the key and prints the template."
        )
    settings = Settings()
    with opened(settings) as parts:
        must_know(parts, desk)
        scopes = frozenset({Scope.PUSH})
        secret, _ = parts.database.write_now(lambda conn, now: create(conn, desk, scopes, now))
    base = (base or f"http://{settings.host}:{settings.port}").rstrip("/")
    connection = _connection(f"{base}/v1/events", secret, desk)
    if test:
        _send_sample(connection, desk)
    if as_json:
        result_json(connection)
        return
    result(f"POST {connection['url']}")
    for name, value in connection["headers"].items():
        result(f"{name}: {value}")
    result(json.dumps(connection["template"], indent=2))
    remark("The key is shown this once. Types of events: " + ", ".join(connection["events"]))


def _connection(url: str, secret: str, desk: str) -> dict[str, Any]:
    return {
        "url": url,
        "secret": secret,
        "headers": {"Authorization": f"Bearer {secret}", "Content-Type": "application/cloudevents+json"},
        "events": [kind.value for kind in DATA_OF],
        "template": {
            "specversion": "1.0",
            "id": "a text of your own, another for each event",
            "source": desk,
            "type": "ticket.created",
            "subject": "the ticket's id",
            "time": "2026-03-06T15:30:00+01:00",
            "data": {"title": "Server unreachable", "customer": "ACME"},
        },
    }


def _send_sample(connection: dict[str, Any], desk: str) -> None:
    """A note about no ticket: it is kept, moves nothing, and shows that key, address and format are right."""
    sample = {
        "specversion": "1.0",
        "id": f"connection-test-{uuid4().hex}",
        "source": desk,
        "type": "note.added",
        "subject": "service:connection-test",
        "time": datetime.now(UTC).isoformat(),
        "data": {"author": "system", "automatic": True, "text": "sent by slatimer connect --test"},
    }
    try:
        answer = httpx2.post(
            connection["url"],
            content=json.dumps(sample),
            headers=connection["headers"],
            timeout=_TIMEOUT,
        )
    except httpx2.HTTPError as error:
        failed(f"{connection['url']} does not answer: {error}. Is `slatimer serve` running there?")
    if not answer.is_success:
        failed(f"{connection['url']} answered {answer.status_code}: {answer.text}")
    remark(f"A sample was taken: {answer.text}")
