"""Renders signals as one message to people: a subject that states the matter, and one line for each ticket. Pure.

A line has the ticket, its title, what happened to which commitment, the due date in the local time of the desk, the
customer, who has the ticket, and its address in the ticket system. Each channel formats these pieces by its own rules
(`markup`); all that comes from outside is cleaned here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any, Final
from urllib.parse import urlsplit

from app.delivery.clean import clean
from app.delivery.report_notice import changed_figures
from app.delivery.wording import phrases
from app.delivery.wording.language import Language, nearest
from app.delivery.wording.wording import Wording

MAX_FIELD: Final = 200
"""Characters of a title, a name or a label. More does not fit on a phone."""
MAX_SUBJECT: Final = 180
"""Characters of the subject; mail programs show about eighty, and a chat's limits begin at 256."""
_MAX_URL: Final = 1_000
_NAMED: Final = 3
"""Tickets named in the subject of a message about several."""
_UNKNOWN_MAX: Final = 60


class Severity(IntEnum):
    """How serious a message is, as chat and paging services distinguish it."""

    INFO = 0
    GOOD = 1
    WARNING = 2
    BREACH = 3


_SEVERITIES: Final[Mapping[str, Severity]] = {
    "clock.warned": Severity.WARNING,
    "clock.breached": Severity.BREACH,
    "clock.missed": Severity.BREACH,
    "clock.lapsed": Severity.WARNING,
    "clock.breach_retracted": Severity.GOOD,
    "clock.miss_retracted": Severity.GOOD,
    "clock.stopped": Severity.GOOD,
    "average.warned": Severity.WARNING,
    "average.breached": Severity.BREACH,
    "average.breach_retracted": Severity.GOOD,
    "allowance.exceeded": Severity.WARNING,
    "allowance.exceeded_retracted": Severity.GOOD,
    "availability.warned": Severity.WARNING,
    "availability.breached": Severity.BREACH,
    "availability.breach_retracted": Severity.GOOD,
    "subscription.disabled": Severity.WARNING,
}
_WARNINGS: Final = frozenset({"clock.warned", "availability.warned"})
_LATE: Final = frozenset({"clock.breached", "clock.missed", "clock.lapsed"})


