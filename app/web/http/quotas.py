"""What one key may take of a process: open streams, and requests a second (token bucket).

Keys are counted by the id of their principal, so a key and the sessions that signed in with it share one quota. All of
it belongs to the event loop. What is remembered is bounded: a key at rest is forgotten.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic
from typing import Final

from app.settings import Settings
from app.web.http.problems import Kind, Problem

_RETRY_STREAM: Final = "30"
"""Seconds after which a stream that was refused is tried again: another one has to end first."""

MAX_BUCKETS: Final = 10_000
"""Keys whose rate is remembered, those used last. A forgotten one begins anew with a full bucket."""


class StreamQuota:
    """The open streams, in all and of each key."""

    def __init__(self, settings: Settings) -> None:
        self._most, self._most_of_key = settings.max_streams, settings.key_streams_max
        self._open: Counter[str] = Counter()

    def take(self, key: str) -> None:
        """Count a stream of a key. The caller must `release` it. Raises Problem: 429 for the key, 503 for all."""
        if self._open[key] >= self._most_of_key:
            detail = f"This key has {self._most_of_key} open streams, the limit SLATIMER_KEY_STREAMS_MAX. Close one."
            raise Problem(Kind.TOO_MANY, detail, headers={"Retry-After": _RETRY_STREAM})
        if self._open.total() >= self._most:
            detail = (
                f"{self._most} streams are open, the limit SLATIMER_MAX_STREAMS. Retry, or read /v1/signals."
            )
            raise Problem(Kind.UNAVAILABLE, detail, headers={"Retry-After": _RETRY_STREAM})
        self._open[key] += 1

    def release(self, key: str) -> None:
        """A stream of a key has ended."""
        self._open[key] -= 1
        if self._open[key] <= 0:
            del self._open[key]


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RequestRate:
    """A token bucket for each key: `burst` requests at once, and `rate` a second in the long run."""

    def __init__(
        self, rate: float, burst: int, *, clock: Callable[[], float] = monotonic, size: int = MAX_BUCKETS
    ) -> None:
        self._rate, self._burst, self._clock, self._size = rate, burst, clock, size
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str) -> None:
        """Count a request of a key. Raises Problem: 429, with the seconds after which the next is admitted."""
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._burst, now)
            if len(self._buckets) > self._size:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled_at) * self._rate)
        bucket.filled_at = now
        if bucket.tokens < 1:
            wait = ceil((1 - bucket.tokens) / self._rate)
            detail = f"This key sends more than {self._rate:g} requests a second, the limit SLATIMER_KEY_REQUEST_RATE."
            raise Problem(Kind.TOO_MANY, detail, headers={"Retry-After": str(wait)})
        bucket.tokens -= 1

    def __len__(self) -> int:
        """The number of keys that are remembered."""
        return len(self._buckets)
