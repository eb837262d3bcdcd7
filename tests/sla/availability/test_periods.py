"""Periods that spans touch: each month once, whichever version judges it."""

from collections.abc import Iterator, Sequence
from random import Random

from app.sla.agreement.agreement import Agreement
from app.sla.agreement.version import AppliesTo, Version
from app.sla.availability.version import JudgedPeriod, period_at, periods_of
from app.sla.period import Period
from app.sla.span import DAY, HOUR, Micros, Span


def version(number: int, zone: str, effective_from: Micros, applies_to: AppliesTo) -> Version:
    agreement = Agreement(desk="own", name="Own", time_zone=zone, commitments=())
    return Version(number, agreement, effective_from, applies_to)


def walked(versions: Sequence[Version], spans: Sequence[Span], at: Micros) -> Iterator[JudgedPeriod]:
    """The same, asking for the period of every span anew."""
    seen: set[Period] = set()
    for span in sorted(spans):
        instant = span.start
        while instant <= span.start or instant < span.end:
            found = period_at(versions, instant, at)
            if found.period not in seen:
                seen.add(found.period)
                yield found
            instant = found.period.end


def test_the_months_of_many_spans_are_those_of_each_even_where_versions_have_other_zones() -> None:
    random, at = Random(11), 400 * DAY
    for _ in range(60):
        versions = [
            version(
                number,
                random.choice(["UTC", "Europe/Paris", "Asia/Ho_Chi_Minh", "America/New_York"]),
                random.randrange(400) * DAY + random.randrange(24) * HOUR if number > 1 else 0,
                random.choice(list(AppliesTo)),
            )
            for number in range(1, random.randrange(2, 5))
        ]
        starts = [random.randrange(13) * 31 * DAY + random.randrange(-40, 40) * HOUR for _ in range(30)]
        spans = [Span(start, start + random.choice([0, HOUR, 3 * DAY, 70 * DAY])) for start in starts]
        assert list(periods_of(versions, spans, at)) == list(walked(versions, spans, at))
