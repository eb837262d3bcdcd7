"""A wrong clock for one process: with this folder on its path, it reads the time CHAOS_SKEW seconds off.

Python imports a module of this name before anything else, so whoever asks for the time afterwards asks here. Stopwatches
are left alone, as they are where a machine's clock is merely set wrong.
"""

import datetime
import os
import time
from typing import Any

_SKEW = float(os.environ.get("CHAOS_SKEW", "0"))
_SKEW_NS = int(_SKEW * 1_000_000_000)

_time, _time_ns, _clock_gettime = time.time, time.time_ns, time.clock_gettime
_gmtime, _localtime = time.gmtime, time.localtime
_Datetime = datetime.datetime


def _shifted_clock_gettime(clock: int) -> float:
    return _clock_gettime(clock) + (_SKEW if clock == time.CLOCK_REALTIME else 0.0)


class _Likeness(type):
    """What the C code makes is of the original class, and is taken for one of these."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _Datetime)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, _Datetime)


class _ShiftedDatetime(_Datetime, metaclass=_Likeness):
    __slots__ = ()  # as large as the original: the C code that uses it looks at that

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return _Datetime.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return _Datetime.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Any:
        return _Datetime.fromtimestamp(time.time())


if _SKEW:
    time.time = lambda: _time() + _SKEW
    time.time_ns = lambda: _time_ns() + _SKEW_NS
    time.clock_gettime = _shifted_clock_gettime
    time.gmtime = lambda seconds=None: _gmtime(time.time() if seconds is None else seconds)
    time.localtime = lambda seconds=None: _localtime(time.time() if seconds is None else seconds)
    datetime.datetime = _ShiftedDatetime
