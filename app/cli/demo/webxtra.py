"""Demo desk Web://Xtra, Netherlands: three working days, and a queue where a second message loses the place."""

from collections.abc import Mapping
from typing import Final

from app.cli.demo.desk_history import DeskHistory, start_of_open_time
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


def webxtra(calendars: Mapping[str, Calendar], now: Micros) -> DeskHistory:
    """The past week at Web://Xtra."""
    desk = DeskHistory("webxtra", calendars, now, "W")
    _answered(desk)
    _waiting(desk)
    _second_message(desk)
    _twice_the_same(desk)
    _with_reasons(desk)
    return desk


def _domain(customer: str) -> str:
    return customer.lower().replace(" ", "-") + ".nl"


def _answered(desk: DeskHistory) -> None:
    """Enough answers in the last working days for a forecast."""
    hours = desk.calendars["desk"]
    for counted in (39, 36, 33, 31, 28, 25, 22, 18, 15, 12, 9, 6):
        asked = start_of_open_time(hours, counted * HOUR + desk.random.randrange(60) * MINUTE, desk.now)
        customer = desk.random.choice(_CUSTOMERS)
        history = desk.ticket(
            asked,
            title=desk.random.choice(_TITLES),
            customer=customer,
            domain=_domain(customer),
            plan="basic",
        )
        answered = hours.after_us(desk.random.randrange(90, 330) * MINUTE, asked)
        history.reply(answered, "Dat is opgelost.")
        if desk.random.random() < 0.7:
            history.status(answered + SECOND, "solved")
        else:
            history.status(answered + SECOND, "pending")


def _waiting(desk: DeskHistory) -> None:
    hours = desk.calendars["desk"]
    for counted, title, customer, plan in (
        (29, "Statistieken ontbreken", "Tandarts Visser", "basic"),
        (11, "Nieuwe mailbox", "Kapsalon Jansen", "basic"),
        (7, "Omleiding werkt niet", "Bloemen Bakker", "basic"),
        (4, "PHP-versie verhogen", "Bakkerij Smit", "managed"),
        (2, "SSL-certificaat", "De Vries Fietsen", "basic"),
    ):
        asked = start_of_open_time(hours, counted * HOUR, desk.now)
        fields = {"plan": plan, "domain": _domain(customer)}
        if plan == "managed":
            fields["contract"] = "C-1001"
        desk.ticket(asked, title=title, customer=customer, **fields)


def _second_message(desk: DeskHistory) -> None:
    hours = desk.calendars["desk"]
    asked = start_of_open_time(hours, 14 * HOUR, desk.now)
    history = desk.ticket(
        asked,
        name=FELL_TO_THE_BOTTOM,
        title="Webshop geeft een foutmelding",
        customer="De Vries Fietsen",
        domain="shop.de-vries-fietsen.nl",
        plan="basic",
    )
    history.customer(desk.now - 25 * MINUTE, "Is er al nieuws?")


def _twice_the_same(desk: DeskHistory) -> None:
    hours = desk.calendars["desk"]
    asked = start_of_open_time(hours, 9 * HOUR, desk.now)
    for title, at in (("Nieuwsbrief", asked), ("RE: nieuwsbrief", desk.now - 2 * HOUR)):
        desk.ticket(at, title=title, customer="Bloemen Bakker", domain="bloemen-bakker.nl", plan="basic")


def _with_reasons(desk: DeskHistory) -> None:
    desk.ticket(
        desk.now - 3 * HOUR, title="Factuur van maart", customer="Kapsalon Jansen", category="administrative"
    )
    desk.ticket(
        desk.now - 5 * HOUR,
        title="Outlook instellen",
        customer="Tandarts Visser",
        category="client-setup",
        domain="tandarts-visser.nl",
    )
    desk.ticket(desk.now - 90 * MINUTE, title="Het werkt niet", customer="Bakkerij Smit", plan="basic")
    source = desk.ticket(
        desk.now - 28 * HOUR,
        title="Mail blijft hangen",
        customer="Tandarts Visser",
        domain="tandarts-visser.nl",
    )
    target = desk.ticket(
        desk.now - DAY, title="Post komt niet door", customer="Tandarts Visser", domain="tandarts-visser.nl"
    )
    merged: Micros = desk.now - 22 * HOUR
    source.event(merged, "ticket.merged", into=target.ticket)
