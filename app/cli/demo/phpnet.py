"""PHPNET, France: the delay begins when the ticket is open and the call is registered; both are needed."""

from collections.abc import Mapping
from typing import Final

from app.cli.demo.desk_history import DeskHistory, TicketHistory, start_of_open_time
from app.cli.demo.months import phpnet_months
from app.sla.calendar import Calendar
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros

_CUSTOMERS: Final = (
    "Mairie de Valoire",
    "Imprimerie Roux",
    "Hôtel des Alpes",
    "Clinique du Lac",
    "Ski Location",
)
_TITLES: Final = {
    "software": ("Mise à jour de PHP", "Erreur 500 après déploiement", "Certificat à remplacer"),
    "hardware": ("Serveur arrêté", "Alimentation en défaut"),
    "network": ("Serveur injoignable depuis Lyon", "Pertes de paquets"),
}
_GTI: Final = {"example-1": 4 * HOUR, "example-2": 2 * HOUR}

AWAITS_ITS_CALL: Final = "P-CALL"


def phpnet(calendars: Mapping[str, Calendar], now: Micros) -> DeskHistory:
    """The past week at PHPNET."""
    desk = DeskHistory("phpnet", calendars, now, "P")
    _done(desk)
    _open_now(desk)
    _without_a_clock(desk)
    phpnet_months(desk)
    return desk


def _opened(
    desk: DeskHistory, at: Micros, category: str, level: str, name: str | None = None
) -> TicketHistory:
    return desk.ticket(
        at,
        name=name,
        title=desk.random.choice(_TITLES[category]),
        customer=desk.random.choice(_CUSTOMERS),
        kind="intervention",
        category=category,
        level=level,
        priority=desk.random.choice(("normal", "high")),
        queue="infogerance",
    )


def _done(desk: DeskHistory) -> None:
    hours = desk.calendars["desk"]
    for at in desk.random_instants(10, 6, spare=20 * HOUR):
        category = desk.random.choice(("software", "software", "hardware", "network"))
        level = desk.random.choice(("example-1", "example-2"))
        history = _opened(desk, at, category, level)
        called = at + desk.random.randrange(3, 40) * MINUTE
        history.event(called, "call.registered", author="didier", reference="call")
        share = desk.random.choice((20, 45, 60, 80, 95, 120))
        began = hours.after_us(_GTI[level] * share // 100, called)
        history.event(began, "intervention.started", author="elodie").status(began + SECOND, "open")
        history.reply(hours.after_us(50 * MINUTE, began), "L'intervention avance.")
        restored = hours.after_us(desk.random.randrange(60, 130) * MINUTE, began)
        history.event(restored, "service.restored", author="elodie").status(restored + SECOND, "solved")
        history.status(restored + DAY, "closed")


def _open_now(desk: DeskHistory) -> None:
    hours, now = desk.calendars["desk"], desk.now
    _opened(desk, now - 50 * MINUTE, "hardware", "example-1", AWAITS_ITS_CALL)
    _opened(desk, now - 3 * HOUR, "software", "example-2")
    for minutes, category, level in ((40, "software", "example-1"), (170, "network", "example-1")):
        called = start_of_open_time(hours, minutes * MINUTE, now)
        history = _opened(desk, called - 10 * MINUTE, category, level)
        history.event(called, "call.registered", author="didier", reference="call")
    asked = start_of_open_time(hours, 4 * HOUR, now)
    paused = _opened(desk, asked, "software", "example-1").event(
        asked + 2 * MINUTE, "call.registered", author="didier"
    )
    paused.reply(hours.after_us(HOUR, asked), "Merci de nous donner un accès.").status(
        hours.after_us(HOUR, asked) + SECOND, "pending"
    )
    started = start_of_open_time(hours, 100 * MINUTE, now)
    goes_on = _opened(desk, started - 45 * MINUTE, "software", "example-2")
    goes_on.event(started - 40 * MINUTE, "call.registered", author="didier")
    goes_on.event(started, "intervention.started", author="elodie")
    goes_on.event(hours.after_us(48 * MINUTE, started), "progress.reported", author="agent")
    night = _opened(desk, now - 25 * MINUTE, "software", "example-24-7")
    night.event(now - 20 * MINUTE, "call.registered", author="didier")


def _without_a_clock(desk: DeskHistory) -> None:
    now = desk.now
    desk.ticket(
        now - 7 * HOUR,
        title="Installer un module",
        customer="Hôtel des Alpes",
        kind="intervention",
        category="out-of-scope",
        level="example-1",
        queue="infogerance",
    )
    desk.ticket(
        now - 4 * HOUR, title="Lenteurs", customer="Ski Location", kind="intervention", category="software"
    )
    odd = _opened(desk, now - 30 * HOUR, "software", "example-1")
    odd.event(now - 29 * HOUR, "call.registered", author="didier")
    odd.event(now - 28 * HOUR, "ticket.tagged", tags=["vip"])  # an unknown type: see `slatimer inbox`
    odd.event(now - 27 * HOUR, "intervention.started", author="elodie")
    odd.event(now - 26 * HOUR, "service.restored", author="elodie").status(now - 26 * HOUR + SECOND, "solved")
