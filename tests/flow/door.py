"""A desk's door in the test's hand: connect a system, sign deliveries as it signs, read what came."""

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.flow.agreement.desk_files import desk_file
from app.flow.inbound.accept import Accepted, Acceptor
from app.flow.inbound.connect import ConnectionDetails, connect
from app.flow.inbound.inbox import Inbox, inbox
from app.flow.inbound.interpret import Interpreter
from app.flow.inbound.reader import Reader
from app.flow.inbound.rerun import RunAgain, run_again
from app.flow.inbound.sources import Sources, apply_sources
from app.intake.adapter import Adapter
from app.intake.adapters import ADAPTERS
from app.intake.request import InboundRequest
from app.sla.span import HOUR, Micros
from app.store.inbound import hooks
from app.store.inbound.hooks import StoredHook
from tests.service import Service

SAMPLES = Path(__file__).resolve().parent.parent / "intake" / "samples"


class Door:
    """One process's way in for ticket systems, over a service, with these settings replaced."""

    def __init__(self, service: Service, adapters: Mapping[str, Adapter] = ADAPTERS, **given: Any) -> None:
        self.service = service
        self.sources = Sources(adapters)
        settings = service.settings.model_copy(update=given)
        interpreter = Interpreter(service.receiver, self.sources, settings)
        self.reader = Reader(service.database, interpreter, settings)
        self.acceptor = Acceptor(service.database, self.sources, settings, self.reader.wake)
        self._ids = itertools.count(1)

    def connect(
        self, system: str, desk: str = "haisoft", *, overlap: Micros = HOUR, **given: Any
    ) -> tuple[ConnectionDetails, bool]:
        """The connection of a system, and whether its secret is new."""
        return self.service.database.write_now(
            lambda conn, now: connect(conn, now, self.sources, desk, system, overlap=overlap, **given)
        )

    def map(self, text: str, desk: str = "haisoft") -> list[str]:
        """Put a file of sources into force."""
        file = desk_file(f"sources/{desk}.toml", desk, text)
        catalogue = self.service.catalogue
        return self.service.database.write_now(
            lambda conn, now: apply_sources(conn, now, catalogue, self.sources, [file])
        )

    def signed(
        self,
        plug: ConnectionDetails,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        secret: str | None = None,
    ) -> InboundRequest:
        """A delivery signed now, as its system signs it."""
        now = self.service.database.now()
        own = plug.scheme.sign(secret or plug.secret, body, now, f"m{next(self._ids)}")
        return InboundRequest.of({**(headers or {}), **own}, body, now)

    async def let_in(self, desk: str, system: str, request: InboundRequest) -> Accepted:
        """Have a delivery let in that is no challenge."""
        accepted = await self.acceptor.accept(desk, system, request)
        assert isinstance(accepted, Accepted)
        return accepted

    async def deliver(
        self, plug: ConnectionDetails, body: object, headers: Mapping[str, str] | None = None, **given: Any
    ) -> Accepted:
        """Have a delivery let in; it is not read yet."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = self.signed(plug, raw, headers, **given)
        return await self.let_in(plug.connection.desk, plug.connection.system, request)

    async def receive(self, plug: ConnectionDetails, *bodies: object) -> None:
        """Have deliveries let in and read."""
        for body in bodies:
            await self.deliver(plug, body)
        await self.reader.read_all()

    async def run_again(self) -> RunAgain:
        """Try everything in the inbox again."""
        return await run_again(self.service.database, self.reader, self.service.assessor)

    def inbox(self) -> Inbox:
        """What was not understood."""
        return self.service.database.read_now(lambda conn: inbox(conn, 100))

    def hook(self, hook_id: str) -> StoredHook:
        """A delivery as it is kept."""
        found = self.service.database.read_now(lambda conn: hooks.find(conn, hook_id))
        assert found is not None
        return found


def samples(system: str, *names: str) -> list[tuple[bytes, Mapping[str, str]]]:
    """The bodies and headers of a system's sample deliveries, all in their order or those named."""
    paths: Sequence[Path] = [SAMPLES / system / f"{name}.json" for name in names]
    return [_request(path) for path in paths or sorted((SAMPLES / system).glob("[0-9]*.json"))]


def _request(path: Path) -> tuple[bytes, Mapping[str, str]]:
    sample = json.loads(path.read_text(encoding="utf-8"))
    body = sample["body"]
    return (body.encode() if isinstance(body, str) else json.dumps(body).encode()), sample["request"][
        "headers"
    ]