@dataclass(frozen=True, slots=True)
class Reported:
    """A signal with what messages show beside it: the details of its ticket, and its label in several languages."""

    signal: Mapping[str, Any]
    ticket: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Line:
    """One ticket: its pieces in the order in which they are read, and its address."""

    pieces: tuple[str, ...]
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A message. `key` identifies what it is about to services that group messages."""

    subject: str
    lines: tuple[Line, ...]
    severity: Severity = Severity.INFO
    key: str = ""


def notice(signals: Sequence[Reported], language: str, *, lines: int, every_desk: bool = False) -> Notice:
    """One message about these signals, which are ordered earliest first and may be of several desks.

    At most `lines` tickets are shown, the rest is counted. `every_desk`: instants with their offset from UTC, since the
    desks' readers are in several zones.
    """
    words = Wording(Language(language))
    tickets: dict[tuple[str, str | None], list[Reported]] = {}
    for each in signals:
        tickets.setdefault((each.signal["desk"], each.signal.get("ticket")), []).append(each)
    shown = [_line(each, words, zone=every_desk) for each in list(tickets.values())[:lines]]
    if len(tickets) > lines:
        shown.append(Line((words.count(phrases.MORE, len(tickets) - lines),)))
    severity = max((_SEVERITIES.get(each.signal["kind"], Severity.INFO) for each in signals), default=0)
    return Notice(_subject(signals, tickets, words), tuple(shown), Severity(severity), _key(signals))


def trial_notice(*, name: str, desk: str | None, sender: str, language: str) -> Notice:
    """A test message, which names the subscription, the desk (None: all) and who sent it."""
    words = Wording(Language(language))
    where = words.say(phrases.ALL_DESKS) if desk is None else clean(desk, MAX_FIELD)
    what = words.say(phrases.TEST_SUBJECT)
    shown, by = clean(name, MAX_FIELD), clean(sender, MAX_FIELD)
    phrase = phrases.TEST_TEXT_OF_ALL if desk is None else phrases.TEST_TEXT
    text = words.say(phrase, name=shown, desk=where, sender=by)
    return Notice(
        clean(f"[{where}] {_about_what(what, shown, words)}", MAX_SUBJECT), (Line((text,)),), key="test"
    )


def _key(signals: Sequence[Reported]) -> str:
    """The signal's id for one, the first one's for several: the same in a retry of the same message."""
    return str(signals[0].signal.get("id") or "") if signals else ""


def _subject(
    signals: Sequence[Reported], tickets: Mapping[tuple[str, str | None], object], words: Wording
) -> str:
    desks = ", ".join(clean(desk, MAX_FIELD) for desk in dict.fromkeys(desk for desk, _ in tickets))
    if len(signals) == 1:
        (only,) = signals
        about = " ".join(filter(None, (_name(only), _about(only, words))))
        what = _about_what(about, _happened(only, words), words)
        title = _detail(only, "title")
        return clean(f"[{desks}] {what}" + (f" - {title}" if title else ""), MAX_SUBJECT)
    counts = Counter(each.signal["kind"] for each in signals)
    most_serious = sorted(counts, key=lambda kind: -_SEVERITIES.get(kind, Severity.INFO))
    what = ", ".join(_counted(kind, counts[kind], words) for kind in most_serious)
    names = [clean(name, MAX_FIELD) for _, name in tickets if name]
    more = [words.count(phrases.MORE, len(names) - _NAMED)] if len(names) > _NAMED else []
    named = ", ".join(names[:_NAMED])
    return clean(
        f"[{desks}] {_about_what(what, ' '.join([named, *more]), words) if named else what}", MAX_SUBJECT
    )


def _counted(kind: str, n: int, words: Wording) -> str:
    counted = phrases.COUNTED.get(kind)
    return f"{n} x {clean(kind, _UNKNOWN_MAX)}" if counted is None else words.count(counted, n)


def _about_what(about: str, what: str, words: Wording) -> str:
    return words.say(phrases.ABOUT, about=about, what=what) if about else what


def _happened(each: Reported, words: Wording) -> str:
    kind = each.signal["kind"]
    phrase = phrases.HAPPENED.get(kind)
    return clean(kind, _UNKNOWN_MAX) if phrase is None else words.say(phrase)


def _name(each: Reported) -> str:
    signal = each.signal
    name = signal.get("ticket") or signal.get("subject") or ""
    return clean(" ".join(filter(None, (name, signal.get("resource")))), MAX_FIELD)


def _about(each: Reported, words: Wording) -> str:
    """The commitment, queue or subscription that the signal is about."""
    signal = each.signal
    clock: Mapping[str, Any] = signal.get("clock") or {}
    label = nearest(words.language.value, dict(each.labels)) or clock.get("label") or signal.get("label")
    if label := label or signal.get("commitment"):
        return clean(label, MAX_FIELD)
    if signal.get("queue"):
        return words.say(phrases.QUEUE, name=clean(signal["queue"], MAX_FIELD))
    if signal.get("subscription"):
        return words.say(phrases.SUBSCRIPTION, name=clean(signal["subscription"], MAX_FIELD))
    return ""


def _detail(each: Reported, name: str) -> str:
    return clean(each.ticket.get(name) or "", MAX_FIELD)


def _line(signals: Sequence[Reported], words: Wording, *, zone: bool) -> Line:
    first = signals[0]
    happened = [
        piece
        for each in signals
        for piece in (_happening(each, words, zone=zone), *changed_figures(each.signal, words))
    ]
    pieces = [_name(first), _detail(first, "title"), *happened, *_people(first, words)]
    url = first.ticket.get("url") or first.signal.get("url")
    return Line(tuple(filter(None, pieces)), web_address(url))


def _happening(each: Reported, words: Wording, *, zone: bool) -> str:
    what = _about_what(_about(each, words), _happened(each, words), words)
    return ", ".join(
        filter(None, (what, _due(each, words, zone=zone), _left(each, words), _why(each, words)))
    )


def _people(each: Reported, words: Wording) -> list[str]:
    found = [
        words.say(phrase, name=name)
        for phrase, field_name in (
            (phrases.CUSTOMER, "customer"),
            (phrases.ASSIGNEE, "assignee"),
            (phrases.GROUP, "group"),
        )
        if (name := _detail(each, field_name))
    ]
    if "assignee" in each.ticket and not _detail(each, "assignee"):
        found.append(words.say(phrases.UNASSIGNED))
    return found


def _due(each: Reported, words: Wording, *, zone: bool) -> str:
    """The due date in the local time of the commitment's calendar, as the signal carries it."""
    signal = each.signal
    clock: Mapping[str, Any] = signal.get("clock") or {}
    written = clock.get("calendar_local_due") or clock.get("due_at") or signal.get("old_due_at")
    if written is None:
        return ""
    at = datetime.fromisoformat(written)
    zone = zone or clock.get("calendar_local_due") is None
    before = signal.get("old_due_at")
    if signal["kind"] == "clock.due_changed" and before is not None:
        former = datetime.fromisoformat(before).astimezone(at.tzinfo)
        return words.say(
            phrases.DUE_MOVED, due=words.when(at, zone=zone), before=words.when(former, zone=zone)
        )
    phrase = phrases.WAS_DUE if signal["kind"] in _LATE else phrases.DUE
    return words.say(phrase, due=words.when(at, zone=zone))


def _left(each: Reported, words: Wording) -> str:
    figures: Mapping[str, Any] = each.signal.get("clock") or each.signal
    left = figures.get("remaining_seconds")
    if each.signal["kind"] not in _WARNINGS or not isinstance(left, int | float) or left <= 0:
        return ""
    return words.say(phrases.LEFT, length=words.length(int(left)))


def _why(each: Reported, words: Wording) -> str:
    signal = each.signal
    if signal.get("reason"):
        return words.say(phrases.WHY, reason=clean(signal["reason"], MAX_FIELD))
    cause: Mapping[str, Any] = signal.get("cause_detail") or {}
    phrase = phrases.REASONS.get(cause.get("code") or "")
    if phrase is None:
        return ""
    params: Mapping[str, Any] = cause.get("params") or {}
    values = {"ref": cause.get("ref"), "type": params.get("type"), "into": params.get("into")}
    return words.say(phrase, **{name: clean(value, MAX_FIELD) for name, value in values.items()})


def web_address(url: str | None) -> str | None:
    """The address of a ticket, if it is one that a browser opens and that no program misreads; else None."""
    if not url or len(url) > _MAX_URL or clean(url, _MAX_URL) != url:
        return None
    try:
        parsed = urlsplit(url)
    except ValueError:
        return None
    safe = parsed.scheme in ("http", "https") and parsed.hostname and not set(' <>"\\^`{|}') & set(url)
    return url if safe else None
