"""HVN, Vietnam: claims within three months, settled in writing within fifteen working days."""

from collections.abc import Mapping
from typing import Final

from app.cli.demo.tale import Tale, when_counted
from app.sla.calendar import Calendar
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros

_CUSTOMERS: Final = ("Cà phê Sáng", "Nhà sách Minh", "Du lịch Biển Xanh", "Công ty An Phát")
_DAY: Final = 9 * HOUR + 30 * MINUTE
"""Open time of a working day there."""


def hvn(calendars: Mapping[str, Calendar], now: Micros) -> Tale:
    """The past weeks at HVN."""
    tale = Tale("hvn", calendars, now, "V")
    hours = tale.calendars["desk"]
    for days, answered_after, title in (
        (22, 9, "Khiếu nại thời gian hoạt động Cloud VPS"),
        (17, None, "Khiếu nại gián đoạn email"),
        (14, None, "Yêu cầu bồi thường hosting"),
        (10, 6, "Khiếu nại DNS"),
        (6, None, "Máy chủ email ngừng hoạt động"),
        (2, None, "Sự cố ngày cuối tuần"),
    ):
        filed = when_counted(hours, days * _DAY, now)
        thread = tale.ticket(filed, title=title, customer=tale.chance.choice(_CUSTOMERS), kind="claim")
        thread.reply(hours.after_us(2 * HOUR, filed), "Chúng tôi đã tiếp nhận khiếu nại.")
        if answered_after is not None:
            at = hours.after_us(answered_after * _DAY, filed)
            thread.fact(at, "claim.answered", claim=title, accepted=answered_after > 6)
            thread.status(at + SECOND, "solved")
            if answered_after == 6:  # sent back: a new claim with its own fifteen working days
                thread.fact(hours.after_us(_DAY, at), "claim.filed", claim=f"{title} (2)")
    _incidents(tale)
    return tale


def _incidents(tale: Tale) -> None:
    for days, filed in ((70, False), (12, True), (1, False)):
        at = tale.now - days * DAY
        thread = tale.ticket(
            at, title="Gián đoạn dịch vụ", customer=tale.chance.choice(_CUSTOMERS), service="vps"
        )
        thread.fact(at, "outage.started", service="vps", cause="hardware")
        thread.fact(at + 3 * HOUR, "outage.ended", service="vps", cause="hardware")
        if filed:
            thread.fact(at + 4 * DAY, "claim.filed", claim="vps")


FIRST_FACT: Final[Micros] = 75 * DAY
"""How far back the oldest incident lies; the demonstration begins before it."""
