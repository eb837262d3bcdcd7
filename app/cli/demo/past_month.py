"""Five weeks of everyday work at every desk, up to some hours ago, so that reports, heat maps and queues have a past.

Each day has its tickets, by the open hours of the desk; some come at night. Most are answered in time, and week by week
more of them. What is not over yet is open now.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from app.cli.demo.desk_history import SEED, DeskHistory
from app.sla.calendar import Calendar
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros

DAYS: Final = 35
_SPARE: Final = 6 * HOUR
"""The last hours belong to the tickets that the demonstration points at."""
_LATE: Final = (0.16, 0.11, 0.19, 0.08, 0.05)
"""The share of tickets that is answered too late, by week: better now than it was, with a bad one in the middle."""
_AT_NIGHT: Final = 0.12
"""The share of tickets that come while the desk is closed."""
_BUSY: Final = (1.5, 1.2, 1.0, 1.0, 0.8)
"""How much more comes on a Monday than on a Wednesday."""
_WEEKEND: Final = 0.15
_FIRST_NUMBER: Final = 201
"""Below the numbers of the other tickets."""


@dataclass(slots=True)
class _Days:
    """A desk with its random numbers, which are the same in every demonstration."""

    desk: DeskHistory
    hours: Calendar
    random: Random
    count: int = 0

    def name(self) -> str:
        """The number of the next ticket."""
        self.count += 1
        return f"{self.desk.letter}-{_FIRST_NUMBER + self.count}"

    def minutes(self, least: int, most: int) -> Micros:
        """A length between two numbers of minutes."""
        return self.random.randrange(least, most) * MINUTE

    def late(self, at: Micros) -> bool:
        """Whether the ticket of this instant is answered too late."""
        week = min(len(_LATE) - 1, (DAYS * DAY - (self.desk.now - at)) // (7 * DAY))
        return self.random.random() < _LATE[week]

    def starts(self, a_day: float) -> Iterator[Micros]:
        """When tickets come, so many on a usual day."""
        today = self.hours.local_date(self.desk.now)
        for back in range(DAYS, -1, -1):
            day = today - timedelta(days=back)
            midnight = self.hours.end_of_day(day - timedelta(days=1))
            is_open = self.hours.within_us(midnight, midnight + DAY)
            expected = a_day * (_BUSY[day.weekday()] if is_open and day.weekday() < len(_BUSY) else _WEEKEND)
            number = int(expected) + (self.random.random() < expected % 1)
            for at in sorted(self._instant(midnight, is_open) for _ in range(number)):
                if at < self.desk.now - _SPARE:
                    yield at

    def _instant(self, midnight: Micros, is_open: Micros) -> Micros:
        if not is_open or self.random.random() < _AT_NIGHT:
            return midnight + self.minutes(0, 24 * 60)
        return self.hours.after_us(int(self.random.random() * is_open), midnight)


def _haisoft(days: _Days) -> None:
    titles = (
        "Site is slow",
        "Mailbox is full",
        "Add a DNS record",
        "Restore a file",
        "PHP version",
        "FTP refused",
    )
    customers = ("Atelier Morel", "Garage Duval", "Boulangerie Petit", "Lycée Rabelais", "Vélo Nantes")
    for at in days.starts(6):
        history = days.desk.ticket(
            at,
            name=days.name(),
            title=days.random.choice(titles),
            customer=days.random.choice(customers),
            service=days.random.choice(("dedicated", "virtual")),
            priority=days.random.choice(("low", "normal", "normal", "high")),
        )
        length = days.minutes(130, 260) if days.late(at) else days.minutes(8, 112)
        answered = days.hours.after_us(length, at)
        history.reply(answered).status(answered + days.minutes(20, 300), "solved")


def _webxtra(days: _Days) -> None:
    titles = ("Domein verhuizen", "Mailbox vol", "Formulier hapert", "Back-up terugzetten", "SSL vernieuwen")
    customers = ("Bakkerij Smit", "De Vries Fietsen", "Kapsalon Jansen", "Bloemen Bakker", "Tandarts Visser")
    for at in days.starts(4):
        customer = days.random.choice(customers)
        domain = f"{days.count}.{customer.lower().replace(' ', '-')}.nl"
        history = days.desk.ticket(
            at,
            name=days.name(),
            title=days.random.choice(titles),
            customer=customer,
            plan="basic",
            domain=domain,
        )
        length = days.minutes(32 * 60, 40 * 60) if days.late(at) else days.minutes(40, 13 * 60)
        answered = days.hours.after_us(length, at)
        if days.random.random() < 0.2:
            again = days.hours.after_us(length // 2, at)
            history.customer(again, "Is er al nieuws?")
        history.reply(answered, "Dat is opgelost.").status(answered + SECOND, "solved")


def _phpnet(days: _Days) -> None:
    kept, missed = (
        ("Mairie de Valoire", "Imprimerie Roux", "Hôtel des Alpes"),
        ("Imprimerie Roux", "Clinique du Lac"),
    )
    for at in days.starts(2.5):
        is_late = days.late(at)
        level, target = days.random.choice((("example-1", 4 * HOUR), ("example-2", 2 * HOUR)))
        history = days.desk.ticket(
            at,
            name=days.name(),
            title=days.random.choice(
                ("Erreur 500", "Mise à jour du CMS", "Certificat expiré", "Disque plein")
            ),
            customer=days.random.choice(missed if is_late else kept),
            kind="intervention",
            category=days.random.choice(("software", "software", "network")),
            level=level,
            queue="infogerance",
        )
        called = at + days.minutes(3, 20)
        history.event(called, "call.registered", author="didier")
        share = days.random.randrange(110, 150) if is_late else days.random.randrange(15, 90)
        began = days.hours.after_us(target * share // 100, called)
        restored = days.hours.after_us(days.minutes(25, 50), began)
        history.event(began, "intervention.started", author="elodie")
        history.event(restored, "service.restored", author="elodie").status(restored + SECOND, "solved")


def _clamehost(days: _Days) -> None:
    customers = ("Studio Bianchi", "Officina Verdi", "Libreria Neri")  # those without a claim of last month
    for at in days.starts(0.6):
        history = days.desk.ticket(
            at,
            name=days.name(),
            title=days.random.choice(("Sito non raggiungibile", "Posta ferma", "Errore 502")),
            customer=days.random.choice(customers),
            service=days.random.choice(("web", "mail")),
            priority="urgent",
        )
        restored = at + (days.minutes(125, 200) if days.late(at) else days.minutes(12, 110))
        history.event(at, "outage.started", service="web", cause="software")
        history.event(restored, "service.restored", author="carla").status(restored + SECOND, "solved")


def _hvn(days: _Days) -> None:
    customers = ("Nhà sách Minh", "Du lịch Biển Xanh")  # those without a credit of last month
    for at in days.starts(0.35):
        history = days.desk.ticket(
            at,
            name=days.name(),
            title="Khiếu nại dịch vụ",
            customer=days.random.choice(customers),
            kind="claim",
        )
        answered = days.hours.after_us(days.minutes(30 * 60, 110 * 60), at)
        history.event(answered, "claim.answered", claim="1", accepted=False).status(
            answered + SECOND, "solved"
        )


_WORK: Final[Mapping[str, tuple[str, Callable[[_Days], None]]]] = {
    "haisoft": ("tickets", _haisoft),
    "webxtra": ("desk", _webxtra),
    "phpnet": ("desk", _phpnet),
    "clamehost": ("", _clamehost),
    "hvn": ("desk", _hvn),
}
"""By desk: the calendar of its work, or its first one, and what a ticket goes through."""


def add_past_month(desk: DeskHistory) -> None:
    """Add the weeks of a desk to its past."""
    calendar, work = _WORK[desk.desk]
    hours = desk.calendars[calendar] if calendar else next(iter(desk.calendars.values()))
    work(_Days(desk, hours, Random(f"{SEED}{desk.desk}month")))  # noqa: S311 - a story, not a secret
