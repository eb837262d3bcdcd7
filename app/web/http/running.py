"""The web process: what every process has, and besides the live stream and the principals of requests."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from fastapi import Request

from app.flow.people.own import Own
from app.flow.people.sign_in import SignIns
from app.flow.process.clock_metrics import ClockMetrics
from app.flow.process.replica_metrics import ReplicaMetrics
from app.flow.process.routing_table import RoutingTable
from app.flow.process.runtime import Runtime
from app.flow.process.tail import Tail
from app.flow.simulation.supervisor import Simulations
from app.flow.transfer.download import Downloads
from app.principal import EVERY
from app.settings import Settings
from app.store.engine.database import Database, visible_desks
from app.web.http.arrival import ArrivalRate, BodyMemory, report
from app.web.http.hub import Hub
from app.web.http.principals import PrincipalCache
from app.web.http.quotas import RequestRate, StreamQuota
from app.web.http.refused_sign_ins import RefusedSignIns
from app.web.http.shared_reads import SharedReads

if TYPE_CHECKING:
    import httpx2

    from app.flow.people.provider import Provider


class WebRuntime(Runtime):
    """The components of one web process."""

    def __init__(self, settings: Settings, database: Database, hub: Hub) -> None:
        super().__init__(settings, database)
        self.hub = hub
        self.clock_metrics = ClockMetrics(database, self.catalogue, settings)
        self.replica_metrics = ReplicaMetrics(database)
        self.principals = PrincipalCache(database)
        self.routing = RoutingTable(database, settings, self.principals.clear)
        self._listener.on_routes = self.routing.wake
        self.arrival_rate = ArrivalRate.of(settings)
        self.bodies = BodyMemory(settings.max_pending_body_size)
        self.public_bodies = BodyMemory(settings.max_pending_body_size)
        report(self.bodies, self.public_bodies)
        self.streams = StreamQuota(settings)
        self.shared_reads = SharedReads(settings.shared_read_interval)
        self.rates = RequestRate(settings.key_request_rate, settings.key_request_burst)
        self.simulations = Simulations(database, settings)
        self.downloads = Downloads(settings)
        self.refused_sign_ins = RefusedSignIns(database, settings)
        self.sign_ins = SignIns(database, settings)
        self.own = Own(database, settings, self.sign_ins)
        self.provider = _provider_of(settings)
        self.tail = Tail(
            database,
            hub.publish,
            settings.stream_poll_interval,
            reset=hub.reset,
            has_listeners=hub.has_listeners,
        )
        self.assessor.on_commit(self.tail.on_commit)
        self.on_announcement(self.tail.on_announcement)

    @cached_property
    def forwarder(self) -> "httpx2.AsyncClient":
        """The client for requests of desks that live on other servers. Made with the first one."""
        import httpx2

        return httpx2.AsyncClient(timeout=self.settings.forward_timeout.total_seconds(), trust_env=False)

    def start(self) -> None:
        """Start the stream, then everything else, in this event loop."""
        self.hub.open()
        self.tail.start()
        self.routing.start()
        super().start()

    async def stop(self) -> None:
        """Stop everything. Work in progress is finished first."""
        self.hub.close()
        await self.simulations.stop()
        self.downloads.stop()
        await super().stop()
        await self.tail.stop()
        await self.routing.stop()
        if "forwarder" in vars(self):
            await self.forwarder.aclose()
        await self.refused_sign_ins.stop()
        self.sign_ins.close()


@contextmanager
def seeing_every_desk() -> Generator[None]:
    """Let the reads within see the rows of every desk, where a decision about one needs those of all."""
    before = visible_desks.set(EVERY)
    try:
        yield
    finally:
        visible_desks.reset(before)


def running(request: Request) -> WebRuntime:
    """The components of the process that serves this request."""
    return request.app.state.running


def _provider_of(settings: Settings) -> "Provider | None":
    """The identity provider. Its libraries are imported only where the settings name one."""
    if settings.oidc_issuer is None:
        return None
    from app.flow.people.provider import Provider

    return Provider(settings, settings.oidc_issuer)
