"""`slatimer connect`: connect a ticket system to a desk.

One URL and one secret are entered in the ticket system; its webhooks are verified by its own signature. A system that
sends CloudEvents, or a script beside it, connects with a key instead.
"""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import uuid4

import httpx2
import typer

from app.cli.configured import read_settings
from app.cli.opened import must_know, opened
from app.cli.terminal import failed, misused, remark, result, result_json
from app.flow.inbound.connect import ConnectionDetails, UnknownSystem
from app.flow.inbound.connect import connect as use_case
from app.flow.query.serialize import instant_text
from app.intake.event_data import DATA_OF
from app.principal import Role, roles_on
from app.settings import Settings
from app.sla.span import length_of
from app.store.engine.database import wall_clock
from app.store.people import keys

OWN_FORMAT: Final = "cloudevents"
_TIMEOUT: Final = 10.0
"""Seconds to wait for the response to the sample."""

_FROM_INPUT: Final = "-"

command = typer.Typer(add_completion=False)


@command.command()
def connect(
    system: Annotated[
        str, typer.Argument(help=f"zammad, zendesk, jira, ...; {OWN_FORMAT}: the service's own format.")
    ],
    desk: Annotated[str, typer.Option(help="The desk that receives the events.")],
    base: Annotated[
        str | None,
        typer.Option("--url", help="The public URL of the service: https://sla.example.com"),
    ] = None,
    secret: Annotated[
        str | None,
        typer.Option(help="A secret that the system generated; - reads it from standard input."),
    ] = None,
    rotate: Annotated[
        bool,
        typer.Option("--rotate", help="Generate another secret; the previous one stays valid for a while."),
    ] = False,
    signed: Annotated[
        bool, typer.Option("--signed", help=f"{OWN_FORMAT}: signed as Standard Webhooks, without a key.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer as JSON.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Send a sample to the running service.")] = False,
) -> None:
    """Create or show the connection of a ticket system, and print what to enter there."""
    system = system.casefold()
    settings = read_settings()
    base = _base(settings) if base is None else base.rstrip("/")
    if system == OWN_FORMAT and not (signed or secret or rotate):
        _connect_by_key(settings, base, desk, as_json=as_json, test=test)
        return
    details, is_new = _details(settings, system, desk, given=_given(secret), rotate=rotate)
    if test:
        headers, body = details.test(wall_clock())
        _send(details.url(base), headers, body)
    if as_json:
        result_json(details.as_json(base))
    else:
        _show(details, base, is_new=is_new)


def _base(settings: Settings) -> str:
    """Where the service listens, with a message that this is not the public URL."""
    base = f"http://{settings.host}:{settings.port}"
    remark(
        f"{base} is where the service listens. Replace it with the public URL, or name that: "
        "--url https://sla.example.com"
    )
    return base


def _given(secret: str | None) -> str | None:
    if secret != _FROM_INPUT:
        return secret
    return sys.stdin.readline().strip() or misused("--secret -: standard input is empty")


def _details(
    settings: Settings, system: str, desk: str, *, given: str | None, rotate: bool
) -> tuple[ConnectionDetails, bool]:
    overlap = length_of(settings.secret_grace_period)
    with opened(settings) as runtime:
        must_know(runtime, desk)
        try:
            return runtime.database.write_now(
                lambda conn, now: use_case(
                    conn, now, runtime.sources, desk, system, overlap=overlap, rotate=rotate, given=given
                )
            )
        except UnknownSystem as error:
            misused(error)


def _show(details: ConnectionDetails, base: str, *, is_new: bool) -> None:
    adapter, stored = details.configured.adapter, details.connection
    result(f"POST {details.url(base)}")
    result(f"secret: {details.secret}")
    result(f"signed: {' or '.join(scheme.name for scheme in details.configured.schemes)}")
    for name, value in details.headers.items():
        result(f"header: {name}: {value}")
    for event in adapter.events_to_tick:
        result(f"event: {event}")
    if (template := details.template(base)) is not None:
        result(f"template:\n{template}")
    older = [one.until for one in stored.secrets[1:] if one.until is not None]
    if older:
        remark(f"The previous secret is valid until {instant_text(max(older))}.")
    if is_new:
        remark(
            f"{adapter.label} can send to {stored.desk} now. If it generates the secret itself, store that with:"
        )
        remark(f"slatimer connect {stored.system} --desk {stored.desk} --secret -")


def _connect_by_key(settings: Settings, base: str, desk: str, *, as_json: bool, test: bool) -> None:
    with opened(settings) as runtime:
        must_know(runtime, desk)
        roles = roles_on([desk], [Role.PUSH])
        key, _ = runtime.database.write_now(lambda conn, now: keys.create(conn, roles, now))
    connection = _by_key(f"{base}/v1/events", key, desk)
    if test:
        _send(connection["url"], connection["headers"], json.dumps(_sample(desk)).encode())
    if as_json:
        result_json(connection)
        return
    result(f"POST {connection['url']}")
    for name, value in connection["headers"].items():
        result(f"{name}: {value}")
    result(json.dumps(connection["template"], indent=2))
    remark("The key is shown this once. Event types: " + ", ".join(connection["events"]))


def _by_key(url: str, key: str, desk: str) -> dict[str, Any]:
    return {
        "url": url,
        "secret": key,
        "headers": {"Authorization": f"Bearer {key}", "Content-Type": "application/cloudevents+json"},
        "events": [kind.value for kind in DATA_OF],
        "template": {
            "specversion": "1.0",
            "id": "a unique text for each event",
            "source": desk,
            "type": "ticket.created",
            "subject": "the ticket's id",
            "time": "2026-03-06T15:30:00+01:00",
            "data": {"title": "Server unreachable", "customer": "ACME"},
        },
    }


def _sample(desk: str) -> dict[str, Any]:
    """A note about no ticket: it is stored, affects no clock, and shows that key, URL and format are right."""
    return {
        "specversion": "1.0",
        "id": f"connection-test-{uuid4().hex}",
        "source": desk,
        "type": "note.added",
        "subject": "service:connection-test",
        "time": datetime.now(UTC).isoformat(),
        "data": {"author": "system", "automatic": True, "text": "sent by slatimer connect --test"},
    }


def _send(url: str, headers: Mapping[str, str], body: bytes) -> None:
    shown = url.partition("?")[0]  # the query may be the secret
    try:
        answer = httpx2.post(url, content=body, headers=dict(headers), timeout=_TIMEOUT)
    except httpx2.HTTPError as error:
        failed(f"{shown} does not respond: {error}. Is `slatimer serve` running there?")
    if not answer.is_success:
        failed(f"{shown} responded {answer.status_code}: {answer.text}")
    remark(f"The sample was accepted: {answer.text}")
