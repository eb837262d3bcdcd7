"""PHPNET, France: the delay begins when the ticket is open and the call is registered; both are needed."""

from collections.abc import Mapping
from typing import Final

from app.cli.demo.tale import Tale, Thread, when_counted
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


def phpnet(calendars: Mapping[str, Calendar], now: Micros) -> Tale:
    """The past week at PHPNET."""
    tale = Tale("phpnet", calendars, now, "P")
    _done(tale)
    _open_now(tale)
    _without_a_clock(tale)
    return tale


def _opened(tale: Tale, at: Micros, category: str, level: str, name: str | None = None) -> Thread:
    return tale.ticket(
        at,
        name=name,
        title=tale.chance.choice(_TITLES[category]),
        customer=tale.chance.choice(_CUSTOMERS),
        kind="intervention",
        category=category,
        level=level,
        priority=tale.chance.choice(("normal", "high")),
        queue="infogerance",
    )


def _done(tale: Tale) -> None:
    hours = tale.calendars["desk"]
    for at in tale.transitions(10, 6, spare=20 * HOUR):
        category = tale.chance.choice(("software", "software", "hardware", "network"))
        level = tale.chance.choice(("example-1", "example-2"))
        thread = _opened(tale, at, category, level)
        called = at + tale.chance.randrange(3, 40) * MINUTE
        thread.fact(called, "call.registered", author="didier", reference="call")
        share = tale.chance.choice((20, 45, 60, 80, 95, 120))
        began = hours.after_us(_GTI[level] * share // 100, called)
        thread.fact(began, "intervention.started", author="elodie").status(began + SECOND, "open")
        thread.reply(hours.after_us(50 * MINUTE, began), "L'intervention avance.")
        restored = hours.after_us(tale.chance.randrange(60, 130) * MINUTE, began)
        thread.fact(restored, "service.restored", author="elodie").status(restored + SECOND, "solved")
        thread.status(restored + DAY, "closed")


def _open_now(tale: Tale) -> None:
    hours, now = tale.calendars["desk"], tale.now
    _opened(tale, now - 50 * MINUTE, "hardware", "example-1", AWAITS_ITS_CALL)
    _opened(tale, now - 3 * HOUR, "software", "example-2")
    for minutes, category, level in ((40, "software", "example-1"), (170, "network", "example-1")):
        called = when_counted(hours, minutes * MINUTE, now)
        thread = _opened(tale, called - 10 * MINUTE, category, level)
        thread.fact(called, "call.registered", author="didier", reference="call")
    asked = when_counted(hours, 4 * HOUR, now)
    paused = _opened(tale, asked, "software", "example-1").fact(
        asked + 2 * MINUTE, "call.registered", author="didier"
    )
    paused.reply(hours.after_us(HOUR, asked), "Merci de nous donner un accès.").status(
        hours.after_us(HOUR, asked) + SECOND, "pending"
    )
    started = when_counted(hours, 100 * MINUTE, now)
    goes_on = _opened(tale, started - 45 * MINUTE, "software", "example-2")
    goes_on.fact(started - 40 * MINUTE, "call.registered", author="didier")
    goes_on.fact(started, "intervention.started", author="elodie")
    goes_on.fact(hours.after_us(48 * MINUTE, started), "progress.reported", author="agent")
    night = _opened(tale, now - 25 * MINUTE, "software", "example-24-7")
    night.fact(now - 20 * MINUTE, "call.registered", author="didier")


def _without_a_clock(tale: Tale) -> None:
    now = tale.now
    tale.ticket(
        now - 7 * HOUR,
        title="Installer un module",
        customer="Hôtel des Alpes",
        kind="intervention",
        category="out-of-scope",
        level="example-1",
        queue="infogerance",
    )
    tale.ticket(
        now - 4 * HOUR, title="Lenteurs", customer="Ski Location", kind="intervention", category="software"
    )
    odd = _opened(tale, now - 30 * HOUR, "software", "example-1")
    odd.fact(now - 29 * HOUR, "call.registered", author="didier")
    odd.fact(now - 28 * HOUR, "ticket.tagged", tags=["vip"])  # a type that nobody knows: see `slatimer inbox`
    odd.fact(now - 27 * HOUR, "intervention.started", author="elodie")
    odd.fact(now - 26 * HOUR, "service.restored", author="elodie").status(now - 26 * HOUR + SECOND, "solved")
