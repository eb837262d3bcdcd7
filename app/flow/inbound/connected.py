"""Connections of desks, each with its latest webhooks and what is in the inbox. Instants are microseconds UTC."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.flow.inbound.connect import ConnectionDetails
from app.flow.inbound.sources import Sources
from app.principal import EVERY, Desks, covers
from app.sla.span import Micros
from app.store.engine.database import Connection
from app.store.inbound import connections, hooks
from app.store.inbound.connections import StoredConnection
from app.store.inbound.hooks import HookState, ListedHook


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection. `label` is the system's name; `latest` has its last webhooks, the last one first.

    `unread` webhooks of it could not be read, and `unmapped` have words that are not mapped.
    """

    stored: StoredConnection
    label: str
    latest: Sequence[ListedHook]
    unread: int
    unmapped: int

    @property
    def former_secret_until(self) -> Micros | None:
        """When the last of the replaced secrets stops being valid; none without one."""
        return max((one.until for one in self.stored.secrets if one.until is not None), default=None)


def connected(conn: Connection, sources: Sources, desks: Desks = EVERY) -> list[Connected]:
    """The connections of these desks, by desk and system, each with its last webhook."""
    counts = hooks.inbox_counts(conn, desks)
    found = [each for each in connections.listed(conn) if covers(desks, each.desk)]
    return [_connected(conn, sources, each, counts, 1) for each in found]


def one_connected(conn: Connection, sources: Sources, desk: str, system: str, most: int) -> Connected | None:
    """One connection with so many of its webhooks; none where the system is not connected."""
    stored = connections.find(conn, desk, system)
    if stored is None:
        return None
    return _connected(conn, sources, stored, hooks.inbox_counts(conn, frozenset({desk})), most)


def details(conn: Connection, sources: Sources, desk: str, system: str) -> ConnectionDetails | None:
    """What to enter in a connected system; none where it is not connected, or not known any more."""
    stored, configured = connections.find(conn, desk, system), sources.configured(conn, desk, system)
    if stored is None or configured is None:
        return None
    return ConnectionDetails(configured, stored, configured.schemes[0])


def label_of(conn: Connection, sources: Sources, desk: str, system: str) -> str:
    """The name of a system as its maker writes it."""
    configured = sources.configured(conn, desk, system)
    return system if configured is None else configured.adapter.label


def _connected(
    conn: Connection,
    sources: Sources,
    stored: StoredConnection,
    counts: dict[tuple[str, str, str], int],
    most: int,
) -> Connected:
    desk, system = stored.desk, stored.system
    of_state = {state: count for (d, s, state), count in counts.items() if (d, s) == (desk, system)}
    unread = of_state.get(HookState.KEPT.value, 0)
    return Connected(
        stored,
        label_of(conn, sources, desk, system),
        hooks.latest(conn, desk, system, most),
        unread,
        sum(of_state.values()) - unread,
    )
