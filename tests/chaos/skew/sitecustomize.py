"""A wrong clock for one process: with this folder on its path, it reads the time by so much off as its clock file says.

Python imports a module of this name before anything else, so whoever asks for the time afterwards asks here. The file
CHAOS_CLOCK has the seconds as a double, and is read at each look: the clock of a running process can be set. Stopwatches
are left alone, as they are where a machine's clock is merely set wrong.
"""

import datetime
import mmap
import os
import struct
import time
from typing import Any

_DOUBLE = struct.Struct("d")
_time, _time_ns = time.time, time.time_ns
_clock_gettime, _clock_gettime_ns = time.clock_gettime, time.clock_gettime_ns
_gmtime, _localtime = time.gmtime, time.localtime
_Datetime = datetime.datetime
_SECOND = 1_000_000_000


def _opened() -> mmap.mmap | None:
    path = os.environ.get("CHAOS_CLOCK")
    if path is None:
        return None
    with open(path, "rb") as file:  # noqa: PTH123 - before anything else is imported
        return mmap.mmap(file.fileno(), _DOUBLE.size, prot=mmap.PROT_READ)


_file = _opened()


def _skew() -> float:
    return 0.0 if _file is None else _DOUBLE.unpack_from(_file)[0]


def _skew_ns() -> int:
    return int(_skew() * _SECOND)


def _shifted_clock_gettime(clock: int) -> float:
    return _clock_gettime(clock) + (_skew() if clock == time.CLOCK_REALTIME else 0.0)


def _shifted_clock_gettime_ns(clock: int) -> int:
    return _clock_gettime_ns(clock) + (_skew_ns() if clock == time.CLOCK_REALTIME else 0)


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


if _file is not None:
    time.time = lambda: _time() + _skew()
    time.time_ns = lambda: _time_ns() + _skew_ns()
    time.clock_gettime = _shifted_clock_gettime
    time.clock_gettime_ns = _shifted_clock_gettime_ns
    time.gmtime = lambda seconds=None: _gmtime(time.time() if seconds is None else seconds)
    time.localtime = lambda seconds=None: _localtime(time.time() if seconds is None else seconds)
    datetime.datetime = _ShiftedDatetime
