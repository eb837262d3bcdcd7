"""The words for states of uptimes and averages, causes of outages, and why a part of an outage counts or does not."""

from collections.abc import Mapping
from typing import Any, Final

from app.delivery.wording.phrases import N_
from app.web.pages.frame.figures import exact_length
from app.web.pages.frame.vocabulary import named
from app.web.pages.frame.words import Words

_STATES: Final = {
    "running": N_("on target"),
    "kept": N_("kept"),
    "breached": N_("below the target"),
    "none": N_("not covered"),
}

CAUSES: Final = {
    "network": N_("network"),
    "hardware": N_("hardware"),
    "software": N_("software"),
    "power": N_("power"),
    "maintenance": N_("maintenance"),
    "third_party": N_("third party"),
    "force_majeure": N_("force majeure"),
}
"""Usual causes of outages. Desks have others too, which are shown as they are written."""

_REASONS: Final = {
    "outage_cause": N_("cause: {cause}"),
    "cause_not_stated": N_("no cause is stated"),
    "excluded_cause": N_("cause: {cause}, which the agreement excludes"),
    "maintenance": N_("maintenance announced in time"),
    "maintenance_counts": N_("announced maintenance counts in this agreement"),
    "short_notice": N_("maintenance announced {notice} ahead; {needed} are needed"),
}

_FLAGS: Final = {
    "nothing_reported": N_("Nothing was reported in this month."),
    "not_covered": N_("No service is covered in this month."),
    "outages_capped": N_("Only the latest outages are listed; the figures count all of them."),
    "second_start": N_("A second start of an outage that was open was not counted."),
    "end_without_start": N_("An end without a start was not counted."),
    "verified_without_outage": N_("A verification without an outage was not counted."),
    "unreadable_span": N_("A maintenance window or an exclusion cannot be read."),
    "withdrawal_of_unknown": N_("A withdrawal names an unknown event."),
}


def state_text(words: Words, state: str) -> str:
    """A state of an uptime or an average."""
    return named(words, _STATES, state)


def cause_text(words: Words, cause: str | None) -> str:
    """A cause of an outage, or that none is stated."""
    return words.say(_REASONS["cause_not_stated"]) if cause is None else named(words, CAUSES, cause)


def why(words: Words, detail: Mapping[str, Any]) -> str:
    """Why a span of an outage or a maintenance window counts or does not, from the reason of the answer."""
    params = detail["params"]
    match detail["code"]:
        case "exclusion":
            given = ": ".join(str(params[name]) for name in ("author", "reason") if name in params)
            return words.say(N_("excluded by {who}"), who=given) if given else words.say(N_("excluded"))
        case "short_notice":
            lengths = {name: round(params[f"{name}_seconds"]) for name in ("notice", "needed")}
            notice = exact_length(words, max(0, lengths["notice"]))
            return words.say(
                _REASONS["short_notice"], notice=notice, needed=exact_length(words, lengths["needed"])
            )
        case code:
            return words.say(_REASONS[code], cause=named(words, CAUSES, str(detail["ref"])))


def flag_texts(words: Words, flags: list[str]) -> list[str]:
    """The flags of an uptime as sentences, each once. They may name an event: `end_without_start:e17`."""
    names = dict.fromkeys(flag.partition(":")[0] for flag in flags)
    return [named(words, _FLAGS, name) for name in names]
