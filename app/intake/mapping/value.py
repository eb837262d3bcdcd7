"""Lenient readers of the values of other systems: ids, texts, booleans, instants.

Ids come as numbers or texts, empty as "" or null or false, words in any case, instants in a dozen spellings; none of
these may make a webhook unreadable. A value that cannot be read is None, and the adapter decides whether it can do
without; for an instant the reason is available. Instants are microseconds UTC; a local time without an offset needs the
zone of the source.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, cast
from zoneinfo import ZoneInfo

from app.intake.mapping.markup import text_of
from app.sla.span import SECOND, Micros, micros

LONGEST_TEXT: Final = 16_000
"""Characters of a text that are stored. A message is searched for tokens and domains at its start; a mail thread that is
quoted below it is of no use."""

_LONGEST_ID: Final = 200
"""Characters of an id. The event's id that is made of it stays short enough for an index."""
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")

_TRUE: Final = frozenset({"true", "1", "yes", "on", "y", "t"})
_FALSE: Final = frozenset({"false", "0", "no", "off", "n", "f"})

_ISO: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d+))?\s*(Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)?",
    re.IGNORECASE,
)
_LATEST_EPOCH: Final = 253_402_300_800
"""Seconds since 1970 at the end of the year 9999: a greater number counts milliseconds or microseconds."""
_PLAUSIBLE_SECONDS: Final = 20_000_000_000
"""A number of seconds beyond the year 2603 is read as milliseconds, one beyond that in milliseconds as microseconds."""


_LONGEST_INSTANT: Final = 100
"""Characters of an instant: RFC 2822 with a day, a zone and a comment has about 45. A longer text is not read."""

_SHOWN: Final = 60
"""Characters of a value that a reason repeats: enough to find it in the body."""
_WRITE: Final = "write it as 2026-03-06T15:30:00+01:00"


class NoInstant(ValueError):
    """A value is not an instant. The message names what is wrong and what would be right."""


def is_empty(value: object) -> bool:
    """Whether nothing was sent: null, false or a text of spaces."""
    return value is None or value is False or (isinstance(value, str) and not value.strip())


def dig(value: object, path: str) -> object:
    """What lies at a dotted path of keys and list places, as in "fields.status.name" or "threads.0"; None if nothing."""
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = cast("Mapping[str, object]", value).get(step)
        elif isinstance(value, list) and step.isdigit() and len(step) < 6:
            listed = cast("list[object]", value)
            value = listed[int(step)] if int(step) < len(listed) else None
        else:
            return None
    return value


def table(value: object) -> Mapping[str, object]:
    """A JSON object; anything else is an empty one."""
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """A JSON array; anything else is an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def text(value: object) -> str | None:
    """A text without outer spaces, cut at LONGEST_TEXT; a number is written out, empty is None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        written = str(value)
    except ValueError:  # an integer of more digits than Python writes
        return None
    written = written[:LONGEST_TEXT].replace("\0", "").strip()
    if not written.isascii():
        # Half of a surrogate pair can stand in JSON but in no database.
        written = written.encode("utf-8", "replace").decode("utf-8")
    return written or None


def identifier(value: object) -> str | None:
    """An id, sent as text or number, as a printable text; None when there is none."""
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    if isinstance(value, str) and not value.isascii() and _LONE_SURROGATE.search(value):
        return None  # what `text` makes of it would be one id for all of them
    found = text(value)
    return found if found is not None and len(found) <= _LONGEST_ID and found.isprintable() else None


def word(value: object) -> str | None:
    """A word of a fixed few, for comparison: lower case, no outer spaces."""
    found = text(value)
    return None if found is None else found.casefold()


def truth(value: object) -> bool | None:
    """Yes or no, as a boolean, a number or a word; None when it is neither."""
    if isinstance(value, bool):
        return value
    found = word(value)
    return True if found in _TRUE else False if found in _FALSE else None


def whole(value: object) -> int | None:
    """A whole number that a database can hold, sent as number or text; None when it is none."""
    found = text(value)
    if found is None or len(found) > 19 or not re.fullmatch(r"-?\d{1,18}", found, re.ASCII):
        return None
    return int(found)


