"""What does a handler work with? Everything that the composition in `app.main` has started, in one place."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Request

from app.flow.inbound.accept import Acceptor
from app.flow.inbound.reader import Reader
from app.flow.judge.assess import Assessor
from app.flow.judge.receive import Receiver
from app.flow.outbound.deliver import Deliverer
from app.flow.process.health import HealthMonitor
from app.flow.process.sweep import Sweeper
from app.flow.process.tail import Tail
from app.settings import Settings
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Database
from app.web.http.hub import Hub

if TYPE_CHECKING:
    from app.web.http.access import KeyRing


@dataclass(frozen=True, slots=True)
class Running:
    """The parts of one running web process."""

    settings: Settings
    database: Database
    catalogue: Catalogue
    assessor: Assessor
    receiver: Receiver
    acceptor: Acceptor
    reader: Reader
    sweeper: Sweeper
    deliverer: Deliverer
    health: HealthMonitor
    tail: Tail
    hub: Hub
    keys: "KeyRing"


def running(request: Request) -> Running:
    """The parts of the process that serves this request."""
    return request.app.state.running
