"""ClameHost, Italy: services back within two hours, claims within seven days, answers within forty-eight hours."""

from collections.abc import Mapping
from typing import Final

from app.cli.demo.desk_history import DeskHistory
from app.cli.demo.haisoft import SOON
from app.cli.demo.months import clamehost_months
from app.sla.calendar import Calendar
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros

_CUSTOMERS: Final = ("Trattoria Rossi", "Studio Bianchi", "Officina Verdi", "Libreria Neri")

BREACHES_NEXT: Final = "C-OUTAGE"

_NEXT: Final = SOON + 7 * SECOND


def clamehost(calendars: Mapping[str, Calendar], now: Micros) -> DeskHistory:
    """The past week at ClameHost."""
    desk = DeskHistory("clamehost", calendars, now, "C")
    _outages(desk)
    _not_their_fault(desk)
    _outage_due_soon(desk)
    _claims(desk)
    clamehost_months(desk)
    return desk


def _outages(desk: DeskHistory) -> None:
    for at, minutes in zip(
        desk.random_instants(6, 6, spare=8 * HOUR), (35, 80, 95, 118, 150, 60), strict=True
    ):
        history = desk.ticket(
            at,
            title=desk.random.choice(("Sito non raggiungibile", "Posta ferma", "Database non risponde")),
            customer=desk.random.choice(_CUSTOMERS),
            service=desk.random.choice(("web", "mail")),
            priority="urgent",
        )
        history.event(at, "outage.started", service="web", cause="hardware")
        history.reply(at + 10 * MINUTE, "Stiamo intervenendo.")
        restored = at + minutes * MINUTE
        history.event(restored, "service.restored", author="carla").status(restored + SECOND, "solved")
        history.event(restored + 30 * MINUTE, "outage.verified", service="web", cause="hardware")


def _not_their_fault(desk: DeskHistory) -> None:
    """An outage with a span of work on third-party software: an exclusion of the span retracts the breach."""
    at = desk.now - 26 * HOUR
    history = desk.ticket(at, title="Negozio lento e poi fermo", customer="Libreria Neri", service="web")
    history.event(at, "outage.started", service="web", cause="third_party")
    history.excluded(
        at + 5 * HOUR, at, at + 90 * MINUTE, by="carla", reason="fault in the customer's own script"
    )
    history.event(at + 150 * MINUTE, "service.restored", author="carla").status(at + 6 * HOUR, "solved")


def _outage_due_soon(desk: DeskHistory) -> None:
    began = desk.now + _NEXT - 2 * HOUR
    history = desk.ticket(
        began + 3 * MINUTE,
        name=BREACHES_NEXT,
        title="Sito in errore 503",
        customer="Studio Bianchi",
        service="web",
        priority="urgent",
    )
    history.event(began, "outage.started", received_at=began + 3 * MINUTE, service="web", cause="network")
    history.reply(began + 15 * MINUTE, "Abbiamo trovato la causa.")


def _claims(desk: DeskHistory) -> None:
    now = desk.now
    for age, answered, title in (
        (80, 30, "Rimborso per l'interruzione"),
        (41, None, "Richiesta di credito"),
        (6, None, "Indisponibilità di sabato"),
    ):
        history = desk.ticket(
            now - age * HOUR, title=title, customer=desk.random.choice(_CUSTOMERS), kind="claim"
        )
        if answered is not None:
            at = now - (age - answered) * HOUR
            history.event(at, "claim.answered", claim=title, accepted=True).status(at + SECOND, "solved")
    waiting = desk.ticket(now - 2 * DAY, title="Guasto verificato", customer="Officina Verdi", service="mail")
    waiting.event(now - 2 * DAY, "outage.verified", service="mail", cause="hardware")
