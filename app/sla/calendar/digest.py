"""Digest of a calendar's rules: equal for equal rules, whatever the order of keys or the layout of the file.

Rules that a calendar does not use are left out, so that a release with new ones gives older calendars the same digest.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from app.sla.calendar.rules import AlternateWeeks, OpeningRules, Override, Season, Week, hours_as_text
from app.sla.span import Span


def digest_of(rules: OpeningRules, *, always: bool) -> str:
    """The digest of the rules in their normal form."""
    kept = rules.holidays
    normal: dict[str, Any] = {
        "always": always,
        "time_zone": rules.time_zone,
        "weekly": _week(rules.weekly),
        "holidays": kept and [kept.country, kept.subdivision, *kept.categories],
        "added": {on.isoformat(): name for on, name in rules.added.items()},
        "removed": sorted(on.isoformat() for on in rules.removed),
        "make_up_days": rules.make_up_days,
        "overrides": {on.isoformat(): _override(override) for on, override in rules.overrides.items()},
        "years": rules.years,
    }
    normal |= _in_use(rules)
    return sha256(json.dumps(normal, sort_keys=True).encode()).hexdigest()


def _in_use(rules: OpeningRules) -> Mapping[str, Any]:
    """The rules that not every calendar has."""
    found = {
        "alternate": _alternate(rules.alternate),
        "seasons": [_season(season) for season in rules.seasons],
        "added_yearly": {str(rule): name for rule, name in rules.added_yearly},
        "removed_yearly": [str(rule) for rule in rules.removed_yearly],
        "overrides_yearly": {str(rule): _override(override) for rule, override in rules.overrides_yearly},
    }
    half_days = rules.half_day_hours
    named = {} if half_days is None else {"half_day_hours": _texts(half_days)}
    return {key: value for key, value in found.items() if value} | named


def _season(season: Season) -> list[Any]:
    alternate = _alternate(season.plan.alternate)
    return [season.first, season.last, season.name, _week(season.plan.weekly), alternate]


def _alternate(alternate: tuple[AlternateWeeks, ...]) -> list[Any]:
    return [
        [
            weeks.every,
            weeks.first.isoformat(),
            {str(day): _texts(hours) for day, hours in weeks.hours.items()},
        ]
        for weeks in alternate
    ]


def _override(override: Override) -> list[str | None]:
    return [override.reason, *_texts(override.hours)]


def _week(weekly: Week) -> list[list[str]]:
    return [_texts(day) for day in weekly]


def _texts(hours: tuple[Span, ...]) -> list[str]:
    return [hours_as_text(span) for span in hours]
