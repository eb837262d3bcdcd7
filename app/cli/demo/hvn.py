"""HVN, Vietnam: claims within three months, settled in writing within fifteen working days."""

from collections.abc import Mapping
from typing import Final

from app.cli.demo.desk_history import DeskHistory, start_of_open_time
from app.cli.demo.months import hvn_months
from app.sla.calendar import Calendar
from app.sla.span import DAY, HOUR, MINUTE, SECOND, Micros

_CUSTOMERS: Final = ("Cà phê Sáng", "Nhà sách Minh", "Du lịch Biển Xanh", "Công ty An Phát")
_DAY: Final = 9 * HOUR + 30 * MINUTE
"""Open time of a working day."""


def hvn(calendars: Mapping[str, Calendar], now: Micros) -> DeskHistory:
    """The past weeks at HVN."""
    desk = DeskHistory("hvn", calendars, now, "V")
    hours = desk.calendars["desk"]
    for days, answered_after, title in (
        (22, 9, "Khiếu nại thời gian hoạt động Cloud VPS"),
        (17, None, "Khiếu nại gián đoạn email"),
        (14, None, "Yêu cầu bồi thường hosting"),
        (10, 6, "Khiếu nại DNS"),
        (6, None, "Máy chủ email ngừng hoạt động"),
        (2, None, "Sự cố ngày cuối tuần"),
    ):
        filed = start_of_open_time(hours, days * _DAY, now)
        history = desk.ticket(filed, title=title, customer=desk.random.choice(_CUSTOMERS), kind="claim")
        history.reply(hours.after_us(2 * HOUR, filed), "Chúng tôi đã tiếp nhận khiếu nại.")
        if answered_after is not None:
            at = hours.after_us(answered_after * _DAY, filed)
            history.event(at, "claim.answered", claim=title, accepted=answered_after > 6)
            history.status(at + SECOND, "solved")
            if answered_after == 6:  # sent back: a new claim with its own fifteen working days
                history.event(hours.after_us(_DAY, at), "claim.filed", claim=f"{title} (2)")
    _incidents(desk)
    hvn_months(desk)
    return desk


def _incidents(desk: DeskHistory) -> None:
    for days, filed in ((70, False), (12, True), (1, False)):
        at = desk.now - days * DAY
        history = desk.ticket(
            at, title="Gián đoạn dịch vụ", customer=desk.random.choice(_CUSTOMERS), service="vps"
        )
        history.event(at, "outage.started", service="vps", cause="hardware")
        history.event(at + 3 * HOUR, "outage.ended", service="vps", cause="hardware")
        if filed:
            history.event(at + 4 * DAY, "claim.filed", claim="vps")


LONGEST_PAST: Final[Micros] = 75 * DAY
"""How far back the oldest incident lies. The clock of the demonstration starts there."""
