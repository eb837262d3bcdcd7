"""Web://Xtra, Netherlands: three working days, and a queue in which a second message costs the place."""

from collections.abc import Mapping
from typing import Final

from app.cli.demo.tale import Tale, when_counted
from app.sla.calendar import Calendar
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros

_CUSTOMERS: Final = (
    "Bakkerij Smit",
    "De Vries Fietsen",
    "Kapsalon Jansen",
    "Bloemen Bakker",
    "Tandarts Visser",
)
_TITLES: Final = (
    "Contactformulier verstuurt niets",
    "Domein verlengen",
    "Website is traag",
    "E-mail komt niet aan",
    "Wachtwoord van FTP vergeten",
    "Vraag over de back-up",
)

FELL_TO_THE_BOTTOM: Final = "W-BOTTOM"


def webxtra(calendars: Mapping[str, Calendar], now: Micros) -> Tale:
    """The past week at Web://Xtra."""
    tale = Tale("webxtra", calendars, now, "W")
    _answered(tale)
    _waiting(tale)
    _impatient(tale)
    _twice_the_same(tale)
    _with_reasons(tale)
    return tale


def _domain(customer: str) -> str:
    return customer.lower().replace(" ", "-") + ".nl"


def _answered(tale: Tale) -> None:
    """Enough answers in the last working days for a forecast."""
    hours = tale.calendars["desk"]
    for counted in (39, 36, 33, 31, 28, 25, 22, 18, 15, 12, 9, 6):
        asked = when_counted(hours, counted * HOUR + tale.chance.randrange(60) * MINUTE, tale.now)
        customer = tale.chance.choice(_CUSTOMERS)
        thread = tale.ticket(
            asked,
            title=tale.chance.choice(_TITLES),
            customer=customer,
            domain=_domain(customer),
            plan="basic",
        )
        answered = hours.after_us(tale.chance.randrange(90, 330) * MINUTE, asked)
        thread.reply(answered, "Dat is opgelost.")
        if tale.chance.random() < 0.7:
            thread.status(answered + SECOND, "solved")
        else:
            thread.status(answered + SECOND, "pending")


def _waiting(tale: Tale) -> None:
    hours = tale.calendars["desk"]
    for counted, title, customer, plan in (
        (29, "Statistieken ontbreken", "Tandarts Visser", "basic"),
        (11, "Nieuwe mailbox", "Kapsalon Jansen", "basic"),
        (7, "Omleiding werkt niet", "Bloemen Bakker", "basic"),
        (4, "PHP-versie verhogen", "Bakkerij Smit", "managed"),
        (2, "SSL-certificaat", "De Vries Fietsen", "basic"),
    ):
        asked = when_counted(hours, counted * HOUR, tale.now)
        fields = {"plan": plan, "domain": _domain(customer)}
        if plan == "managed":
            fields["contract"] = "C-1001"
        tale.ticket(asked, title=title, customer=customer, **fields)


def _impatient(tale: Tale) -> None:
    hours = tale.calendars["desk"]
    asked = when_counted(hours, 14 * HOUR, tale.now)
    thread = tale.ticket(
        asked,
        name=FELL_TO_THE_BOTTOM,
        title="Webshop geeft een foutmelding",
        customer="De Vries Fietsen",
        domain="shop.de-vries-fietsen.nl",
        plan="basic",
    )
    thread.customer(tale.now - 25 * MINUTE, "Is er al nieuws?")


def _twice_the_same(tale: Tale) -> None:
    hours = tale.calendars["desk"]
    asked = when_counted(hours, 9 * HOUR, tale.now)
    for title, at in (("Nieuwsbrief", asked), ("RE: nieuwsbrief", tale.now - 2 * HOUR)):
        tale.ticket(at, title=title, customer="Bloemen Bakker", domain="bloemen-bakker.nl", plan="basic")


def _with_reasons(tale: Tale) -> None:
    tale.ticket(
        tale.now - 3 * HOUR, title="Factuur van maart", customer="Kapsalon Jansen", category="administrative"
    )
    tale.ticket(
        tale.now - 5 * HOUR,
        title="Outlook instellen",
        customer="Tandarts Visser",
        category="client-setup",
        domain="tandarts-visser.nl",
    )
    tale.ticket(tale.now - 90 * MINUTE, title="Het werkt niet", customer="Bakkerij Smit", plan="basic")
    source = tale.ticket(
        tale.now - 28 * HOUR,
        title="Mail blijft hangen",
        customer="Tandarts Visser",
        domain="tandarts-visser.nl",
    )
    target = tale.ticket(
        tale.now - DAY, title="Post komt niet door", customer="Tandarts Visser", domain="tandarts-visser.nl"
    )
    merged: Micros = tale.now - 22 * HOUR
    source.fact(merged, "ticket.merged", into=target.ticket)
