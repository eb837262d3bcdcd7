"""What deliveries show beside a signal: the details of its ticket, and the labels of its commitment by language.

Read with the claim, so an attempt shows who has the ticket now, and the labels of the agreement in force.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.sla.span import Micros
from app.sla.subject import SubjectKey
from app.store.contracts.catalogue import Catalogue
from app.store.engine.database import Connection
from app.store.outbound.deliveries import Claimed
from app.store.outbound.ticket_details import Details, ticket_details

Labels = Mapping[str, Mapping[str, str]]
"""The labels of a desk's commitments, each by language."""


@dataclass(frozen=True, slots=True)
class ShownBeside:
    """Of the claims of one transaction: details by subject, labels by desk."""

    tickets: Mapping[SubjectKey, Details]
    labels: Mapping[str, Labels]

    def details(self, claimed: Claimed, omit: Iterable[str]) -> dict[str, str | None]:
        """The details of a delivery's ticket, without the fields that the subscription leaves out."""
        known = self.tickets.get((claimed.desk, claimed.subject), {})
        return {name: value for name, value in known.items() if name not in omit}


NOTHING_BESIDE: Final = ShownBeside({}, {})


def shown_beside(
    conn: Connection, catalogue: Catalogue, claimed: Iterable[Claimed], now: Micros
) -> ShownBeside:
    """Read what the deliveries of these claims show."""
    keys = {(each.desk, each.subject) for each in claimed}
    if not keys:
        return NOTHING_BESIDE
    latest = catalogue.desks(conn)
    desks = {desk for desk, _ in keys if desk in latest}
    labels = {desk: _labels(conn, catalogue, desk, latest[desk], now) for desk in desks}
    return ShownBeside(ticket_details(conn, keys), labels)


def _labels(conn: Connection, catalogue: Catalogue, desk: str, latest: int, now: Micros) -> Labels:
    agreement = catalogue.in_force(conn, desk, latest, at=now).agreement
    return {each.id: each.labels for each in agreement.commitments}
