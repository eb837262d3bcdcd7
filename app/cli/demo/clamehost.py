"""ClameHost, Italy: services back within two hours, claims within seven days, answers within forty-eight hours."""

from collections.abc import Mapping
from typing import Final

from app.cli.demo.haisoft import SOON
from app.cli.demo.tale import Tale
from app.sla.calendar import Calendar
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros

_CUSTOMERS: Final = ("Trattoria Rossi", "Studio Bianchi", "Officina Verdi", "Libreria Neri")

BREACHES_NEXT: Final = "C-OUTAGE"

_NEXT: Final = SOON + 7 * SECOND


def clamehost(calendars: Mapping[str, Calendar], now: Micros) -> Tale:
    """The past week at ClameHost."""
    tale = Tale("clamehost", calendars, now, "C")
    _outages(tale)
    _not_their_fault(tale)
    _outage_due_soon(tale)
    _claims(tale)
    return tale


def _outages(tale: Tale) -> None:
    for at, minutes in zip(tale.transitions(6, 6, spare=8 * HOUR), (35, 80, 95, 118, 150, 60), strict=True):
        thread = tale.ticket(
            at,
            title=tale.chance.choice(("Sito non raggiungibile", "Posta ferma", "Database non risponde")),
            customer=tale.chance.choice(_CUSTOMERS),
            service=tale.chance.choice(("web", "mail")),
            priority="urgent",
        )
        thread.fact(at, "outage.started", service="web", cause="hardware")
        thread.reply(at + 10 * MINUTE, "Stiamo intervenendo.")
        restored = at + minutes * MINUTE
        thread.fact(restored, "service.restored", author="carla").status(restored + SECOND, "solved")
        thread.fact(restored + 30 * MINUTE, "outage.verified", service="web", cause="hardware")


def _not_their_fault(tale: Tale) -> None:
    """An outage with a stretch of work on third-party software: a person takes it out, and the breach with it."""
    at = tale.now - 26 * HOUR
    thread = tale.ticket(at, title="Negozio lento e poi fermo", customer="Libreria Neri", service="web")
    thread.fact(at, "outage.started", service="web", cause="third_party")
    thread.excluded(
        at + 5 * HOUR, at, at + 90 * MINUTE, by="carla", reason="fault in the customer's own script"
    )
    thread.fact(at + 150 * MINUTE, "service.restored", author="carla").status(at + 6 * HOUR, "solved")


def _outage_due_soon(tale: Tale) -> None:
    began = tale.now + _NEXT - 2 * HOUR
    thread = tale.ticket(
        began + 3 * MINUTE,
        name=BREACHES_NEXT,
        title="Sito in errore 503",
        customer="Studio Bianchi",
        service="web",
        priority="urgent",
    )
    thread.fact(began, "outage.started", heard_at=began + 3 * MINUTE, service="web", cause="network")
    thread.reply(began + 15 * MINUTE, "Abbiamo trovato la causa.")


def _claims(tale: Tale) -> None:
    now = tale.now
    for age, answered, title in (
        (80, 30, "Rimborso per l'interruzione"),
        (41, None, "Richiesta di credito"),
        (6, None, "Indisponibilità di sabato"),
    ):
        thread = tale.ticket(
            now - age * HOUR, title=title, customer=tale.chance.choice(_CUSTOMERS), kind="claim"
        )
        if answered is not None:
            at = now - (age - answered) * HOUR
            thread.fact(at, "claim.answered", claim=title, accepted=True).status(at + SECOND, "solved")
    waiting = tale.ticket(now - 2 * DAY, title="Guasto verificato", customer="Officina Verdi", service="mail")
    waiting.fact(now - 2 * DAY, "outage.verified", service="mail", cause="hardware")
