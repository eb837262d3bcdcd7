"""HaiSoft, France: two hours within 10-12 and 14-17, alerts within the hour, parts within four."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.cli.demo.desk_history import DeskHistory, start_of_open_time
from app.cli.demo.months import haisoft_months
from app.sla.calendar import Calendar
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros, instant, micros

_CUSTOMERS: Final = ("Atelier Morel", "Garage Duval", "Boulangerie Petit", "Lycée Rabelais", "Vélo Nantes")
_TITLES: Final = (
    "Server does not answer on port 443",
    "Disk almost full on vps-31",
    "Please renew the certificate of the shop",
    "Mail is refused by one provider",
    "Reverse DNS for a second address",
    "Backup of last night is missing",
    "How do I open port 8443?",
)

PARIS: Final = ZoneInfo("Europe/Paris")

SKIPS_LUNCH: Final = "H-LUNCH"
BREACHES_SOON: Final = "H-PART"

SOON: Final = 75 * SECOND
"""From the start of the demonstration to the first breach."""


def before_lunch(now: Micros) -> Micros:
    """11:30 in Paris of the last day on which that has passed: two hours from then skip lunch and end at 15:30."""
    local = instant(now).astimezone(PARIS)
    day = local.date() if local.time() > time(11, 31) else local.date() - timedelta(days=1)
    return micros(datetime.combine(day, time(11, 30), local.tzinfo))


def haisoft(calendars: Mapping[str, Calendar], now: Micros) -> DeskHistory:
    """The past week at HaiSoft."""
    desk = DeskHistory("haisoft", calendars, now, "H")
    _routine(desk)
    _alerts(desk)
    _lunch(desk)
    _part_due_soon(desk)
    _late_mail(desk)
    _open_now(desk)
    haisoft_months(desk)
    return desk


def _routine(desk: DeskHistory) -> None:
    hours = desk.calendars["tickets"]
    for at in desk.random_instants(11, 6, spare=10 * HOUR):
        history = desk.ticket(
            at,
            title=desk.random.choice(_TITLES),
            customer=desk.random.choice(_CUSTOMERS),
            service=desk.random.choice(("dedicated", "virtual")),
            priority=desk.random.choice(("low", "normal", "normal", "high")),
            assignee=desk.random.choice(("amelie", "bruno")),
        )
        answered = hours.after_us(desk.random.choice((25, 50, 70, 95, 110, 150)) * MINUTE, at)
        history.reply(answered).status(answered + 2 * SECOND, "open")
        solved = hours.after_us(desk.random.randrange(30, 240) * MINUTE, answered)
        history.reply(solved, "This is done.").status(solved + SECOND, "solved")
        history.customer(solved + 3 * HOUR, "Thank you, it works.").status(solved + DAY, "closed")
    other = desk.ticket(
        desk.now - 30 * HOUR,
        title="Move of a domain",
        customer="Vélo Nantes",
        service="domain",
        priority="low",
    )
    other.reply(desk.now - 26 * HOUR, "The transfer code is on its way.")


def _alerts(desk: DeskHistory) -> None:
    fields = {
        "author": "system",
        "channel": "monitoring",
        "service": "dedicated",
        "customer": "Lycée Rabelais",
    }
    quick = desk.ticket(desk.now - 50 * HOUR, title="Alert: ping lost on srv-12", **fields)
    quick.event(desk.now - 50 * HOUR, "anomaly.detected", reference="ping srv-12")
    quick.event(desk.now - 50 * HOUR + 18 * MINUTE, "intervention.started", author="bruno")
    quick.event(desk.now - 49 * HOUR, "service.restored", author="bruno")
    quick.status(desk.now - 49 * HOUR + SECOND, "solved")
    by_itself = desk.ticket(desk.now - 9 * HOUR, title="Alert: load on srv-07", **fields)
    by_itself.event(desk.now - 9 * HOUR, "anomaly.detected", reference="load srv-07")
    by_itself.event(desk.now - 9 * HOUR + 21 * MINUTE, "service.restored", author="monitoring")
    by_itself.event(desk.now - 35 * MINUTE, "anomaly.detected", reference="load srv-07")


def _lunch(desk: DeskHistory) -> None:
    asked = before_lunch(desk.now)
    history = desk.ticket(
        asked,
        name=SKIPS_LUNCH,
        title="The shop is slow since this morning",
        customer="Atelier Morel",
        service="dedicated",
        priority="high",
    )
    history.reply(asked + 3 * HOUR + 20 * MINUTE, "A query without an index; we have added one.")


def _part_due_soon(desk: DeskHistory) -> None:
    due_at = desk.now + SOON
    history = desk.ticket(
        due_at - 4 * HOUR - 12 * MINUTE,
        name=BREACHES_SOON,
        title="Disk failure on srv-03",
        customer="Garage Duval",
        service="dedicated",
        category="hardware",
        priority="urgent",
    )
    history.reply(due_at - 4 * HOUR, "We have read this; a new disk is on its way.")


def _late_mail(desk: DeskHistory) -> None:
    """A reply in time that the service received too late: the breach is retracted."""
    hours = desk.calendars["tickets"]
    asked = start_of_open_time(hours, 9 * HOUR, desk.now)
    due = hours.after_us(2 * HOUR, asked)
    history = desk.ticket(
        asked,
        title="Second address for vps-8",
        customer="Boulangerie Petit",
        service="virtual",
        priority="low",
    )
    history.reply(hours.after_us(80 * MINUTE, asked), "Done.", received_at=due + 40 * MINUTE)
    history.status(due + 41 * MINUTE, "solved")


def _open_now(desk: DeskHistory) -> None:
    """Clocks in every stage now, at any hour."""
    hours = desk.calendars["tickets"]
    for minutes, title, customer in (
        (20, "Cannot log in to the panel", "Vélo Nantes"),
        (65, "Database does not start after the update", "Atelier Morel"),
        (105, "Cron job runs twice", "Lycée Rabelais"),
        (150, "Certificate warning on the intranet", "Garage Duval"),
    ):
        asked = start_of_open_time(hours, minutes * MINUTE, desk.now)
        desk.ticket(asked, title=title, customer=customer, service="virtual", priority="normal")
    wrong = desk.ticket(
        start_of_open_time(hours, 45 * MINUTE, desk.now),
        title="Firewall rule",
        customer="Boulangerie Petit",
        service="",
    )
    mistaken = desk.now - 20 * MINUTE
    wrong.reply(mistaken, "Answer meant for another ticket.")
    wrong.event(
        mistaken + 4 * MINUTE,
        "event.withdrawn",
        id=f"demo-{wrong.ticket}-2",
        author="amelie",
        reason="sent to the wrong ticket",
    )