def names(value: object) -> list[str]:
    """Tags or the like, from a list of texts, a list of objects with a name, or one text with spaces or commas."""
    if isinstance(value, str):
        return sorted(set(re.split(r"[\s,]+", text(value) or "")) - {""})
    found = (
        text(one) or text(dig(one, "name")) or text(dig(one, "tag")) or text(dig(one, "title"))
        for one in items(value)
    )
    return sorted({one for one in found if one})


def instant(value: object, zone: str | None = None) -> Micros | None:
    """An instant, as `read_instant` reads it; None when it is none."""
    try:
        return read_instant(value, zone)
    except NoInstant:
        return None


def read_instant(value: object, zone: str | None = None) -> Micros:
    """An instant: ISO 8601 of any precision, RFC 2822, or a number since 1970. Raises NoInstant.

    A local time without an offset is read in the zone `zone`, and without one it is refused. Fractions beyond
    the microsecond are cut.
    """
    if isinstance(value, int | float):
        return _counted(value, value)
    written = text(value)
    if written is None:
        raise NoInstant(f"it is not an instant; {_WRITE}")
    if len(written) > _LONGEST_INSTANT:
        raise NoInstant(f"{_shown(written)} is not an instant; {_WRITE}")
    if match := _ISO.fullmatch(written):
        return _iso(match, zone)
    if re.fullmatch(r"\d{9,17}(\.\d+)?", written, re.ASCII):
        return _counted(float(written) if "." in written else int(written), written)
    try:
        sent = parsedate_to_datetime(written)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise NoInstant(f"{_shown(written)} is not an instant; {_WRITE}") from error
    return _aware(sent, zone, written)


def _shown(value: object) -> str:
    written = text(value)
    if written is None:
        return "it"
    short = written if len(written) <= _SHOWN else written[:_SHOWN] + "…"
    return repr(short) if isinstance(value, str) else short


def _counted(number: float, sent: object) -> Micros:
    found = epoch(number)
    if found is None:
        raise NoInstant(
            f"{_shown(sent)} counts no seconds, milliseconds or microseconds since 1970; {_WRITE}"
        )
    return found


def epoch(value: object) -> Micros | None:
    """An instant from seconds, milliseconds or microseconds since 1970, by its size. None outside 1970-2603."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 10**17:
        return None
    if value < _PLAUSIBLE_SECONDS:
        return round(value * SECOND)
    return round(value * 1000) if value < _PLAUSIBLE_SECONDS * 1000 else round(value)


def _iso(match: re.Match[str], zone: str | None) -> Micros:
    date, minute, second, fraction, offset = match.groups()
    offset = "" if offset is None else offset.upper()
    if offset in ("Z", "UTC", "GMT"):
        offset = "+00:00"
    elif offset and ":" not in offset:
        offset = f"{offset[:3]}:{offset[3:] or '00'}"
    digits = ((fraction or "") + "000000")[:6]
    try:
        at = datetime.fromisoformat(f"{date}T{minute}{second or ':00'}.{digits}{offset}")
    except ValueError as error:
        raise NoInstant(
            f"{_shown(match[0])} has a date, a time or an offset that does not exist; {_WRITE}"
        ) from error
    return _aware(at, zone, match[0])


def _aware(at: datetime, zone: str | None, written: str) -> Micros:
    if at.tzinfo is None:
        if zone is None:
            raise NoInstant(
                f"{_shown(written)} is without an offset; {_WRITE}, or set time_zone in the desk's file of sources"
            )
        at = at.replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(zone))
    try:
        found = micros(at)
    except OverflowError:
        found = 0
    if not 0 < found < _LATEST_EPOCH * SECOND:
        raise NoInstant(f"{_shown(written)} lies outside the years 1970 to 9999; {_WRITE}")
    return found


def plain(value: object) -> str | None:
    """The text of an HTML fragment, one line for each block; a text without markup stays as it is."""
    written = text(value)
    if written is None or ("<" not in written and "&" not in written):
        return written
    lines = (" ".join(line.split()) for line in text_of(written).splitlines())
    return text("\n".join(line for line in lines if line))
