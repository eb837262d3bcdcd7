"""Instants of a log: ISO 8601, day or month first, 12-hour times, names of months, and seconds since 1970.

A date such as 06-03-2026 is never guessed: `time_format` in [columns] states whether the day or the month comes first,
or the sample of the column does with a day above 12. A local time without an offset is read in the mapping's zone. One
that occurs twice is read as the first of the two, one that the zone skips with the offset before the change; both are
counted. Instants are microseconds UTC.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from app.intake.importing.unreadable import UnreadableRow, UnusableLog
from app.intake.mapping.value import NoInstant, read_instant
from app.sla.calendar.zone import Zone, midnight
from app.sla.span import DAY, SECOND, Micros, micros

_EXAMPLE: Final = "2026-03-06T15:30:00+01:00"
_ZONE: Final = "set time_zone in [columns] of the mapping"

_NUMERIC: Final = re.compile(
    r"(?P<a>\d{1,2})(?P<sep>[-/.])(?P<b>\d{1,2})(?P=sep)(?P<year>\d{4})(?:[T, ]+(?P<rest>\d.*))?", re.ASCII
)
_YEAR_FIRST: Final = re.compile(
    r"(?P<year>\d{4})[/.](?P<b>\d{1,2})[/.](?P<a>\d{1,2})(?:[T, ]+(?P<rest>\d.*))?", re.ASCII
)
_NAMED: Final = re.compile(
    r"(?P<a>\d{1,2})[- .]+(?P<name>[A-Za-z]{3,9})[-, .]+(?P<year>\d{4})(?:[T, ]+(?P<rest>\d.*))?", re.ASCII
)
_ISO_HALF_DAY: Final = re.compile(
    r"(?P<year>\d{4})-(?P<b>\d{1,2})-(?P<a>\d{1,2})[T ]+(?P<rest>\d.*[AaPp]\.?[Mm]\.?)", re.ASCII
)
_TIME: Final = re.compile(
    r"(?P<h>\d{1,2}):(?P<m>\d\d)(?::(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?)?"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?(?:\s?(?P<offset>Z|UTC|GMT|[+-]\d\d:?\d\d))?",
    re.ASCII,
)
_NUMBER: Final = re.compile(r"\d{9,17}(?:\.\d{1,9})?", re.ASCII)
_COMPACT: Final = re.compile(r"(?:19|20)\d{12}", re.ASCII)
"""Year to second without a separator. As milliseconds since 1970 these would lie after 2570."""
_MONTH_NAMES: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS: Final = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_UNITS: Final = {"epoch_seconds": SECOND, "epoch_milliseconds": 1_000}
_MOST_DIGITS: Final = 20


class TimeFormat(StrEnum):
    """How the times of a column are written, where their form leaves it open."""

    AUTO = "auto"
    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"
    EPOCH_SECONDS = "epoch_seconds"
    EPOCH_MILLISECONDS = "epoch_milliseconds"


class UncertainTime(UnusableLog):
    """Whether the day or the month comes first is not certain."""


def day_or_month_first(values: Iterable[str]) -> TimeFormat:
    """What a sample of a column proves: AUTO when nothing, or when the values contradict each other."""
    proven: set[TimeFormat] = set()
    for value in values:
        if (match := _NUMERIC.fullmatch(value.strip())) and match["sep"] != ".":
            if int(match["a"]) > 12:
                proven.add(TimeFormat.DAY_FIRST)
            elif int(match["b"]) > 12:
                proven.add(TimeFormat.MONTH_FIRST)
    return proven.pop() if len(proven) == 1 else TimeFormat.AUTO


@dataclass(slots=True)
class TimeReader:
    """Reads the times of one column. `zone` is that of local times. Counts those that are not unique."""

    column: str
    format: TimeFormat = TimeFormat.AUTO
    zone: Zone | None = None
    twice: int = 0
    """Local times that occur twice, read as the first of the two."""
    skipped: int = 0
    """Local times that the zone skips, read with the offset before the change."""

    def read(self, value: object) -> Micros:
        """The instant of a cell. Raises UnreadableRow, and UncertainTime where the mapping must state the format."""
        if unit := _UNITS.get(self.format):
            return self._counted(value, unit)
        if isinstance(value, int | float):
            return self._lenient(value)
        if not isinstance(value, str):
            raise self._unreadable(value, "is not a time")
        written = value.strip()
        if _COMPACT.fullmatch(written):
            written = f"{written[:8]}T{written[8:]}"
        elif _NUMBER.fullmatch(written):
            # Before ISO 8601, in whose compact form Python would read 1770022800000 as a day of 1770.
            return self._lenient(written)
        try:
            at = datetime.fromisoformat(written)
        except ValueError:
            return self._other(written)
        return self._instant(at, written)

    def _other(self, written: str) -> Micros:
        if match := _NUMERIC.fullmatch(written):
            day, month = self._in_order(match, written)
            return self._dated(match, day, month, written)
        if match := _YEAR_FIRST.fullmatch(written) or _ISO_HALF_DAY.fullmatch(written):
            return self._dated(match, int(match["a"]), int(match["b"]), written)
        if (match := _NAMED.fullmatch(written)) and (month := _MONTHS.get(match["name"][:3].lower())):
            return self._dated(match, int(match["a"]), month, written)
        return self._lenient(written)

    def _in_order(self, match: re.Match[str], written: str) -> tuple[int, int]:
        first, second = int(match["a"]), int(match["b"])
        if self.format is TimeFormat.MONTH_FIRST:
            return second, first
        if self.format is TimeFormat.DAY_FIRST or match["sep"] == ".":
            return first, second
        raise UncertainTime(
            f"column {self.column!r}: {written!r} may have the day or the month first. "
            'State it as time_format = "day_first" or "month_first" in [columns] of the mapping'
        )

    def _dated(self, match: re.Match[str], day: int, month: int, written: str) -> Micros:
        time = _TIME.fullmatch((match["rest"] or "00:00").strip())
        if time is None:
            raise self._unreadable(written, "is not a time")
        hour = int(time["h"])
        if time["half"]:
            hour = hour % 12 + (12 if time["half"] in "Pp" else 0) if 1 <= hour <= 12 else 99
        offset = (time["offset"] or "").replace("UTC", "Z").replace("GMT", "Z")
        fraction = ((time["f"] or "") + "000000")[:6]
        date = f"{match['year']}-{month:02}-{day:02}"
        try:
            at = datetime.fromisoformat(
                f"{date}T{hour:02}:{time['m']}:{time['s'] or '00'}.{fraction}{offset}"
            )
        except ValueError as error:
            raise self._unreadable(written, "is not a time that exists") from error
        return self._instant(at, written)

    def _instant(self, at: datetime, written: str) -> Micros:
        found = micros(at) if at.tzinfo is not None else self._local(at, written)
        if found < 0:
            raise self._unreadable(written, "is before 1970")
        return found

    def _local(self, at: datetime, written: str) -> Micros:
        if self.zone is None:
            raise UnreadableRow(
                f"column {self.column!r}: {written!r} has no offset. Write one, as in {_EXAMPLE}, or {_ZONE}"
            )
        local = midnight(at.date()) + _time_of_day(at)
        instants = self.zone.instants(local, local + 1)
        if not instants:
            self.skipped += 1
            return local - self.zone.offset(local - DAY)
        self.twice += len(instants) > 1
        return instants[0].start

    def _counted(self, value: object, unit: int) -> Micros:
        try:
            number = float(value) if isinstance(value, str | int | float) else -1.0
        except (ValueError, OverflowError):
            number = -1.0
        if len(str(value)) > _MOST_DIGITS or not 0 <= number * unit < 10**17:
            raise self._unreadable(
                value, f"is not a number of {self.format.removeprefix('epoch_')} since 1970"
            )
        return round(number * unit)

    def _lenient(self, value: object) -> Micros:
        """RFC 2822, numbers since 1970 by their size, and what else other systems write."""
        if (
            isinstance(value, str)
            and _NUMBER.fullmatch(value) is None
            and value.replace(".", "", 1).isdigit()
        ):
            raise self._unreadable(value, "is a number, and not one of seconds or milliseconds since 1970")
        try:
            return read_instant(value, None if self.zone is None else self.zone.name)
        except NoInstant as error:
            raise self._unreadable(value, "is not a time") from error

    def _unreadable(self, value: object, wrong: str) -> UnreadableRow:
        return UnreadableRow(f"column {self.column!r}: {str(value)[:60]!r} {wrong}. Write it as {_EXAMPLE}")


def _time_of_day(at: datetime) -> Micros:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * SECOND + at.microsecond
