"""What does a handler work with? Everything that the composition in `app.main` has started, in one place."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Request

from app.flow.assess import Assessor
from app.flow.deliver import Courier
from app.flow.hook import Acceptor
from app.flow.reader import Reader
from app.flow.receive import Receiver
from app.flow.sweep import Sweeper
from app.flow.tail import Tail
from app.flow.watch import Watch
from app.settings import Settings
from app.store.catalogue import Catalogue
from app.store.database import Database
from app.web.hub import Hub

if TYPE_CHECKING:
    from app.web.access import KeyRing


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
    courier: Courier
    watch: Watch
    tail: Tail
    hub: Hub
    keys: "KeyRing"


def running(request: Request) -> Running:
    """The parts of the process that serves this request."""
    return request.app.state.running
