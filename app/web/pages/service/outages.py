"""Outages and announced maintenance in the reader's words, with what of them counts and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.delivery.wording.phrases import N_
from app.intake.instant import read_instant
from app.sla.span import SECOND, Micros
from app.web.pages.frame.words import Words
from app.web.pages.service.bars import lost
from app.web.pages.service.states import cause_text, why


@dataclass(frozen=True, slots=True)
class Audience:
    """For whom and when: the words, the instant, the desk's time zone, and whether the reader may record outages."""

    words: Words
    now: Micros
    zone: str
    may_record: bool = False

    def at(self, text: str) -> str:
        """An instant of an answer as the desk's clock shows it."""
        return self.words.written(read_instant(text), self.zone, self.now)


@dataclass(frozen=True, slots=True)
class OutageView:
    """An outage. `values` say to a form which one is meant; None: the reader may record nothing about it."""

    event: str
    is_open: bool
    when: str
    about: str
    spans: tuple[str, ...]
    values: dict[str, Any] | None
    has_cause: bool


@dataclass(frozen=True, slots=True)
class WindowView:
    """A maintenance window."""

    event: str
    when: str
    about: str
    effect: str
    is_over: bool


def outage_views(uptime: dict[str, Any], to: Audience) -> tuple[OutageView, ...]:
    """The outages of an uptime, the latest first. Only the last one of each resource can be ended or corrected: a fact
    is about the outage that is open, or was last."""
    latest = {_about_key(each): each["event"] for each in uptime["outages"]}
    return tuple(
        _outage(uptime, each, to, is_latest=latest[_about_key(each)] == each["event"])
        for each in reversed(uptime["outages"])
    )


def _about_key(outage: dict[str, Any]) -> tuple[str, str | None, str | None]:
    reference = outage["reference"]
    return outage["service"], reference, outage["resource"] if reference is None else None


def _outage(uptime: dict[str, Any], outage: dict[str, Any], to: Audience, *, is_latest: bool) -> OutageView:
    words, is_open = to.words, outage["to"] is None
    since = to.at(outage["from"])
    when = (
        words.say(N_("since {when}, not over"), when=since)
        if is_open
        else words.say(N_("{first} to {last}"), first=since, last=to.at(outage["to"]))
    )
    values = None
    if to.may_record and is_latest:
        keys = {name: outage[name] for name in ("reference", "resource") if outage[name] is not None}
        values = {"desk": uptime["desk"], "service": outage["service"], "zone": to.zone, **keys}
    return OutageView(
        event=outage["event"],
        is_open=is_open,
        when=when,
        about=", ".join(_named(words, outage)),
        spans=tuple(_span(each, to) for each in outage["spans"]),
        values=values,
        has_cause=outage["cause"] is not None,
    )


def _named(words: Words, outage: dict[str, Any]) -> Iterable[str]:
    yield outage["resource"] or words.say(N_("the whole service"))
    yield cause_text(words, outage["cause"])
    if outage["reference"] is not None:
        yield words.say(N_("reference {name}"), name=outage["reference"])


def _span(span: dict[str, Any], to: Audience) -> str:
    words = to.words
    seconds = (read_instant(span["to"]) - read_instant(span["from"])) / SECOND
    phrase = (
        N_("Counted: {time}, {first} to {last}")
        if span["counted"]
        else N_("Excluded: {time}, {first} to {last}")
    )
    text = words.say(phrase, time=lost(words, seconds), first=to.at(span["from"]), last=to.at(span["to"]))
    return f"{text} ({why(words, span['reason_detail'])})"


def window_views(uptime: dict[str, Any], to: Audience) -> tuple[WindowView, ...]:
    """The announced maintenance of an uptime."""
    return tuple(_window(each, to) for each in uptime["maintenance"])


def _window(window: dict[str, Any], to: Audience) -> WindowView:
    words = to.words
    counts = N_("Downtime in it counts: {why}. Announced {when}.")
    excluded = N_("Downtime in it does not count: {why}. Announced {when}.")
    effect = words.say(
        counts if window["counted"] else excluded,
        why=why(words, window["reason_detail"]),
        when=to.at(window["announced_at"]),
    )
    about = [window["resource"] or words.say(N_("the whole service"))]
    about += [words.say(N_("emergency"))] if window["emergency"] else []
    when = words.say(N_("{first} to {last}"), first=to.at(window["from"]), last=to.at(window["to"]))
    return WindowView(window["event"], when, ", ".join(about), effect, read_instant(window["to"]) <= to.now)
