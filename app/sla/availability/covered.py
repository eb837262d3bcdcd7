"""Covered time: a union of spans, compiled once for many questions.

Kept as sorted, disjoint spans with the running sum of their lengths, so that the length within any span and the instant
at which a length is reached are found by bisection. Instants and lengths are microseconds.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from app.sla.span import Micros, Span

ENDLESS: Final[Micros] = 2**62
"""The end of a span that has none yet. No instant of a datetime comes near it."""


@dataclass(frozen=True, slots=True)
class Covered:
    """A union of spans. Construct it with `of`."""

    starts: tuple[Micros, ...] = ()
    ends: tuple[Micros, ...] = ()
    sums: tuple[Micros, ...] = (0,)
    """`sums[i]`: the length of all spans before the i-th."""

    @classmethod
    def of(cls, spans: Iterable[Span]) -> "Covered":
        """The union of any spans. Those that overlap or touch become one; empty ones vanish."""
        starts: list[Micros] = []
        ends: list[Micros] = []
        for span in sorted(span for span in spans if span.length):
            if ends and span.start <= ends[-1]:
                ends[-1] = max(ends[-1], span.end)
            else:
                starts.append(span.start)
                ends.append(span.end)
        lengths = (end - start for start, end in zip(starts, ends, strict=True))
        return cls(tuple(starts), tuple(ends), tuple(accumulate(lengths, initial=0)))

    @property
    def spans(self) -> tuple[Span, ...]:
        """The disjoint spans, in order."""
        return tuple(map(Span, self.starts, self.ends))

    def until(self, at: Micros) -> Micros:
        """The length before an instant."""
        index = bisect_right(self.starts, at)
        return self.sums[index] - max(0, self.ends[index - 1] - at) if index else 0

    def within(self, span: Span) -> Micros:
        """The length within a span."""
        return self.until(span.end) - self.until(span.start)

    def reached(self, since: Micros, length: Micros) -> Micros | None:
        """The first instant by which this much has been covered since another; None: it never is.

        A length of nothing is reached at once.
        """
        wanted = self.until(since) + length
        if wanted > self.sums[-1]:
            return None
        if length <= 0:
            return since
        index = bisect_left(self.sums, wanted) - 1
        return self.starts[index] + wanted - self.sums[index]

    def cut(self, span: Span) -> tuple[Span, ...]:
        """Its parts within a span, none of them empty."""
        first = bisect_right(self.ends, span.start)
        last = bisect_left(self.starts, span.end)
        return tuple(
            Span(max(self.starts[n], span.start), min(self.ends[n], span.end)) for n in range(first, last)
        )

    def less(self, other: "Covered") -> "Covered":
        """What of it the other does not cover."""
        left: list[Span] = []
        for span in self.spans:
            at = span.start
            for part in other.cut(span):
                left.append(Span(at, part.start))
                at = part.end
            left.append(Span(at, span.end))
        return Covered.of(left)

    def common(self, other: "Covered") -> "Covered":
        """What both cover."""
        return Covered.of(part for span in self.spans for part in other.cut(span))
